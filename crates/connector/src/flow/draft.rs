//! Creates the draft in Business Central, at most once: look, commit the intent, send, and commit what came back.
//!
//! The intent is committed before anything is sent, so that after any crash an open intent means *unknown*, and unknown
//! means probing ([`super::probe`]), never sending again. Business Central has no idempotency key; the document number and
//! the marker line are what a look-up finds.

use std::collections::{HashMap, HashSet};

use clients::bc::Document;
use clients::{Effect, Error, Kind};
use domain::document::{DocumentKind, FoundDocument, PlannedDocument};
use domain::id::RecordId;
use domain::late::{every_dimension, taken_over};
use domain::pace::{NextProbe, next_probe};
use domain::refusal::{hold_of_refusal, is_default_met};
use domain::stage::Event;
use futures::{StreamExt, stream};
use serde_json::json;
use store::{Applied, Intent, IntentChange, Outcome, Purpose, RecordRow};

use super::late;
use super::map::{plan_of, stored};
use super::probe::{self, Found, Seen, cannot_look, found_by_number};
use super::resolve_vendor::unreadable;
use super::step::{Step, error_detail};
use super::wire::{found_document, new_document, wire_kind};
use super::{Lane, Stop, asked_ms};
use crate::problem;

/// A row with its plan.
pub(super) type Planned = (RecordRow, PlannedDocument);

/// Runs the stage.
pub async fn run(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<(), Stop> {
    let (planned, broken) = with_plans(rows);
    lane.apply(broken.into_iter().map(|row| Step::of(row).hold(&unreadable(), lane.now_ms())).collect()).await?;
    let ids: Vec<RecordId> = planned.iter().map(|(row, _)| row.id.clone()).collect();
    let open = lane.app.store.intents().list_open(&lane.connection.id, &ids).await?;
    let mut open: HashMap<RecordId, Intent> = open.into_iter().map(|i| (i.record_id.clone(), i)).collect();
    let mut unclear = Vec::new();
    let mut fresh = Vec::new();
    for (row, plan) in planned {
        match open.remove(&row.id) {
            Some(intent) => unclear.push((row, plan, intent)),
            None => fresh.push((row, plan)),
        }
    }
    probe::run(lane, unclear).await?;
    for kind in [DocumentKind::Invoice, DocumentKind::CreditMemo] {
        let of_kind = fresh.iter().filter(|(_, plan)| plan.kind == kind).cloned().collect();
        create_all(lane, kind, of_kind).await?;
    }
    Ok(())
}

/// Splits off the rows whose stored plan cannot be read.
pub(super) fn with_plans(rows: Vec<RecordRow>) -> (Vec<Planned>, Vec<RecordRow>) {
    let mut planned = Vec::new();
    let mut broken = Vec::new();
    for row in rows {
        match plan_of(&row) {
            Some(plan) => planned.push((row, plan)),
            None => broken.push(row),
        }
    }
    (planned, broken)
}

/// Looks up all numbers with one call, then creates what is not there.
async fn create_all(lane: &Lane<'_>, kind: DocumentKind, planned: Vec<Planned>) -> Result<(), Stop> {
    if planned.is_empty() {
        return Ok(());
    }
    let found = found_by_number(lane, kind, planned.iter().map(|(_, plan)| plan)).await?;
    let mut settled = Vec::new();
    let mut absent = Vec::new();
    let mut numbers = HashSet::new();
    for (row, plan) in planned {
        match found.judge(&plan) {
            // Two bills of one vendor with one number: the second looks again when the first has its document.
            Ok(Seen::Absent) if !numbers.insert((plan.vendor_number.clone(), plan.number.clone())) => {}
            Ok(Seen::Absent) => absent.push((row, plan)),
            Ok(seen) => settled.push(probe::settle(lane, row, &seen, None)),
            Err(error) => settled.push(cannot_look(lane, row, error)),
        }
    }
    lane.apply(settled).await?;
    let known = late::known(lane).await?;
    for (_, plan) in &mut absent {
        plan.late.extend(known.met_by(plan));
        plan.late.extend(taken_over(plan));
    }
    let met = send(lane, kind, absent).await?;
    // Without any dimension there is nothing left to meet a default.
    send(lane, kind, met).await.map(drop)
}

/// Commits the intents and sends. Gives those that were refused for a dimension that vendor or account set by default,
/// planned without dimensions.
async fn send(lane: &Lane<'_>, kind: DocumentKind, planned: Vec<Planned>) -> Result<Vec<Planned>, Stop> {
    let committed = commit_intents(lane, planned).await?;
    let company = lane.company();
    let sent = stream::iter(committed)
        .map(|(row, plan, attempt)| {
            let company = company.clone();
            async move {
                if !lane.may_send().await? {
                    return Ok((row, plan, attempt, None));
                }
                let document = new_document(&plan, &lane.directory.setup.local_currency);
                let answer = company.create_document(wire_kind(kind), &document).await;
                Ok((row, plan, attempt, Some(answer)))
            }
        })
        .buffer_unordered(usize::from(lane.connection.settings.bc.max_concurrent))
        .collect::<Vec<Result<_, store::Error>>>()
        .await;
    take_answers(lane, kind, sent.into_iter().collect::<Result<_, _>>()?).await
}

/// Commits one intent per record before anything is sent. A row that changed meanwhile is left out.
async fn commit_intents(
    lane: &Lane<'_>,
    planned: Vec<Planned>,
) -> Result<Vec<(RecordRow, PlannedDocument, i64)>, Stop> {
    let ids: Vec<RecordId> = planned.iter().map(|(row, _)| row.id.clone()).collect();
    let attempts = lane.app.store.intents().last_attempts(&lane.connection.id, &ids).await?;
    let now_ms = lane.now_ms();
    let window_ms = lane.settle_window_ms();
    let mut steps = Vec::new();
    let mut committed = Vec::new();
    for (row, plan) in planned {
        let attempt = attempts.get(&row.id).copied().unwrap_or(0).saturating_add(1);
        let intent = new_intent(lane, &plan, attempt, Purpose::Create);
        let detail = json!({ "attempt": attempt, "number": plan.number, "plan_hash": plan.hash(), "epoch": lane.lease.epoch, "late": plan.late });
        let mut row = RecordRow { plan: Some(stored(&plan)), ..row };
        row.due_ms = match next_probe(now_ms, 0, window_ms) {
            NextProbe::At(ms) => Some(ms),
            NextProbe::Settled => Some(now_ms),
        };
        steps.push(Step::of(row.clone()).intent(IntentChange::Open(intent)).note("intent_committed", detail));
        committed.push((row, plan, attempt));
    }
    let applied = lane.apply(steps).await?;
    let kept = committed.into_iter().zip(applied).filter(|(_, applied)| *applied == Applied::Done);
    Ok(kept
        .map(|((mut row, plan, attempt), _)| {
            row.rev = row.rev.saturating_add(1);
            (row, plan, attempt)
        })
        .collect())
}

/// An intent as it is committed before something is sent.
pub(super) fn new_intent(lane: &Lane<'_>, plan: &PlannedDocument, attempt: i64, purpose: Purpose) -> Intent {
    let now_ms = lane.now_ms();
    Intent {
        record_id: plan.record.clone(),
        attempt,
        purpose,
        target: None,
        epoch: lane.lease.epoch,
        document_kind: plan.kind,
        document_key: plan.number.as_str().to_owned(),
        vendor_number: plan.vendor_number.clone(),
        payload_hash: plan.hash(),
        created_ms: now_ms,
        settle_until_ms: now_ms.saturating_add(lane.settle_window_ms()),
        probes: 0,
        outcome: None,
        outcome_ms: None,
        document_id: None,
        detail: None,
    }
}

type Answer = (RecordRow, PlannedDocument, i64, Option<Result<Document, Error>>);

/// Commits what came back. A refusal is believed only after one look, since extensions can commit and then fail.
async fn take_answers(lane: &Lane<'_>, kind: DocumentKind, answers: Vec<Answer>) -> Result<Vec<Planned>, Stop> {
    let refused: Vec<&PlannedDocument> = answers.iter().filter(|a| is_refusal(a)).map(|(_, plan, ..)| plan).collect();
    let looked = if refused.is_empty() { None } else { Some(found_by_number(lane, kind, refused.into_iter()).await) };
    let mut steps = Vec::new();
    let mut met = Vec::new();
    let mut held = None;
    for (row, plan, attempt, answer) in answers {
        let step = match answer {
            None => not_sent(lane, row, attempt),
            Some(Ok(document)) => created(lane, row, attempt, &found_document(kind, &document)),
            Some(Err(error)) if is_refused(&error) => match &looked {
                Some(Ok(found)) if meets_default(&plan, &error, found) => {
                    let step = without_dimensions(lane, row, plan, attempt, &error);
                    met.push(step.row.id.clone());
                    step
                }
                Some(Ok(found)) => after_refusal(lane, row, &plan, attempt, &error, found),
                Some(Err(_)) | None => unclear(lane, row, attempt, &error),
            },
            Some(Err(error)) if error.effect() == Effect::Unknown => unclear(lane, row, attempt, &error),
            Some(Err(error)) => {
                let step = not_executed(lane, row, attempt, &error);
                held = held.or(problem::of_error(&error));
                step
            }
        };
        steps.push(step);
    }
    let done = lane.apply_kept(steps).await?;
    match held {
        Some(problem) => Err(Stop::Connection(problem)),
        None => Ok(with_plans(done.into_iter().filter(|row| met.contains(&row.id)).collect()).0),
    }
}

fn is_refusal(answer: &Answer) -> bool {
    matches!(&answer.3, Some(Err(error)) if is_refused(error))
}

/// Whether Business Central said no to this very document. A missing permission is no refusal of the document, and some
/// application errors come as 404 (business-central.md §3.5).
pub(super) fn is_refused(error: &Error) -> bool {
    let of_document = matches!(error.kind(), Kind::Refused | Kind::NotFound);
    of_document && error.effect() == Effect::None && problem::of_error(error).is_none()
}

fn created(lane: &Lane<'_>, row: RecordRow, attempt: i64, found: &FoundDocument) -> Step {
    let settled =
        IntentChange::Settled { attempt, outcome: Outcome::Created, document_id: Some(found.id), detail: None };
    Step::of(row)
        .set(|row| probe::point_to(row, found))
        .intent(settled)
        .on(Event::DocumentFound, lane.now_ms())
        .note("document_created", json!({ "id": found.id, "number": found.number, "attempt": attempt }))
}

/// The lease was lost or the process is stopping: nothing was sent.
pub(super) fn not_sent(lane: &Lane<'_>, row: RecordRow, attempt: i64) -> Step {
    let detail = Some("not sent: the lease was no longer held".to_owned());
    let settled = IntentChange::Settled { attempt, outcome: Outcome::NotExecuted, document_id: None, detail };
    Step::of(row).intent(settled).postpone(lane.now_ms(), false, &json!("not sent: the lease was no longer held"))
}

/// Surely not executed: the same step again later; a limit (429) is not counted against the record.
pub(super) fn not_executed(lane: &Lane<'_>, row: RecordRow, attempt: i64, error: &Error) -> Step {
    let counted = error.kind() != Kind::Throttled;
    let due_ms = lane.retry_at(row.attempts, asked_ms(error));
    let settled = IntentChange::Settled {
        attempt,
        outcome: Outcome::NotExecuted,
        document_id: None,
        detail: Some(error.to_string()),
    };
    Step::of(row).intent(settled).postpone(due_ms, counted, &error_detail(error))
}

/// Perhaps executed: the intent stays open and only probing is allowed from now on.
pub(super) fn unclear(lane: &Lane<'_>, row: RecordRow, attempt: i64, error: &Error) -> Step {
    let mut detail = error_detail(error);
    if let Some(object) = detail.as_object_mut() {
        object.insert("attempt".to_owned(), json!(attempt));
    }
    probe::start_looking(lane, row, attempt).note("outcome_unknown", detail)
}

/// Whether a line was refused for a dimension that came with it, and nothing was made all the same.
fn meets_default(plan: &PlannedDocument, error: &Error, found: &Found) -> bool {
    let is_met = error.api_message().is_some_and(is_default_met) && plan.late != every_dimension(plan);
    is_met && matches!(found.judge(plan), Ok(Seen::Absent))
}

/// Business Central does not say which line or dimension it was, so the next attempt brings none; what the draft has all
/// the same tells it.
fn without_dimensions(lane: &Lane<'_>, row: RecordRow, plan: PlannedDocument, attempt: i64, error: &Error) -> Step {
    let plan = PlannedDocument { late: every_dimension(&plan), ..plan };
    let detail = Some(error.to_string());
    let settled = IntentChange::Settled { attempt, outcome: Outcome::Refused, document_id: None, detail };
    Step::of(row)
        .intent(settled)
        .set(|row| {
            row.plan = Some(stored(&plan));
            row.due_ms = Some(lane.now_ms());
        })
        .note("default_dimension_met", error_detail(error))
}

fn after_refusal(
    lane: &Lane<'_>,
    row: RecordRow,
    plan: &PlannedDocument,
    attempt: i64,
    error: &Error,
    found: &Found,
) -> Step {
    match found.judge(plan) {
        Err(_) => unclear(lane, row, attempt, error),
        Ok(Seen::Absent) => {
            let hold = hold_of_refusal(error.api_message().unwrap_or("it gave no reason"));
            let settled = IntentChange::Settled {
                attempt,
                outcome: Outcome::Refused,
                document_id: None,
                detail: Some(error.to_string()),
            };
            Step::of(row).intent(settled).note("refused", error_detail(error)).hold(&hold, lane.now_ms())
        }
        Ok(seen) => probe::settle(lane, row, &seen, Some(attempt)),
    }
}

impl Lane<'_> {
    /// Checks the lease again immediately before something is sent: a frozen process must not write after its time.
    pub async fn may_send(&self) -> Result<bool, store::Error> {
        self.app.store.lanes().holds(self.lease, self.now_ms()).await
    }

    /// How long an unclear outcome is probed, in milliseconds.
    pub fn settle_window_ms(&self) -> i64 {
        i64::from(self.connection.settings.settle_seconds).saturating_mul(1_000)
    }
}
