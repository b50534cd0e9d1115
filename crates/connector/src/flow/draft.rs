//! Creates the draft in Business Central, at most once: look, commit the intent, send, and commit what came back.
//!
//! The intent is committed before anything is sent, so that after any crash an open intent means *unknown*, and unknown
//! means probing ([`super::probe`]), never sending again. Business Central has no idempotency key; the document number and
//! the marker line are what a look-up finds.

use std::collections::{HashMap, HashSet};

use clients::{Effect, Error, Kind};
use domain::document::{DocumentKind, FoundDocument, PlannedDocument};
use domain::id::RecordId;
use domain::late::{every_dimension, taken_over};
use domain::pace::{NextProbe, next_probe};
use domain::refusal::{hold_of_refusal, is_default_met};
use domain::stage::Event;
use serde_json::json;
use store::{Applied, Intent, IntentChange, Outcome, Purpose, RecordRow};

use super::create::{Answer, Intended};
use super::late;
use super::map::{plan_of, stored};
use super::probe::{self, Found, Seen, cannot_look, found_by_number};
use super::resolve_vendor::unreadable;
use super::step::{Step, error_detail};
use super::wire::found_document;
use super::{Lane, Stop, asked_ms, sending};
use crate::problem;

/// How long a record waits before it looks again whether another one of its number has its document.
const BEHIND_MS: i64 = 30_000;

/// A row with its plan.
pub(super) type Planned = (RecordRow, PlannedDocument);

/// By what Business Central tells documents apart: kind, vendor and vendor invoice number, whatever its case.
pub(super) type Key = (DocumentKind, String, String);

/// What can be sent of the rows at hand, and what waits for another record.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) intended: Vec<Intended>,
    pub(super) waiting: Vec<RecordId>,
}

impl Batch {
    /// This one, then another.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.intended.extend(other.intended);
        self.waiting.extend(other.waiting);
        self
    }
}

/// What became of answers that are committed.
#[derive(Default)]
pub(super) struct Committed {
    pub(super) ids: Vec<RecordId>,
    /// Refused for a dimension that vendor or account set by default, planned without dimensions now.
    pub(super) again: Vec<Planned>,
    /// Why nothing more is to be sent.
    pub(super) stop: Option<Stop>,
}

/// Runs the stage.
pub async fn run(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<(), Stop> {
    sending::send(lane, rows).await
}

/// Looks up what is unclear, and everything else before it is sent, and commits the intents. What this process is making at the moment
/// goes before.
pub(super) async fn prepare(lane: &Lane<'_>, rows: Vec<RecordRow>, being_made: &HashSet<Key>) -> Result<Batch, Stop> {
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
    let (invoices, memos): (Vec<Planned>, Vec<Planned>) =
        fresh.into_iter().partition(|(_, plan)| plan.kind == DocumentKind::Invoice);
    // Both are looked up before any intent is committed: one that was committed and not sent counts as unknown.
    let (mut absent, mut waiting) = look(lane, DocumentKind::Invoice, invoices, being_made).await?;
    let (memos, memos_waiting) = look(lane, DocumentKind::CreditMemo, memos, being_made).await?;
    absent.extend(memos);
    waiting.extend(memos_waiting);
    Ok(Batch { intended: commit_intents(lane, absent).await?, waiting })
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

/// Looks up all numbers with one call. Gives what is not there, and what has to wait for another record of the batch.
async fn look(
    lane: &Lane<'_>,
    kind: DocumentKind,
    planned: Vec<Planned>,
    being_made: &HashSet<Key>,
) -> Result<(Vec<Planned>, Vec<RecordId>), Stop> {
    if planned.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    // Asked before the look-up: what is made in between is then seen by one of the two.
    let on_their_way = on_their_way(lane, kind, &planned, being_made).await?;
    let found = found_by_number(lane, kind, planned.iter().map(|(_, plan)| plan)).await?;
    let mut settled = Vec::new();
    let mut absent = Vec::new();
    let mut waiting = Vec::new();
    let mut numbers = HashSet::new();
    for (row, plan) in planned {
        match found.judge(&plan) {
            // Two bills of one vendor with one number: the second looks again when the first has its document.
            Ok(Seen::Absent) if on_their_way.contains(&key(&plan)) => settled.push(behind_another(lane, row)),
            Ok(Seen::Absent) if !numbers.insert(key(&plan)) => waiting.push(row.id),
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
    Ok((absent, waiting))
}

/// By what the document of a plan is told from others.
pub(super) fn key(plan: &PlannedDocument) -> Key {
    (plan.kind, plan.vendor_number.clone(), plan.number.as_str().to_uppercase())
}

/// What is being made for these vendors, or of which that is not known. One that was refused for a default dimension has no open intent
/// until its second one is committed, so what is in this process's hands counts too.
async fn on_their_way(
    lane: &Lane<'_>,
    kind: DocumentKind,
    planned: &[Planned],
    being_made: &HashSet<Key>,
) -> Result<HashSet<Key>, Stop> {
    let mut vendors: Vec<&str> = planned.iter().map(|(_, plan)| plan.vendor_number.as_str()).collect();
    vendors.sort_unstable();
    vendors.dedup();
    let open = lane.app.store.intents().list_open_of_vendors(&lane.connection.id, &vendors).await?;
    let of_kind = open.into_iter().filter(|intent| intent.document_kind == kind);
    let open = of_kind.map(|intent| (kind, intent.vendor_number, intent.document_key.to_uppercase()));
    Ok(open.chain(being_made.iter().cloned()).collect())
}

/// Another record of the same vendor and number is being booked: what becomes of it decides.
fn behind_another(lane: &Lane<'_>, row: RecordRow) -> Step {
    const WHY: &str = "a document of the same vendor and number is on its way for another record";
    Step::of(row).postpone(lane.now_ms().saturating_add(BEHIND_MS), false, &json!(WHY))
}

/// Commits one intent per record before anything is sent. A row that changed meanwhile is left out.
pub(super) async fn commit_intents(lane: &Lane<'_>, planned: Vec<Planned>) -> Result<Vec<Intended>, Stop> {
    let ids: Vec<RecordId> = planned.iter().map(|(row, _)| row.id.clone()).collect();
    let attempts = lane.app.store.intents().last_attempts(&lane.connection.id, &ids).await?;
    let now_ms = lane.now_ms();
    let window_ms = lane.settle_window_ms();
    let mut steps = Vec::new();
    let mut committed = Vec::new();
    for (mut row, plan) in planned {
        let before = attempts.get(&row.id).copied().unwrap_or_default();
        let attempt = before.last.saturating_add(1);
        let intent = new_intent(lane, &plan, attempt, Purpose::Create);
        let detail = json!({ "attempt": attempt, "number": plan.number, "plan_hash": intent.payload_hash, "epoch": lane.lease.epoch, "late": plan.late });
        // What comes late was found out since the plan was stored.
        if !plan.late.is_empty() {
            row.plan = Some(stored(&plan));
        }
        row.due_ms = match next_probe(now_ms, 0, window_ms) {
            NextProbe::At(ms) => Some(ms),
            NextProbe::Settled => Some(now_ms),
        };
        steps.push(Step::of(row.clone()).intent(IntentChange::Open(intent)).note("intent_committed", detail));
        committed.push(Intended { row, plan, attempt, is_fresh: !before.may_have_effect });
    }
    let applied = lane.apply(steps).await?;
    let kept = committed.into_iter().zip(applied).filter(|(_, applied)| *applied == Applied::Done);
    Ok(kept.map(|(intended, _)| Intended { row: intended.row.written(), ..intended }).collect())
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

/// Commits what came back. A refusal is believed only after one look, since extensions can commit and then fail.
pub(super) async fn take_answers(lane: &Lane<'_>, answers: Vec<Answer>) -> Result<Committed, Stop> {
    let (invoices, memos): (Vec<Answer>, Vec<Answer>) =
        answers.into_iter().partition(|answer| answer.intended.plan.kind == DocumentKind::Invoice);
    let mut committed = Committed::default();
    for (kind, answers) in [(DocumentKind::Invoice, invoices), (DocumentKind::CreditMemo, memos)] {
        take(lane, kind, answers, &mut committed).await?;
    }
    Ok(committed)
}

async fn take(
    lane: &Lane<'_>,
    kind: DocumentKind,
    answers: Vec<Answer>,
    committed: &mut Committed,
) -> Result<(), Stop> {
    let refused: Vec<&PlannedDocument> = answers.iter().filter(|a| is_refusal(a)).map(|a| &a.intended.plan).collect();
    let looked = if refused.is_empty() { None } else { Some(found_by_number(lane, kind, refused.into_iter()).await) };
    let mut steps = Vec::new();
    let mut met = Vec::new();
    for Answer { intended: Intended { row, plan, attempt, .. }, answer } in answers {
        committed.ids.push(row.id.clone());
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
            Some(Err(error)) if error.effect() == Effect::Unknown => {
                let step = unclear(lane, row, attempt, &error);
                if problem::of_error(&error).is_some() {
                    committed.stop.get_or_insert(error.into());
                }
                step
            }
            Some(Err(error)) => {
                let step = not_executed(lane, row, attempt, &error);
                // One that is about all of them, or asks everybody for a rest.
                if error.kind() == Kind::Throttled || problem::of_error(&error).is_some() {
                    committed.stop.get_or_insert(error.into());
                }
                step
            }
        };
        steps.push(step);
    }
    let done = lane.apply_kept(steps).await?;
    committed.again.extend(with_plans(done.into_iter().filter(|row| met.contains(&row.id)).collect()).0);
    Ok(())
}

fn is_refusal(answer: &Answer) -> bool {
    matches!(&answer.answer, Some(Err(error)) if is_refused(error))
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

/// The lease was lost, or the work stops: nothing was sent.
pub(super) fn not_sent(lane: &Lane<'_>, row: RecordRow, attempt: i64) -> Step {
    const WHY: &str = "not sent: the work was stopped, or the lease was no longer held";
    let detail = Some(WHY.to_owned());
    let settled = IntentChange::Settled { attempt, outcome: Outcome::NotExecuted, document_id: None, detail };
    Step::of(row).intent(settled).postpone(lane.now_ms(), false, &json!(WHY))
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
        self.connection.settings.settle_window_ms()
    }
}
