//! Clears posted card invoices, where the connection says so: one unposted vendor payment line against the card liability,
//! applied to the invoice (design: policy `journal`). The line itself is the matter of [`crate::payment_lines`].
//!
//! What the API cannot do is told once and left to a person: its payments are in the company's own currency only, and it has
//! none that go the other way, so credit memos are cleared by hand (business-central.md §6.3).

use std::collections::HashMap;

use clients::bc::{Document, DocumentStatus};
use domain::document::{DocumentKind, PlannedDocument};
use domain::hold::{Hold, HoldCode};
use domain::id::RecordId;
use serde_json::json;
use store::{PaymentLine, PaymentLineState as State, RecordRow};

use super::map::plan_of;
use super::step::Step;
use super::verify::documents_of;
use super::{BATCH, Lane, Stop};
use crate::clock::DAY_MS;
use crate::config::Clearing;
use crate::payment_lines::{Desk, Wanted};

/// The job that looks for posted invoices to clear.
pub const CLEARING: &str = "clearing";

/// What the lines belong to.
const OWNER: &str = "record";

/// Whether payment lines are prepared for posted invoices.
pub fn is_on(lane: &Lane<'_>) -> bool {
    lane.connection.settings.clearing.policy == Clearing::Journal
}

/// Goes through the exported card records whose document is posted.
pub async fn run(lane: &Lane<'_>) -> Result<(), Stop> {
    let Some(desk) = Desk::new(lane.app, lane.connection, lane.lease).filter(|_| is_on(lane)) else { return Ok(()) };
    let lines = lane.app.store.payment_lines().list(&lane.connection.id).await?;
    let of_records = lines.into_iter().filter(|line| line.owner_kind == OWNER);
    let mut lines: HashMap<String, PaymentLine> = of_records.map(|line| (line.owner_id.clone(), line)).collect();
    let settings = &lane.connection.settings.clearing;
    let named = format!("the card liability {}", settings.account);
    let journal_problem = desk.journal_problem(&settings.journal, &settings.account, &named).await?;
    let since_ms = lane.now_ms().saturating_sub(i64::from(lane.connection.settings.drift.days.max(1)) * DAY_MS);
    let mut after = None;
    loop {
        let records = lane.app.store.records();
        let rows = records.list_exported(&lane.connection.id, since_ms, after.as_ref(), BATCH).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.id.clone());
        let posted: Vec<RecordRow> = rows.into_iter().filter(is_clearable).collect();
        let (known, fresh): (Vec<_>, Vec<_>) = posted.into_iter().partition(|row| lines.contains_key(row.id.as_str()));
        for row in known {
            if let Some(line) = lines.remove(row.id.as_str()) {
                again(lane, &desk, row, line).await?;
            }
        }
        let mut documents = documents_of(lane, &fresh).await?;
        for row in fresh {
            let document = row.document_id.and_then(|id| documents.remove(&id)).map(|(_, document)| document);
            if let (Some(plan), Some(document)) = (plan_of(&row), document) {
                one(lane, &desk, row, &plan, &document, journal_problem.as_deref()).await?;
            }
        }
    }
}

fn is_clearable(row: &RecordRow) -> bool {
    let is_free = row.hold.as_ref().is_none_or(|hold| hold.code == HoldCode::ClearingHeld);
    row.posted_ms.is_some() && row.source_type == "CARD" && is_free
}

async fn one(
    lane: &Lane<'_>,
    desk: &Desk<'_>,
    row: RecordRow,
    plan: &PlannedDocument,
    document: &Document,
    journal_problem: Option<&str>,
) -> Result<(), Stop> {
    if document.status != DocumentStatus::Open {
        return Ok(());
    }
    if let Some(problem) = journal_problem {
        return hold(lane, row, problem).await;
    }
    let wanted = Wanted {
        owner_kind: OWNER,
        owner_id: row.id.as_str().to_owned(),
        journal: lane.connection.settings.clearing.journal.clone(),
        external_number: plan.number.as_str().to_owned(),
        vendor_number: plan.vendor_number.clone(),
        posting_date: plan.posting_date,
        amount: document.total_amount_including_tax,
        currency: document.currency_code.clone(),
        applies_to: Some(document.id),
        applies_to_many: Vec::new(),
        description: format!("Brex card {}", plan.number.as_str()),
    };
    let asked = match refusal(lane, plan).await? {
        Some(why) => desk.refuse(wanted, &why).await?,
        None => desk.ensure(wanted).await?,
    };
    follow(lane, &asked).await
}

/// Why no payment line can be made for a document.
async fn refusal(lane: &Lane<'_>, plan: &PlannedDocument) -> Result<Option<String>, Stop> {
    if plan.kind == DocumentKind::CreditMemo {
        let text = "the API prepares no refunds: apply the credit memo, or enter the refund, in Business Central";
        return Ok(Some(text.to_owned()));
    }
    let own = &lane.directory.setup.local_currency;
    if let Some(currency) = &plan.currency {
        return Ok(Some(format!("the invoice is in {currency}, and the API prepares payments in {own} only")));
    }
    let vendor = lane.company().find_vendor_by_number(&plan.vendor_number).await?;
    let currency = vendor.map(|vendor| vendor.currency_code).unwrap_or_default();
    let is_own = currency.is_empty() || currency.eq_ignore_ascii_case(own);
    Ok((!is_own).then(|| {
        format!("vendor {} is paid in {currency}, and the API prepares payments in {own} only", plan.vendor_number)
    }))
}

/// A line that is there already: a prepared one may have been posted; of a held one a person may have taken the hold away.
async fn again(lane: &Lane<'_>, desk: &Desk<'_>, row: RecordRow, payment: PaymentLine) -> Result<(), Stop> {
    let payment = match payment.state {
        State::Prepared => desk.probe(payment).await?,
        State::Held if row.hold.is_none() && payment.attempt == 0 && is_for_ever(lane, &row).await? => {
            desk.set_aside(payment).await?
        }
        State::Held if row.hold.is_none() => desk.again(payment).await?,
        _ => payment,
    };
    follow(lane, &payment).await
}

async fn is_for_ever(lane: &Lane<'_>, row: &RecordRow) -> Result<bool, Stop> {
    match plan_of(row) {
        Some(plan) => Ok(refusal(lane, &plan).await?.is_some()),
        None => Ok(true),
    }
}

/// Does what is due for one line. Returns whether there was one.
pub async fn turn(lane: &Lane<'_>) -> Result<bool, Stop> {
    let Some(desk) = Desk::new(lane.app, lane.connection, lane.lease) else { return Ok(false) };
    let Some(payment) = desk.turn().await? else { return Ok(false) };
    follow(lane, &payment).await?;
    Ok(true)
}

/// The record shows what its line needs of a person, and no longer than that.
async fn follow(lane: &Lane<'_>, payment: &PaymentLine) -> Result<(), Stop> {
    if payment.owner_kind != OWNER {
        return Ok(());
    }
    let id = RecordId::new(payment.owner_id.as_str());
    let Some(row) = lane.app.store.records().get(&lane.connection.id, &id).await? else { return Ok(()) };
    let is_held = row.hold.as_ref().is_some_and(|hold| hold.code == HoldCode::ClearingHeld);
    match (payment.state, payment.note.as_deref()) {
        (State::Held, Some(note)) => hold(lane, row, note).await,
        (State::Prepared | State::Gone | State::Removed, _) if is_held => {
            lane.apply(vec![Step::of(row).released(lane.now_ms())]).await?;
            Ok(())
        }
        _ => Ok(()),
    }
}

async fn hold(lane: &Lane<'_>, row: RecordRow, why: &str) -> Result<(), Stop> {
    let number = row.document_no.clone().unwrap_or_default();
    let hold = Hold::new(HoldCode::ClearingHeld, format!("{number} is posted, and no payment line is prepared: {why}"));
    if row.hold.is_none() || row.hold.as_ref().is_some_and(|old| old.code == HoldCode::ClearingHeld && *old != hold) {
        let step = Step::of(row).note("clearing_held", json!({ "why": why })).hold(&hold, lane.now_ms());
        lane.apply(vec![step]).await?;
    }
    Ok(())
}

/// Looks for invoices to clear soon.
pub(super) async fn ask(lane: &Lane<'_>) -> Result<(), store::Error> {
    if is_on(lane) {
        lane.app.store.jobs().request(&lane.connection.id, CLEARING, None, lane.now_ms()).await?;
    }
    Ok(())
}
