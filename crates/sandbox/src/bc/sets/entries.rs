//! The ledgers as they are read: `generalLedgerEntries` of API v2.0, and the queries of the group reportsFinance.

use serde_json::Value;
use uuid::Uuid;

use super::EntitySet;
use super::attachments::ATTACHMENTS;
use super::dimension_set_lines::DimensionSetLines;
use super::reads::{Reads, anywhere, nothing};
use crate::bc::journal::ACCOUNT_TYPES;
use crate::bc::ledger::{DetailedEntry, EntryType, GlEntry, SetEntry, VendorEntry};
use crate::bc::schema::Kind::{Bool, Code, Date, DateTime, Decimal, Enum, Guid, Int, Text};
use crate::bc::schema::{self, Schema, r};
use crate::bc::table::{Row, Tables};

/// The part of an amount on one side: debit is positive.
fn debit(amount: rust_decimal::Decimal) -> Value {
    schema::decimal(amount.max(rust_decimal::Decimal::ZERO))
}

fn credit(amount: rust_decimal::Decimal) -> Value {
    debit(-amount)
}

pub(crate) static GL_ENTRIES: Reads<GlEntry> = Reads {
    schema: &Schema {
        set: "generalLedgerEntries",
        entity: "generalLedgerEntry",
        fields: &[
            r("id", Guid),
            r("entryNumber", Int),
            r("postingDate", Date),
            r("documentNumber", Code(20)),
            r("documentType", Enum(EntryType::NAMES)),
            r("accountId", Guid),
            r("accountNumber", Code(20)),
            r("description", Text(100)),
            r("debitAmount", Decimal),
            r("creditAmount", Decimal),
            r("additionalCurrencyDebitAmount", Decimal),
            r("additionalCurrencyCreditAmount", Decimal),
            r("lastModifiedDateTime", DateTime),
        ],
    },
    table: |tables| &tables.ledger.gl,
    cell: gl_cell,
    below: anywhere,
    navigation: |name| match name {
        "dimensionSetLines" => Some(&DimensionSetLines as &dyn EntitySet),
        "attachments" => Some(&ATTACHMENTS),
        _ => None,
    },
};

pub(crate) static REPORT_GL_ENTRIES: Reads<GlEntry> = Reads {
    schema: &Schema {
        set: "generalLedgerEntries",
        entity: "generalLedgerEntry",
        fields: &[
            r("id", Guid),
            r("number", Int),
            r("description", Text(100)),
            r("postingDate", Date),
            r("accountNumber", Code(20)),
            r("businessUnitCode", Code(20)),
            r("reveresd", Bool),
            r("documentNumber", Code(20)),
            r("externalDocumentNumber", Code(35)),
            r("sourceType", Enum(&[schema::BLANK, "Vendor"])),
            r("sourceNumber", Code(20)),
            r("sourceCode", Code(10)),
            r("amount", Decimal),
            r("debitAmount", Decimal),
            r("creditAmount", Decimal),
            r("vatAmount", Decimal),
            r("additionalCurrencyAmount", Decimal),
            r("dimensionSetID", Int),
            r("globalDimension1Code", Code(20)),
            r("globalDimension2Code", Code(20)),
            r("lastModifiedDateTime", DateTime),
        ],
    },
    table: |tables| &tables.ledger.gl,
    cell: gl_cell,
    below: anywhere,
    navigation: nothing,
};

fn gl_cell(tables: &Tables, id: Uuid, row: &Row<GlEntry>, field: &str) -> Value {
    let entry = &row.value;
    let global = |index: usize| {
        let set = tables.ledger.dimensions(entry.dimension_set);
        set.and_then(|set| set.get(&tables.setup().global_dimensions[index])).map_or("", String::as_str).into()
    };
    match field {
        "id" => schema::guid(id),
        "entryNumber" | "number" => entry.number.into(),
        "postingDate" => schema::date(Some(entry.posting_date)),
        "documentNumber" => entry.document_number.as_str().into(),
        "documentType" => entry.document_type.name().into(),
        "externalDocumentNumber" => entry.external_number.as_str().into(),
        "accountId" => schema::guid(entry.account),
        "accountNumber" => tables.accounts.get(entry.account).map_or("", |row| row.number.as_str()).into(),
        "description" => entry.description.as_str().into(),
        "amount" => schema::decimal(entry.amount),
        "debitAmount" => debit(entry.amount),
        "creditAmount" => credit(entry.amount),
        "businessUnitCode" => "".into(),
        "reveresd" => entry.reversed.into(),
        "sourceType" => if entry.source_number.is_empty() { schema::BLANK } else { "Vendor" }.into(),
        "sourceNumber" => entry.source_number.as_str().into(),
        "sourceCode" => entry.source_code.as_str().into(),
        "dimensionSetID" => entry.dimension_set.into(),
        "globalDimension1Code" => global(0),
        "globalDimension2Code" => global(1),
        "lastModifiedDateTime" => schema::moment(row.modified),
        // No tax is booked, and there is no additional reporting currency.
        _ => 0.into(),
    }
}

pub(crate) static VENDOR_ENTRIES: Reads<VendorEntry> = Reads {
    schema: &Schema {
        set: "vendorLedgerEntries",
        entity: "vendorLedgerEntry",
        fields: &[
            r("entryNumber", Int),
            r("documentType", Enum(EntryType::NAMES)),
            r("description", Text(100)),
            r("postingDate", Date),
            r("documentNumber", Code(20)),
            r("externalDocumentNumber", Code(35)),
            r("balancingAccountNumber", Code(20)),
            r("balancingAccountType", Enum(ACCOUNT_TYPES)),
            r("vendorNumber", Code(20)),
            r("open", Bool),
            r("amount", Decimal),
            r("debitAmount", Decimal),
            r("creditAmount", Decimal),
            r("amountLocalCurrency", Decimal),
            r("dimensionSetID", Int),
            r("debitAmountLocalCurrency", Decimal),
            r("creditAmountLocalCurrency", Decimal),
            r("currencyCode", Code(10)),
            r("lastModifiedDateTime", DateTime),
        ],
    },
    table: |tables| &tables.ledger.vendor,
    cell: vendor_cell,
    below: anywhere,
    navigation: nothing,
};

fn vendor_cell(tables: &Tables, _id: Uuid, row: &Row<VendorEntry>, field: &str) -> Value {
    let entry = &row.value;
    let (kind, number) = &entry.balancing;
    match field {
        "entryNumber" => entry.number.into(),
        "documentType" => entry.document_type.name().into(),
        "description" => entry.description.as_str().into(),
        "postingDate" => schema::date(Some(entry.posting_date)),
        "documentNumber" => entry.document_number.as_str().into(),
        "externalDocumentNumber" => entry.external_number.as_str().into(),
        "balancingAccountNumber" => number.as_str().into(),
        "balancingAccountType" => if kind.is_empty() { ACCOUNT_TYPES[0] } else { kind.as_str() }.into(),
        "vendorNumber" => vendor_number(tables, entry.vendor),
        "open" => entry.is_open().into(),
        "amount" => schema::decimal(entry.amount),
        "debitAmount" => debit(entry.amount),
        "creditAmount" => credit(entry.amount),
        "amountLocalCurrency" => schema::decimal(entry.amount_local),
        "dimensionSetID" => entry.dimension_set.into(),
        "debitAmountLocalCurrency" => debit(entry.amount_local),
        "creditAmountLocalCurrency" => credit(entry.amount_local),
        // A table field, unlike the documents': blank for the company's own.
        "currencyCode" => entry.currency.as_str().into(),
        "lastModifiedDateTime" => schema::moment(row.modified),
        _ => Value::Null,
    }
}

fn vendor_number(tables: &Tables, vendor: Uuid) -> Value {
    tables.vendors.get(vendor).map_or("", |row| row.base.number.as_str()).into()
}

const DETAIL_KINDS: &[&str] =
    &[schema::BLANK, "Initial_x0020_Entry", "Application", "Realized_x0020_Loss", "Realized_x0020_Gain"];

pub(crate) static DETAILED_ENTRIES: Reads<DetailedEntry> = Reads {
    schema: &Schema {
        set: "detailedVendorLedgerEntries",
        entity: "detailedVendorLedgerEntry",
        fields: &[
            r("entryNumber", Int),
            r("entryType", Enum(DETAIL_KINDS)),
            r("vendorNumber", Code(20)),
            r("amount", Decimal),
            r("debitAmount", Decimal),
            r("creditAmount", Decimal),
            r("amountLocalCurrency", Decimal),
            r("debitAmountLocalCurrency", Decimal),
            r("creditAmountLocalCurrency", Decimal),
            r("postingDate", Date),
            r("currencyCode", Code(10)),
            r("lastModifiedDateTime", DateTime),
        ],
    },
    table: |tables| &tables.ledger.detailed,
    cell: |tables, _, row, field| match field {
        "entryNumber" => row.value.number.into(),
        "entryType" => row.value.kind.as_str().into(),
        "vendorNumber" => vendor_number(tables, row.value.vendor),
        "amount" => schema::decimal(row.value.amount),
        "debitAmount" => debit(row.value.amount),
        "creditAmount" => credit(row.value.amount),
        "amountLocalCurrency" => schema::decimal(row.value.local),
        "debitAmountLocalCurrency" => debit(row.value.local),
        "creditAmountLocalCurrency" => credit(row.value.local),
        "postingDate" => schema::date(Some(row.value.posting_date)),
        "currencyCode" => row.value.currency.as_str().into(),
        "lastModifiedDateTime" => schema::moment(row.modified),
        _ => Value::Null,
    },
    below: anywhere,
    navigation: nothing,
};

pub(crate) static SET_ENTRIES: Reads<SetEntry> = Reads {
    schema: &Schema {
        set: "dimensionSetEntries",
        entity: "dimensionSetEntry",
        fields: &[
            r("id", Guid),
            r("setId", Int),
            r("dimensionCode", Code(20)),
            r("dimensionDisplayName", Text(30)),
            r("dimensionValueCode", Code(20)),
            r("dimensionValueDisplayName", Text(50)),
            r("dimensionValueId", Int),
            r("lastModifiedDateTime", DateTime),
        ],
    },
    table: |tables| &tables.ledger.set_entries,
    cell: set_cell,
    below: anywhere,
    navigation: nothing,
};

fn set_cell(tables: &Tables, id: Uuid, row: &Row<SetEntry>, field: &str) -> Value {
    let entry = &row.value;
    let dimension = tables.dimensions.find(|row| row.code == entry.dimension);
    let values = || tables.dimension_values.iter().map(|(_, row)| row);
    let value = || values().find(|(of, row)| dimension.is_some_and(|(id, _)| id == *of) && row.code == entry.value);
    match field {
        "id" => schema::guid(id),
        "setId" => entry.set.into(),
        "dimensionCode" => entry.dimension.as_str().into(),
        "dimensionDisplayName" => dimension.map_or("", |(_, row)| row.name.as_str()).into(),
        "dimensionValueCode" => entry.value.as_str().into(),
        "dimensionValueDisplayName" => value().map_or("", |(_, row)| row.name.as_str()).into(),
        "dimensionValueId" => {
            let place = values().position(|(_, row)| row.code == entry.value);
            place.map_or(0, |place| place + 1).into()
        }
        "lastModifiedDateTime" => schema::moment(row.modified),
        _ => Value::Null,
    }
}
