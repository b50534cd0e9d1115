//! `pdfDocument`: BC's own rendering of a document, draft or posted. Not the vendor's original.

use serde_json::Value;
use uuid::Uuid;

use super::{EntitySet, Scope};
use crate::bc::attachment::PARENT_TYPES;
use crate::bc::document::DocumentKind;
use crate::bc::error::Refusal;
use crate::bc::pdf;
use crate::bc::schema::Kind::{Enum, Guid, Stream};
use crate::bc::schema::{self, Schema, r};
use crate::bc::table::Tables;

/// The one rendering below a document; its id is the document's.
pub(crate) struct PdfDocument;

static SCHEMA: Schema = Schema {
    set: "pdfDocument",
    entity: "pdfDocument",
    fields: &[
        r("id", Guid),
        r("parentId", Guid),
        r("parentType", Enum(PARENT_TYPES)),
        r("pdfDocumentContent", Stream).computed(),
    ],
};

impl EntitySet for PdfDocument {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn is_single(&self) -> bool {
        true
    }

    fn keys(&self, _tables: &Tables, scope: &Scope<'_>, _exact: Option<Uuid>) -> Result<Vec<Uuid>, Refusal> {
        let parent = scope.parent.ok_or_else(|| Refusal::dialog("You must specify a parentId in the request body."))?;
        Ok(vec![parent.id])
    }

    fn cell(&self, tables: &Tables, _scope: &Scope<'_>, id: Uuid, field: &str) -> Value {
        match field {
            "id" | "parentId" => schema::guid(id),
            "parentType" => match tables.documents.get(id).map(|row| row.kind) {
                Some(DocumentKind::CreditMemo) => "Purchase_x0020_Credit_x0020_Memo",
                _ => "Purchase_x0020_Invoice",
            }
            .into(),
            _ => Value::Null,
        }
    }

    fn etag(&self, tables: &Tables, _scope: &Scope<'_>, id: Uuid) -> Option<String> {
        tables.documents.row(id).map(|row| Tables::etag(id, row.version))
    }

    fn stream(&self, tables: &Tables, id: Uuid, name: &str) -> Result<(Vec<u8>, &'static str), Refusal> {
        let document = tables.documents.get(id).filter(|_| name == "pdfDocumentContent");
        let document = document.ok_or_else(|| Refusal::no_segment(name))?;
        Ok((pdf::render(tables, document), "application/pdf"))
    }
}
