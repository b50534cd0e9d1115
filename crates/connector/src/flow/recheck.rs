//! Looks again at held records and releases those whose cause is gone. A hold that still stands is left untouched, so
//! that the trail is not filled with repetitions.

use std::collections::HashSet;

use domain::hold::{Hold, HoldCode};
use domain::id::RecordId;
use domain::record::{Record, Review, Treatment};
use domain::stage::{Event, Stage};
use store::RecordRow;

use super::probe::{Seen, found_by_number, point_to};
use super::step::Step;
use super::{BATCH, Lane, Stop, booked, failures, late, legal_entity, map, resolve_vendor, revise, source, verify};
use crate::vendors::resolve::{Resolution, resolve};

/// Which holds are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those of vendor and mapping: decided from memory. Brex is asked only for records whose failure was reported.
    Mapping,
    /// All, also those that need a look into Business Central or one more try.
    Everything,
}

impl Scope {
    fn stages(self) -> &'static [Stage] {
        match self {
            Self::Mapping => &[Stage::ResolveVendor, Stage::Map],
            Self::Everything => &[
                Stage::ResolveVendor,
                Stage::Map,
                Stage::Draft,
                Stage::Revise,
                Stage::Verify,
                Stage::Attach,
                Stage::Post,
                Stage::MarkExported,
            ],
        }
    }
}

/// Goes through the held records of a scope. Returns how many were released.
pub async fn run(lane: &Lane<'_>, scope: Scope) -> Result<usize, Stop> {
    let mut released = 0;
    for stage in scope.stages() {
        let mut after = None;
        loop {
            let records = lane.app.store.records();
            let rows = records.list_held_in(&lane.connection.id, &[*stage], after.as_ref(), BATCH).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.id.clone());
            released += match stage {
                Stage::ResolveVendor | Stage::Map => recheck_mapping(lane, rows, scope).await?,
                Stage::Draft => recheck_drafts(lane, rows).await?,
                Stage::Revise => recheck_revisions(lane, rows).await?,
                Stage::Attach => recheck_receipts(lane, rows).await?,
                Stage::Post => recheck_posts(lane, rows).await?,
                Stage::MarkExported => recheck_exports(lane, rows).await?,
                _ => recheck_documents(lane, rows).await?,
            };
        }
    }
    Ok(released)
}

/// Vendor and mapping are decided anew; only a different outcome is written.
async fn recheck_mapping(lane: &Lane<'_>, rows: Vec<RecordRow>, scope: Scope) -> Result<usize, Stop> {
    let records = lane.records(&rows).await?;
    let (unknown, rows): (Vec<RecordRow>, Vec<RecordRow>) = rows.into_iter().partition(legal_entity::is_unknown);
    let resolutions = resolve(lane, &rows, &records).await?;
    let mut booked = booked::booked(lane, &records).await?;
    let (mut steps, mut reported) = (Vec::new(), Vec::new());
    if scope == Scope::Everything {
        steps.extend(legal_entity::recheck(lane, unknown, &records).await?);
    }
    for row in rows {
        let (Some(record), Some(resolution)) = (records.get(&row.id), resolutions.get(&row.id)) else { continue };
        match (outcome(lane, record, resolution, booked.remove(&row.id)), row.hold.as_ref()) {
            // The connection has learnt what it is.
            _ if record.treatment() == Treatment::NotSpend => {
                steps.push(Step::of(row).released(lane.now_ms()).on(Event::NotSpend, lane.now_ms()));
            }
            (Ok(()), _) if failures::may_have_left(&row) => reported.push(row),
            (Ok(()), _) => steps.push(release(lane, row)),
            (Err(hold), old) if old != Some(&hold) => {
                steps.push(resolve_vendor::held(lane, row, &hold, resolution));
            }
            (Err(_), _) => {}
        }
    }
    steps.extend(failures::go_on(lane, reported).await?);
    apply(lane, steps).await
}

fn outcome(lane: &Lane<'_>, record: &Record, resolution: &Resolution, booked: Option<Hold>) -> Result<(), Hold> {
    let vendor = resolution.vendor.clone()?;
    if let Some(hold) = booked {
        return Err(hold);
    }
    map::decide(lane, record, &vendor.number, &[]).map(drop)
}

/// Business Central refused these: with fresh master data they are planned anew and sent again. A foreign document with
/// the number is looked for first.
async fn recheck_drafts(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<usize, Stop> {
    let mut steps = Vec::new();
    for row in failures::only_ready(lane, rows).await? {
        match row.hold.as_ref().map(|hold| hold.code) {
            Some(HoldCode::PossibleDuplicate | HoldCode::DuplicateDocuments) => {
                steps.extend(recheck_number(lane, row).await?);
            }
            Some(HoldCode::RecordChanged | HoldCode::RecordUnreadable) | None => {}
            Some(_) => steps.push(release(lane, row)),
        }
    }
    apply(lane, steps).await
}

/// Counts the documents with the record's number again: one of ours at most, and none of anybody else's, lets it go on.
async fn recheck_number(lane: &Lane<'_>, row: RecordRow) -> Result<Option<Step>, Stop> {
    let Some(plan) = map::plan_of(&row) else { return Ok(None) };
    let found = found_by_number(lane, plan.kind, std::iter::once(&plan)).await?;
    Ok(match found.judge(&plan) {
        // Of several, any may have been the one to stay.
        Ok(Seen::Ours(found)) if row.document_id.is_some() => Some(release(lane, row).set(|row| point_to(row, &found))),
        Ok(Seen::Ours(_) | Seen::Absent) => Some(release(lane, row)),
        Ok(Seen::Foreign(_) | Seen::Several(_)) | Err(_) => None,
    })
}

/// The documents are read again: one that is now as planned goes on.
async fn recheck_documents(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<usize, Stop> {
    let held_as =
        |row: &RecordRow, codes: &[HoldCode]| row.hold.as_ref().is_some_and(|hold| codes.contains(&hold.code));
    let (doubled, rows): (Vec<RecordRow>, Vec<RecordRow>) =
        rows.into_iter().partition(|row| held_as(row, &[HoldCode::DuplicateDocuments]));
    let differing = [HoldCode::DocumentDiffers, HoldCode::TaxDiffers, HoldCode::DocumentMissing];
    let (compared, refused): (Vec<RecordRow>, Vec<RecordRow>) =
        rows.into_iter().partition(|row| held_as(row, &differing));
    // Business Central refused a dimension of the draft: it is tried once more.
    let mut steps: Vec<Step> = refused.into_iter().filter(late::is_late).map(|row| release(lane, row)).collect();
    for row in doubled {
        steps.extend(recheck_number(lane, row).await?);
    }
    for (row, plan, found) in verify::read_back(lane, compared).await? {
        let judged = match row.stage {
            Stage::Verify => verify::judge_written(lane, plan.as_ref(), found.as_ref()),
            _ => verify::judge(lane, plan.as_ref(), found.as_ref()),
        };
        match (judged, row.hold.as_ref()) {
            (Ok(_), _) => steps.push(release(lane, row)),
            (Err(hold), old) if old != Some(&hold) => steps.push(Step::of(row).hold(&hold, lane.now_ms())),
            (Err(_), _) => {}
        }
    }
    apply(lane, steps).await
}

/// Whether a draft can follow a later version is decided anew; what Business Central refused shows only when it is tried.
async fn recheck_revisions(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<usize, Stop> {
    let mut steps = Vec::new();
    for (row, decided) in revise::decide_all(lane, rows).await? {
        match decided {
            revise::Decided::Hold(hold) if row.hold.as_ref() == Some(&hold) => {}
            revise::Decided::Hold(hold) => steps.push(Step::of(row).hold(&hold, lane.now_ms())),
            revise::Decided::Step(step) if step.row.hold == row.hold => {}
            revise::Decided::Step(step) => steps.push(*step),
            revise::Decided::Same(_) | revise::Decided::Begin(..) => steps.push(release(lane, row)),
        }
    }
    apply(lane, steps).await
}

/// What became of a receipt shows only when it is tried again.
async fn recheck_receipts(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<usize, Stop> {
    let of_receipts = |row: &RecordRow| {
        let codes = [HoldCode::ReceiptUnavailable, HoldCode::ReceiptUnusable, HoldCode::ReceiptRefused];
        row.hold.as_ref().is_some_and(|hold| codes.contains(&hold.code))
    };
    apply(lane, rows.into_iter().filter(of_receipts).map(|row| release(lane, row)).collect()).await
}

/// Whether a document may be posted now (approved, a period opened, a vendor unblocked) shows only when it is tried; it is
/// compared again before.
async fn recheck_posts(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<usize, Stop> {
    let (mut exports, mut documents, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        match row.hold.as_ref().map(|hold| hold.code) {
            Some(HoldCode::DocumentDiffers | HoldCode::DocumentMissing) => documents.push(row),
            Some(HoldCode::RecordNotReady | HoldCode::ExportRefused) => exports.push(row),
            Some(HoldCode::RecordChanged | HoldCode::RecordUnreadable) | None => {}
            Some(_) => refused.push(release(lane, row)),
        }
    }
    let released = apply(lane, refused).await?;
    Ok(released + recheck_documents(lane, documents).await? + recheck_exports(lane, exports).await?)
}

/// Brex was not ready to take these: those that it now takes, or shows as exported, go on.
async fn recheck_exports(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<usize, Stop> {
    let clearable = [HoldCode::RecordNotReady, HoldCode::ExportRefused];
    let rows: Vec<RecordRow> =
        rows.into_iter().filter(|row| row.hold.as_ref().is_some_and(|hold| clearable.contains(&hold.code))).collect();
    if rows.is_empty() {
        return Ok(0);
    }
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let found = source::by_ids(lane.connection, &ids).await?;
    let takes = |review: &Review| matches!(review, Review::ReadyForExport | Review::Exported);
    let records = found.items.iter().filter_map(|item| lane.read_record(item.get()).ok());
    let going_on: HashSet<RecordId> = records.filter(|r| takes(&r.review)).map(|r| r.id).collect();
    let going_on = rows.into_iter().filter(|row| going_on.contains(&row.id));
    apply(lane, going_on.map(|row| release(lane, row)).collect()).await
}

/// Takes the hold away; the record goes on from where a fresh look is needed.
pub fn release(lane: &Lane<'_>, row: RecordRow) -> Step {
    let now_ms = lane.now_ms();
    let stage = row.stage;
    let step = Step::of(row).released(now_ms);
    match stage {
        Stage::ResolveVendor | Stage::Map => step.on(Event::Ready, now_ms),
        Stage::Draft => step.on(Event::Replan, now_ms),
        _ => step,
    }
}

async fn apply(lane: &Lane<'_>, steps: Vec<Step>) -> Result<usize, Stop> {
    let released = steps.iter().filter(|step| step.row.hold.is_none()).count();
    lane.apply(steps).await?;
    Ok(released)
}
