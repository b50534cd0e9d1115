//! Sets the dimensions that a draft could not carry when it was made, because vendor or account set them by default
//! (business-central.md §5.7), or that its lines should have taken over from the header and did not: those that are there
//! are changed, the others are added.
//!
//! No intent is needed: the draft is read first, only what it lacks is sent, and after any unclear answer or crash it is
//! read again. A document that is no draft any more is left alone.

use std::collections::HashMap;

use clients::bc::{DimensionSetLine, DimensionsOf, Document, DocumentLine, LineType};
use clients::{Effect, Error, Kind};
use domain::document::{DocumentKind, PlannedDocument};
use domain::id::RecordId;
use domain::late::{DefaultDimensions, ToSet, decide_late};
use domain::refusal::{hold_of_refusal, is_default_met};
use futures::{StreamExt, stream};
use serde_json::json;
use store::RecordRow;
use uuid::Uuid;

use super::map::{plan_of, stored};
use super::step::{Step, error_detail};
use super::verify::documents_of;
use super::wire::{found_document, wire_kind};
use super::{Lane, Stop, asked_ms};
use crate::problem;

/// The cursor that keeps which vendors and accounts are known to have default dimensions.
const KNOWN: &str = "default_dimensions";

/// A draft that lacks dimensions, or did when it was made.
struct Draft {
    row: RecordRow,
    plan: PlannedDocument,
    document: Document,
    missing: Vec<ToSet>,
}

/// How far a draft was completed.
enum Sent {
    /// Everything that was missing is there.
    All,
    /// One was not taken, or nobody knows.
    Failed(Error),
    /// The lease was lost: nothing more was sent.
    LeaseLost,
}

/// Documents by their id.
type Documents = HashMap<Uuid, (DocumentKind, Document)>;

/// Completes the drafts of these rows, whose documents were just read, and reads those again that changed. Gives the rows
/// that can be compared now.
pub(super) async fn run(
    lane: &Lane<'_>,
    rows: Vec<RecordRow>,
    documents: &mut Documents,
) -> Result<Vec<RecordRow>, Stop> {
    let (drafts, mut ready) = drafts(rows, documents);
    let (whole, lacking): (Vec<Draft>, Vec<Draft>) = drafts.into_iter().partition(|draft| draft.missing.is_empty());
    learn(lane, &whole).await?;
    ready.extend(whole.into_iter().map(|draft| draft.row));
    if lacking.is_empty() {
        return Ok(ready);
    }
    let sent = stream::iter(lacking)
        .map(|draft| async move { complete(lane, &draft).await.map(|sent| (draft, sent)) })
        .buffer_unordered(usize::from(lane.connection.settings.bc.max_concurrent))
        .collect::<Vec<Result<_, store::Error>>>()
        .await;
    let sent: Vec<(Draft, Sent)> = sent.into_iter().collect::<Result<_, _>>()?;
    let problem = sent.iter().find_map(|(_, sent)| match sent {
        Sent::Failed(error) => problem::of_error(error),
        Sent::All | Sent::LeaseLost => None,
    });
    let steps: Vec<Step> = sent.iter().map(|(draft, sent)| step(lane, draft, sent)).collect();
    let mut drafts: HashMap<RecordId, Draft> = sent
        .into_iter()
        .filter(|(_, sent)| matches!(sent, Sent::All))
        .map(|(draft, _)| (draft.row.id.clone(), draft))
        .collect();
    let mut completed = Vec::new();
    let mut changed = Vec::new();
    for row in lane.apply_kept(steps).await? {
        if let Some(draft) = drafts.remove(&row.id) {
            completed.push(draft);
            changed.push(row);
        }
    }
    learn(lane, &completed).await?;
    documents.extend(documents_of(lane, &changed).await?);
    ready.extend(changed);
    match problem {
        Some(problem) => Err(Stop::Connection(problem)),
        None => Ok(ready),
    }
}

/// The drafts that were made without some of their dimensions. The other rows, and those whose document is gone, no draft
/// any more or has other lines by now, need nothing of this: comparing says what is wrong with them.
fn drafts(rows: Vec<RecordRow>, documents: &Documents) -> (Vec<Draft>, Vec<RecordRow>) {
    let mut drafts = Vec::new();
    let mut ready = Vec::new();
    for row in rows {
        let plan = plan_of(&row).filter(|plan| !plan.late.is_empty());
        let found = row.document_id.and_then(|id| documents.get(&id)).map(|(_, document)| document);
        let read = plan.zip(found.filter(|document| document.is_draft()));
        let lacks = |(plan, document): (PlannedDocument, &Document)| {
            let missing = decide_late(&plan, &found_document(plan.kind, document))?;
            Some((plan, document.clone(), missing))
        };
        match read.and_then(lacks) {
            Some((plan, document, missing)) => drafts.push(Draft { row, plan, document, missing }),
            None => ready.push(row),
        }
    }
    (drafts, ready)
}

/// Whether the row's draft was made without some of its dimensions.
pub(super) fn is_late(row: &RecordRow) -> bool {
    plan_of(row).is_some_and(|plan| !plan.late.is_empty())
}

async fn complete(lane: &Lane<'_>, draft: &Draft) -> Result<Sent, store::Error> {
    let company = lane.company();
    let (kind, document) = (wire_kind(draft.plan.kind), draft.document.id);
    let lines: Vec<&DocumentLine> =
        draft.document.lines.iter().filter(|line| line.line_type != LineType::Comment).collect();
    for ToSet { line, dimension, value, instead_of } in &draft.missing {
        let there = match line {
            None => Some((None, &draft.document.dimensions)),
            Some(at) => lines.get(*at).and_then(|found| Some((Some(found.id?), &found.dimensions))),
        };
        let Some((of_line, set)) = there else { continue };
        if !lane.may_send().await? {
            return Ok(Sent::LeaseLost);
        }
        let place = DimensionsOf { kind, document, line: of_line };
        let answer = match (instead_of, id_of(set, dimension)) {
            (Some(_), Some(stands)) => company.change_dimension(place, stands, value).await,
            _ => company.add_dimension(place, dimension, value).await,
        };
        if let Err(error) = answer {
            return Ok(Sent::Failed(error));
        }
    }
    Ok(Sent::All)
}

/// The id by which a dimension is addressed where it stands.
pub(super) fn id_of(set: &[DimensionSetLine], dimension: &str) -> Option<Uuid> {
    set.iter().find(|line| line.code == dimension).and_then(|line| line.id)
}

fn step(lane: &Lane<'_>, draft: &Draft, sent: &Sent) -> Step {
    let row = draft.row.clone();
    let later = |row: RecordRow, error: &Error| {
        let counted = error.kind() != Kind::Throttled;
        let due_ms = lane.retry_at(row.attempts, asked_ms(error));
        Step::of(row).postpone(due_ms, counted, &error_detail(error))
    };
    match sent {
        Sent::All => {
            let plan = stored(&draft.plan.clone().at_once());
            Step::of(row).set(|row| row.plan = Some(plan)).note("dimensions_set", json!({ "set": draft.missing }))
        }
        Sent::LeaseLost => Step::of(row).postpone(lane.now_ms(), false, &json!("the lease was no longer held")),
        Sent::Failed(error) => match error.api_message() {
            // Somebody added it since the draft was read: it is read again.
            Some(said) if is_refusal(error) && !is_default_met(said) => {
                Step::of(row).note("refused", error_detail(error)).hold(&hold_of_refusal(said), lane.now_ms())
            }
            _ => later(row, error),
        },
    }
}

fn is_refusal(error: &Error) -> bool {
    error.kind() == Kind::Refused && error.effect() == Effect::None && problem::of_error(error).is_none()
}

/// The vendors and accounts that are known to have default dimensions.
pub(super) async fn known(lane: &Lane<'_>) -> Result<DefaultDimensions, store::Error> {
    let text = lane.app.store.cursors().get(&lane.connection.id, KNOWN).await?;
    // Unreadable, it is learnt anew: each vendor or account costs one refusal.
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

async fn learn(lane: &Lane<'_>, completed: &[Draft]) -> Result<(), Stop> {
    let before = known(lane).await?;
    let mut now = before.clone();
    for draft in completed {
        now.learn(&draft.plan, &found_document(draft.plan.kind, &draft.document));
    }
    if now != before {
        let text = serde_json::to_value(&now).unwrap_or_default().to_string();
        lane.app.store.cursors().set(lane.lease, &lane.connection.id, KNOWN, &text).await?;
    }
    Ok(())
}
