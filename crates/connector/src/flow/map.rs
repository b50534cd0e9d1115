//! Maps coding to accounts and dimensions and plans the whole document, or holds with what is missing.

use std::collections::HashMap;

use domain::document::{DocumentKind, PlannedDocument};
use domain::hold::Hold;
use domain::id::RecordId;
use domain::mapping::decide_document;
use domain::record::Record;
use domain::refund::{Purchase, decide_link};
use domain::stage::Event;
use domain::why::Planned;
use serde_json::json;
use store::RecordRow;

use super::resolve_vendor::unreadable;
use super::step::Step;
use super::{Lane, Records, Stop, booked, refund};

/// Runs the stage.
pub async fn run(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<(), Stop> {
    let records = lane.records(&rows).await?;
    let others = others(lane, &records).await?;
    lane.apply(rows.into_iter().map(|row| plan(lane, Step::of(row), &records, &others)).collect()).await?;
    Ok(())
}

/// What other records have to do with these.
pub(super) struct Others {
    /// The purchases on the expense of one that gives money back.
    purchases: HashMap<RecordId, Vec<Purchase>>,
    /// Why one may not be booked beside another.
    booked: HashMap<RecordId, Hold>,
}

/// Asks what other records have to do with these.
pub(super) async fn others(lane: &Lane<'_>, records: &Records) -> Result<Others, Stop> {
    Ok(Others { purchases: refund::purchases(lane, records).await?, booked: booked::booked(lane, records).await? })
}

/// Goes on with the step of a row whose record was read.
pub(super) fn plan(lane: &Lane<'_>, step: Step, records: &Records, others: &Others) -> Step {
    let row = &step.row;
    let Some(record) = records.get(&row.id) else { return step.hold(&unreadable(), lane.now_ms()) };
    match decide_among(lane, record, row.vendor_number.as_deref().unwrap_or_default(), others) {
        Ok(plan) => planned(lane, step, &plan),
        Err(hold) => step.hold(&hold, lane.now_ms()),
    }
}

/// Decides for one record beside what others have to do with it.
pub(super) fn decide_among(
    lane: &Lane<'_>,
    record: &Record,
    vendor_number: &str,
    others: &Others,
) -> Result<Planned, Hold> {
    if let Some(hold) = others.booked.get(&record.id) {
        return Err(hold.clone());
    }
    decide(lane, record, vendor_number, others.purchases.get(&record.id).map_or(&[], Vec::as_slice))
}

/// Decides for one record; `purchases` are those on its expense, if it gives money back.
pub(super) fn decide(
    lane: &Lane<'_>,
    record: &Record,
    vendor_number: &str,
    purchases: &[Purchase],
) -> Result<Planned, Hold> {
    let rules = &lane.rules;
    let mut planned = decide_document(record, vendor_number, lane.job(&record.id), rules, &lane.directory)?;
    if planned.document.kind == DocumentKind::CreditMemo {
        let local = &lane.directory.setup.local_currency;
        let (invoice, why) = decide_link(record, &planned.document, purchases, local);
        planned.document.applies_to = invoice;
        planned.reasons.refund = Some(why);
    }
    Ok(planned)
}

fn planned(lane: &Lane<'_>, step: Step, planned: &Planned) -> Step {
    let Planned { document: plan, reasons } = planned;
    let json = serde_json::to_value(plan).unwrap_or_default();
    let shifted = (plan.posting_date != plan.document_date).then(|| plan.document_date.to_string());
    step.set(|row| {
        row.plan = Some(json.to_string());
        row.document_kind = Some(plan.kind);
        row.document_key = Some(plan.number.as_str().to_owned());
    })
    .on(Event::Mapped, lane.now_ms())
    .note(
        "mapped",
        json!({ "document": json, "rules": plan.rules, "posting_date_moved_from": shifted, "why": reasons }),
    )
}

/// A plan as it is stored.
pub(super) fn stored(plan: &PlannedDocument) -> String {
    serde_json::to_value(plan).unwrap_or_default().to_string()
}

/// The stored plan of a row.
pub(crate) fn plan_of(row: &RecordRow) -> Option<PlannedDocument> {
    row.plan.as_deref().and_then(|text| serde_json::from_str(text).ok())
}
