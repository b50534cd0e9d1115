//! Tells Brex why held records cannot be booked, where the connection asks for it: once per hold, in the words of
//! `attention`, and only while certainly no document exists.
//!
//! That it is about to be told is committed before it is sent. After a lost answer the record is read back: Brex makes a
//! new version of what it took, and the record leaves READY_FOR_EXPORT or stays there (brex.md §2.6, unconfirmed). A record
//! that left is held here as before; nothing is drafted of it until Brex shows it as ready again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use clients::brex::{ExportAnswer, ExportResult};
use domain::document::DocumentKind;
use domain::edit::booked_differences;
use domain::failure::{Failure, FailureState, Next, decide_next, is_to_tell, message};
use domain::hold::{Hold, HoldCode};
use domain::id::{DocumentNumber, RecordId};
use domain::record::{Record, Review, Treatment};
use domain::stage::{Event, Stage};
use serde_json::{Value, json};
use store::{Outcome, RecordRow};

use super::bisect::ask;
use super::mark_exported::now_in_brex;
use super::probe::look_up;
use super::receive::{Origin, receive, seen};
use super::recheck::release;
use super::step::{Step, error_detail};
use super::{BATCH, Lane, Records, Stop, source};

/// The job that tells.
pub const FAILURES: &str = "failures";

/// The stages before a document.
const STAGES: [Stage; 3] = [Stage::ResolveVendor, Stage::Map, Stage::Draft];

/// What is sent is read back at once, and what another record of its batch kept back goes again.
const PASSES: usize = 3;

/// A record that is told of: what it was about when it was read, and the hold.
struct Telling {
    row: RecordRow,
    hold: Hold,
    kind: DocumentKind,
}

/// Tells Brex of every hold that is due.
pub async fn run(lane: &Lane<'_>) -> Result<(), Stop> {
    if !lane.connection.settings.failures.is_on() {
        return Ok(());
    }
    for _ in 0..PASSES {
        if !pass(lane).await? {
            break;
        }
    }
    Ok(())
}

/// Asks for the job if a step leads to a hold that is to be told.
pub(super) async fn nudge<'a>(
    lane: &Lane<'_>,
    mut rows: impl Iterator<Item = &'a RecordRow>,
) -> Result<(), store::Error> {
    let is_news = |row: &RecordRow| {
        let is_known = row.failure.as_ref().is_some_and(|told| Some(told.code) == code_of(row));
        !is_known && may_be_told(lane, row)
    };
    if !rows.any(is_news) {
        return Ok(());
    }
    let due_ms = lane.now_ms().saturating_add(lane.connection.settings.failures.after_ms());
    lane.app.store.jobs().nudge(&lane.connection.id, FAILURES, due_ms).await
}

fn code_of(row: &RecordRow) -> Option<HoldCode> {
    row.hold.as_ref().map(|hold| hold.code)
}

fn may_be_told(lane: &Lane<'_>, row: &RecordRow) -> bool {
    let tells = |code| lane.connection.settings.failures.tells(code);
    code_of(row).is_some_and(tells) && STAGES.contains(&row.stage) && row.document_id.is_none()
}

/// Whether the row is to be looked at: its hold is to be told, or what was sent is not settled.
fn is_due(lane: &Lane<'_>, row: &RecordRow) -> bool {
    let since_ms = lane.now_ms().saturating_sub(lane.connection.settings.failures.after_ms());
    let is_new = may_be_told(lane, row)
        && row.held_ms.is_some_and(|ms| ms <= since_ms)
        && code_of(row).is_some_and(|code| is_to_tell(row.failure.as_ref(), code));
    is_new || row.failure.as_ref().is_some_and(Failure::is_unsettled)
}

/// Goes through everything that is held before its document. Returns whether anything was sent.
async fn pass(lane: &Lane<'_>) -> Result<bool, Stop> {
    let (mut sent, mut after) = (false, None);
    loop {
        let records = lane.app.store.records();
        let rows = records.list_held_in(&lane.connection.id, &STAGES, after.as_ref(), BATCH).await?;
        let Some(last) = rows.last() else { return Ok(sent) };
        after = Some(last.id.clone());
        sent |= tell(lane, rows.into_iter().filter(|row| is_due(lane, row)).collect()).await?;
    }
}

async fn tell(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<bool, Stop> {
    let now = now_in_brex(lane, &rows).await?;
    let known = lane.records(&rows).await?;
    let (mut steps, mut telling) = (Vec::new(), Vec::new());
    for row in rows {
        let (Some((record, text)), Some(hold)) = (now.get(&row.id), row.hold.clone()) else { continue };
        let is_edited = known.get(&row.id).is_none_or(|known| !booked_differences(known, record).is_empty());
        match decide_next(row.failure.as_ref(), hold.code, row.version, record, is_edited) {
            Next::Nothing => {}
            Next::Settle(state) => steps.push(settle(lane, row, state, record, text)),
            Next::Send if !may_be_told(lane, &row) || record.treatment() == Treatment::Bill => {}
            Next::Send => telling.extend(record.treatment().document().map(|kind| Telling { row, hold, kind })),
        }
    }
    lane.apply(steps).await?;
    report(lane, without_document(lane, telling).await?).await
}

/// Brex has it: where the record went, and the version that this made of it.
fn settle(lane: &Lane<'_>, row: RecordRow, state: FailureState, record: &Record, text: &str) -> Step {
    let was_lost = row.failure.as_ref().is_some_and(|failure| failure.state == FailureState::Sending);
    let is_newer = record.version > row.version;
    let step = set_state(lane, row, state).note("version_seen", seen(record, Origin::AfterFailure));
    let step = if was_lost {
        step.note("failure_reported", json!({ "how": "the answer was lost; Brex shows that it was taken" }))
    } else {
        step
    };
    if is_newer { step.set(|row| row.version = record.version).payload(text.to_owned()) } else { step }
}

fn set_state(lane: &Lane<'_>, row: RecordRow, state: FailureState) -> Step {
    let at_ms = lane.now_ms();
    Step::of(row).set(|row| {
        if let Some(failure) = &mut row.failure {
            *failure = Failure { code: failure.code, state, at_ms };
        }
    })
}

/// Those of which nothing that was sent can have made a document, and of which Business Central has none: not even one
/// that was made before the database was lost.
async fn without_document(lane: &Lane<'_>, telling: Vec<Telling>) -> Result<Vec<Telling>, Stop> {
    let mut certain = Vec::new();
    for one in telling {
        let intents = lane.app.store.intents().list_for(&lane.connection.id, &one.row.id).await?;
        let made_nothing = |outcome| matches!(outcome, Some(Outcome::Refused | Outcome::NotExecuted));
        if intents.iter().all(|intent| made_nothing(intent.outcome)) {
            certain.push(one);
        }
    }
    let number = |one: &Telling| DocumentNumber::of_job(lane.job(&one.row.id)).as_str().to_owned();
    for kind in [DocumentKind::Invoice, DocumentKind::CreditMemo] {
        let numbers: Vec<String> = certain.iter().filter(|one| one.kind == kind).map(number).collect();
        if !numbers.is_empty() {
            let found = look_up(lane, kind, numbers).await?;
            certain.retain(|one| one.kind != kind || found.is_certainly_absent(&number(one)));
        }
    }
    Ok(certain)
}

/// Sends them with one call. Returns whether there was anything to send.
async fn report(lane: &Lane<'_>, telling: Vec<Telling>) -> Result<bool, Stop> {
    let messages: HashMap<String, String> =
        telling.iter().map(|one| (one.row.id.as_str().to_owned(), message(&one.hold))).collect();
    let again = |row: &RecordRow| row.failure.as_ref().is_some_and(|failure| failure.state == FailureState::Sending);
    let again: HashSet<RecordId> = telling.iter().filter(|one| again(&one.row)).map(|one| one.row.id.clone()).collect();
    let begun = telling.into_iter().map(|Telling { row, hold, .. }| {
        let detail = json!({ "code": hold.code, "message": messages.get(row.id.as_str()) });
        let failure = Failure { code: hold.code, state: FailureState::Sending, at_ms: lane.now_ms() };
        Step::of(row).set(|row| row.failure = Some(failure)).note("failure_begun", detail)
    });
    let rows = lane.apply_kept(begun.collect()).await?;
    if rows.is_empty() {
        return Ok(false);
    }
    let brex = &lane.connection.brex;
    let call = |ids: Vec<String>| {
        let brex = brex.clone();
        let result = |id: &String| ExportResult::Failure {
            record_id: id.clone(),
            error_message: messages.get(id).cloned().unwrap_or_default(),
        };
        let results: Vec<ExportResult> = ids.iter().map(result).collect();
        async move { brex.report_export_results(&results).await.map(|answer| vec![answer]) }
    };
    let asked = ask(rows.iter().map(|row| row.id.as_str().to_owned()).collect(), call).await?;
    let steps = rows.into_iter().filter_map(|row| {
        let refusal = asked.refused.iter().find(|(id, _)| id == row.id.as_str());
        match refusal {
            Some((_, error)) => Some(refused(lane, row, &error_detail(error))),
            None => answered(lane, row, &asked.answers, &again),
        }
    });
    lane.apply(steps.collect()).await?;
    Ok(true)
}

fn refused(lane: &Lane<'_>, row: RecordRow, said: &Value) -> Step {
    set_state(lane, row, FailureState::Refused).note("failure_refused", said.clone())
}

/// What the answers say about one record; nothing if another one of its batch stood in the way.
fn answered(lane: &Lane<'_>, row: RecordRow, answers: &[ExportAnswer], again: &HashSet<RecordId>) -> Option<Step> {
    let names = |ids: &[String]| ids.iter().any(|id| id == row.id.as_str());
    let taken = answers.iter().any(|answer| matches!(answer, ExportAnswer::Accepted { ids } if names(ids)));
    let stands_in_the_way = answers.iter().any(|answer| match answer {
        ExportAnswer::Accepted { .. } => false,
        ExportAnswer::NotFound { ids } | ExportAnswer::NotReady { ids } | ExportAnswer::Duplicate { ids } => names(ids),
    });
    if taken {
        let detail = json!({ "how": "Brex took it" });
        return Some(set_state(lane, row, FailureState::Told).note("failure_reported", detail));
    }
    // Where it was sent before, that may be why it is not ready: it is read again. Else somebody took it back just now.
    (stands_in_the_way && !again.contains(&row.id)).then(|| {
        let why = json!({ "why": "Brex no longer has it ready for export" });
        Step::of(row).set(|row| row.failure = None).note("failure_not_taken", why)
    })
}

/// Whether Brex may have taken the record out of READY_FOR_EXPORT since its failure was reported.
pub(super) fn may_have_left(row: &RecordRow) -> bool {
    row.failure.as_ref().is_some_and(Failure::may_have_left)
}

/// Reads records again whose failure was reported. A newer version is taken as from the poll, so that a step made from the
/// old one is stale.
pub(super) async fn read_again(lane: &Lane<'_>, rows: &[RecordRow]) -> Result<Records, Stop> {
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = source::by_ids(lane.connection, &ids).await?;
    receive(lane, &found.items, Origin::AfterFailure).await?;
    let records = found.items.iter().filter_map(|item| lane.read_record(item.get()).ok());
    Ok(records.map(|record| (record.id.clone(), Arc::new(record))).collect())
}

/// The steps of reported records whose cause is gone: what Brex has ready goes on, what it has not waits for it.
pub(super) async fn go_on(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<Vec<Step>, Stop> {
    let now = read_again(lane, &rows).await?;
    let forget = |row: &mut RecordRow| row.failure = None;
    let step = |row: RecordRow| {
        let record = now.get(&row.id)?;
        if record.review == Review::ReadyForExport {
            return Some(release(lane, row).set(forget));
        }
        let why = json!({ "review_status": record.review.as_str() });
        let step = Step::of(row).released(lane.now_ms()).on(Event::NotReady, lane.now_ms());
        Some(step.set(forget).note("waits_for_export", why))
    };
    Ok(rows.into_iter().filter_map(step).collect())
}

/// Those that Brex has ready, of reported and other records alike: nobody else may be drafted.
pub(super) async fn only_ready(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<Vec<RecordRow>, Stop> {
    let (reported, mut rows): (Vec<RecordRow>, Vec<RecordRow>) = rows.into_iter().partition(may_have_left);
    let now = read_again(lane, &reported).await?;
    let is_ready = |row: &RecordRow| now.get(&row.id).is_some_and(|record| record.review == Review::ReadyForExport);
    rows.extend(reported.into_iter().filter(is_ready));
    Ok(rows)
}
