//! `agedAccountsPayables` and `vendorPurchases`: one row per vendor, made of its ledger entries.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use super::reads::{Reads, nothing};
use super::vendor::Vendor;
use super::{EntitySet, Scope};
use crate::bc::error::Refusal;
use crate::bc::schema::Kind::{self, Code, Guid, Text};
use crate::bc::schema::{self, Schema, r};
use crate::bc::table::{Row, Tables};

/// Periods have 30 days, and the last one is open.
const PERIOD_DAYS: i64 = 30;

static AGED: Reads<Vendor> = Reads {
    schema: &Schema {
        set: "agedAccountsPayables",
        entity: "agedAccountsPayable",
        fields: &[
            r("vendorId", Guid),
            r("vendorNumber", Code(20)),
            r("name", Text(100)),
            r("currencyCode", Code(10)),
            r("balanceDue", Kind::Decimal),
            r("currentAmount", Kind::Decimal),
            r("period1Amount", Kind::Decimal),
            r("period2Amount", Kind::Decimal),
            r("period3Amount", Kind::Decimal),
            r("agedAsOfDate", Kind::Date),
            r("periodLengthFilter", Text(10)),
        ],
    },
    table: |tables| &tables.vendors,
    cell: aged_cell,
    below: |vendor, parent| vendor.base.id == parent.id,
    navigation: nothing,
};

fn aged_cell(tables: &Tables, id: Uuid, row: &Row<Vendor>, field: &str) -> Value {
    let period = |wanted: i64| {
        let open = tables.ledger.open(id).map(|(_, entry)| entry);
        let found = open.filter(|entry| age(entry.due_date.unwrap_or(entry.posting_date), tables.today) == wanted);
        schema::decimal(-found.map(|entry| entry.remaining_local).sum::<Decimal>())
    };
    match field {
        "vendorId" => schema::guid(id),
        "vendorNumber" => row.value.base.number.as_str().into(),
        "name" => row.value.base.name.as_str().into(),
        // Amounts are in the company's own currency.
        "currencyCode" => "".into(),
        "balanceDue" => schema::decimal(tables.ledger.balance(id)),
        "currentAmount" => period(0),
        "period1Amount" => period(1),
        "period2Amount" => period(2),
        "period3Amount" => period(3),
        "agedAsOfDate" => schema::date(Some(tables.today)),
        "periodLengthFilter" => "30D".into(),
        _ => Value::Null,
    }
}

/// The period that a due date falls into: 0 while it is not over.
fn age(due: Date, today: Date) -> i64 {
    let days = due.until(today).map_or(0, |span| i64::from(span.get_days()));
    if days <= 0 { 0 } else { ((days - 1) / PERIOD_DAYS + 1).min(3) }
}

/// One row per vendor, and the only one below a vendor.
pub(crate) struct AgedPayables;

impl EntitySet for AgedPayables {
    fn schema(&self) -> &'static Schema {
        AGED.schema()
    }

    fn is_single(&self) -> bool {
        true
    }

    fn keys(&self, tables: &Tables, scope: &Scope<'_>, exact: Option<Uuid>) -> Result<Vec<Uuid>, Refusal> {
        AGED.keys(tables, scope, exact)
    }

    fn cell(&self, tables: &Tables, scope: &Scope<'_>, id: Uuid, field: &str) -> Value {
        AGED.cell(tables, scope, id, field)
    }

    fn etag(&self, tables: &Tables, scope: &Scope<'_>, id: Uuid) -> Option<String> {
        AGED.etag(tables, scope, id)
    }
}

/// A query: its key has three parts.
pub(crate) struct VendorPurchases;

static PURCHASES: Schema = Schema {
    set: "vendorPurchases",
    entity: "vendorPurchase",
    fields: &[
        r("vendorId", Guid),
        r("vendorNumber", Code(20)),
        r("name", Text(100)),
        r("totalPurchaseAmount", Kind::Decimal),
    ],
};

impl EntitySet for VendorPurchases {
    fn schema(&self) -> &'static Schema {
        &PURCHASES
    }

    fn more_keys(&self) -> &'static [&'static str] {
        &["vendorNumber", "name"]
    }

    fn keys(&self, tables: &Tables, scope: &Scope<'_>, exact: Option<Uuid>) -> Result<Vec<Uuid>, Refusal> {
        AGED.keys(tables, scope, exact)
    }

    fn cell(&self, tables: &Tables, scope: &Scope<'_>, id: Uuid, field: &str) -> Value {
        match field {
            "totalPurchaseAmount" => schema::decimal(tables.ledger.purchases(id)),
            _ => AGED.cell(tables, scope, id, field),
        }
    }

    fn etag(&self, tables: &Tables, scope: &Scope<'_>, id: Uuid) -> Option<String> {
        AGED.etag(tables, scope, id)
    }
}
