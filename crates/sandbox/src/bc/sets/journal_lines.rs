//! `journalLines` and `vendorPayments`: lines of batches. The rules are in [`crate::bc::journal::line`].

use serde_json::{Map, Value};
use uuid::Uuid;

use super::apply_vendor_entries::ApplyVendorEntries;
use super::attachments::ATTACHMENTS;
use super::dimension_set_lines::DimensionSetLines;
use super::{EntitySet, Scope, Work};
use crate::bc::error::Refusal;
use crate::bc::journal::{self, ACCOUNT_TYPES, JournalLine, VENDOR, line};
use crate::bc::ledger::EntryType;
use crate::bc::odata::filter::Operand;
use crate::bc::schema::Kind::{Code, Date, DateTime, Decimal, Enum, Guid, Int, Text};
use crate::bc::schema::{self, Schema, r, w};
use crate::bc::table::{Row, Tables};

/// One face of the lines.
pub(crate) struct JournalLines {
    schema: &'static Schema,
    payments: bool,
}

pub(crate) static JOURNAL_LINES: JournalLines = JournalLines {
    payments: false,
    schema: &Schema {
        set: "journalLines",
        entity: "journalLine",
        fields: &[
            r("id", Guid),
            w("journalId", Guid),
            w("journalDisplayName", Code(10)).computed(),
            w("lineNumber", Int),
            w("accountType", Enum(ACCOUNT_TYPES)),
            w("accountId", Guid),
            w("accountNumber", Code(20)),
            w("postingDate", Date),
            w("documentNumber", Code(20)),
            w("externalDocumentNumber", Code(35)),
            w("amount", Decimal),
            w("description", Text(100)),
            w("comment", Text(250)),
            w("taxCode", Code(20)).computed(),
            w("balanceAccountType", Enum(ACCOUNT_TYPES)),
            w("balancingAccountId", Guid),
            w("balancingAccountNumber", Code(20)),
            r("lastModifiedDateTime", DateTime),
        ],
    },
};

pub(crate) static VENDOR_PAYMENTS: JournalLines = JournalLines {
    payments: true,
    schema: &Schema {
        set: "vendorPayments",
        entity: "vendorPayment",
        fields: &[
            r("id", Guid),
            w("journalId", Guid),
            w("journalDisplayName", Code(10)),
            w("lineNumber", Int),
            w("vendorId", Guid),
            w("vendorNumber", Code(20)),
            w("postingDate", Date),
            w("documentNumber", Code(20)),
            w("externalDocumentNumber", Code(35)),
            w("amount", Decimal),
            w("appliesToInvoiceId", Guid).computed(),
            w("appliesToInvoiceNumber", Code(20)).computed(),
            w("description", Text(100)),
            w("comment", Text(250)),
            r("lastModifiedDateTime", DateTime),
        ],
    },
};

impl JournalLines {
    /// What the page shows: payments to vendors, or lines without a document type on the first four account types.
    fn shows(&self, line: &JournalLine) -> bool {
        if self.payments {
            return line.document_type == EntryType::Payment && line.account.kind == VENDOR;
        }
        line.document_type == EntryType::Blank && ACCOUNT_TYPES[..4].contains(&line.account.kind.as_str())
    }
}

impl EntitySet for JournalLines {
    fn schema(&self) -> &'static Schema {
        self.schema
    }

    fn navigation(&self, name: &str) -> Option<&'static dyn EntitySet> {
        match name {
            "dimensionSetLines" => Some(&DimensionSetLines),
            "attachments" if !self.payments => Some(&ATTACHMENTS),
            "applyVendorEntries" if self.payments => Some(&ApplyVendorEntries),
            _ => None,
        }
    }

    fn keys(&self, tables: &Tables, scope: &Scope<'_>, exact: Option<Uuid>) -> Result<Vec<Uuid>, Refusal> {
        let sent = scope.filter.and_then(|filter| match filter.required("journalId")? {
            Operand::Text(text) => Uuid::try_parse(text).ok(),
            _ => None,
        });
        let journal = scope.parent.map(|parent| parent.id).or(sent);
        if let Some(id) = exact {
            let found = tables.journal_lines.get(id).filter(|line| self.shows(line));
            let found = found.filter(|line| journal.is_none_or(|journal| line.journal == journal));
            return Ok(found.map(|_| id).into_iter().collect());
        }
        let journal = journal.ok_or_else(|| {
            Refusal::dialog("You must specify a journal batch ID or a journal ID to get a journal line.")
        })?;
        let lines = journal::lines(tables, journal).into_iter().filter(|(_, line)| self.shows(line));
        Ok(lines.map(|(id, _)| id).collect())
    }

    fn cell(&self, tables: &Tables, _scope: &Scope<'_>, id: Uuid, field: &str) -> Value {
        tables.journal_lines.row(id).map_or(Value::Null, |row| cell(tables, id, row, field))
    }

    fn etag(&self, tables: &Tables, _scope: &Scope<'_>, id: Uuid) -> Option<String> {
        tables.journal_lines.row(id).map(|row| Tables::etag(id, row.version))
    }

    fn insert(&self, work: &mut Work<'_>, scope: &Scope<'_>, body: &Map<String, Value>) -> Result<Uuid, Refusal> {
        line::insert(work, self, scope, body, self.payments)
    }

    fn update(
        &self,
        work: &mut Work<'_>,
        _scope: &Scope<'_>,
        id: Uuid,
        body: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        line::update(work, self, id, body, self.payments)
    }

    fn delete(&self, work: &mut Work<'_>, _scope: &Scope<'_>, id: Uuid) -> Result<(), Refusal> {
        line::delete(work, id);
        Ok(())
    }
}

fn cell(tables: &Tables, id: Uuid, row: &Row<JournalLine>, field: &str) -> Value {
    let line = &row.value;
    let invoice = if line.applies_to.0 == EntryType::Invoice { line.applies_to.1.as_str() } else { "" };
    match field {
        "id" => schema::guid(id),
        "journalId" => schema::guid(line.journal),
        "journalDisplayName" => tables.journals.get(line.journal).map_or("", |row| row.code.as_str()).into(),
        "lineNumber" => line.number.into(),
        "accountType" => line.account.kind.as_str().into(),
        "accountId" | "vendorId" => schema::guid(line.account.id),
        "accountNumber" | "vendorNumber" => line.account.number.as_str().into(),
        "postingDate" => schema::date(Some(line.posting_date)),
        "documentNumber" => line.document_number.as_str().into(),
        "externalDocumentNumber" => line.external_number.as_str().into(),
        "amount" => schema::decimal(line.amount),
        "appliesToInvoiceId" => schema::guid(tables.ledger.posted_invoice(invoice).unwrap_or_default()),
        "appliesToInvoiceNumber" => invoice.into(),
        "description" => line.description.as_str().into(),
        "comment" => line.comment.as_str().into(),
        "taxCode" => line.tax_code.as_str().into(),
        "balanceAccountType" => line.balancing.kind.as_str().into(),
        "balancingAccountId" => schema::guid(line.balancing.id),
        "balancingAccountNumber" => line.balancing.number.as_str().into(),
        "lastModifiedDateTime" => schema::moment(row.modified),
        _ => Value::Null,
    }
}
