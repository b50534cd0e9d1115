//! The records of a benchmark: coded card purchases of 50 vendors on 20 accounts, a tenth of them split over two lines, a fifth in
//! another currency.

use sandbox::World;
use sandbox::brex::Expectation;
use sandbox::company::{Account, AccountCategory, AccountKind, Blocked, Vendor};
use serde_json::{Value, json};

const VENDORS: usize = 50;
const ACCOUNTS: usize = 20;

/// What records are coded with.
struct Coding<'a> {
    vendors: Vec<&'a Vendor>,
    accounts: Vec<&'a Account>,
}

impl<'a> Coding<'a> {
    fn of(world: &'a World) -> Self {
        let usable = |vendor: &&Vendor| {
            vendor.blocked == Blocked::No
                && vendor.number.starts_with('V')
                && vendor.currency.is_empty()
                && vendor.default_dimensions.is_empty()
        };
        let postable = |account: &&Account| {
            account.kind == AccountKind::Posting
                && account.category == AccountCategory::Expense
                && account.direct_posting
                && !account.blocked
                && account.default_dimensions.is_empty()
        };
        Self {
            vendors: world.company.vendors.iter().filter(usable).take(VENDORS).collect(),
            accounts: world.company.accounts.iter().filter(postable).take(ACCOUNTS).collect(),
        }
    }
}

/// Puts `number` records into Brex, ready for export, with ids that begin with `prefix`.
pub(super) fn insert(world: &World, prefix: &str, number: usize) -> Result<(), String> {
    let coding = Coding::of(world);
    if coding.vendors.is_empty() || coding.accounts.is_empty() {
        return Err("the sandbox has no vendors or no accounts".to_owned());
    }
    let now = format!("{:.6}", world.clock.now());
    for place in 0..number {
        let record = record(&coding, &format!("{prefix}{place:07}"), place, &now).to_string();
        world.brex.insert(&record, Expectation::Document, "made for a benchmark").map_err(|e| e.to_string())?;
    }
    Ok(())
}

fn record(coding: &Coding<'_>, id: &str, place: usize, now: &str) -> Value {
    let vendor = coding.vendors[place % coding.vendors.len()];
    let currency = match place % 10 {
        3 => "EUR",
        6 => "GBP",
        _ => "USD",
    };
    let cents = 1_000 + (place * 7_919) % 90_000;
    let parts = if place % 10 == 9 { vec![cents / 3, cents - cents / 3] } else { vec![cents] };
    let mut lines: Vec<Value> = Vec::new();
    for (part, cents) in parts.into_iter().enumerate() {
        let account = coding.accounts[(place + part) % coding.accounts.len()];
        let values = json!([
            value("VENDOR", &vendor.number),
            value("GL_ACCOUNT", &account.number),
            value("DIM_DEPARTMENT", "SALES")
        ]);
        lines.push(line(id, lines.len(), "DEBIT", cents, currency, &values));
    }
    lines.push(line(id, lines.len(), "CREDIT", cents, currency, &json!([])));
    json!({
        "id": id, "type": "CARD_EXPENSE_POST", "review_status": "READY_FOR_EXPORT", "source_type": "CARD",
        "source_id": format!("expense_{id}"), "amount": amount(cents, currency), "erp_posting_date": now, "posted_at": now,
        "updated_at": now, "version": 1, "memo": format!("Purchase {place} for the benchmark"),
        "vendor": { "id": format!("pmch_{}", vendor.number), "name": vendor.name }, "receipts": [], "line_items": lines,
    })
}

fn line(id: &str, place: usize, side: &str, cents: usize, currency: &str, values: &Value) -> Value {
    json!({
        "id": format!("accrli_{id}_{place}"), "type": side, "amount": amount(cents, currency),
        "accounting_field_values": values,
    })
}

fn value(field: &str, value: &str) -> Value {
    json!({
        "brex_field_id": format!("extended_field_{field}"), "remote_field_id": field, "field_name": field,
        "brex_field_value_id": format!("efo_{value}"), "remote_field_value_id": value,
    })
}

fn amount(cents: usize, currency: &str) -> Value {
    let exact: Value = serde_json::from_str(&format!("{}.{:02}", cents / 100, cents % 100)).unwrap_or_default();
    json!({ "amount": exact, "currency": currency })
}
