//! The query of the Expenses API: what is wanted, and how it is shown.

use jiff::Timestamp;

use super::super::error::Refusal;
use super::super::input::invalid;
use super::super::records::{Pairs, Stored, moment};
use super::super::state::State;
use super::show::{expense_type, payment_posted_at, payment_status, purchased_at, status};

/// Lowered from 1000 in 2026-02.
const MAX_LIMIT: usize = 100;
const EXPANSIONS: &[&str] =
    &["location", "department", "merchant", "receipts.download_uris", "user", "budget", "payment"];
const TYPES: &[&str] = &["CARD", "BILLPAY", "REIMBURSEMENT", "CLAWBACK", "UNSET"];
const STATUSES: &[&str] = &["DRAFT", "SUBMITTED", "APPROVED", "OUT_OF_POLICY", "VOID", "CANCELED", "SPLIT", "SETTLED"];
const PAYMENT_STATUSES: &[&str] = &[
    "NOT_STARTED",
    "PROCESSING",
    "CANCELED",
    "DECLINED",
    "CLEARED",
    "REFUNDING",
    "REFUNDED",
    "CASH_ADVANCE",
    "CREDITED",
    "AWAITING_PAYMENT",
    "SCHEDULED",
];

/// How an expense is shown.
#[derive(Debug, Default)]
pub(super) struct View {
    expand: Vec<String>,
    pub(super) custom_fields: bool,
}

impl View {
    pub(super) fn parse(pairs: &Pairs) -> Result<Self, Refusal> {
        let expand: Vec<String> = pairs.all("expand[]").chain(pairs.all("expand")).map(str::to_owned).collect();
        if expand.iter().any(|name| !EXPANSIONS.contains(&name.as_str())) {
            return Err(Refusal::bad_request("Unsupported entity expansion"));
        }
        let custom_fields = match pairs.one("load_custom_fields").map_err(invalid)? {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(invalid("load_custom_fields")),
        };
        Ok(Self { expand, custom_fields })
    }

    pub(super) fn expands(&self, name: &str) -> bool {
        self.expand.iter().any(|wanted| wanted == name)
    }
}

type Span = (Option<Timestamp>, Option<Timestamp>);

/// What a list asks for.
pub(super) struct Filter<'a> {
    pub(super) view: View,
    pub(super) types: Vec<&'a str>,
    statuses: Vec<&'a str>,
    payment_statuses: Vec<&'a str>,
    users: Vec<&'a str>,
    parents: Vec<&'a str>,
    budgets: Vec<&'a str>,
    entities: Vec<&'a str>,
    purchased: Span,
    updated: Span,
    paid: Span,
    pub(super) after: Option<&'a str>,
    pub(super) limit: usize,
}

impl<'a> Filter<'a> {
    pub(super) fn parse(pairs: &'a Pairs) -> Result<Self, Refusal> {
        let any = |name| pairs.all(name).collect::<Vec<_>>();
        let chosen = |name: &'static str, known: &[&str]| {
            let values = any(name);
            let strange = values.iter().any(|value| !known.contains(value));
            if strange { Err(invalid(name.trim_end_matches("[]"))) } else { Ok(values) }
        };
        let time = |name| match pairs.one(name).map_err(invalid)? {
            Some(text) => moment(text).map(Some).ok_or_else(|| invalid(name)),
            None => Ok(None),
        };
        let limit = match pairs.one("limit").map_err(invalid)?.map(str::parse) {
            None => MAX_LIMIT,
            Some(Ok(limit)) if (1..=MAX_LIMIT).contains(&limit) => limit,
            Some(_) => return Err(Refusal::bad_request("limit must be between 1 and 100")),
        };
        Ok(Self {
            view: View::parse(pairs)?,
            types: chosen("expense_type[]", TYPES)?,
            statuses: chosen("status[]", STATUSES)?,
            payment_statuses: chosen("payment_status[]", PAYMENT_STATUSES)?,
            users: any("user_id[]"),
            parents: any("parent_expense_id[]"),
            budgets: any("budget_id[]"),
            entities: any("spending_entity_id[]"),
            purchased: (time("purchased_at_start")?, time("purchased_at_end")?),
            updated: (time("updated_at_start")?, time("updated_at_end")?),
            paid: (time("payment_posted_at_start")?, time("payment_posted_at_end")?),
            after: pairs.one("cursor").map_err(invalid)?,
            limit,
        })
    }

    pub(super) fn matches(&self, record: &Stored, state: &State) -> bool {
        let one_of = |wanted: &[&str], value: Option<&str>| {
            wanted.is_empty() || value.is_some_and(|value| wanted.contains(&value))
        };
        let json = std::cell::LazyCell::new(|| record.value());
        within(self.purchased, Some(purchased_at(record)))
            && within(self.updated, Some(record.face.updated_at))
            && within(self.paid, payment_posted_at(record))
            && one_of(&self.types, Some(expense_type(record)))
            && one_of(&self.payment_statuses, Some(payment_status(record)))
            && one_of(&self.parents, record.parent.as_deref())
            && one_of(&self.entities, Some(state.spender(record).0))
            // Nobody has a budget here.
            && self.budgets.is_empty()
            && (self.statuses.is_empty() || one_of(&self.statuses, Some(&status(record, &json, state))))
            && (self.users.is_empty() || one_of(&self.users, json["user"]["id"].as_str()))
    }
}

/// From the start, before the end.
fn within((start, end): Span, moment: Option<Timestamp>) -> bool {
    start.is_none_or(|start| moment.is_some_and(|moment| moment >= start))
        && end.is_none_or(|end| moment.is_some_and(|moment| moment < end))
}
