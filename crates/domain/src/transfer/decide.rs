//! Reconciles: what stands already, then BC's payments, numbers, amounts, sums, and part payments, in this order.
//!
//! Each phase proposes from the state in which it began and takes only what nothing else competes for, so the order of the
//! input never matters. Only a match that nothing speaks against takes money; the rest are suggestions.

use std::collections::{BTreeMap, BTreeSet};

use super::bookings::bookings;
use super::phases;
use super::table::{Moved, Owed, Table};
use super::{Books, Match, Movement, Outcome, PayableKind, Reason, Said, Settings, Standing, Verdict};

/// More rounds than any books need: each round but the last finds a match.
const ROUNDS_MOST: usize = 100;

/// Compares both sides, until comparing again finds nothing more: a match that is found late may leave another transfer with
/// a single document. So a later run, which begins with what this one found, changes nothing.
pub fn reconcile(books: &Books, said: &Said, settings: &Settings) -> Outcome {
    let mut outcome = once(books, said, settings);
    for _ in 0..ROUNDS_MOST {
        let known = Said { matches: outcome.matches.clone(), rejected: said.rejected.clone() };
        let mut next = once(books, &known, settings);
        if next.matches == outcome.matches {
            break;
        }
        // Why a match no longer holds is known to the first round only.
        for standing in next.transfers.iter_mut().filter(|standing| standing.verdict == Verdict::Unmatched) {
            let exceeds = |first: &&Standing| first.id == standing.id && first.reason == Some(Reason::MatchExceeds);
            if outcome.transfers.iter().any(|first| exceeds(&first)) {
                standing.reason = Some(Reason::MatchExceeds);
            }
        }
        outcome = next;
    }
    outcome
}

fn once(books: &Books, said: &Said, settings: &Settings) -> Outcome {
    let mut table = Table::new(books, said, settings);
    set_aside(&mut table);
    bookings(&mut table);
    stand(&mut table, said);
    phases::numbers(&mut table);
    phases::amounts(&mut table);
    phases::sums(&mut table);
    phases::part_payments(&mut table);
    outcome(table)
}

/// Transfers that pay nothing.
fn set_aside(table: &mut Table<'_>) {
    for moved in &mut table.moved {
        moved.reason = match moved.transfer.movement {
            Movement::UnderWay => Some(Reason::UnderWay),
            Movement::Failed => Some(Reason::Failed),
            Movement::Returned => Some(Reason::Returned),
            Movement::Incoming => Some(Reason::Incoming),
            Movement::Completed if moved.transfer.amount <= 0 => Some(Reason::NoAmount),
            Movement::Completed => None,
        };
    }
}

/// Matches that stand: by hand first, then those found earlier. One that exceeds what was moved or owed stands no longer.
fn stand(table: &mut Table<'_>, said: &Said) {
    let mut standing: Vec<&Match> = said.matches.iter().collect();
    standing.sort_by_key(|found| (!found.is_by_hand(), &found.transfer, &found.parts));
    let places: BTreeMap<String, usize> =
        table.moved.iter().enumerate().map(|(place, moved)| (moved.transfer.id.clone(), place)).collect();
    for found in standing {
        let Some(t) = places.get(&found.transfer).copied() else { continue };
        if holds(table, t, found) {
            let is_new = !phases::is_applied(table, t);
            table.take(t, found.clone(), is_new);
        } else {
            table.explain(t, Reason::MatchExceeds);
        }
    }
}

fn holds(table: &Table<'_>, t: usize, found: &Match) -> bool {
    let Some(moved) = table.moved.get(t) else { return false };
    let fits = |part: &super::Part| {
        let owed = table.by_id.get(part.payable.as_str()).and_then(|place| table.owed.get(*place));
        owed.is_some_and(|owed| {
            let sign_fits = match owed.payable.kind {
                PayableKind::Invoice => part.amount > 0,
                PayableKind::CreditMemo => part.amount < 0,
            };
            sign_fits && part.amount.saturating_abs() <= owed.total && owed.payable.currency == moved.transfer.currency
        })
    };
    let mut payables: Vec<&str> = found.parts.iter().map(|part| part.payable.as_str()).collect();
    payables.dedup();
    moved.transfer.movement == Movement::Completed
        && (1..=moved.left).contains(&found.amount())
        && payables.len() == found.parts.len()
        && found.parts.iter().all(fits)
}

fn outcome(table: Table<'_>) -> Outcome {
    let booked: Vec<usize> = table.moved.iter().filter_map(|moved| moved.booked).collect();
    let mut transfers: Vec<Standing> = table.moved.iter().map(|moved| of_transfer(moved, &table)).collect();
    let mut payables: Vec<Standing> = table.owed.iter().map(of_payable).collect();
    let mut suggestions: Vec<Match> = table.moved.into_iter().filter_map(|moved| moved.suggestion).collect();
    let left = table.payments.iter().enumerate().filter(|(place, _)| !booked.contains(place));
    let payments_left = left.map(|(_, payment)| payment.id.clone()).collect();
    let mut matches = table.matches;
    matches.sort_by(|a, b| (&a.transfer, &a.parts).cmp(&(&b.transfer, &b.parts)));
    let hinted: BTreeSet<&str> =
        suggestions.iter().flat_map(|found| &found.parts).map(|part| part.payable.as_str()).collect();
    for payable in payables.iter_mut().filter(|payable| hinted.contains(payable.id.as_str())) {
        if payable.reason == Some(Reason::NoTransfer) {
            payable.reason = Some(Reason::ToConfirm);
        }
    }
    suggestions.sort_by(|a, b| (&a.transfer, &a.parts).cmp(&(&b.transfer, &b.parts)));
    transfers.sort_by(|a, b| a.id.cmp(&b.id));
    payables.sort_by(|a, b| a.id.cmp(&b.id));
    Outcome { matches, suggestions, transfers, payables, payments_left }
}

fn of_transfer(moved: &Moved<'_>, table: &Table<'_>) -> Standing {
    let booked_as = moved.booked.and_then(|place| table.payments.get(place)).map(|payment| payment.id.clone());
    let is_set_aside = moved.transfer.movement != Movement::Completed || moved.transfer.amount <= 0;
    let (verdict, reason) = match moved.left {
        _ if is_set_aside => (Verdict::SetAside, moved.reason),
        0 => (Verdict::Matched, None),
        left if left < moved.transfer.amount => (Verdict::Partly, moved.reason.or(Some(Reason::PartPaid))),
        // Which of its documents it pays was decided in BC, whose API does not tell it.
        _ if booked_as.is_some() => (Verdict::Matched, moved.reason.or(Some(Reason::BookedOnly))),
        _ => (Verdict::Unmatched, moved.reason.or(Some(Reason::NoDocument))),
    };
    let left = if is_set_aside { 0 } else { moved.left };
    Standing { id: moved.transfer.id.clone(), verdict, reason, left, booked_as }
}

fn of_payable(owed: &Owed<'_>) -> Standing {
    let taken = owed.payable.total.max(0).saturating_sub(owed.total);
    let left = if owed.payable.remaining == 0 { 0 } else { owed.open.min(owed.total) };
    let (verdict, reason) = match (taken, left) {
        (0, 0) => (Verdict::SetAside, Some(Reason::ClosedOtherwise)),
        (_, 0) => (Verdict::Matched, None),
        (0, _) => (Verdict::Unmatched, owed.reason.or(Some(Reason::NoTransfer))),
        _ => (Verdict::Partly, owed.reason.or(Some(Reason::PartPaid))),
    };
    Standing { id: owed.payable.id.clone(), verdict, reason, left, booked_as: None }
}
