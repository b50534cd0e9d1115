//! Tells Brex which records are exported, in batches, with BC's number and a link.
//!
//! The records are read again first: one that was edited meanwhile is held, one that is already exported (a lost answer)
//! is done. So the call is idempotent by reading back, not by key (brex.md §2.6). Expenses are read again as well, but Brex can
//! be told nothing about them.

use std::collections::HashMap;

use clients::bc::{DocumentPage, deep_link};
use clients::brex::{ExportAnswer, ExportResult};
use domain::document::DocumentKind;
use domain::edit::booked_differences;
use domain::hold::{Hold, HoldCode};
use domain::id::RecordId;
use domain::record::{Record, Review, Treatment};
use domain::stage::{Event, Stage};
use serde_json::{Value, json};
use store::RecordRow;
use url::Url;

use super::receive::{Origin, as_planned, edited};
use super::step::{Step, error_detail};
use super::wire::wire_kind;
use super::{Lane, Stop, asked_ms, clearing, source};
use crate::config::Source;

/// Runs the stage.
pub async fn run(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<(), Stop> {
    let now = now_in_brex(lane, &rows).await?;
    let planned = lane.records(&rows.iter().map(as_planned).collect::<Vec<_>>()).await?;
    let mut steps = Vec::new();
    let mut ready = Vec::new();
    for row in rows {
        match now.get(&row.id) {
            None => steps.push(Step::of(row).hold(&gone(), lane.now_ms())),
            Some((record, text)) => match decide(lane, row, record, planned.get(&record.id).map(AsRef::as_ref), text) {
                Decided::Report(row) => ready.push(*row),
                Decided::Step(step) => steps.push(*step),
            },
        }
    }
    apply(lane, steps).await?;
    if ready.is_empty() { Ok(()) } else { report(lane, ready).await }
}

/// The records as Brex has them now, each with its text; one that is gone or unreadable is left out.
pub(super) async fn now_in_brex(
    lane: &Lane<'_>,
    rows: &[RecordRow],
) -> Result<HashMap<RecordId, (Record, String)>, Stop> {
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = source::by_ids(lane.connection, &ids).await?;
    let readable =
        found.items.iter().filter_map(|item| Some((lane.read_record(item.get()).ok()?, item.get().to_owned())));
    Ok(readable.map(|(record, text)| (record.id.clone(), (record, text))).collect())
}

/// The hold of a record that Brex does not give any more.
pub(super) fn gone() -> Hold {
    Hold::new(HoldCode::ExportRefused, "the record is no longer in Brex, or cannot be read")
}

/// The hold of a record that was taken back in Brex.
pub(super) fn not_ready(record: &Record) -> Hold {
    let text = format!("in Brex the record is {} and no longer ready for export", record.review.as_str());
    Hold::new(HoldCode::RecordNotReady, text)
}

/// Commits the steps; a posted document that is exported now may be cleared.
async fn apply(lane: &Lane<'_>, steps: Vec<Step>) -> Result<(), Stop> {
    let is_posted = steps.iter().any(|step| step.row.stage == Stage::Exported && step.row.posted_ms.is_some());
    lane.apply(steps).await?;
    if is_posted {
        clearing::ask(lane).await?;
    }
    Ok(())
}

/// What is done with a record that was read again.
enum Decided {
    /// Its export is reported.
    Report(Box<RecordRow>),
    /// It goes no further in this batch.
    Step(Box<Step>),
}

fn decide(lane: &Lane<'_>, row: RecordRow, record: &Record, planned: Option<&Record>, text: &str) -> Decided {
    let differences = planned.map(|planned| booked_differences(planned, record)).unwrap_or_default();
    let step = if record.review == Review::Exported {
        taken(lane, row, "Brex shows it as exported")
    } else if !differences.is_empty() {
        edited(lane, row, record, &differences, text, Origin::BeforeExport)
    } else if record.review == Review::ReadyForExport && lane.connection.settings.brex.source == Source::Expenses {
        taken(lane, row, "expenses have no export status in Brex, so Brex is not told")
    } else if record.review == Review::ReadyForExport {
        return Decided::Report(Box::new(row));
    } else if record.review == Review::Review && record.treatment() == Treatment::Bill {
        taken(lane, row, "bills are not in Brex's export journal, so there is nothing to report")
    } else {
        Step::of(row).hold(&not_ready(record), lane.now_ms())
    };
    Decided::Step(Box::new(step))
}

fn taken(lane: &Lane<'_>, row: RecordRow, how: &str) -> Step {
    let now_ms = lane.now_ms();
    let detail = json!({ "reference": row.document_no, "how": how });
    Step::of(row).set(|row| row.exported_ms = Some(now_ms)).on(Event::ExportTaken, now_ms).note("exported", detail)
}

async fn report(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<(), Stop> {
    let results: Vec<ExportResult> = rows
        .iter()
        .map(|row| ExportResult::Success {
            record_id: row.id.as_str().to_owned(),
            reference_id: row.document_no.clone(),
            deep_link_url: link(lane, row),
        })
        .collect();
    let steps = match lane.connection.brex.report_export_results(&results).await {
        Ok(ExportAnswer::Accepted { ids }) => accepted(lane, rows, &ids),
        Ok(ExportAnswer::NotFound { ids } | ExportAnswer::NotReady { ids } | ExportAnswer::Duplicate { ids })
            if !names_any(&rows, &ids) =>
        {
            again(lane, rows, &json!("Brex took nothing and did not say which record stood in the way"))
        }
        Ok(ExportAnswer::NotFound { ids }) => refused(lane, rows, &ids, "Brex does not know the record"),
        Ok(ExportAnswer::NotReady { ids } | ExportAnswer::Duplicate { ids }) => read_again(lane, rows, &ids),
        Err(error) => {
            if let Some(problem) = crate::problem::of_error(&error) {
                return Err(Stop::Connection(problem));
            }
            let again = |row: RecordRow| {
                let due_ms = lane.retry_at(row.attempts, asked_ms(&error));
                Step::of(row).postpone(due_ms, true, &error_detail(&error))
            };
            rows.into_iter().map(again).collect()
        }
    };
    apply(lane, steps).await
}

fn accepted(lane: &Lane<'_>, rows: Vec<RecordRow>, ids: &[String]) -> Vec<Step> {
    let step = |row: RecordRow| {
        if ids.iter().any(|id| id == row.id.as_str()) {
            taken(lane, row, "reported to Brex")
        } else {
            let due_ms = lane.retry_at(row.attempts, None);
            Step::of(row).postpone(due_ms, true, &json!("Brex did not name the record among the updated ones"))
        }
    };
    rows.into_iter().map(step).collect()
}

/// Whether an answer names at least one record of the batch; if not, nothing tells which one stood in the way.
fn names_any(rows: &[RecordRow], ids: &[String]) -> bool {
    rows.iter().any(|row| ids.iter().any(|id| id == row.id.as_str()))
}

/// The whole batch again, after a while.
fn again(lane: &Lane<'_>, rows: Vec<RecordRow>, why: &Value) -> Vec<Step> {
    let step = |row: RecordRow| {
        let due_ms = lane.retry_at(row.attempts, None);
        Step::of(row).postpone(due_ms, true, why)
    };
    rows.into_iter().map(step).collect()
}

/// Nothing of the batch was taken: the named ones are held, the others go again at once.
fn refused(lane: &Lane<'_>, rows: Vec<RecordRow>, ids: &[String], why: &str) -> Vec<Step> {
    let step = |row: RecordRow| {
        if ids.iter().any(|id| id == row.id.as_str()) {
            Step::of(row).hold(&Hold::new(HoldCode::ExportRefused, why), lane.now_ms())
        } else {
            Step::of(row).postpone(lane.now_ms(), false, &json!("another record of the batch stood in the way"))
        }
    };
    rows.into_iter().map(step).collect()
}

/// Nothing of the batch was taken because some are not ready: reading them again tells whether they are exported.
fn read_again(lane: &Lane<'_>, rows: Vec<RecordRow>, ids: &[String]) -> Vec<Step> {
    let step = |row: RecordRow| {
        let named = ids.iter().any(|id| id == row.id.as_str());
        let due_ms = if named { lane.retry_at(row.attempts, None) } else { lane.now_ms() };
        let why =
            if named { "Brex says it is not ready for export" } else { "another record of the batch stood in the way" };
        Step::of(row).postpone(due_ms, named, &json!(why))
    };
    rows.into_iter().map(step).collect()
}

/// The link that opens the document in Business Central.
fn link(lane: &Lane<'_>, row: &RecordRow) -> Option<Url> {
    let web_client = Url::parse("https://businesscentral.dynamics.com").ok()?;
    let settings = &lane.connection.settings;
    let kind = row.document_kind.unwrap_or(DocumentKind::Invoice);
    let number = row.document_no.as_deref()?;
    let company = &lane.identity.bc_company_name;
    let page = if row.posted_ms.is_some() { DocumentPage::Posted } else { DocumentPage::Draft };
    deep_link(&web_client, &settings.entra.tenant, &settings.bc.environment, company, wire_kind(kind), page, number)
        .ok()
}
