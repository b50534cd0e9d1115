//! A record before it becomes JSON. The keys and their order are those of a recorded one.

use std::str::FromStr as _;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Number, Value, json};

use super::Zoo;
use super::coding::Coding;
use super::merchants::Merchant;
use crate::brex::receipts::PLACEHOLDER;
use crate::brex::records::{Expectation, READY, Stored};
use crate::company::Employee;

/// A sum in major units; it is written with the digits that it has.
#[derive(Debug, Clone)]
pub(super) struct Money {
    pub(super) amount: Decimal,
    pub(super) currency: &'static str,
}

/// The side of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Debit,
    Credit,
}

/// A coded line; the balancing ones are added when the record is written.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) amount: Decimal,
    pub(super) original: Option<Decimal>,
    pub(super) memo: Option<String>,
    pub(super) coding: Vec<Coding>,
}

/// A record in the making.
#[derive(Debug, Clone)]
pub(super) struct Sketch {
    pub(super) record_type: &'static str,
    pub(super) source_type: &'static str,
    pub(super) review_status: &'static str,
    pub(super) total: Money,
    pub(super) original: Option<Money>,
    pub(super) spend_side: Side,
    pub(super) lines: Vec<Line>,
    pub(super) merchant: Option<Merchant>,
    pub(super) vendor: Option<Value>,
    pub(super) user: Option<Employee>,
    pub(super) memo: Option<String>,
    pub(super) receipts: usize,
    pub(super) posted_at: Timestamp,
    pub(super) due_at: Option<Timestamp>,
    pub(super) invoice_number: Option<String>,
    pub(super) version: u32,
    pub(super) expectation: Expectation,
    pub(super) why: &'static str,
    pub(super) expected_vendor: Option<String>,
}

impl Money {
    pub(super) fn new(amount: Decimal, currency: &'static str) -> Self {
        Self { amount, currency }
    }

    fn json(&self) -> Value {
        json!({ "amount": number(self.amount), "currency": self.currency })
    }
}

#[expect(clippy::expect_used, reason = "a decimal always prints as a JSON number")]
fn number(amount: Decimal) -> Value {
    Value::Number(Number::from_str(&amount.to_string()).expect("a decimal is a number"))
}

impl Sketch {
    /// One coded line over the whole amount, ready for export, posted within the last 45 days.
    pub(super) fn new(zoo: &Zoo<'_>, record_type: &'static str, source_type: &'static str, amount: Decimal) -> Self {
        Self {
            record_type,
            source_type,
            review_status: READY,
            total: Money::new(amount, "USD"),
            original: None,
            spend_side: Side::Debit,
            lines: vec![Line { amount, original: None, memo: None, coding: Vec::new() }],
            merchant: None,
            vendor: None,
            user: None,
            memo: None,
            receipts: 0,
            posted_at: zoo.recently(),
            due_at: None,
            invoice_number: None,
            version: 1,
            expectation: Expectation::Document,
            why: "",
            expected_vendor: None,
        }
    }

    #[must_use]
    pub(super) fn expecting(mut self, expectation: Expectation, why: &'static str) -> Self {
        self.expectation = expectation;
        self.why = why;
        self
    }

    #[must_use]
    pub(super) fn coded(mut self, coding: Vec<Coding>) -> Self {
        if let Some(line) = self.lines.first_mut() {
            line.coding = coding;
        }
        self
    }

    /// The record as it is kept.
    #[expect(clippy::expect_used, reason = "the sketch writes every field that is read back")]
    pub(super) fn stored(self, zoo: &Zoo<'_>) -> Stored {
        let purchased_at = zoo.before(self.posted_at, 3);
        let stored = Stored::read(self.json(zoo).to_string()).expect("a sketch is a record");
        Stored {
            expectation: self.expectation,
            why: self.why.to_owned(),
            purchase: self.merchant.as_ref().map(|merchant| merchant.purchase(purchased_at)),
            expected_vendor: self.expected_vendor,
            ..stored
        }
    }

    fn json(&self, zoo: &Zoo<'_>) -> Value {
        let ids = zoo.ids;
        let card = self.source_type == "CARD";
        let mut record = Map::new();
        let mut put = |key: &str, value: Value| record.insert(key.to_owned(), value);
        put("id", json!(ids.prefixed("accr")));
        put("amount", self.total.json());
        put("original_amount", self.original.as_ref().map_or(Value::Null, Money::json));
        if card {
            let billed = Money::new(self.total.amount.abs(), self.total.currency);
            put("billing_amount", billed.json());
        }
        put("type", json!(self.record_type));
        put("review_status", json!(self.review_status));
        if card {
            put("status", json!("APPROVED"));
        }
        put("source_id", json!(ids.prefixed(self.source_prefix())));
        put("source_type", json!(self.source_type));
        put("erp_posting_date", json!(format!("{:.6}", self.posted_at)));
        put("posted_at", json!(format!("{:.3}", self.posted_at)));
        put("updated_at", json!(format!("{:.6}", zoo.after(self.posted_at.max(zoo.opening()), 3))));
        put("due_at", json!(self.due_at.map(|due_at| format!("{due_at:.0}"))));
        put("invoice_number", json!(self.invoice_number));
        put("version", json!(self.version));
        put("memo", json!(self.memo));
        put("receipts", self.receipts_json(zoo));
        put("user", self.user.as_ref().map_or(Value::Null, |user| person(zoo, user)));
        put("vendor", self.vendor_json());
        put("line_items", Value::Array(self.lines_json(zoo)));
        Value::Object(record)
    }

    /// Money movements do not come from an expense.
    fn source_prefix(&self) -> &'static str {
        if self.record_type.contains("EXPENSE") && !self.record_type.contains("MONEY_MOVEMENT") {
            "expense"
        } else {
            "transaction"
        }
    }

    fn receipts_json(&self, zoo: &Zoo<'_>) -> Value {
        let receipts = (0..self.receipts).map(|_| {
            let id = zoo.ids.prefixed("receipt");
            json!({ "id": id, "download_uris": [format!("{PLACEHOLDER}{id}.pdf")] })
        });
        Value::Array(receipts.collect())
    }

    fn vendor_json(&self) -> Value {
        match (&self.vendor, &self.merchant) {
            (Some(vendor), _) => vendor.clone(),
            (None, Some(merchant)) => json!({
                "id": format!("pmch_c{}", crate::ids::Ids::new(0).stream(&merchant.name).alphanumeric(24)),
                "name": merchant.name,
                "contact_name": null,
                "email": null,
                "website": merchant.website,
                "phone": null,
            }),
            (None, None) => Value::Null,
        }
    }

    /// The coded lines, then one that balances what they are meant to be.
    fn lines_json(&self, zoo: &Zoo<'_>) -> Vec<Value> {
        let (spend, balance) = match self.spend_side {
            Side::Debit => ("DEBIT", "CREDIT"),
            Side::Credit => ("CREDIT", "DEBIT"),
        };
        let mut lines: Vec<Value> = self.lines.iter().map(|line| self.line_json(zoo, line, spend)).collect();
        lines.push(self.line_json(
            zoo,
            &Line {
                amount: self.total.amount.abs(),
                original: self.original.as_ref().map(|original| original.amount.abs()),
                memo: None,
                coding: Vec::new(),
            },
            balance,
        ));
        lines
    }

    fn line_json(&self, zoo: &Zoo<'_>, line: &Line, side: &str) -> Value {
        let currency = self.total.currency;
        let original = self
            .original
            .as_ref()
            .map(|original| Money::new(line.original.unwrap_or(line.amount), original.currency).json());
        let mut json = json!({
            "id": zoo.ids.prefixed("accrli"),
            "type": side,
            "amount": Money::new(line.amount, currency).json(),
            "original_amount": original,
        });
        if self.source_type == "CARD" && !line.coding.is_empty() {
            json["billing_amount"] = Money::new(line.amount, currency).json();
        }
        json["memo"] = json!(line.memo);
        json["amortization"] = Value::Null;
        json["accounting_field_values"] = line.coding.iter().map(Coding::json).collect();
        json
    }
}

/// Id and name of the department that everybody is in.
pub(in crate::brex) const DEPARTMENT: (&str, &str) = ("department_cm01", "Operations");

/// The user with this e-mail, in records and in the Team API.
pub(in crate::brex) fn user_id(email: &str) -> String {
    format!("cuuser_c{}", crate::ids::Ids::new(0).stream(email).alphanumeric(24))
}

/// Names carry the trailing spaces that real ones have.
fn person(zoo: &Zoo<'_>, employee: &Employee) -> Value {
    json!({
        "id": user_id(&employee.email),
        "first_name": format!("{} ", employee.first_name),
        "last_name": employee.last_name,
        "email": employee.email,
        "role": "EMPLOYEE",
        "status": "ACTIVE",
        "department_id": DEPARTMENT.0,
        "department_name": DEPARTMENT.1,
        "account_id": zoo.company_id,
    })
}
