//! Looks for a document whose fate is unknown, by number and marker, until it is found or the settle window has passed.

use domain::document::{DocumentKind, FoundDocument, PlannedDocument};
use domain::hold::{Hold, HoldCode};
use domain::id::RecordId;
use domain::pace::{NextProbe, next_probe};
use domain::stage::Event;
use serde_json::json;
use store::{Intent, IntentChange, Outcome, RecordRow};

use super::bisect::ask;
use super::step::{Step, error_detail};
use super::wire::{found_document, wire_kind};
use super::{Lane, Stop, asked_ms};

/// After so many attempts that ended with no document and no reason, a person has to look.
const MOST_ATTEMPTS: i64 = 5;

/// What a look-up says about a planned document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing with our vendor and number.
    Absent,
    /// Ours: the marker is there.
    Ours(Box<FoundDocument>),
    /// Somebody else's document has the number.
    Foreign(Box<FoundDocument>),
    /// More than one document carries our marker.
    Several(Vec<FoundDocument>),
}

/// Looks again for every record with an open intent.
pub(super) async fn run(lane: &Lane<'_>, unclear: Vec<(RecordRow, PlannedDocument, Intent)>) -> Result<(), Stop> {
    for kind in [DocumentKind::Invoice, DocumentKind::CreditMemo] {
        let of_kind: Vec<_> = unclear.iter().filter(|(_, plan, _)| plan.kind == kind).cloned().collect();
        if of_kind.is_empty() {
            continue;
        }
        let found = found_by_number(lane, kind, of_kind.iter().map(|(_, plan, _)| plan)).await?;
        let ids: Vec<RecordId> = of_kind.iter().map(|(row, ..)| row.id.clone()).collect();
        let absent = lane.app.store.intents().count_absent(&lane.connection.id, &ids).await?;
        let steps = of_kind.into_iter().map(|(row, plan, intent)| match found.judge(&plan) {
            Err(error) => cannot_look(lane, row, error),
            Ok(Seen::Absent) => {
                let before = absent.get(&row.id).copied().unwrap_or(0);
                still_absent(lane, row, &intent, before)
            }
            Ok(seen) => settle(lane, row, &seen, Some(intent.attempt)),
        });
        lane.apply(steps.collect()).await?;
    }
    Ok(())
}

/// What a look-up by numbers found, and the numbers that Business Central refuses to look up.
pub(super) struct Found {
    documents: Vec<FoundDocument>,
    refused: Vec<(String, clients::Error)>,
}

impl Found {
    /// What it says about one plan; an error if nobody could look.
    pub(super) fn judge(&self, plan: &PlannedDocument) -> Result<Seen, &clients::Error> {
        match self.refused.iter().find(|(number, _)| number == plan.number.as_str()) {
            Some((_, error)) => Err(error),
            None => Ok(judge(plan, &self.documents)),
        }
    }

    /// Whether nobody's document has the number, on any vendor.
    pub(super) fn is_certainly_absent(&self, number: &str) -> bool {
        let is_found = self.documents.iter().any(|d| d.vendor_document_number.eq_ignore_ascii_case(number));
        !is_found && self.refused.iter().all(|(refused, _)| refused != number)
    }
}

/// Every document of a kind with one of these numbers, drafts and posted alike, with one call per fifty numbers.
pub(super) async fn found_by_number<'a>(
    lane: &Lane<'_>,
    kind: DocumentKind,
    plans: impl Iterator<Item = &'a PlannedDocument>,
) -> Result<Found, clients::Error> {
    look_up(lane, kind, plans.map(|plan| plan.number.as_str().to_owned()).collect()).await
}

/// The same by the numbers alone.
pub(super) async fn look_up(
    lane: &Lane<'_>,
    kind: DocumentKind,
    numbers: Vec<String>,
) -> Result<Found, clients::Error> {
    let company = lane.company();
    let call = |numbers: Vec<String>| {
        let company = company.clone();
        async move { company.find_documents_by_numbers(wire_kind(kind), &numbers).await }
    };
    let asked = ask(numbers, call).await?;
    let documents = asked.answers.iter().map(|document| found_document(kind, document)).collect();
    Ok(Found { documents, refused: asked.refused })
}

/// The look-up itself is refused for this number: nothing is sent while nobody can look.
pub(super) fn cannot_look(lane: &Lane<'_>, row: RecordRow, error: &clients::Error) -> Step {
    let due_ms = lane.retry_at(row.attempts, asked_ms(error));
    Step::of(row).postpone(due_ms, true, &error_detail(error))
}

/// What the found documents say about one plan.
fn judge(plan: &PlannedDocument, found: &[FoundDocument]) -> Seen {
    let same: Vec<&FoundDocument> = found
        .iter()
        .filter(|d| d.vendor_document_number.eq_ignore_ascii_case(plan.number.as_str()))
        .filter(|d| d.vendor_number.eq_ignore_ascii_case(&plan.vendor_number) || d.is_marked(plan.job))
        .collect();
    let ours: Vec<&FoundDocument> = same.iter().copied().filter(|d| d.is_marked(plan.job)).collect();
    match (ours.as_slice(), same.first()) {
        ([only], _) => Seen::Ours(Box::new((*only).clone())),
        ([], None) => Seen::Absent,
        ([], Some(foreign)) => Seen::Foreign(Box::new((*foreign).clone())),
        (several, _) => Seen::Several(several.iter().map(|d| (*d).clone()).collect()),
    }
}

/// The step for a document that was found; `attempt` is the open intent, if there is one.
pub(super) fn settle(lane: &Lane<'_>, row: RecordRow, seen: &Seen, attempt: Option<i64>) -> Step {
    let now_ms = lane.now_ms();
    let settled = |step: Step, outcome, document_id| match attempt {
        Some(attempt) => step.intent(IntentChange::Settled { attempt, outcome, document_id, detail: None }),
        None => step,
    };
    match seen {
        Seen::Absent => Step::of(row),
        Seen::Ours(found) => {
            let detail = json!({ "id": found.id, "number": found.number, "status": found.status, "attempt": attempt });
            let step = Step::of(row).set(|row| point_to(row, found)).on(Event::DocumentFound, now_ms);
            settled(step, Outcome::Adopted, Some(found.id)).note("document_adopted", detail)
        }
        Seen::Foreign(found) => {
            let sentence = format!(
                "{} {} of vendor {} already has the number {} and was not made by this connector",
                found.kind.words(),
                found.number,
                found.vendor_number,
                found.vendor_document_number
            );
            let step = settled(Step::of(row), Outcome::PossibleDuplicate, Some(found.id));
            step.hold(&Hold::new(HoldCode::PossibleDuplicate, sentence), now_ms)
        }
        Seen::Several(found) => {
            let numbers: Vec<&str> = found.iter().map(|d| d.number.as_str()).collect();
            let sentence = format!("several documents were made for this record: {}", numbers.join(", "));
            let step = settled(Step::of(row), Outcome::PossibleDuplicate, None);
            step.hold(&Hold::new(HoldCode::DuplicateDocuments, sentence), now_ms)
        }
    }
}

/// The row now points to this document.
pub(super) fn point_to(row: &mut RecordRow, found: &FoundDocument) {
    row.document_kind = Some(found.kind);
    row.document_id = Some(found.id);
    row.document_no = Some(found.number.clone());
}

/// From now on the document is only looked for: the plan of probes starts here.
pub(super) fn start_looking(lane: &Lane<'_>, row: RecordRow, attempt: i64) -> Step {
    let (now_ms, window_ms) = (lane.now_ms(), lane.settle_window_ms());
    let due_ms = match next_probe(now_ms, 0, window_ms) {
        NextProbe::At(ms) => ms,
        NextProbe::Settled => now_ms,
    };
    let settle_until_ms = now_ms.saturating_add(window_ms);
    Step::of(row)
        .intent(IntentChange::Unclear { attempt, epoch: lane.lease.epoch, settle_until_ms })
        .set(|row| row.due_ms = Some(due_ms))
}

/// Not there yet: the next probe, or, once the settle window has passed, one new attempt. So many attempts ended this way before; those
/// that were never sent, or that Business Central surely did not carry out, say nothing.
fn still_absent(lane: &Lane<'_>, row: RecordRow, intent: &Intent, before: i64) -> Step {
    let row = match wait(lane, row, intent) {
        Waiting::Step(step) => return *step,
        Waiting::Over(row) => row,
    };
    let now_ms = lane.now_ms();
    let detail = Some("not there at the end of the settle window".to_owned());
    let settled =
        IntentChange::Settled { attempt: intent.attempt, outcome: Outcome::Absent, document_id: None, detail };
    let step = Step::of(*row)
        .intent(settled)
        .set(|row| row.due_ms = Some(now_ms))
        .note("settled_as_absent", json!({ "attempt": intent.attempt, "probes": intent.probes.saturating_add(1) }));
    let attempts = before.saturating_add(1);
    if attempts % MOST_ATTEMPTS == 0 {
        let sentence =
            format!("Business Central gave no clear answer in {attempts} attempts, and there is no document");
        step.hold(&Hold::new(HoldCode::DocumentRefused, sentence), now_ms)
    } else {
        step
    }
}

/// What to do while an outcome cannot be seen.
pub(super) enum Waiting {
    /// It is looked for again later.
    Step(Box<Step>),
    /// It can no longer come.
    Over(Box<RecordRow>),
}

/// The next look for what an open intent may have done.
///
/// An intent of a former holder of the lane has no known time of sending, and the window that it gave was told by another clock: it was
/// sent before this process took over, so its plan starts with this first look. So it does if nobody began to look: an intent may have
/// waited long for its turn.
pub(super) fn wait(lane: &Lane<'_>, row: RecordRow, intent: &Intent) -> Waiting {
    let step = |step: Step| Waiting::Step(Box::new(step));
    let was_begun = intent.settle_until_ms != intent.created_ms.saturating_add(lane.settle_window_ms());
    if intent.epoch != lane.lease.epoch || (intent.probes == 0 && !was_begun) {
        let detail = json!({ "found": false, "why": "nobody here knows when it was sent; looking starts anew" });
        return step(start_looking(lane, row, intent.attempt).note("probed", detail));
    }
    let probes = intent.probes.saturating_add(1);
    let now_ms = lane.now_ms();
    let since_ms = intent.settle_until_ms.saturating_sub(lane.settle_window_ms());
    match next_probe(since_ms, probes, lane.settle_window_ms()) {
        NextProbe::At(ms) => step(
            Step::of(row)
                .intent(IntentChange::Probed { attempt: intent.attempt, probes })
                .set(|row| row.due_ms = Some(ms.max(now_ms.saturating_add(1))))
                .note("probed", json!({ "found": false, "probes": probes, "next_probe_ms": ms })),
        ),
        NextProbe::Settled if now_ms < intent.settle_until_ms => {
            let until = intent.settle_until_ms;
            step(
                Step::of(row)
                    .set(|row| row.due_ms = Some(until))
                    .note("probed", json!({ "found": false, "next_probe_ms": until })),
            )
        }
        NextProbe::Settled => Waiting::Over(Box::new(row)),
    }
}
