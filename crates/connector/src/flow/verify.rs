//! Reads the document back and compares every field that was written. Only what equals the plan goes on.

use std::collections::HashMap;

use clients::bc::Document;
use domain::compare::{compare, compare_texts, hold_of};
use domain::document::{DocumentKind, FoundDocument, PlannedDocument};
use domain::hold::{Hold, HoldCode};
use domain::id::RecordId;
use domain::stage::Event;
use domain::vendor::merchant_of;
use matching::scrubbed_key;
use serde_json::json;
use store::{Applied, RecordRow, VendorLink, Verdict};
use uuid::Uuid;

use super::attach::pass_by;
use super::late;
use super::map::{plan_of, stored};
use super::probe::{self, Seen, found_by_number, point_to};
use super::resolve_vendor::unreadable;
use super::step::Step;
use super::wire::{found_document, wire_kind};
use super::{Lane, RECHECK, Records, Stop};
use crate::vendors::answers::{CODED, standings, stored_keys};

/// Runs the stage.
pub async fn run(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<(), Stop> {
    let mut documents = documents_of(lane, &rows).await?;
    let rows = late::run(lane, rows, &mut documents).await?;
    let mut read = with_documents(rows, documents);
    let doubled = sweep(lane, &mut read).await?;
    lane.apply(doubled).await?;
    let mut steps = Vec::new();
    for (row, plan, found) in read {
        steps.push(decide(lane, row, plan.as_ref(), found.as_ref()));
    }
    let verified: Vec<RecordRow> = steps.iter().filter(|s| s.row.hold.is_none()).map(|s| s.row.clone()).collect();
    let records = match lane.records(&verified).await {
        Ok(records) => records,
        Err(stop) => {
            // What was compared is kept; the next stage asks again.
            lane.apply(steps).await?;
            return Err(stop);
        }
    };
    let applied = lane.apply(steps.into_iter().map(|step| pass_by(lane, step, &records)).collect()).await?;
    if applied.contains(&Applied::Done) {
        remember_coded(lane, &verified, &records).await?;
    }
    Ok(())
}

/// After a second attempt the documents with the number are counted: the first may have come late. Takes out the rows that
/// have more than one, each with its step.
async fn sweep(lane: &Lane<'_>, read: &mut Vec<ReadBack>) -> Result<Vec<Step>, Stop> {
    let ids: Vec<RecordId> = read.iter().map(|(row, ..)| row.id.clone()).collect();
    let creates = lane.app.store.intents().count_creates(&lane.connection.id, &ids).await?;
    let is_second = |row: &RecordRow| creates.get(&row.id).is_some_and(|creates| *creates > 1);
    let mut doubled: Vec<(RecordId, Seen)> = Vec::new();
    for kind in [DocumentKind::Invoice, DocumentKind::CreditMemo] {
        let plans = read.iter().filter(|(row, ..)| is_second(row)).filter_map(|(_, plan, _)| plan.as_ref());
        let again: Vec<&PlannedDocument> = plans.filter(|plan| plan.kind == kind).collect();
        if again.is_empty() {
            continue;
        }
        let found = found_by_number(lane, kind, again.iter().copied()).await?;
        let judged = again.iter().filter_map(|plan| Some((plan.record.clone(), found.judge(plan).ok()?)));
        doubled.extend(judged.filter(|(_, seen)| matches!(seen, Seen::Several(_))));
    }
    let mut steps = Vec::new();
    for (id, seen) in doubled {
        if let Some(index) = read.iter().position(|(row, ..)| row.id == id) {
            steps.push(probe::settle(lane, read.swap_remove(index).0, &seen, None));
        }
    }
    Ok(steps)
}

/// A row, its plan, and its document as it is now.
pub(super) type ReadBack = (RecordRow, Option<PlannedDocument>, Option<FoundDocument>);

/// The documents that these rows point to, by id, with one call per fifty of a kind.
pub(super) async fn documents_of(
    lane: &Lane<'_>,
    rows: &[RecordRow],
) -> Result<HashMap<Uuid, (DocumentKind, Document)>, Stop> {
    let mut found = HashMap::new();
    for kind in [DocumentKind::Invoice, DocumentKind::CreditMemo] {
        let ids: Vec<Uuid> =
            rows.iter().filter(|row| row.document_kind == Some(kind)).filter_map(|row| row.document_id).collect();
        if ids.is_empty() {
            continue;
        }
        let documents = lane.company().get_documents(wire_kind(kind), &ids).await?;
        found.extend(documents.into_iter().map(|document| (document.id, (kind, document))));
    }
    Ok(found)
}

/// Reads the documents of these rows back.
pub(super) async fn read_back(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<Vec<ReadBack>, Stop> {
    let found = documents_of(lane, &rows).await?;
    Ok(with_documents(rows, found))
}

fn with_documents(rows: Vec<RecordRow>, mut found: HashMap<Uuid, (DocumentKind, Document)>) -> Vec<ReadBack> {
    let with_document = |row: RecordRow| {
        let plan = plan_of(&row);
        let document = row.document_id.and_then(|id| found.remove(&id));
        let document = document.map(|(kind, document)| found_document(kind, &document));
        (row, plan, document)
    };
    rows.into_iter().map(with_document).collect()
}

fn decide(lane: &Lane<'_>, row: RecordRow, plan: Option<&PlannedDocument>, found: Option<&FoundDocument>) -> Step {
    let now_ms = lane.now_ms();
    match judge_written(lane, plan, found) {
        Err(hold) => Step::of(row).hold(&hold, now_ms),
        Ok((plan, found)) => {
            let detail = json!({
                "number": found.number,
                "total": plan.total.to_string(),
                "lines": plan.lines.len(),
                "status": found.status,
                "differences": [],
            });
            let settle = |row: &mut RecordRow| {
                point_to(row, found);
                // What people change from now on is theirs.
                row.plan = if plan.late.is_empty() { row.plan.take() } else { Some(stored(&plan.clone().at_once())) };
            };
            Step::of(row).set(settle).on(Event::Verified, now_ms).note("verified", detail)
        }
    }
}

/// The same as [`judge`] for a document that nobody had a reason to touch yet: the texts of its lines count, too.
pub(super) fn judge_written<'a>(
    lane: &Lane<'_>,
    plan: Option<&'a PlannedDocument>,
    found: Option<&'a FoundDocument>,
) -> Result<(&'a PlannedDocument, &'a FoundDocument), Hold> {
    let (plan, found) = judge(lane, plan, found)?;
    let differences = compare_texts(plan, found);
    if differences.is_empty() { Ok((plan, found)) } else { Err(hold_of(plan, found, &differences)) }
}

/// The plan and the document that equals it, or the hold that says what is different.
pub(super) fn judge<'a>(
    lane: &Lane<'_>,
    plan: Option<&'a PlannedDocument>,
    found: Option<&'a FoundDocument>,
) -> Result<(&'a PlannedDocument, &'a FoundDocument), Hold> {
    let plan = plan.ok_or_else(unreadable)?;
    let found = found.ok_or_else(|| {
        let text = format!("the {} for number {} is no longer in Business Central", plan.kind.words(), plan.number);
        Hold::new(HoldCode::DocumentMissing, text)
    })?;
    let differences = compare(plan, found, &lane.directory.setup.local_currency);
    if differences.is_empty() {
        return Ok((plan, found));
    }
    Err(hold_of(plan, found, &differences))
}

/// A vendor that a person coded on a record of this merchant is remembered for the merchant's next records.
async fn remember_coded(lane: &Lane<'_>, rows: &[RecordRow], records: &Records) -> Result<(), Stop> {
    let mut links = Vec::new();
    for row in rows {
        let Some(record) = records.get(&row.id) else { continue };
        // A processor's name stands for anybody who is paid through it.
        let telling = |name: &&str| name.chars().any(char::is_alphanumeric) && !matching::is_processor(name);
        let name = merchant_of(record).filter(telling);
        let coded = super::resolve_vendor::coded(lane, record);
        if let (Some(name), Some(vendor)) = (name, coded) {
            links.push(VendorLink {
                merchant_key: scrubbed_key(name),
                descriptor: name.to_owned(),
                clean_name: String::new(),
                bc_vendor_id: Some(vendor.id),
                vendor_name: vendor.name,
                verdict: Verdict::Confirmed,
                origin: format!("{CODED}{}", row.id),
                record_id: Some(row.id.clone()),
                decided_by: "Brex coding".to_owned(),
                decided_ms: lane.now_ms(),
            });
        }
    }
    let links = new_links(lane, links).await?;
    if !links.is_empty() {
        let memory = lane.app.store.vendor_links();
        memory.remember(lane.lease, &lane.connection.id, &links, lane.now_ms(), &lane.app.actor()).await?;
        // What was held for the same merchant may go on now.
        lane.app.store.jobs().request(&lane.connection.id, RECHECK, None, lane.now_ms()).await?;
    }
    Ok(())
}

/// Leaves out what stands already, what a person rejected, and merchants whose link was set by hand. What was unlinked or
/// forgotten since is remembered anew.
async fn new_links(lane: &Lane<'_>, links: Vec<VendorLink>) -> Result<Vec<VendorLink>, Stop> {
    let keys: Vec<String> = links.iter().flat_map(|link| stored_keys(&link.descriptor)).collect();
    let known = lane.app.store.vendor_links().list_for(&lane.connection.id, &keys).await?;
    let known = standings(&known);
    let mut fresh: Vec<VendorLink> = Vec::new();
    for link in links {
        let is_known = known.get(&link.merchant_key).is_some_and(|standing| {
            let mut said = standing.answers.iter().chain(&standing.rejected);
            standing.is_set_by_hand() || said.any(|other| other.bc_vendor_id == link.bc_vendor_id)
        });
        let is_same =
            |other: &VendorLink| other.merchant_key == link.merchant_key && other.bc_vendor_id == link.bc_vendor_id;
        if !is_known && !fresh.iter().any(is_same) {
            fresh.push(link);
        }
    }
    Ok(fresh)
}
