//! `documentAttachments` and `attachments`: two steps, first the row, then its contents.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{EntitySet, Scope, Work};
use crate::bc::attachment::{Attachment, PARENT_TYPES};
use crate::bc::document::DocumentKind;
use crate::bc::error::Refusal;
use crate::bc::input::{Input, Scalar};
use crate::bc::odata::filter::Operand;
use crate::bc::schema::Kind::{Bool, DateTime, Enum, Guid, Int, Stream, Text};
use crate::bc::schema::{self, BLANK, Schema, r, w};
use crate::bc::table::Tables;
use crate::bc::upload::Upload;

/// A list without a filter shows no more than this.
const MAXIMUM: usize = 100_000;
const INVOICE: &str = "Purchase_x0020_Invoice";
const CREDIT_MEMO: &str = "Purchase_x0020_Credit_x0020_Memo";

/// Paper-clip files or incoming documents.
pub(crate) struct Attachments {
    incoming: bool,
    schema: &'static Schema,
}

pub(crate) static DOCUMENT_ATTACHMENTS: Attachments = Attachments {
    incoming: false,
    schema: &Schema {
        set: "documentAttachments",
        entity: "documentAttachment",
        fields: &[
            r("id", Guid),
            w("fileName", Text(250)),
            r("byteSize", Int),
            w("attachmentContent", Stream).computed(),
            w("parentType", Enum(PARENT_TYPES)),
            w("parentId", Guid),
            w("lineNumber", Int),
            w("documentFlowSales", Bool),
            w("documentFlowPurchase", Bool),
            r("lastModifiedDateTime", DateTime),
        ],
    },
};

pub(crate) static ATTACHMENTS: Attachments = Attachments {
    incoming: true,
    schema: &Schema {
        set: "attachments",
        entity: "attachment",
        fields: &[
            r("id", Guid),
            w("parentId", Guid),
            w("fileName", Text(250)),
            w("byteSize", Int),
            w("attachmentContent", Stream).computed(),
            r("lastModifiedDateTime", DateTime),
            w("parentType", Enum(PARENT_TYPES)),
        ],
    },
};

/// The parent type of a set that attachments hang below.
fn type_of(set: &str) -> &'static str {
    match set {
        "purchaseInvoices" => INVOICE,
        "purchaseCreditMemos" => CREDIT_MEMO,
        "vendors" => "Vendor",
        "journalLines" | "generalLedgerEntries" => "Journal",
        _ => BLANK,
    }
}

impl Attachments {
    /// The parent that a body or a path names, which must exist and be of a kind that can have attachments.
    fn parent(&self, tables: &Tables, scope: &Scope<'_>, input: &Input) -> Result<(String, Uuid), Refusal> {
        let (kind, id) = if let Some(parent) = scope.parent {
            (type_of(parent.set.schema().set).to_owned(), parent.id)
        } else {
            let kind = input.text("parentType").unwrap_or(BLANK).to_owned();
            (kind, input.guid("parentId").unwrap_or_default())
        };
        let readable = kind.replace("_x0020_", " ");
        let master = ["Vendor", "Customer", "Item", "Employee", "Job"].contains(&kind.as_str());
        if self.incoming && master {
            return Err(Refusal::dialog(format!(
                "Parent type {readable} is not supported. Use documentAttachments API instead."
            )));
        }
        let document = |wanted: DocumentKind| tables.documents.get(id).is_some_and(|row| row.kind == wanted);
        let found = match kind.as_str() {
            INVOICE => document(DocumentKind::Invoice),
            CREDIT_MEMO => document(DocumentKind::CreditMemo),
            "Vendor" => tables.vendors.get(id).is_some(),
            "Journal" if self.incoming => tables.journal_lines.get(id).is_some() || tables.ledger.gl.get(id).is_some(),
            BLANK => false,
            _ => return Err(Refusal::dialog(format!("The selected Document type {readable} is not supported."))),
        };
        if found { Ok((kind, id)) } else { Err(Refusal::dialog("Document type is not valid.")) }
    }

    fn sees(&self, row: &Attachment) -> bool {
        row.incoming == self.incoming
    }
}

/// Names that Windows would not take are replaced.
fn file_name(name: &str) -> String {
    let forbidden = |c: char| c.is_control() || "<>:\"/\\|?*".contains(c);
    if name.trim().is_empty() || name.contains(forbidden) { "filename.txt".to_owned() } else { name.to_owned() }
}

fn change(row: &mut Attachment, input: &Input) {
    for (name, value) in &input.fields {
        match (*name, value) {
            ("fileName", Scalar::Text(text)) => row.file_name = file_name(text),
            ("lineNumber", Scalar::Int(number)) => row.line_number = *number,
            ("documentFlowSales", Scalar::Bool(flows)) => row.flow_sales = *flows,
            ("documentFlowPurchase", Scalar::Bool(flows)) => row.flow_purchase = *flows,
            _ => {}
        }
    }
}

impl EntitySet for Attachments {
    fn schema(&self) -> &'static Schema {
        self.schema
    }

    fn keys(&self, tables: &Tables, scope: &Scope<'_>, exact: Option<Uuid>) -> Result<Vec<Uuid>, Refusal> {
        if let Some(id) = exact {
            let found = tables.attachments.row(id).filter(|row| self.sees(&row.value));
            if found.is_some_and(|row| scope.parent.is_some_and(|parent| parent.id != row.value.parent)) {
                return Err(Refusal::dialog("The attachment is linked to another document than you specified."));
            }
            return Ok(found.map(|_| id).into_iter().collect());
        }
        let sent = scope.filter.and_then(|filter| match filter.required("parentId")? {
            Operand::Text(text) => Uuid::try_parse(text).ok(),
            _ => None,
        });
        let keep = |(id, row): (Uuid, &Attachment)| self.sees(row).then_some(id);
        let ids: Vec<Uuid> = match scope.parent.map(|parent| parent.id).or(sent) {
            Some(parent) => tables.attachments.below(parent).filter_map(keep).collect(),
            None => tables.attachments.iter().filter_map(keep).collect(),
        };
        if ids.len() > MAXIMUM {
            return Err(Refusal::dialog(format!(
                "Loading more than {MAXIMUM} attachments is not supported. Set a filter to reduce the response size."
            )));
        }
        Ok(ids)
    }

    fn cell(&self, tables: &Tables, _scope: &Scope<'_>, id: Uuid, field: &str) -> Value {
        let Some(row) = tables.attachments.row(id) else {
            return Value::Null;
        };
        let attachment = &row.value;
        match field {
            "id" => schema::guid(id),
            "parentId" => schema::guid(attachment.parent),
            "parentType" => attachment.parent_type.as_str().into(),
            "fileName" => attachment.file_name.as_str().into(),
            "byteSize" => attachment.content.size.into(),
            "lineNumber" => attachment.line_number.into(),
            "documentFlowSales" => attachment.flow_sales.into(),
            "documentFlowPurchase" => attachment.flow_purchase.into(),
            "lastModifiedDateTime" => schema::moment(row.modified),
            _ => Value::Null,
        }
    }

    fn etag(&self, tables: &Tables, _scope: &Scope<'_>, id: Uuid) -> Option<String> {
        tables.attachments.row(id).map(|row| Tables::etag(id, row.version))
    }

    fn insert(&self, work: &mut Work<'_>, scope: &Scope<'_>, body: &Map<String, Value>) -> Result<Uuid, Refusal> {
        let input = Input::read(self, body, true)?;
        let (parent_type, parent) = self.parent(work.tables, scope, &input)?;
        let mut row = Attachment {
            incoming: self.incoming,
            file_name: file_name(""),
            parent_type,
            parent,
            line_number: 0,
            flow_sales: false,
            flow_purchase: false,
            content: Upload::default(),
        };
        change(&mut row, &input);
        let id = work.ids.guid();
        work.tables.put_attachment(id, row, work.now);
        Ok(id)
    }

    fn update(
        &self,
        work: &mut Work<'_>,
        _scope: &Scope<'_>,
        id: Uuid,
        body: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        let input = Input::read(self, body, false)?;
        let row = work.tables.attachments.row(id).map(|row| row.value.clone());
        let mut row = row.ok_or_else(|| Refusal::no_segment(self.schema.set))?;
        let key = |name| Err(Refusal::dialog(format!("You cannot change the value of the key field {name}.")));
        if input.guid("parentId").is_some_and(|sent| sent != row.parent) {
            return key("parentId");
        }
        if input.text("parentType").is_some_and(|sent| sent != row.parent_type) {
            return key("parentType");
        }
        change(&mut row, &input);
        work.tables.put_attachment(id, row, work.now);
        Ok(())
    }

    fn delete(&self, work: &mut Work<'_>, _scope: &Scope<'_>, id: Uuid) -> Result<(), Refusal> {
        work.tables.attachments.remove(id);
        Ok(())
    }

    fn stream(&self, tables: &Tables, id: Uuid, name: &str) -> Result<(Vec<u8>, &'static str), Refusal> {
        let row = tables.attachments.row(id).filter(|_| name == "attachmentContent");
        let row = row.ok_or_else(|| Refusal::no_segment(name))?;
        // Honest about the bound of the sandbox: BC itself has no such limit.
        let kept = row.value.content.bytes().ok_or_else(Refusal::content_not_kept)?;
        Ok((kept, "application/octet-stream"))
    }

    fn set_stream(&self, work: &mut Work<'_>, id: Uuid, content: Upload) -> Result<(), Refusal> {
        let row = work.tables.attachments.row(id).map(|row| row.value.clone());
        let mut row = row.ok_or_else(|| Refusal::no_segment(self.schema.set))?;
        row.content = content;
        work.tables.put_attachment(id, row, work.now);
        Ok(())
    }
}
