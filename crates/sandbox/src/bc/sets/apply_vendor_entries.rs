//! `applyVendorEntries`: the open entries of a payment's vendor, to be marked for it.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{EntitySet, Scope, Work};
use crate::bc::error::Refusal;
use crate::bc::input::{Input, Scalar};
use crate::bc::journal::JournalLine;
use crate::bc::ledger::EntryType;
use crate::bc::schema::Kind::{Bool, Code, Date, DateTime, Decimal, Enum, Guid, Text};
use crate::bc::schema::{self, Schema, r, w};
use crate::bc::table::Tables;

/// The set.
pub(crate) struct ApplyVendorEntries;

static SCHEMA: Schema = Schema {
    set: "applyVendorEntries",
    entity: "applyVendorEntry",
    fields: &[
        r("id", Guid),
        w("applied", Bool).computed(),
        r("appliesToId", Code(50)),
        r("postingDate", Date),
        r("documentType", Enum(EntryType::NAMES)),
        r("documentNumber", Code(20)),
        r("externalDocumentNumber", Code(35)),
        r("vendorNumber", Code(20)),
        r("vendorName", Text(100)),
        r("description", Text(100)),
        r("remainingAmount", Decimal),
        r("lastModifiedDateTime", DateTime),
    ],
};

/// The payment above, which must name a vendor.
fn payment<'a>(tables: &'a Tables, scope: &Scope<'_>) -> Result<(Uuid, &'a JournalLine), Refusal> {
    let found = scope.parent.and_then(|parent| Some((parent.id, tables.journal_lines.get(parent.id)?)));
    found
        .filter(|(_, line)| !line.account.is_blank())
        .ok_or_else(|| Refusal::dialog("You must specify a vendor payment to get apply vendor entries."))
}

impl EntitySet for ApplyVendorEntries {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn keys(&self, tables: &Tables, scope: &Scope<'_>, _exact: Option<Uuid>) -> Result<Vec<Uuid>, Refusal> {
        let (_, line) = payment(tables, scope)?;
        Ok(tables.ledger.open(line.account.id).map(|(id, _)| id).collect())
    }

    fn cell(&self, tables: &Tables, scope: &Scope<'_>, id: Uuid, field: &str) -> Value {
        let (Ok((_, line)), Some(row)) = (payment(tables, scope), tables.ledger.vendor.row(id)) else {
            return Value::Null;
        };
        let entry = &row.value;
        let vendor = tables.vendors.get(entry.vendor);
        match field {
            "id" => schema::guid(id),
            "applied" => (!entry.applies_to_id.is_empty() && entry.applies_to_id == line.applies_to_id).into(),
            "appliesToId" => entry.applies_to_id.as_str().into(),
            "postingDate" => schema::date(Some(entry.posting_date)),
            "documentType" => entry.document_type.name().into(),
            "documentNumber" => entry.document_number.as_str().into(),
            "externalDocumentNumber" => entry.external_number.as_str().into(),
            "vendorNumber" => vendor.map_or("", |row| row.base.number.as_str()).into(),
            "vendorName" => vendor.map_or("", |row| row.base.name.as_str()).into(),
            "description" => entry.description.as_str().into(),
            "remainingAmount" => schema::decimal(entry.remaining),
            "lastModifiedDateTime" => schema::moment(row.modified),
            _ => Value::Null,
        }
    }

    fn etag(&self, tables: &Tables, _scope: &Scope<'_>, id: Uuid) -> Option<String> {
        tables.ledger.vendor.row(id).map(|row| Tables::etag(id, row.version))
    }

    fn update(
        &self,
        work: &mut Work<'_>,
        scope: &Scope<'_>,
        id: Uuid,
        body: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        let input = Input::read(self, body, false)?;
        let Some(Scalar::Bool(applied)) = input.get("applied") else {
            return Ok(());
        };
        let (line_id, line) = payment(work.tables, scope)?;
        let mut line = line.clone();
        let entry = work.tables.ledger.vendor.get(id).cloned();
        let mut entry = entry.ok_or_else(|| Refusal::no_segment(SCHEMA.set))?;
        entry.applies_to_id = if *applied { line.document_number.clone() } else { String::new() };
        work.tables.put_vendor_entry(id, entry, work.now);
        if *applied {
            line.applies_to_id.clone_from(&line.document_number);
            line.applies_to = (EntryType::Blank, String::new());
            work.tables.put(|tables| &mut tables.journal_lines, line_id, line, work.now);
        }
        Ok(())
    }
}
