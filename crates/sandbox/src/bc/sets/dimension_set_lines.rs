//! `dimensionSetLines`: only below a document or a line, keyed by the dimension's id.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{EntitySet, Parent, Scope, Work, lines};
use crate::bc::document::{DimensionSet, Document, DocumentKind, dimensions};
use crate::bc::error::Refusal;
use crate::bc::schema::Kind::{Code, Enum, Guid, Text};
use crate::bc::schema::{self, Schema, r, w};
use crate::bc::table::Tables;

/// The set.
pub(crate) struct DimensionSetLines;

const PARENT_TYPES: &[&str] = &[
    schema::BLANK,
    "Purchase_x0020_Invoice",
    "Purchase_x0020_Invoice_x0020_Line",
    "Purchase_x0020_Credit_x0020_Memo",
    "Purchase_x0020_Credit_x0020_Memo_x0020_Line",
    "Journal_x0020_Line",
    "General_x0020_Ledger_x0020_Entry",
];

static SCHEMA: Schema = Schema {
    set: "dimensionSetLines",
    entity: "dimensionSetLine",
    fields: &[
        w("id", Guid),
        w("code", Code(20)),
        r("consolidationCode", Code(20)),
        r("parentId", Guid),
        r("parentType", Enum(PARENT_TYPES)),
        r("displayName", Text(30)),
        w("valueId", Guid).computed(),
        w("valueCode", Code(20)).computed(),
        r("valueConsolidationCode", Code(20)),
        r("valueDisplayName", Text(50)),
    ],
};

/// Where a dimension set belongs to.
#[derive(Clone, Copy)]
struct Owner {
    document: Uuid,
    /// None for the header.
    line: Option<Uuid>,
    parent_type: &'static str,
}

fn owner(tables: &Tables, parent: Parent) -> Option<Owner> {
    let header = |parent_type| Some(Owner { document: parent.id, line: None, parent_type });
    let line = |kind: DocumentKind, parent_type| {
        let (document, _) = lines::find(tables, kind, parent.id)?;
        Some(Owner { document, line: Some(parent.id), parent_type })
    };
    match parent.set.schema().set {
        "purchaseInvoices" => header(PARENT_TYPES[1]),
        "purchaseInvoiceLines" => line(DocumentKind::Invoice, PARENT_TYPES[2]),
        "purchaseCreditMemos" => header(PARENT_TYPES[3]),
        "purchaseCreditMemoLines" => line(DocumentKind::CreditMemo, PARENT_TYPES[4]),
        _ => None,
    }
}

fn set_of(document: &Document, line: Option<Uuid>) -> Option<&DimensionSet> {
    match line {
        None => Some(&document.dimensions),
        Some(id) => document.line(id).map(|line| &line.dimensions),
    }
}

/// The dimension set of a parent.
fn dimension_set<'a>(tables: &'a Tables, scope: &Scope<'_>) -> Option<(Owner, &'a DimensionSet)> {
    let parent = scope.parent?;
    let other = |parent_type| Owner { document: parent.id, line: None, parent_type };
    match parent.set.schema().set {
        "journalLines" | "vendorPayments" => {
            return Some((other(PARENT_TYPES[5]), &tables.journal_lines.get(parent.id)?.dimensions));
        }
        "generalLedgerEntries" => {
            let entry = tables.ledger.gl.get(parent.id)?;
            return Some((other(PARENT_TYPES[6]), tables.ledger.dimensions(entry.dimension_set)?));
        }
        _ => {}
    }
    let owner = owner(tables, parent)?;
    Some((owner, set_of(tables.documents.get(owner.document)?, owner.line)?))
}

/// Changes the dimension set of a parent, posted or not.
fn change<T>(
    work: &mut Work<'_>,
    scope: &Scope<'_>,
    change: impl FnOnce(&Tables, &mut DimensionSet) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    match scope.parent.map(|parent| (parent.set.schema().set, parent.id)) {
        Some(("journalLines" | "vendorPayments", id)) => {
            let line = work.tables.journal_lines.get(id).cloned();
            let mut line = line.ok_or_else(|| Refusal::dialog(format!("Parent with ID {id} does not exist.")))?;
            let done = change(work.tables, &mut line.dimensions)?;
            work.tables.put(|tables| &mut tables.journal_lines, id, line, work.now);
            return Ok(done);
        }
        Some(("generalLedgerEntries", id)) => {
            return Err(Refusal::dialog(format!(
                "Parent with ID {id} does not exist or dimension set lines are read only for parent type General Ledger Entry."
            )));
        }
        _ => {}
    }
    let missing = || Refusal::dialog("You must get to the parent first to create a dimension set line.");
    let owner = scope.parent.and_then(|parent| owner(work.tables, parent)).ok_or_else(missing)?;
    let mut document = work.tables.documents.get(owner.document).cloned().ok_or_else(missing)?;
    let set = match owner.line {
        None => &mut document.dimensions,
        Some(id) => {
            let line = document.lines.iter_mut().find(|line| line.id == id);
            &mut line.ok_or_else(missing)?.dimensions
        }
    };
    let done = change(work.tables, set)?;
    work.tables.put(|tables| &mut tables.documents, owner.document, document, work.now);
    Ok(done)
}

impl EntitySet for DimensionSetLines {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn keys(&self, tables: &Tables, scope: &Scope<'_>, _exact: Option<Uuid>) -> Result<Vec<Uuid>, Refusal> {
        if scope.parent.is_none() {
            return Err(Refusal::dialog("You must get to the parent first to get to the dimension set line."));
        }
        let Some((_, set)) = dimension_set(tables, scope) else {
            return Ok(Vec::new());
        };
        let ids = set.keys().filter_map(|code| tables.dimensions.find(|dimension| dimension.code == *code));
        Ok(ids.map(|(id, _)| id).collect())
    }

    fn cell(&self, tables: &Tables, scope: &Scope<'_>, id: Uuid, field: &str) -> Value {
        cell(tables, scope, id, field).unwrap_or(Value::Null)
    }

    fn etag(&self, tables: &Tables, scope: &Scope<'_>, id: Uuid) -> Option<String> {
        let (owner, _) = dimension_set(tables, scope)?;
        let version = match owner.parent_type {
            "Journal_x0020_Line" => tables.journal_lines.row(owner.document).map(|row| row.version),
            "General_x0020_Ledger_x0020_Entry" => tables.ledger.gl.row(owner.document).map(|row| row.version),
            _ => tables.documents.row(owner.document).map(|row| row.version),
        };
        version.map(|version| Tables::etag(id, version))
    }

    fn insert(&self, work: &mut Work<'_>, scope: &Scope<'_>, body: &Map<String, Value>) -> Result<Uuid, Refusal> {
        change(work, scope, |tables, set| dimensions::add(tables, set, body))
    }

    fn update(
        &self,
        work: &mut Work<'_>,
        scope: &Scope<'_>,
        id: Uuid,
        body: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        change(work, scope, |tables, set| dimensions::change(tables, set, id, body))
    }

    fn delete(&self, work: &mut Work<'_>, scope: &Scope<'_>, id: Uuid) -> Result<(), Refusal> {
        change(work, scope, |tables, set| {
            if let Some(dimension) = tables.dimensions.get(id) {
                set.remove(&dimension.code);
            }
            Ok(())
        })
    }
}

fn cell(tables: &Tables, scope: &Scope<'_>, id: Uuid, field: &str) -> Option<Value> {
    let (owner, set) = dimension_set(tables, scope)?;
    let dimension = tables.dimensions.get(id)?;
    let code = set.get(&dimension.code)?;
    let value = tables.dimension_values.find(|(parent, value)| *parent == id && value.code == *code);
    Some(match field {
        "id" => schema::guid(id),
        "code" => dimension.code.as_str().into(),
        "consolidationCode" | "valueConsolidationCode" => "".into(),
        "parentId" => schema::guid(owner.line.unwrap_or(owner.document)),
        "parentType" => owner.parent_type.into(),
        "displayName" => dimension.name.as_str().into(),
        "valueId" => schema::guid(value.map_or_else(Uuid::nil, |(id, _)| id)),
        "valueCode" => code.as_str().into(),
        "valueDisplayName" => value.map_or("", |(_, row)| row.1.name.as_str()).into(),
        _ => return None,
    })
}
