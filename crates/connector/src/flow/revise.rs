//! Brings the draft of an earlier version in line with a later one, as long as it is ours alone: not posted, and as we wrote
//! it. Otherwise the record is held with what changed in Brex and what a person changed in Business Central.
//!
//! The intent keeps the whole target. Each step follows from the draft as it is then (`domain::revise`) and may be sent again,
//! so after any unclear answer or crash the draft is read and the rest is sent.

use std::collections::HashMap;

use clients::bc::{Company, DimensionsOf, Document, HeaderChange, LineOf, NewLine};
use clients::{Effect, Error, Kind};
use domain::compare::{Difference, compare};
use domain::document::{FoundDocument, PlannedDocument};
use domain::edit::booked_differences;
use domain::hold::{Hold, HoldCode};
use domain::id::RecordId;
use domain::posting::{Posted, decide_posted};
use domain::record::Record;
use domain::refusal::hold_of_refusal;
use domain::revise::{Act, Place, Target, changed_by_others, decide_acts, is_same_document};
use domain::stage::Event;
use futures::{StreamExt as _, stream};
use rust_decimal::Decimal;
use serde_json::json;
use store::{Intent, IntentChange, Outcome, Purpose, RecordRow};

use super::draft::{is_refused, new_intent};
use super::late::id_of;
use super::map::{self, plan_of, stored};
use super::mark_exported::not_ready;
use super::post::is_wanted;
use super::probe::{Seen, found_by_number, settle};
use super::receive::as_planned;
use super::resolve_vendor::{coded, unreadable};
use super::step::{Step, error_detail};
use super::verify::{documents_of, judge};
use super::wire::{found_document, wire_kind};
use super::{Lane, Stop, asked_ms};
use crate::problem;
use crate::vendors::resolve::resolve;

/// So many times the draft is read and completed in one turn; a line whose dimensions are set after it was made needs three.
const ROUNDS: usize = 6;

/// Runs the stage.
pub async fn run(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<(), Stop> {
    let ids: Vec<RecordId> = rows.iter().map(|row| row.id.clone()).collect();
    let open = lane.app.store.intents().list_open(&lane.connection.id, &ids).await?;
    let mut open: HashMap<RecordId, Intent> = open.into_iter().map(|i| (i.record_id.clone(), i)).collect();
    let (under_way, fresh): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| open.contains_key(&row.id));
    let mut work = Vec::new();
    let mut steps = Vec::new();
    for row in under_way {
        let Some(intent) = open.remove(&row.id) else { continue };
        let target = intent.target.as_deref().and_then(|text| serde_json::from_str(text).ok());
        match (plan_of(&row), target) {
            (Some(old), Some(target)) => work.push(Work { row, old, target, attempt: intent.attempt }),
            _ => steps.push(Step::of(row).hold(&unreadable(), lane.now_ms())),
        }
    }
    let mut begun = Vec::new();
    for (row, decided) in decide_all(lane, fresh).await? {
        match decided {
            Decided::Hold(hold) => steps.push(Step::of(row).hold(&hold, lane.now_ms())),
            Decided::Same(plan) => steps.push(revised(lane, row, &plan, None)),
            Decided::Begin(old, target) => begun.push((row, *old, *target)),
            Decided::Step(step) => steps.push(*step),
        }
    }
    lane.apply(steps).await?;
    work.extend(commit(lane, begun).await?);
    send(lane, work).await
}

/// What is to be done about a later version.
pub(super) enum Decided {
    /// A person has to look.
    Hold(Hold),
    /// The draft is as the later version asks.
    Same(Box<PlannedDocument>),
    /// The draft, which is as it was planned, becomes this.
    Begin(Box<PlannedDocument>, Box<Target>),
    /// Something else about the document number.
    Step(Box<Step>),
}

/// Decides for rows without an open intent.
pub(super) async fn decide_all(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<Vec<(RecordRow, Decided)>, Stop> {
    let records = lane.records(&rows).await?;
    let planned = lane.records(&rows.iter().map(as_planned).collect::<Vec<_>>()).await?;
    let resolutions = resolve(lane, &rows, &records).await?;
    let mut documents = documents_of(lane, &rows).await?;
    let mut decided = Vec::new();
    for row in rows {
        let (Some(old), Some(record)) = (plan_of(&row), records.get(&row.id)) else {
            decided.push((row, Decided::Hold(unreadable())));
            continue;
        };
        let before = planned.get(&row.id);
        let is_payee_same = before.is_some_and(|before| {
            before.merchant == record.merchant && vendor_number(lane, before) == vendor_number(lane, record)
        });
        let vendor = match resolutions.get(&row.id) {
            _ if is_payee_same => Ok(old.vendor_number.clone()),
            Some(resolution) => resolution.vendor.clone().map(|vendor| vendor.number),
            None => Err(unreadable()),
        };
        let document = row.document_id.and_then(|id| documents.remove(&id)).map(|(_, document)| document);
        let differences = before.map(|before| booked_differences(before, record)).unwrap_or_default();
        let input = Later { old, record, differences, vendor, document };
        let outcome = decide(lane, &row, input).await?;
        decided.push((row, outcome));
    }
    Ok(decided)
}

fn vendor_number(lane: &Lane<'_>, record: &Record) -> Option<String> {
    coded(lane, record).map(|vendor| vendor.number)
}

struct Later<'a> {
    old: PlannedDocument,
    record: &'a Record,
    differences: Vec<Difference>,
    vendor: Result<String, Hold>,
    document: Option<Document>,
}

async fn decide(lane: &Lane<'_>, row: &RecordRow, later: Later<'_>) -> Result<Decided, Stop> {
    let Later { old, record, differences, vendor, document } = later;
    if !is_wanted(record) {
        return Ok(Decided::Hold(not_ready(record)));
    }
    let new = match vendor.and_then(|vendor| map::decide(lane, record, &vendor, &[])) {
        // Which invoice a credit memo is applied to was decided when it was made.
        Ok(new) => PlannedDocument { applies_to: old.applies_to.clone(), ..new.document },
        Err(hold) => return Ok(Decided::Hold(hold)),
    };
    let Some(document) = document else {
        let missing = judge(lane, Some(&old), None).err().unwrap_or_else(unreadable);
        return Ok(Decided::Hold(missing));
    };
    let found = found_document(old.kind, &document);
    if is_same_document(&old, &new) {
        return Ok(Decided::Same(Box::new(PlannedDocument { late: old.late, ..new })));
    }
    let local = &lane.directory.setup.local_currency;
    if compare(&new, &found, local).is_empty() {
        return Ok(Decided::Same(Box::new(new)));
    }
    let state = decide_posted(&found, row.document_no.as_deref());
    if state != Posted::No || row.posted_ms.is_some() {
        let why = format!("{} {} is posted or released", old.kind.words(), found.number);
        return Ok(Decided::Hold(hold_changed(&differences, &old, &new, &why)));
    }
    let fixed = |plan: &PlannedDocument| {
        let gross = plan.tax.is_some_and(|tax| tax.prices_include_tax);
        (plan.kind, plan.vendor_number.clone(), plan.currency.clone(), gross)
    };
    if fixed(&old) != fixed(&new) {
        let why = "vendor, currency and gross prices cannot change on a draft";
        return Ok(Decided::Hold(hold_changed(&differences, &old, &new, why)));
    }
    let places = places(&document);
    if let Some(target) = last_target(lane, row, &new).await? {
        return Ok(match decide_acts(&old, &target, &found, &places) {
            Ok(_) => Decided::Begin(Box::new(old), Box::new(target)),
            Err(foreign) => Decided::Hold(hold_changed(&differences, &old, &new, &by_people(&found, &foreign))),
        });
    }
    let foreign = changed_by_others(&old, &found, local);
    if !foreign.is_empty() {
        return Ok(Decided::Hold(hold_changed(&differences, &old, &new, &by_people(&found, &foreign))));
    }
    if old.number != new.number {
        let seen = found_by_number(lane, new.kind, std::iter::once(&new)).await?;
        match seen.judge(&new) {
            Ok(seen @ Seen::Foreign(_)) => return Ok(Decided::Step(Box::new(settle(lane, row.clone(), &seen, None)))),
            Ok(_) => {}
            Err(_) => {
                return Ok(Decided::Step(Box::new(not_now(
                    lane,
                    row.clone(),
                    &json!("the new number cannot be looked up"),
                ))));
            }
        }
    }
    let target = Target::new(new, &found, &places);
    Ok(Decided::Begin(Box::new(old), Box::new(target)))
}

fn places(document: &Document) -> Vec<Place> {
    document.lines.iter().map(|line| Place { sequence: line.sequence, id: line.id }).collect()
}

/// The target of an attempt that Business Central refused half way, if it is still what is wanted.
async fn last_target(lane: &Lane<'_>, row: &RecordRow, new: &PlannedDocument) -> Result<Option<Target>, Stop> {
    let intents = lane.app.store.intents().list_for(&lane.connection.id, &row.id).await?;
    let last = intents.into_iter().next_back().filter(|intent| intent.outcome == Some(Outcome::Refused));
    let target: Option<Target> = last.and_then(|intent| serde_json::from_str(&intent.target?).ok());
    Ok(target.filter(|target| is_same_document(&target.plan, new)))
}

fn by_people(found: &FoundDocument, foreign: &[Difference]) -> String {
    let shown: Vec<String> = foreign.iter().map(ToString::to_string).collect();
    format!("{} {} was changed in Business Central ({})", found.kind.words(), found.number, shown.join("; "))
}

/// What changed in Brex, and why the document does not follow.
fn hold_changed(differences: &[Difference], old: &PlannedDocument, new: &PlannedDocument, why: &str) -> Hold {
    let mut shown: Vec<String> = differences
        .iter()
        .map(|change| format!("{}: was {}, is {}", change.field, change.planned, change.found))
        .collect();
    if shown.is_empty() {
        shown.push(format!("Posting Date: was {}, is to be {}", old.posting_date, new.posting_date));
    }
    let text = format!("the record was edited in Brex after its document was made ({}), and {why}", shown.join("; "));
    Hold::new(HoldCode::RecordChanged, text)
}

fn not_now(lane: &Lane<'_>, row: RecordRow, why: &serde_json::Value) -> Step {
    let due_ms = lane.retry_at(row.attempts, None);
    Step::of(row).postpone(due_ms, true, why)
}

/// A draft on its way to a later version.
struct Work {
    row: RecordRow,
    old: PlannedDocument,
    target: Target,
    attempt: i64,
}

async fn commit(lane: &Lane<'_>, begun: Vec<(RecordRow, PlannedDocument, Target)>) -> Result<Vec<Work>, Stop> {
    let ids: Vec<RecordId> = begun.iter().map(|(row, ..)| row.id.clone()).collect();
    let attempts = lane.app.store.intents().last_attempts(&lane.connection.id, &ids).await?;
    let mut steps = Vec::new();
    let mut waiting = HashMap::new();
    for (row, old, target) in begun {
        let attempt = attempts.get(&row.id).map_or(1, |attempts| attempts.last.saturating_add(1));
        let text = serde_json::to_value(&target).unwrap_or_default().to_string();
        let intent = Intent { target: Some(text), ..new_intent(lane, &target.plan, attempt, Purpose::Revise) };
        let detail = json!({
            "attempt": attempt, "from_version": old.record_version, "to_version": target.plan.record_version,
            "before": old, "after": target.plan,
        });
        steps.push(Step::of(row.clone()).intent(IntentChange::Open(intent)).note("revision_committed", detail));
        waiting.insert(row.id, (old, target, attempt));
    }
    let kept = lane.apply_kept(steps).await?;
    let work = kept.into_iter().filter_map(|row| {
        let (old, target, attempt) = waiting.remove(&row.id)?;
        Some(Work { row, old, target, attempt })
    });
    Ok(work.collect())
}

async fn send(lane: &Lane<'_>, work: Vec<Work>) -> Result<(), Stop> {
    let company = lane.company();
    let done = stream::iter(work)
        .map(|work| {
            let company = &company;
            async move { complete(lane, company, &work).await.map(|end| (work, end)) }
        })
        .buffer_unordered(usize::from(lane.connection.settings.bc.max_concurrent).max(1))
        .collect::<Vec<Result<_, store::Error>>>()
        .await;
    let done: Vec<(Work, End)> = done.into_iter().collect::<Result<_, _>>()?;
    let problem = done.iter().find_map(|(_, end)| match end {
        End::Failed(error) => problem::of_error(error),
        _ => None,
    });
    lane.apply(done.into_iter().map(|(work, end)| step(lane, work, end)).collect()).await?;
    problem.map_or(Ok(()), |problem| Err(Stop::Connection(problem)))
}

/// How far a draft came.
enum End {
    /// It is the target.
    Done,
    /// It goes on later: the lease was lost, or somebody else writes to it.
    Later(&'static str),
    /// One step was not taken, or nobody knows.
    Failed(Error),
    /// Somebody else changed it.
    Foreign(Box<FoundDocument>, Vec<Difference>),
    /// It is gone.
    Missing,
}

/// Reads the draft and sends what it lacks, until nothing is left.
async fn complete(lane: &Lane<'_>, company: &Company, work: &Work) -> Result<End, store::Error> {
    let (kind, Some(id)) = (work.old.kind, work.row.document_id) else { return Ok(End::Missing) };
    for _ in 0..ROUNDS {
        let document = match company.get_document(wire_kind(kind), id).await {
            Ok(Some(document)) => document,
            Ok(None) => return Ok(End::Missing),
            Err(error) => return Ok(End::Failed(error)),
        };
        let found = found_document(kind, &document);
        let acts = match decide_acts(&work.old, &work.target, &found, &places(&document)) {
            Ok(acts) if acts.is_empty() => return Ok(End::Done),
            Ok(acts) => acts,
            Err(foreign) => return Ok(End::Foreign(Box::new(found), foreign)),
        };
        if decide_posted(&found, work.row.document_no.as_deref()) != Posted::No {
            let left =
                Difference { field: "status".to_owned(), planned: "Draft".to_owned(), found: found.status.clone() };
            return Ok(End::Foreign(Box::new(found), vec![left]));
        }
        for act in &acts {
            if !lane.may_send().await? {
                return Ok(End::Later("the lease was no longer held"));
            }
            match one(company, work, &document, act).await {
                Ok(()) => {}
                // Somebody wrote to it since it was read, or an earlier request came true: it is read again.
                Err(error) if error.status() == Some(409) || is_taken(&error) => break,
                Err(error) => return Ok(End::Failed(error)),
            }
        }
    }
    Ok(End::Later("the draft is being changed by somebody else"))
}

/// Whether a line or dimension was refused for being there already.
fn is_taken(error: &Error) -> bool {
    let said = error.api_message().unwrap_or_default();
    said.contains("duplicate sequence number") || said.contains("dimension set line already exists")
}

async fn one(company: &Company, work: &Work, document: &Document, act: &Act) -> Result<(), Error> {
    let (kind, plan) = (wire_kind(work.old.kind), &work.target.plan);
    let line_of = |sequence: i64| {
        let found = document.lines.iter().find(|line| line.sequence == sequence)?;
        Some((LineOf { kind, document: document.id, line: found.id? }, found))
    };
    let of_header = DimensionsOf { kind, document: document.id, line: None };
    let planned = |line: usize| Some((*work.target.sequences.get(line)?, plan.lines.get(line)?));
    match act {
        Act::Header => {
            let change = HeaderChange {
                posting_date: plan.posting_date,
                document_date: plan.document_date,
                due_date: plan.due_date,
                number: plan.number.as_str().to_owned(),
            };
            company.change_header(kind, document.id, &document.etag, &change).await
        }
        Act::RemoveLine(sequence) => match line_of(*sequence) {
            Some((line, _)) => company.remove_line(line).await,
            None => Ok(()),
        },
        Act::AddLine(line) => match planned(*line) {
            Some((sequence, line)) => {
                let new = NewLine::Account {
                    account_number: line.account.clone(),
                    description: line.description.clone(),
                    quantity: Decimal::ONE,
                    unit_cost: line.amount,
                    tax_code: line.tax_code.clone(),
                    dimensions: Vec::new(),
                };
                company.add_line(kind, document.id, sequence, &new).await
            }
            None => Ok(()),
        },
        Act::ChangeLine(line) => match planned(*line).and_then(|(sequence, line)| Some((line_of(sequence)?.0, line))) {
            Some((of, line)) => company.change_line(of, &line.description, line.amount).await,
            None => Ok(()),
        },
        Act::RemoveDimension(dimension) => match id_of(&document.dimensions, dimension) {
            Some(stands) => company.remove_dimension(of_header, stands).await,
            None => Ok(()),
        },
        Act::SetDimension { line: None, dimension, value, .. } => match id_of(&document.dimensions, dimension) {
            Some(stands) => company.change_dimension(of_header, stands, value).await,
            None => company.add_dimension(of_header, dimension, value).await,
        },
        Act::SetDimension { line: Some(line), dimension, value, .. } => {
            let Some((of, found)) = planned(*line).and_then(|(sequence, _)| line_of(sequence)) else { return Ok(()) };
            let of_line = DimensionsOf { line: Some(of.line), ..of_header };
            match id_of(&found.dimensions, dimension) {
                Some(stands) => company.change_dimension(of_line, stands, value).await,
                None => company.add_dimension(of_line, dimension, value).await,
            }
        }
    }
}

fn step(lane: &Lane<'_>, work: Work, end: End) -> Step {
    let Work { row, old, target, attempt } = work;
    let settled =
        |outcome, detail: Option<String>| IntentChange::Settled { attempt, outcome, document_id: None, detail };
    let now_ms = lane.now_ms();
    match end {
        End::Done => revised(lane, row, &target.plan, Some(attempt)),
        End::Later(why) => not_now(lane, row, &json!(why)),
        End::Missing => {
            let hold = judge(lane, Some(&old), None).err().unwrap_or_else(unreadable);
            Step::of(row).intent(settled(Outcome::Absent, None)).hold(&hold, now_ms)
        }
        End::Foreign(found, foreign) => {
            let hold = hold_changed(&[], &old, &target.plan, &by_people(&found, &foreign));
            Step::of(row)
                .intent(settled(Outcome::Refused, Some("changed by somebody else".to_owned())))
                .hold(&hold, now_ms)
        }
        End::Failed(error) if is_refused(&error) => {
            let hold = hold_of_refusal(error.api_message().unwrap_or("it gave no reason"));
            let step = Step::of(row).intent(settled(Outcome::Refused, Some(error.to_string())));
            step.note("refused", error_detail(&error)).hold(&hold, now_ms)
        }
        End::Failed(error) => {
            let counted = error.kind() != Kind::Throttled;
            let due_ms = lane.retry_at(row.attempts, asked_ms(&error));
            let action = if error.effect() == Effect::Unknown { "outcome_unknown" } else { "not_executed" };
            Step::of(row).postpone(due_ms, counted, &error_detail(&error)).note(action, json!({ "attempt": attempt }))
        }
    }
}

/// The draft is as the later version asks; it is compared as any other next.
fn revised(lane: &Lane<'_>, row: RecordRow, plan: &PlannedDocument, attempt: Option<i64>) -> Step {
    let now_ms = lane.now_ms();
    let detail = json!({ "version": plan.record_version, "document": plan, "attempt": attempt });
    let set = |row: &mut RecordRow| {
        row.document_key = Some(plan.number.as_str().to_owned());
        row.plan = Some(stored(plan));
    };
    let step = Step::of(row).set(set);
    let step = match attempt {
        Some(attempt) => {
            step.intent(IntentChange::Settled { attempt, outcome: Outcome::Revised, document_id: None, detail: None })
        }
        None => step,
    };
    step.on(Event::Revised, now_ms).note("revised", detail)
}
