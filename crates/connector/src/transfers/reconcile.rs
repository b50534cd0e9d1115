//! Compares what is stored of Brex with what Business Central has now, and keeps what differs from the last time.

use std::collections::{BTreeMap, BTreeSet};

use domain::audit::Note;
use domain::transfer::{Books, Match, Outcome, reconcile};
use serde_json::{Value, json};
use store::{DocumentRow, Lease, Reconciled, TransferRow, TransferSaid};

use super::{Halt, books};
use crate::app::{App, Connection};

/// How often a comparison is made anew because somebody changed a match meanwhile.
const TRIES: usize = 5;

/// What a comparison found.
#[derive(Debug)]
pub struct Report {
    /// Both sides as they were.
    pub books: Books,
    /// What came out.
    pub outcome: Outcome,
    /// Matches that are new.
    pub found: usize,
    /// Matches that no longer hold.
    pub gone: usize,
    /// Whether vendor ledger entries can be read here.
    pub has_entries: bool,
}

/// Compares and keeps, under the lease if the worker does it.
pub async fn run(app: &App, connection: &Connection, lease: Option<&Lease>) -> Result<Report, Halt> {
    let kept = app.store.transfers();
    for _ in 0..TRIES {
        let said = kept.said(&connection.id).await?;
        let matched = said.matches.iter().flat_map(|row| &row.found.parts).map(|part| part.payable.clone()).collect();
        let (books, has_entries) = books::read(app, connection, &matched).await?;
        let outcome = reconcile(&books, &said.said(), &connection.settings.transfers.settings());
        let rows = kept.list(&connection.id).await?;
        let documents = kept.documents(&connection.id).await?;
        let change = difference(&said, &rows, &documents, &books, &outcome);
        if kept.keep(lease, &connection.id, app.now_ms(), &app.actor(), &change).await? {
            let (found, gone) = (change.found.len(), change.gone.len());
            return Ok(Report { books, outcome, found, gone, has_entries });
        }
    }
    Err(store::Error::Moved { table: "transfer_state" }.into())
}

/// What is to be written: only what differs.
fn difference(
    said: &TransferSaid,
    rows: &[TransferRow],
    documents: &[DocumentRow],
    books: &Books,
    outcome: &Outcome,
) -> Reconciled {
    let stood: BTreeMap<&str, &Match> =
        said.matches.iter().map(|row| (row.found.transfer.as_str(), &row.found)).collect();
    let stands: BTreeMap<&str, &Match> = outcome.matches.iter().map(|found| (found.transfer.as_str(), found)).collect();
    let found: Vec<Match> = stands
        .iter()
        .filter(|(id, found)| stood.get(**id) != Some(*found))
        .map(|(_, found)| (*found).clone())
        .collect();
    let replaced: BTreeSet<&str> = found.iter().map(|found| found.transfer.as_str()).collect();
    let gone: Vec<String> = stood
        .keys()
        .filter(|id| !stands.contains_key(**id) || replaced.contains(**id))
        .map(|id| (*id).to_owned())
        .collect();
    let suggested: BTreeMap<&str, &Match> =
        outcome.suggestions.iter().map(|found| (found.transfer.as_str(), found)).collect();
    let before: BTreeMap<&str, &TransferRow> = rows.iter().map(|row| (row.id.as_str(), row)).collect();
    let standings = outcome.transfers.iter().filter_map(|standing| {
        let row = before.get(standing.id.as_str())?;
        let suggestion = suggested.get(standing.id.as_str()).map(|found| (*found).clone());
        let is_same = row.standing.as_ref() == Some(standing) && row.suggestion == suggestion;
        (!is_same).then(|| (standing.clone(), suggestion))
    });
    let payables: BTreeMap<&str, _> = books.payables.iter().map(|payable| (payable.id.as_str(), payable)).collect();
    let now: Vec<DocumentRow> = outcome
        .payables
        .iter()
        .filter_map(|standing| {
            let payable = (*payables.get(standing.id.as_str())?).clone();
            Some(DocumentRow { payable, standing: standing.clone() })
        })
        .collect();
    let known: BTreeMap<&str, &DocumentRow> = documents.iter().map(|row| (row.payable.id.as_str(), row)).collect();
    let there: BTreeSet<&str> = now.iter().map(|row| row.payable.id.as_str()).collect();
    let documents_gone = known.keys().filter(|id| !there.contains(**id)).map(|id| (*id).to_owned()).collect();
    let mut notes: Vec<Note> =
        gone.iter().filter_map(|id| stood.get(id.as_str())).map(|found| note(found, "transfer_match_gone")).collect();
    notes.extend(found.iter().map(|found| note(found, "transfer_matched")));
    let standings = standings.collect();
    let changed = now.iter().filter(|row| known.get(row.payable.id.as_str()) != Some(row)).cloned().collect();
    Reconciled { rev: said.rev, found, gone, standings, documents: changed, documents_gone, notes }
}

fn note(found: &Match, action: &str) -> Note {
    Note {
        action: action.to_owned(),
        subject: format!("transfer {}", found.transfer),
        before: None,
        after: None,
        detail: detail(found),
    }
}

/// A match as the trail keeps it.
pub(super) fn detail(found: &Match) -> Value {
    json!({ "documents": found.parts, "confidence": found.confidence, "why": found.why, "fee": found.fee })
}
