//! Posts the document, where the connection says so: look once more whether Brex and Business Central still agree with the plan,
//! commit the intent, compare, send, and look what became of it.
//!
//! The post action takes no version of the document (business-central.md §5.4), so the document is compared with the plan
//! immediately before the call, and what was posted is compared once more. An unclear answer is resolved by reading the
//! status: no longer a draft means posted.

use std::collections::HashMap;

use clients::bc::Company;
use clients::{Effect, Error};
use domain::calendar::PeriodPolicy;
use domain::document::{FoundDocument, PlannedDocument};
use domain::edit::booked_differences;
use domain::hold::HoldCode;
use domain::id::RecordId;
use domain::pace::{NextProbe, next_probe};
use domain::posting::{Posted, decide_posted};
use domain::record::{Record, Review, Treatment};
use domain::refusal::{hold_of_posting, is_no_draft};
use domain::stage::Event;
use futures::{StreamExt as _, stream};
use serde_json::json;
use store::{Intent, IntentChange, Outcome, Purpose, RecordRow};

use super::draft::{Planned, is_refused, new_intent, not_executed, not_sent, unclear, with_plans};
use super::mark_exported::{gone, not_ready, now_in_brex};
use super::probe::{Waiting, point_to, wait};
use super::receive::{Origin, as_planned, edited};
use super::resolve_vendor::unreadable;
use super::step::{Step, error_detail};
use super::verify::{judge, read_back};
use super::wire::{found_document, wire_kind};
use super::{Lane, Records, Stop, map};
use crate::problem;

/// Runs the stage.
pub async fn run(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<(), Stop> {
    let ids: Vec<RecordId> = rows.iter().map(|row| row.id.clone()).collect();
    let open = lane.app.store.intents().list_open(&lane.connection.id, &ids).await?;
    let mut open: HashMap<RecordId, Intent> = open.into_iter().map(|i| (i.record_id.clone(), i)).collect();
    let (sent, fresh): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| open.contains_key(&row.id));
    look(lane, sent, &mut open).await?;
    let (done, fresh): (Vec<_>, Vec<_>) = fresh.into_iter().partition(|row| row.posted_ms.is_some());
    lane.apply(done.into_iter().map(|row| Step::of(row).on(Event::Posted, lane.now_ms())).collect()).await?;
    if !lane.connection.settings.post.enabled {
        let step = |row| Step::of(row).on(Event::Posted, lane.now_ms()).note("not_posted", json!("it is switched off"));
        lane.apply(fresh.into_iter().map(step).collect()).await?;
        return Ok(());
    }
    let (planned, broken) = with_plans(still_wanted(lane, fresh).await?);
    lane.apply(broken.into_iter().map(|row| Step::of(row).hold(&unreadable(), lane.now_ms())).collect()).await?;
    send(lane, commit(lane, planned).await?).await
}

/// Posting cannot be undone: a record that was edited or taken back in Brex meanwhile goes no further.
async fn still_wanted(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<Vec<RecordRow>, Stop> {
    let now = now_in_brex(lane, &rows).await?;
    let planned = lane.records(&rows.iter().map(as_planned).collect::<Vec<_>>()).await?;
    let (mut steps, mut wanted) = (Vec::new(), Vec::new());
    for row in rows {
        let Some((record, text)) = now.get(&row.id) else {
            steps.push(Step::of(row).hold(&gone(), lane.now_ms()));
            continue;
        };
        let differences = planned.get(&row.id).map(|planned| booked_differences(planned, record)).unwrap_or_default();
        if !differences.is_empty() {
            steps.push(edited(lane, row, record, &differences, text, Origin::BeforePosting));
        } else if is_wanted(record) {
            wanted.push(row);
        } else {
            steps.push(Step::of(row).hold(&not_ready(record), lane.now_ms()));
        }
    }
    lane.apply(steps).await?;
    Ok(wanted)
}

/// Whether a document for the record is still wanted.
pub(super) fn is_wanted(record: &Record) -> bool {
    match record.review {
        Review::ReadyForExport | Review::Exported => true,
        Review::Review => record.treatment() == Treatment::Bill,
        Review::Prepare | Review::Other(_) => false,
    }
}

/// A document that is to be posted, with its committed attempt.
struct ToPost {
    row: RecordRow,
    plan: PlannedDocument,
    attempt: i64,
}

async fn commit(lane: &Lane<'_>, planned: Vec<Planned>) -> Result<Vec<ToPost>, Stop> {
    let ids: Vec<RecordId> = planned.iter().map(|(row, _)| row.id.clone()).collect();
    let attempts = lane.app.store.intents().last_attempts(&lane.connection.id, &ids).await?;
    let now_ms = lane.now_ms();
    let mut plans = HashMap::new();
    let mut steps = Vec::new();
    for (mut row, plan) in planned {
        let attempt = attempts.get(&row.id).map_or(1, |attempts| attempts.last.saturating_add(1));
        let detail = json!({ "attempt": attempt, "number": row.document_no, "plan_hash": plan.hash() });
        row.due_ms = match next_probe(now_ms, 0, lane.settle_window_ms()) {
            NextProbe::At(ms) => Some(ms),
            NextProbe::Settled => Some(now_ms),
        };
        let intent = new_intent(lane, &plan, attempt, Purpose::Post);
        steps.push(Step::of(row.clone()).intent(IntentChange::Open(intent)).note("posting_committed", detail));
        plans.insert(row.id, (plan, attempt));
    }
    let kept = lane.apply_kept(steps).await?;
    let with_plan = kept.into_iter().filter_map(|row| {
        let (plan, attempt) = plans.remove(&row.id)?;
        Some(ToPost { row, plan, attempt })
    });
    Ok(with_plan.collect())
}

async fn send(lane: &Lane<'_>, committed: Vec<ToPost>) -> Result<(), Stop> {
    let records = lane.records(&committed.iter().map(|post| as_planned(&post.row)).collect::<Vec<_>>()).await?;
    let at_once = usize::from(lane.connection.settings.bc.max_concurrent).max(1);
    let company = lane.company();
    let done = stream::iter(committed)
        .map(|post| one(lane, &company, post, &records))
        .buffer_unordered(at_once)
        .collect::<Vec<Result<_, store::Error>>>()
        .await;
    let done: Vec<(Step, Option<Error>)> = done.into_iter().collect::<Result<_, _>>()?;
    let problem = done.iter().find_map(|(_, error)| error.as_ref().and_then(problem::of_error));
    lane.apply(done.into_iter().map(|(step, _)| step).collect()).await?;
    problem.map_or(Ok(()), |problem| Err(Stop::Connection(problem)))
}

/// Compares and posts one document. The error, if one was in the way.
async fn one(
    lane: &Lane<'_>,
    company: &Company,
    post: ToPost,
    records: &Records,
) -> Result<(Step, Option<Error>), store::Error> {
    let Some(id) = post.row.document_id else {
        let step = Step::of(post.row).intent(settled(post.attempt, Outcome::NotExecuted, None));
        return Ok((step.hold(&unreadable(), lane.now_ms()), None));
    };
    let kind = wire_kind(post.plan.kind);
    let read = match company.get_document(kind, id).await {
        Ok(read) => read.map(|document| found_document(post.plan.kind, &document)),
        Err(error) => return Ok((not_executed(lane, post.row, post.attempt, &error), Some(error))),
    };
    let found = match judge(lane, Some(&post.plan), read.as_ref()) {
        Ok((_, found)) => found,
        Err(hold) => {
            let step = Step::of(post.row).intent(settled(post.attempt, Outcome::NotExecuted, None));
            return Ok((step.hold(&hold, lane.now_ms()), None));
        }
    };
    if decide_posted(found, post.row.document_no.as_deref()) == Posted::Yes {
        return Ok((posted(lane, post.row, &post.plan, post.attempt, found, "it was posted already"), None));
    }
    if !lane.may_send().await? {
        return Ok((not_sent(lane, post.row, post.attempt), None));
    }
    let answer = company.post_document(kind, id).await;
    let now = company.get_document(kind, id).await.ok().flatten();
    let now = now.map(|document| found_document(post.plan.kind, &document));
    Ok(match answer {
        Ok(()) => (after_success(lane, post, now.as_ref()), None),
        Err(error) => (after_error(lane, post, now.as_ref(), records, &error), Some(error)),
    })
}

/// Business Central said that it posted: a look that does not show it yet is repeated.
fn after_success(lane: &Lane<'_>, post: ToPost, now: Option<&FoundDocument>) -> Step {
    let ToPost { row, plan, attempt } = post;
    match now {
        Some(found) if decide_posted(found, row.document_no.as_deref()) != Posted::No => {
            posted(lane, row, &plan, attempt, found, "posted by the connector")
        }
        _ => super::probe::start_looking(lane, row, attempt).note("posting_not_seen", json!({ "attempt": attempt })),
    }
}

/// A refusal is believed only after the look, since an extension can commit and then fail.
fn after_error(lane: &Lane<'_>, post: ToPost, now: Option<&FoundDocument>, records: &Records, error: &Error) -> Step {
    let ToPost { row, plan, attempt } = post;
    let said = error.api_message().unwrap_or("it gave no reason");
    let state = now.map(|found| decide_posted(found, row.document_no.as_deref()));
    match (now, state) {
        (Some(found), Some(Posted::Yes)) => posted(lane, row, &plan, attempt, found, "found posted after an error"),
        (Some(found), Some(Posted::Unsure)) if is_refused(error) && is_no_draft(said) => {
            posted(lane, row, &plan, attempt, found, "Business Central says that it is no draft")
        }
        (Some(_), Some(Posted::No | Posted::Unsure)) if is_refused(error) => {
            refused(lane, row, &plan, attempt, records, said, error)
        }
        _ if error.effect() == Effect::Unknown || is_refused(error) => unclear(lane, row, attempt, error),
        _ => not_executed(lane, row, attempt, error),
    }
}

/// A closed period moves the posting date where the policy says so and the newest set-up gives another date; everything else
/// waits for a person.
fn refused(
    lane: &Lane<'_>,
    row: RecordRow,
    plan: &PlannedDocument,
    attempt: i64,
    records: &Records,
    said: &str,
    error: &Error,
) -> Step {
    let number = row.document_no.clone().unwrap_or_default();
    let hold = hold_of_posting(&format!("{} {number}", plan.kind.words()), said);
    let moves = matches!(lane.connection.rules.period, PeriodPolicy::NextOpen { .. })
        && hold.code == HoldCode::PostingPeriodClosed;
    let again = records.get(&row.id).filter(|_| moves);
    let again = again.and_then(|record| map::decide(lane, record, &plan.vendor_number, &[]).ok());
    let step = Step::of(row)
        .intent(settled(attempt, Outcome::Refused, Some(error.to_string())))
        .note("posting_refused", error_detail(error));
    match again.filter(|again| again.document.posting_date != plan.posting_date) {
        Some(again) => step.on(Event::Edited, lane.now_ms()).note(
            "posting_date_moves",
            json!({ "from": plan.posting_date.to_string(), "to": again.document.posting_date.to_string() }),
        ),
        None => step.hold(&hold, lane.now_ms()),
    }
}

fn settled(attempt: i64, outcome: Outcome, detail: Option<String>) -> IntentChange {
    IntentChange::Settled { attempt, outcome, document_id: None, detail }
}

/// The document is posted. One that is not as planned is held: it was changed between the comparison and the posting.
fn posted(
    lane: &Lane<'_>,
    row: RecordRow,
    plan: &PlannedDocument,
    attempt: i64,
    found: &FoundDocument,
    how: &str,
) -> Step {
    let now_ms = lane.now_ms();
    let detail = json!({ "number": found.number, "was": row.document_no, "status": found.status, "how": how });
    let step = Step::of(row)
        .set(|row| {
            point_to(row, found);
            row.posted_ms = Some(now_ms);
        })
        .intent(IntentChange::Settled { attempt, outcome: Outcome::Posted, document_id: Some(found.id), detail: None })
        .note("document_posted", detail);
    match judge(lane, Some(plan), Some(found)) {
        Ok(_) => step.on(Event::Posted, now_ms),
        Err(hold) => step.hold(&hold, now_ms),
    }
}

/// Looks what became of the documents that were sent to be posted.
async fn look(lane: &Lane<'_>, rows: Vec<RecordRow>, open: &mut HashMap<RecordId, Intent>) -> Result<(), Stop> {
    let mut steps = Vec::new();
    for (row, plan, found) in read_back(lane, rows).await? {
        let Some(intent) = open.remove(&row.id) else { continue };
        let Some(plan) = plan else {
            steps.push(Step::of(row).hold(&unreadable(), lane.now_ms()));
            continue;
        };
        let state = found.as_ref().map(|found| decide_posted(found, row.document_no.as_deref()));
        steps.push(match (found, state) {
            (Some(found), Some(Posted::Yes)) => {
                posted(lane, row, &plan, intent.attempt, &found, "found posted after an unclear answer")
            }
            (Some(_), _) => match wait(lane, row, &intent) {
                Waiting::Step(step) => *step,
                Waiting::Over(row) => Step::of(*row)
                    .intent(settled(intent.attempt, Outcome::NotExecuted, Some("still a draft".to_owned())))
                    .set(|row| row.due_ms = Some(lane.now_ms()))
                    .note("posting_settled_as_absent", json!({ "attempt": intent.attempt })),
            },
            (None, _) => {
                let step = Step::of(row).intent(settled(intent.attempt, Outcome::Absent, None));
                match judge(lane, Some(&plan), None) {
                    Err(hold) => step.hold(&hold, lane.now_ms()),
                    Ok(_) => step,
                }
            }
        });
    }
    lane.apply(steps).await?;
    Ok(())
}
