//! Finds the BC vendor: coded, employee, remembered, or by name. What is not certain is held.

use std::collections::{BTreeMap, HashMap};

use domain::hold::{Hold, HoldCode};
use domain::record::{Record, Treatment};
use domain::stage::Event;
use domain::vendor::{Link, ResolvedVendor, Why, decide_vendor, merchant_key};
use serde_json::json;
use store::RecordRow;

use super::step::Step;
use super::{Lane, Stop};

/// Runs the stage.
pub async fn run(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<(), Stop> {
    let records = lane.records(&rows).await?;
    let links = links(lane, records.values()).await?;
    let steps = rows.into_iter().map(|row| match records.get(&row.id) {
        None => Step::of(row).hold(&unreadable(), lane.now_ms()),
        Some(record) => match decide(lane, record, &links) {
            Ok(vendor) => resolved(lane, row, &vendor),
            Err(hold) => Step::of(row).hold(&hold, lane.now_ms()),
        },
    });
    lane.apply(steps.collect()).await?;
    Ok(())
}

fn resolved(lane: &Lane<'_>, row: RecordRow, vendor: &ResolvedVendor) -> Step {
    let detail = json!({ "number": vendor.number, "name": vendor.name, "why": vendor.why.words() });
    Step::of(row)
        .set(|row| row.vendor_number = Some(vendor.number.clone()))
        .on(Event::VendorResolved, lane.now_ms())
        .note("vendor_resolved", detail)
}

/// The hold of a row whose stored payload cannot be decoded by this version.
pub(super) fn unreadable() -> Hold {
    Hold::new(HoldCode::RecordUnreadable, "the stored record cannot be read by this version of the connector")
}

/// Remembered links by merchant key.
pub(super) type Links = HashMap<String, Vec<Link>>;

/// The links that memory holds for the merchants of these records. A vendor that was once rejected for a merchant is
/// not proposed again.
pub(super) async fn links(lane: &Lane<'_>, records: impl Iterator<Item = &Record>) -> Result<Links, Stop> {
    let mut keys: Vec<String> = records.filter_map(key_of).collect();
    keys.sort();
    keys.dedup();
    let stored = lane.app.store.vendor_links().list_for(&lane.connection.id, &keys).await?;
    let mut verdicts: BTreeMap<(String, uuid::Uuid), (bool, String)> = BTreeMap::new();
    for link in stored {
        verdicts
            .insert((link.merchant_key, link.bc_vendor_id), (link.verdict == store::Verdict::Confirmed, link.origin));
    }
    let mut links = Links::new();
    for ((key, vendor), (confirmed, origin)) in verdicts {
        if confirmed {
            links.entry(key).or_default().push(Link { vendor, origin });
        }
    }
    Ok(links)
}

/// Decides for one record. A type without a rule is held before anything else is said about the record.
pub(super) fn decide(lane: &Lane<'_>, record: &Record, links: &Links) -> Result<ResolvedVendor, Hold> {
    if record.treatment() == Treatment::Unknown {
        let text = format!("this version of the connector has no rule for the record type {}", record.type_name);
        return Err(Hold::new(HoldCode::RecordTypeUnknown, text));
    }
    let remembered = key_of(record).and_then(|key| links.get(&key)).map(Vec::as_slice).unwrap_or_default();
    decide_vendor(record, remembered, &lane.connection.rules, &lane.directory)
}

/// The vendor that a person coded on the record in Brex, if there is one.
pub(super) fn coded(lane: &Lane<'_>, record: &Record) -> Option<ResolvedVendor> {
    let decided = decide_vendor(record, &[], &lane.connection.rules, &lane.directory).ok()?;
    matches!(decided.why, Why::Coded { .. }).then_some(decided)
}

fn key_of(record: &Record) -> Option<String> {
    record.merchant.as_ref().and_then(|merchant| merchant_key(&merchant.name))
}
