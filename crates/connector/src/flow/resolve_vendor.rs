//! Finds the BC vendor: coded, employee, remembered, by name, by the matcher. What is not certain is held.

use domain::hold::{Hold, HoldCode};
use domain::record::Record;
use domain::stage::{Event, Stage};
use domain::vendor::{ResolvedVendor, Why, decide_coded};
use serde_json::json;
use store::RecordRow;

use super::step::Step;
use super::{Lane, Records, Stop, legal_entity, map};
use crate::vendors::resolve::{Resolution, resolve};

/// Runs the stage.
pub async fn run(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<(), Stop> {
    let records = lane.records(&rows).await?;
    let steps = find(lane, rows, &records).await?;
    lane.apply(steps).await?;
    Ok(())
}

/// Runs the stage, and the next one on what it lets through: nothing is sent between them, so that both are one step, and the records are
/// read once. If the next one cannot decide, what was found is kept all the same.
pub async fn run_and_map(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<(), Stop> {
    let records = lane.records(&rows).await?;
    let steps = find(lane, rows, &records).await?;
    let others = match map::others(lane, &records).await {
        Ok(others) => others,
        Err(stop) => {
            lane.apply(steps).await?;
            return Err(stop);
        }
    };
    let is_found = |step: &Step| step.row.stage == Stage::Map && step.row.hold.is_none();
    let next = |step: Step| if is_found(&step) { map::plan(lane, step.then(), &records, &others) } else { step };
    lane.apply(steps.into_iter().map(next).collect()).await?;
    Ok(())
}

/// Finds the vendors.
async fn find(lane: &Lane<'_>, rows: Vec<RecordRow>, records: &Records) -> Result<Vec<Step>, Stop> {
    let (rows, mut steps) = legal_entity::sort(lane, rows, records).await?;
    let resolutions = resolve(lane, &rows, records).await?;
    steps.extend(rows.into_iter().map(|row| match resolutions.get(&row.id) {
        None => Step::of(row).hold(&unreadable(), lane.now_ms()),
        Some(resolution) => match &resolution.vendor {
            Ok(vendor) => resolved(lane, row, vendor, resolution),
            Err(hold) => held(lane, row, hold, resolution),
        },
    }));
    Ok(steps)
}

fn resolved(lane: &Lane<'_>, row: RecordRow, vendor: &ResolvedVendor, resolution: &Resolution) -> Step {
    let mut detail = json!({ "number": vendor.number, "name": vendor.name, "why": vendor.why.words() });
    if let (Some(object), Some(_)) = (detail.as_object_mut(), &resolution.judged) {
        object.insert("match".to_owned(), resolution.detail());
    }
    let matched = resolution.matched(&row, lane.now_ms());
    Step::of(row)
        .set(|row| row.vendor_number = Some(vendor.number.clone()))
        .matched(matched)
        .on(Event::VendorResolved, lane.now_ms())
        .note("vendor_resolved", detail)
}

/// Holds, with what the matcher said in row and trail.
pub(super) fn held(lane: &Lane<'_>, row: RecordRow, hold: &Hold, resolution: &Resolution) -> Step {
    let matched = resolution.matched(&row, lane.now_ms());
    let step = Step::of(row).matched(matched);
    let step = if resolution.judged.is_some() { step.note("vendor_judged", resolution.detail()) } else { step };
    step.hold(hold, lane.now_ms())
}

/// The hold of a row whose stored payload cannot be decoded by this version.
pub(super) fn unreadable() -> Hold {
    Hold::new(HoldCode::RecordUnreadable, "the stored record cannot be read by this version of the connector")
}

/// The vendor that a person coded on the record in Brex, if there is one.
pub(super) fn coded(lane: &Lane<'_>, record: &Record) -> Option<ResolvedVendor> {
    let decided = decide_coded(record, &lane.rules, &lane.directory).ok()??;
    matches!(decided.why, Why::Coded { .. }).then_some(decided)
}
