//! What people say about transfers and documents: they belong together, or they do not. Checked against what the last
//! comparison knew, in the transaction that writes it.

use std::collections::BTreeMap;

use domain::audit::{Actor, Note};
use domain::id::ConnectionId;
use domain::transfer::{Confidence, Match, Movement, Part, PayableKind, Why};
use store::{DecisionRow, DocumentRow, DocumentVerdict, MatchRow, SaidChange, Store, TransferRow, TransferSaid};

use super::reconcile::detail;

/// A person's word.
#[derive(Clone, Debug)]
pub struct Word {
    /// The transfer.
    pub transfer: String,
    /// Who says it.
    pub person: String,
    /// Why.
    pub reason: String,
}

/// A document with the money that goes to it; all that is left if no amount is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Number or id.
    pub document: String,
    /// Minor units.
    pub amount: Option<i64>,
}

/// What a person said is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nobody is named, or no reason.
    #[error("say who you are with --by, and why with --reason")]
    Unsigned,
    /// There is no such transfer.
    #[error("the transfer {0} is not known here: ask for transfers reconcile first")]
    UnknownTransfer(String),
    /// There is no such document.
    #[error(
        "the document {0} is not among the posted documents that were last read: ask for transfers reconcile first"
    )]
    UnknownDocument(String),
    /// Several documents have this number.
    #[error("{0} is the number of several documents: name one by its id: {1}")]
    SeveralDocuments(String, String),
    /// It is matched already.
    #[error("the transfer {0} is matched already: transfers unmatch it first")]
    Matched(String),
    /// It is not matched.
    #[error("the transfer {0} is not matched")]
    NotMatched(String),
    /// There is no suggestion.
    #[error("there is no suggestion for the transfer {0}: name its documents with --document")]
    NoSuggestion(String),
    /// The money did not go out.
    #[error("the transfer {0} moved no money to a vendor: {1}")]
    NotPaid(String, &'static str),
    /// More than there is.
    #[error("{0}")]
    TooMuch(String),
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum SayError {
    /// It is not taken.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Says that a transfer pays these documents; those of the suggestion if none is named.
pub async fn together(
    store: &Store,
    connection: &ConnectionId,
    word: &Word,
    named: &[Named],
    now_ms: i64,
) -> Result<Match, SayError> {
    signed(word)?;
    let row = find(store, connection, &word.transfer).await?;
    let documents = store.transfers().documents(connection).await?;
    let found = if named.is_empty() {
        let suggestion = row.suggestion.clone().ok_or_else(|| Refused::NoSuggestion(row.id.clone()))?;
        by_hand(&row, suggestion.parts)
    } else {
        by_hand(&row, parts(&row, &documents, named)?)
    };
    let decide = |said: &TransferSaid| {
        fits(&row, &documents, said, &found)?;
        let pairs = found.parts.iter().map(|part| decision(word, &part.payable, DocumentVerdict::Together, now_ms));
        let made = MatchRow {
            found: found.clone(),
            person: Some(word.person.trim().to_owned()),
            reason: Some(word.reason.trim().to_owned()),
            made_ms: now_ms,
        };
        Ok(SaidChange {
            made: Some(made),
            taken_apart: None,
            decisions: pairs.collect(),
            note: note(word, "transfer_matched_by_hand", &found),
        })
    };
    say(store, connection, word, now_ms, decide).await?;
    Ok(found)
}

/// Takes the match of a transfer apart, and remembers that these do not belong together.
pub async fn apart(store: &Store, connection: &ConnectionId, word: &Word, now_ms: i64) -> Result<Match, SayError> {
    signed(word)?;
    let row = find(store, connection, &word.transfer).await?;
    let stands = |said: &TransferSaid| {
        let stands = said.matches.iter().find(|stands| stands.found.transfer == row.id);
        // A suggestion that is wrong may be said to be so, too.
        stands.map(|stands| stands.found.clone()).or_else(|| row.suggestion.clone())
    };
    let found =
        stands(&store.transfers().said(connection).await?).ok_or_else(|| Refused::NotMatched(row.id.clone()))?;
    let decide = |said: &TransferSaid| {
        let found = stands(said).ok_or_else(|| Refused::NotMatched(row.id.clone()))?;
        let pairs = found.parts.iter().map(|part| decision(word, &part.payable, DocumentVerdict::Apart, now_ms));
        Ok(SaidChange {
            made: None,
            taken_apart: Some(row.id.clone()),
            decisions: pairs.collect(),
            note: note(word, "transfer_unmatched_by_hand", &found),
        })
    };
    say(store, connection, word, now_ms, decide).await?;
    Ok(found)
}

/// Says that the suggestion for a transfer is wrong, and remembers that these do not belong together. A match is not touched.
pub async fn reject(store: &Store, connection: &ConnectionId, word: &Word, now_ms: i64) -> Result<Match, SayError> {
    signed(word)?;
    let row = find(store, connection, &word.transfer).await?;
    let found = row.suggestion.clone().ok_or_else(|| Refused::NoSuggestion(row.id.clone()))?;
    let decide = |said: &TransferSaid| {
        if said.matches.iter().any(|stands| stands.found.transfer == row.id) {
            return Err(Refused::Matched(row.id.clone()));
        }
        let pairs = found.parts.iter().map(|part| decision(word, &part.payable, DocumentVerdict::Apart, now_ms));
        Ok(SaidChange {
            made: None,
            taken_apart: None,
            decisions: pairs.collect(),
            note: note(word, "transfer_suggestion_rejected", &found),
        })
    };
    say(store, connection, word, now_ms, decide).await?;
    Ok(found)
}

fn signed(word: &Word) -> Result<(), Refused> {
    let by = word.person.trim();
    if by.is_empty() || by == "unknown" || word.reason.trim().is_empty() { Err(Refused::Unsigned) } else { Ok(()) }
}

async fn find(store: &Store, connection: &ConnectionId, id: &str) -> Result<TransferRow, SayError> {
    let rows = store.transfers().list(connection).await?;
    let found = rows.into_iter().find(|row| row.id == id);
    Ok(found.ok_or_else(|| Refused::UnknownTransfer(id.to_owned()))?)
}

async fn say(
    store: &Store,
    connection: &ConnectionId,
    word: &Word,
    now_ms: i64,
    decide: impl Fn(&TransferSaid) -> Result<SaidChange, Refused>,
) -> Result<(), SayError> {
    let actor = Actor::Person(word.person.trim().to_owned());
    Ok(store.transfers().say(connection, now_ms, &actor, decide).await??)
}

fn by_hand(row: &TransferRow, mut parts: Vec<Part>) -> Match {
    parts.sort();
    let fee = row.settled.map_or(0, |settled| settled.amount.saturating_sub(row.facts.amount)).max(0);
    Match { transfer: row.id.clone(), parts, confidence: Confidence::High, why: vec![Why::SaidByHand], fee }
}

/// The named documents with their money. Without amounts each gets what is left of it, and the last what is left of the
/// transfer.
fn parts(row: &TransferRow, documents: &[DocumentRow], named: &[Named]) -> Result<Vec<Part>, Refused> {
    let mut left = row.facts.amount;
    let mut parts = Vec::new();
    for one in named {
        let document = document(documents, &one.document)?;
        let open = match document.payable.kind {
            PayableKind::Invoice => document.standing.left,
            PayableKind::CreditMemo => document.standing.left.saturating_neg(),
        };
        let amount = one.amount.unwrap_or(open.min(left));
        left = left.saturating_sub(amount);
        parts.push(Part { payable: document.payable.id.clone(), amount });
    }
    Ok(parts)
}

/// The document of this number or id.
pub fn document<'a>(documents: &'a [DocumentRow], name: &str) -> Result<&'a DocumentRow, Refused> {
    let is_it = |row: &&DocumentRow| {
        row.payable.id.eq_ignore_ascii_case(name) || row.payable.numbers.iter().any(|n| n.eq_ignore_ascii_case(name))
    };
    let found: Vec<&DocumentRow> = documents.iter().filter(is_it).collect();
    match found.as_slice() {
        [] => Err(Refused::UnknownDocument(name.to_owned())),
        [one] => Ok(one),
        several => {
            let ids: Vec<&str> = several.iter().map(|row| row.payable.id.as_str()).collect();
            Err(Refused::SeveralDocuments(name.to_owned(), ids.join(", ")))
        }
    }
}

/// Neither more than was moved nor more than is owed, with all matches that stand.
fn fits(row: &TransferRow, documents: &[DocumentRow], said: &TransferSaid, found: &Match) -> Result<(), Refused> {
    if said.matches.iter().any(|stands| stands.found.transfer == row.id) {
        return Err(Refused::Matched(row.id.clone()));
    }
    let why_not = match row.movement() {
        Movement::Completed => None,
        Movement::UnderWay => Some("it is under way"),
        Movement::Failed => Some("it failed"),
        Movement::Returned => Some("it came back"),
        Movement::Incoming => Some("it came in"),
    };
    if let Some(why) = why_not {
        return Err(Refused::NotPaid(row.id.clone(), why));
    }
    if !(1..=row.facts.amount).contains(&found.amount()) {
        let (asked, moved) = (found.amount(), row.facts.amount);
        return Err(Refused::TooMuch(format!("the documents add up to {asked} cents, the transfer moved {moved}")));
    }
    let mut taken: BTreeMap<&str, i64> = BTreeMap::new();
    for part in said.matches.iter().flat_map(|stands| &stands.found.parts).chain(&found.parts) {
        let sum = taken.entry(part.payable.as_str()).or_default();
        *sum = sum.saturating_add(part.amount.saturating_abs());
    }
    for part in &found.parts {
        let payable = &document(documents, &part.payable)?.payable;
        let sum = taken.get(part.payable.as_str()).copied().unwrap_or_default();
        let name = payable.numbers.first().unwrap_or(&payable.id);
        let is_signed = (payable.kind == PayableKind::Invoice) == (part.amount > 0) && part.amount != 0;
        if !is_signed || sum > payable.total || payable.currency != row.facts.currency {
            let text = format!(
                "{name} has a total of {} {} minor units, and this would put {sum} on it",
                payable.total, payable.currency
            );
            return Err(Refused::TooMuch(text));
        }
    }
    Ok(())
}

fn decision(word: &Word, document: &str, verdict: DocumentVerdict, now_ms: i64) -> DecisionRow {
    DecisionRow {
        transfer: word.transfer.clone(),
        document: document.to_owned(),
        verdict,
        person: word.person.trim().to_owned(),
        reason: word.reason.trim().to_owned(),
        decided_ms: now_ms,
    }
}

fn note(word: &Word, action: &str, found: &Match) -> Note {
    let mut detail = detail(found);
    detail["reason"] = word.reason.trim().into();
    Note {
        action: action.to_owned(),
        subject: format!("transfer {}", word.transfer),
        before: None,
        after: None,
        detail,
    }
}
