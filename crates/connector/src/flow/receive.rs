//! A record comes in, by webhook or poll: it is new, or newer than what is known, or nothing happens at all.

use std::collections::{BTreeMap, HashMap, HashSet};

use data_encoding::HEXLOWER;
use domain::compare::Difference;
use domain::edit::booked_differences;
use domain::failure::{Failure, FailureState};
use domain::hold::{Hold, HoldCode};
use domain::id::RecordId;
use domain::record::{Record, Review, Treatment};
use domain::stage::{Event, Stage};
use serde_json::json;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use store::RecordRow;

use super::map::plan_of;
use super::step::Step;
use super::wire::UnreadableRecord;
use super::{Lane, Stop, legal_entity};
use crate::config::Told;

/// What brought the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A webhook named it.
    Webhook,
    /// A poll found it.
    Poll,
    /// It was read again just before its document is posted.
    BeforePosting,
    /// It was read again just before its export was reported.
    BeforeExport,
    /// It was read again after its failure was reported.
    AfterFailure,
}

impl Origin {
    fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Poll => "poll",
            Self::BeforePosting => "read before posting",
            Self::BeforeExport => "read before export",
            Self::AfterFailure => "read after its failure was reported",
        }
    }
}

/// What came of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Newest `updated_at` in the batch (milliseconds).
    pub newest_ms: Option<i64>,
    /// Rows written.
    pub written: usize,
}

/// Takes in a batch of records as Brex sent them.
pub async fn receive(lane: &Lane<'_>, items: &[Box<RawValue>], origin: Origin) -> Result<Received, Stop> {
    let mut readable: BTreeMap<RecordId, (Record, &str)> = BTreeMap::new();
    let mut unreadable: BTreeMap<RecordId, (UnreadableRecord, &str)> = BTreeMap::new();
    for item in items {
        match lane.read_record(item.get()) {
            Ok(record) => drop(readable.insert(record.id.clone(), (record, item.get()))),
            Err(problem) => {
                let id = id_of(item.get()).unwrap_or_else(|| RecordId::new(fingerprint(item.get())));
                unreadable.insert(id, (problem, item.get()));
            }
        }
    }
    let ids: Vec<RecordId> = readable.keys().chain(unreadable.keys()).cloned().collect();
    let known = lane.app.store.records().find_many(&lane.connection.id, &ids).await?;
    let mut known: HashMap<RecordId, RecordRow> = known.into_iter().map(|row| (row.id.clone(), row)).collect();
    let newer: Vec<RecordRow> = known.values().filter(|row| is_newer(row, &readable)).map(as_planned).collect();
    let previous = lane.records(&newer).await?;
    let in_flight = in_flight(lane, &newer).await?;
    let read = |id: &RecordId| readable.get(id).map(|(record, _)| record.clone());
    let back = legal_entity::no_longer_elsewhere(lane, known.values(), read).await?;
    let newest_ms = readable.values().map(|(record, _)| record.updated_at.as_millisecond()).max();

    let mut steps = Vec::new();
    for (id, (record, text)) in readable {
        let step = match known.remove(&id) {
            None => decide_new(lane, &record, origin).map(|step| step.payload(text.to_owned())),
            Some(row) if back.contains(&row.id) => Some(start_anew(lane, row, &record, text, origin)),
            Some(row) if may_start_anew(&row, &in_flight) => {
                start_if_newer(lane, row, &record, previous.get(&id).map(AsRef::as_ref), text, origin)
            }
            // Its outcome is unknown: probing goes on, and the edit is found again before the export.
            Some(row) if in_flight.contains(&row.id) || row.stage == Stage::Draft => None,
            Some(row) => decide_edit(lane, row, &record, previous.get(&id).map(AsRef::as_ref), text, origin),
        };
        steps.extend(step);
    }
    for (id, (problem, text)) in unreadable {
        let row = known.remove(&id).unwrap_or_else(|| blank_row(lane, id));
        steps.extend(decide_unreadable(lane, row, &problem, origin).map(|step| step.payload(text.to_owned())));
    }
    let written = lane.apply(steps).await?.len();
    Ok(Received { newest_ms, written })
}

fn is_newer(row: &RecordRow, readable: &BTreeMap<RecordId, (Record, &str)>) -> bool {
    readable.get(&row.id).is_some_and(|(record, _)| record.version > row.version)
}

/// A record that is not known yet is taken up only if there is something to do with it.
fn decide_new(lane: &Lane<'_>, record: &Record, origin: Origin) -> Option<Step> {
    if !record.is_ready() {
        return None;
    }
    let now_ms = lane.now_ms();
    let step = Step::of(new_row(lane, record)).note("received", seen(record, origin));
    Some(match record.treatment() {
        Treatment::NotSpend => {
            let why = match record.policy {
                None => format!("{} moves money and buys nothing", record.type_name),
                Some(_) => format!("the connection says that {} is not spend", record.type_name),
            };
            let why = json!({ "why": why });
            step.on(Event::NotSpend, now_ms).note("not_spend", why)
        }
        Treatment::Spend(_) | Treatment::Reimbursement(_) | Treatment::Bill | Treatment::Unknown => {
            step.on(Event::Ready, now_ms)
        }
    })
}

/// The records of which something that was sent has no outcome yet.
async fn in_flight(lane: &Lane<'_>, rows: &[RecordRow]) -> Result<HashSet<RecordId>, Stop> {
    let sent = rows.iter().filter(|row| !row.stage.is_before_document());
    let sent: Vec<RecordId> = sent.map(|row| row.id.clone()).collect();
    let open = lane.app.store.intents().list_open(&lane.connection.id, &sent).await?;
    Ok(open.into_iter().map(|intent| intent.record_id).collect())
}

/// Whether no document can exist for the record.
fn may_start_anew(row: &RecordRow, in_flight: &HashSet<RecordId>) -> bool {
    let is_doubled = row.hold.as_ref().is_some_and(|hold| hold.code == HoldCode::DuplicateDocuments);
    row.stage.is_before_document() || (row.stage == Stage::Draft && !in_flight.contains(&row.id) && !is_doubled)
}

/// No document can exist: a newer version, or readiness that came back, takes the place of what was known.
fn start_if_newer(
    lane: &Lane<'_>,
    row: RecordRow,
    record: &Record,
    previous: Option<&Record>,
    text: &str,
    origin: Origin,
) -> Option<Step> {
    let has_left = row.failure.as_ref().is_some_and(|failure| failure.state == FailureState::Left);
    let waits = (row.stage == Stage::Waiting || has_left) && record.is_ready();
    let is_news = record.version > row.version || (record.version == row.version && waits);
    if !is_news || row.stage == Stage::Skipped {
        return None;
    }
    let told = row.failure.clone().filter(|_| row.hold.is_some()).filter(Failure::may_have_left);
    let Some(told) = told else { return Some(start_anew(lane, row, record, text, origin)) };
    if !record.is_ready() {
        return Some(left(row, record, &told, text, origin));
    }
    let is_same = previous.is_some_and(|previous| booked_differences(previous, record).is_empty());
    // What Brex made of the failure itself, as far as anybody can tell: the same hold is not told twice.
    let kept = (told.is_unsettled() && is_same).then_some(Failure { state: FailureState::Stayed, ..told });
    Some(start_anew(lane, row, record, text, origin).set(|row| row.failure = kept))
}

/// A record whose failure was reported left READY_FOR_EXPORT because of that: it stays held, so that a person sees it.
fn left(row: RecordRow, record: &Record, told: &Failure, text: &str, origin: Origin) -> Step {
    let change = |row: &mut RecordRow| {
        row.version = record.version;
        row.failure = Some(Failure { state: FailureState::Left, ..told.clone() });
    };
    Step::of(row).set(change).payload(text.to_owned()).note("version_seen", seen(record, origin))
}

fn start_anew(lane: &Lane<'_>, row: RecordRow, record: &Record, text: &str, origin: Origin) -> Step {
    let now_ms = lane.now_ms();
    let was_planned = row.stage == Stage::Draft;
    let change = |row: &mut RecordRow| {
        describe(lane, row, record);
        row.failure = None;
    };
    let step = Step::of(row).set(change).payload(text.to_owned()).note("version_taken", seen(record, origin));
    let step = if was_planned { step.on(Event::Replan, now_ms) } else { step };
    if !record.is_ready() {
        return step.on(Event::NotReady, now_ms);
    }
    match record.treatment() {
        Treatment::NotSpend => step.on(Event::NotSpend, now_ms),
        Treatment::Spend(_) | Treatment::Reimbursement(_) | Treatment::Bill | Treatment::Unknown => {
            step.on(Event::Ready, now_ms)
        }
    }
}

/// A document exists or may exist: edits that matter for the books hold the record, others are only noted.
fn decide_edit(
    lane: &Lane<'_>,
    row: RecordRow,
    record: &Record,
    planned: Option<&Record>,
    text: &str,
    origin: Origin,
) -> Option<Step> {
    if record.version <= row.version {
        return None;
    }
    if row.document_id.is_some() && row.plan.is_none() {
        return after_erasure(lane, row, record, text, origin);
    }
    let differences = planned.map(|planned| booked_differences(planned, record)).unwrap_or_default();
    if record.treatment() == Treatment::Bill && record.is_ready() && row.document_id.is_some() {
        return Some(to_revise(lane, row, record, text, origin));
    }
    if differences.is_empty() {
        let is_edited = row.hold.as_ref().is_some_and(|hold| hold.code == HoldCode::RecordChanged);
        // Our own export makes a new version: nothing to learn from it.
        if record.review == Review::Exported && !is_edited {
            return None;
        }
        let step = Step::of(row).set(|row| row.version = record.version).payload(text.to_owned());
        let step = step.note("version_seen", seen(record, origin));
        return Some(if is_edited { step.released(lane.now_ms()) } else { step });
    }
    if row.stage == Stage::Exported && lane.connection.settings.drift.record_edited == Told::Ignore {
        let step = Step::of(row).set(|row| row.version = record.version).payload(text.to_owned());
        return Some(step.note("version_seen", seen(record, origin)));
    }
    Some(hold_edited(lane, row, record, &differences, text, origin))
}

/// What was booked is erased, so that nothing tells what is different: a person has to look, unless it is what our own export made of it.
fn after_erasure(lane: &Lane<'_>, row: RecordRow, record: &Record, text: &str, origin: Origin) -> Option<Step> {
    if record.review == Review::Exported {
        return None;
    }
    let hold = Hold::new(
        HoldCode::RecordChanged,
        "a newer version came from Brex after what was booked had been erased here: compare it with the document in Business Central",
    );
    let step = Step::of(row).set(|row| row.version = record.version).payload(text.to_owned());
    Some(step.note("version_seen", seen(record, origin)).hold(&hold, lane.now_ms()))
}

/// Bills come again with every edit (brex.md §2.5): their drafts follow as long as nobody else touched them.
fn to_revise(lane: &Lane<'_>, row: RecordRow, record: &Record, text: &str, origin: Origin) -> Step {
    Step::of(row)
        .set(|row| describe(lane, row, record))
        .payload(text.to_owned())
        .note("version_seen", seen(record, origin))
        .on(Event::Edited, lane.now_ms())
}

/// What an edit that matters for the books leads to: a bill's draft follows, any other record is held.
pub(super) fn edited(
    lane: &Lane<'_>,
    row: RecordRow,
    record: &Record,
    differences: &[Difference],
    text: &str,
    origin: Origin,
) -> Step {
    let is_bill = record.treatment() == Treatment::Bill && record.is_ready() && row.document_id.is_some();
    if is_bill {
        to_revise(lane, row, record, text, origin)
    } else {
        hold_edited(lane, row, record, differences, text, origin)
    }
}

/// Holds a record whose edit matters for the books, with before and after.
fn hold_edited(
    lane: &Lane<'_>,
    row: RecordRow,
    record: &Record,
    differences: &[Difference],
    text: &str,
    origin: Origin,
) -> Step {
    let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
    let sentence = format!("the record was edited in Brex after its document was made: {}", shown.join("; "));
    Step::of(row)
        .payload(text.to_owned())
        .set(|row| row.version = record.version)
        .note("version_seen", seen(record, origin))
        .hold(&Hold::new(HoldCode::RecordChanged, sentence), lane.now_ms())
}

/// The row as of the version that its document was planned from: what an edit is compared with.
pub(super) fn as_planned(row: &RecordRow) -> RecordRow {
    let version = plan_of(row).map_or(row.version, |plan| plan.record_version);
    RecordRow { version, ..row.clone() }
}

/// A record that cannot be read is held, so that it is not lost; one that already has a document stays as it is.
fn decide_unreadable(lane: &Lane<'_>, row: RecordRow, problem: &UnreadableRecord, origin: Origin) -> Option<Step> {
    let hold = Hold::new(HoldCode::RecordUnreadable, format!("the record cannot be read: {problem}"));
    if row.hold.as_ref() == Some(&hold) || !row.stage.is_before_document() || row.stage == Stage::Skipped {
        return None;
    }
    let step = Step::of(row).set(|row| row.stage = Stage::ResolveVendor);
    Some(step.note("received", json!({ "by": origin.as_str() })).hold(&hold, lane.now_ms()))
}

/// What the trail says about a version.
pub(super) fn seen(record: &Record, origin: Origin) -> serde_json::Value {
    json!({
        "by": origin.as_str(),
        "version": record.version,
        "type": record.type_name,
        "review_status": record.review.as_str(),
        "amount": record.amount.to_string(),
        "updated_at": record.updated_at.to_string(),
    })
}

fn new_row(lane: &Lane<'_>, record: &Record) -> RecordRow {
    let mut row = blank_row(lane, record.id.clone());
    describe(lane, &mut row, record);
    row
}

fn blank_row(lane: &Lane<'_>, id: RecordId) -> RecordRow {
    RecordRow::new(lane.connection.id.clone(), id, lane.now_ms())
}

/// What lists and filters need to know about the record.
fn describe(lane: &Lane<'_>, row: &mut RecordRow, record: &Record) {
    let person = record.person.as_ref().map(|p| p.name.clone());
    row.version = record.version;
    row.record_type.clone_from(&record.type_name);
    row.source_type.clone_from(&record.source_type);
    row.source_id.clone_from(&record.source_id);
    row.amount = Some(record.amount.amount);
    row.currency = Some(record.amount.currency.as_str().to_owned());
    row.merchant = record.merchant.as_ref().map(|m| m.name.clone()).or(person);
    row.posting_date = Some(domain::calendar::day_of(record.posting_at, &lane.connection.rules.zone).to_string());
}

fn id_of(text: &str) -> Option<RecordId> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    value.get("id")?.as_str().map(RecordId::new)
}

/// A stand-in id for a record without one, so that it is held rather than lost.
fn fingerprint(text: &str) -> String {
    let digest = HEXLOWER.encode(&Sha256::digest(text.as_bytes()));
    format!("without-id-{}", digest.get(..16).unwrap_or(&digest))
}
