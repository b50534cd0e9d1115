//! Looks at exported records again: documents that were edited, posted or deleted in Business Central, records that were
//! edited in Brex (the poll asks for what is ready, so it does not see them). Each change is told once; nothing is changed.

use domain::document::FoundDocument;
use domain::drift::{Watch, decide_watch};
use domain::hold::{Hold, HoldCode};
use domain::id::RecordId;
use domain::posting::{Posted, decide_posted};
use serde_json::json;
use store::RecordRow;

use super::receive::{Origin, receive};
use super::step::Step;
use super::verify::{self, ReadBack};
use super::{BATCH, Lane, Stop, clearing, source};
use crate::clock::DAY_MS;
use crate::config::Told;

/// In the trail: the document is not as it was exported.
const DRIFTED: &str = "document_drifted";

/// More entries than any record has.
const ALL: i64 = 10_000;

/// Goes through the records that were exported in the last days, fifty documents of a kind with one call.
pub async fn run(lane: &Lane<'_>) -> Result<(), Stop> {
    let days = i64::from(lane.connection.settings.drift.days);
    let since_ms = lane.now_ms().saturating_sub(days.saturating_mul(DAY_MS));
    let mut after = None;
    if days == 0 {
        return Ok(());
    }
    loop {
        let records = lane.app.store.records();
        let rows = records.list_exported(&lane.connection.id, since_ms, after.as_ref(), BATCH).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.id.clone());
        let ids: Vec<RecordId> = rows.iter().map(|row| row.id.clone()).collect();
        look_at(lane, rows).await?;
        let ids: Vec<&str> = ids.iter().map(RecordId::as_str).collect();
        let records = source::by_ids(lane.connection, &ids).await?;
        receive(lane, &records.items, Origin::Poll).await?;
    }
}

/// Looks at the documents of exported records.
pub(super) async fn look_at(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<(), Stop> {
    let mut steps = Vec::new();
    let documents = rows.into_iter().filter(|row| row.document_id.is_some() && row.plan.is_some()).collect();
    for read in verify::read_back(lane, documents).await? {
        steps.extend(look(lane, read).await?);
    }
    lane.apply(steps).await?;
    Ok(())
}

async fn look(lane: &Lane<'_>, (row, plan, found): ReadBack) -> Result<Option<Step>, Stop> {
    let policy = &lane.connection.settings.drift;
    let told = |code| match code {
        HoldCode::DocumentMissing => policy.deleted == Told::Report,
        HoldCode::DocumentDiffers | HoldCode::TaxDiffers => policy.edited == Told::Report,
        _ => false,
    };
    let seen = verify::judge(lane, plan.as_ref(), found.as_ref()).err().filter(|hold| told(hold.code));
    let wants_posted = policy.posted == Told::Report || clearing::is_on(lane);
    let posted = found.filter(|found| wants_posted && is_posted(&row, found));
    let ours = [HoldCode::DocumentDiffers, HoldCode::TaxDiffers, HoldCode::DocumentMissing];
    let is_ours = |hold: &Hold| ours.contains(&hold.code);
    let watch = if row.hold.as_ref().is_some_and(|hold| !is_ours(hold)) {
        // The record is held for an edit in Brex: one thing after the other.
        Watch::Nothing
    } else {
        let told = if seen.is_some() && row.hold.is_none() { last_told(lane, &row).await? } else { None };
        decide_watch(seen, row.hold.as_ref(), told.as_deref())
    };
    if watch == Watch::Nothing && posted.is_none() {
        return Ok(None);
    }
    let before = row.document_no.clone();
    let step = match watch {
        Watch::Nothing => Step::of(row),
        Watch::Clear => Step::of(row).released(lane.now_ms()),
        Watch::Report(hold) => {
            let detail = json!({ "code": hold.code, "sentence": hold.sentence });
            Step::of(row).note(DRIFTED, detail).hold(&hold, lane.now_ms())
        }
    };
    Ok(Some(match posted {
        None => step,
        Some(found) => {
            let detail = json!({ "number": found.number, "was": before, "status": found.status });
            let now_ms = lane.now_ms();
            let mark = |row: &mut RecordRow| {
                row.document_no = Some(found.number);
                row.posted_ms = Some(now_ms);
            };
            step.set(mark).note("document_posted", detail)
        }
    }))
}

/// Whether it is news that the document is posted.
fn is_posted(row: &RecordRow, found: &FoundDocument) -> bool {
    row.posted_ms.is_none() && decide_posted(found, row.document_no.as_deref()) == Posted::Yes
}

async fn last_told(lane: &Lane<'_>, row: &RecordRow) -> Result<Option<String>, Stop> {
    let trail = lane.app.store.audit().list_for(&lane.connection.id, row.id.as_str(), ALL).await?;
    let last = trail.iter().rev().find(|entry| entry.action == DRIFTED);
    let detail = last.and_then(|entry| serde_json::from_str::<serde_json::Value>(&entry.detail).ok());
    Ok(detail.and_then(|detail| detail["sentence"].as_str().map(str::to_owned)))
}
