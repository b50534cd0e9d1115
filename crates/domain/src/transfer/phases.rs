//! The phases of reconciling, each over the whole [`Table`].

use std::collections::{BTreeMap, BTreeSet};

use super::subset::{Found, find};
use super::table::{Account, Table};
use super::{Confidence, Match, PayableKind, Reason, Why};

/// What a transfer names, split into the documents it may pay and those of others.
struct NamedDocuments {
    own: Vec<usize>,
    is_unclear: bool,
    has_foreign: bool,
    has_rejected: bool,
}

fn named_documents(table: &Table<'_>, t: usize) -> NamedDocuments {
    let mut named = NamedDocuments { own: Vec::new(), is_unclear: false, has_foreign: false, has_rejected: false };
    let Some(moved) = table.moved.get(t) else { return named };
    for key in &moved.named.known {
        let all = table.by_number.get(key).map(Vec::as_slice).unwrap_or_default();
        let is_own = |p: &usize| {
            let owed = table.owed.get(*p).map(|owed| owed.payable);
            owed.is_some_and(|payable| {
                let vendors = &moved.transfer.vendors;
                payable.currency == moved.transfer.currency && (vendors.is_empty() || vendors.contains(&payable.vendor))
            })
        };
        let (mut own, foreign): (Vec<usize>, Vec<usize>) = all.iter().copied().partition(is_own);
        named.has_foreign |= own.is_empty() && !foreign.is_empty();
        let before = own.len();
        own.retain(|p| !table.is_rejected(t, *p));
        named.has_rejected |= own.len() < before;
        named.is_unclear |= own.len() > 1;
        own.into_iter()
            .filter(|p| !named.own.contains(p))
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|p| named.own.push(p));
    }
    // One payment goes to one vendor.
    let vendors: BTreeSet<_> =
        named.own.iter().filter_map(|p| table.owed.get(*p)).map(|owed| owed.payable.vendor).collect();
    named.is_unclear |= vendors.len() > 1;
    named
}

/// Transfers whose memo names documents.
pub(super) fn numbers(table: &mut Table<'_>) {
    for t in table.waiting() {
        let named = named_documents(table, t);
        if named.has_rejected {
            table.explain(t, Reason::Rejected);
        }
        if named.has_foreign {
            table.explain(t, Reason::OtherVendorsNumber);
        }
        if named.own.is_empty() {
            continue;
        }
        if named.is_unclear {
            table.explain(t, Reason::SeveralDocuments);
            continue;
        }
        let mut why = vec![Why::NumberNamed];
        if named.has_foreign {
            why.push(Why::OtherVendorsNumber);
        }
        match pays(table, t, &named.own) {
            Ok((amounts, more)) => {
                why.extend(more);
                let is_closed =
                    |(p, _): &(usize, i64)| table.owed.get(*p).is_some_and(|owed| owed.payable.remaining == 0);
                // Something closed it in BC; unless that was this payment, it may have been paid twice.
                why.extend((!is_applied(table, t) && amounts.iter().any(is_closed)).then_some(Why::ClosedOtherwise));
                let found = table.proposal(t, &amounts, why);
                table.settle(t, found);
            }
            Err(reason) => table.explain(t, reason),
        }
    }
}

/// Documents with the money on each, and what speaks for it.
type Paid = (Vec<(usize, i64)>, Vec<Why>);

/// How much of each named document a transfer pays.
fn pays(table: &Table<'_>, t: usize, named: &[usize]) -> Result<Paid, Reason> {
    let left = table.moved.get(t).map_or(0, |moved| moved.left);
    let mut amounts: Vec<(usize, i64)> = named.iter().map(|p| (*p, table.signed(*p, true))).collect();
    let is_paid = amounts.iter().all(|(_, amount)| *amount <= 0);
    if is_paid {
        return Err(Reason::AlreadyPaid);
    }
    let sum = amounts.iter().fold(0_i64, |sum, (_, amount)| sum.saturating_add(*amount));
    let has_credit = amounts.iter().any(|(_, amount)| *amount < 0);
    if sum == left {
        amounts.retain(|(_, amount)| *amount != 0);
        let mut why = vec![Why::AmountExact];
        why.extend(has_credit.then_some(Why::CreditMemoNetted));
        return Ok((amounts, why));
    }
    if sum < left {
        return Err(Reason::AmountDiffers);
    }
    let credits = unnamed_credits(table, t, named);
    let open: Vec<i64> = credits.iter().map(|p| table.signed(*p, false).saturating_neg()).collect();
    let settings = table.settings;
    match find(&open, sum.saturating_sub(left), settings.members_most, settings.steps_most) {
        Found::One(chosen) => {
            let credits = chosen.into_iter().filter_map(|place| credits.get(place).copied());
            amounts.extend(credits.map(|p| (p, table.signed(p, false))));
            amounts.retain(|(_, amount)| *amount != 0);
            Ok((amounts, vec![Why::AmountExact, Why::CreditMemoNetted]))
        }
        Found::Several(_) => Err(Reason::SeveralDocuments),
        Found::GaveUp => Err(Reason::SearchExhausted),
        Found::None => match amounts.as_slice() {
            [(p, _)] => Ok((vec![(*p, left)], vec![Why::PartPayment])),
            _ => Err(Reason::AmountDiffers),
        },
    }
}

/// Open credit memos of the vendor of named invoices.
fn unnamed_credits(table: &Table<'_>, t: usize, named: &[usize]) -> Vec<usize> {
    let first = named.first().and_then(|p| table.owed.get(*p)).map(|owed| owed.payable);
    let account = first.map(|payable| (payable.vendor, payable.currency.clone()));
    let all = account.and_then(|account| table.by_account.get(&account)).map(Vec::as_slice).unwrap_or_default();
    let is_credit = |p: &usize| table.signed(*p, false) < 0 && !named.contains(p) && !table.is_rejected(t, *p);
    all.iter().copied().filter(is_credit).take(table.settings.candidates_most).collect()
}

/// The open documents that a transfer without numbers may pay; nothing if its memo or its vendor forbids to guess.
fn candidates(table: &Table<'_>, t: usize) -> Vec<usize> {
    let (Some(account), Some(moved)) = (table.account(t), table.moved.get(t)) else { return Vec::new() };
    if !moved.named.known.is_empty() || moved.suggestion.is_some() || is_applied(table, t) {
        return Vec::new();
    }
    let all = table.by_account.get(&account).map(Vec::as_slice).unwrap_or_default();
    let fits = |p: &usize| table.signed(*p, false) != 0 && !table.is_rejected(t, *p) && table.is_dated_near(t, *p);
    all.iter().copied().filter(fits).collect()
}

/// Whether BC has booked and applied the payment: then it no longer shows among the open amounts.
pub(super) fn is_applied(table: &Table<'_>, t: usize) -> bool {
    let payment = table.moved.get(t).and_then(|moved| moved.booked).and_then(|place| table.payments.get(place));
    payment.is_some_and(|payment| !payment.is_open)
}

fn unknown_number(table: &Table<'_>, t: usize) -> Option<Why> {
    table.moved.get(t).filter(|moved| moved.named.has_unknown).map(|_| Why::UnknownNumber)
}

/// The only document of exactly this amount, for which this is the only transfer.
pub(super) fn amounts(table: &mut Table<'_>) {
    let mut wants: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut rivals: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for t in table.waiting() {
        let left = table.moved.get(t).map_or(0, |moved| moved.left);
        let all = candidates(table, t);
        let same: Vec<usize> = all.iter().copied().filter(|p| table.signed(*p, false) == left).collect();
        for p in &same {
            rivals.entry(*p).or_default().push(t);
        }
        if !same.is_empty() {
            wants.insert(t, same);
        }
    }
    for (t, same) in wants {
        let contested: Vec<usize> =
            same.iter().copied().filter(|p| rivals.get(p).is_some_and(|all| all.len() > 1)).collect();
        match same.as_slice() {
            [p] if contested.is_empty() => {
                let mut why = vec![Why::AmountExact, Why::OnlyOne];
                why.extend(unknown_number(table, t));
                why.extend(is_a_sum_too(table, t, *p).then_some(Why::OthersFit));
                let left = table.signed(*p, false);
                let found = table.proposal(t, &[(*p, left)], why);
                table.settle(t, found);
            }
            [p] => {
                table.explain(t, Reason::SeveralTransfers);
                table.explain_owed(*p, Reason::SeveralTransfers);
            }
            several => {
                table.explain(t, Reason::SeveralDocuments);
                for p in several {
                    table.explain_owed(*p, Reason::SeveralDocuments);
                }
            }
        }
    }
}

/// Counts once more that something is wanted.
fn count(wanted: &mut BTreeMap<usize, usize>, places: &[usize]) {
    for place in places {
        let count = wanted.entry(*place).or_default();
        *count = count.saturating_add(1);
    }
}

/// Whether two other documents add up to the same amount.
fn is_a_sum_too(table: &Table<'_>, t: usize, p: usize) -> bool {
    let left = table.signed(p, false);
    let mut seen = BTreeSet::new();
    candidates(table, t).into_iter().filter(|other| *other != p).any(|other| {
        let amount = table.signed(other, false);
        let is_pair = seen.contains(&left.saturating_sub(amount));
        seen.insert(amount);
        is_pair
    })
}

/// With no more than so many documents a sum that fits by accident is rarer than one in a thousand.
const FEW: usize = 8;

/// Several documents, credit memos deducted, that add up to the transfer.
pub(super) fn sums(table: &mut Table<'_>) {
    let mut proposals: Vec<(usize, Vec<usize>, bool)> = Vec::new();
    let mut wanted: BTreeMap<usize, usize> = BTreeMap::new();
    for t in table.waiting() {
        if table.moved.get(t).is_some_and(|moved| moved.reason.is_some()) {
            continue;
        }
        let all = candidates(table, t);
        if all.len() < 2 {
            continue;
        }
        if all.len() > table.settings.candidates_most {
            table.explain(t, Reason::SearchExhausted);
            continue;
        }
        let left = table.moved.get(t).map_or(0, |moved| moved.left);
        let open: Vec<i64> = all.iter().map(|p| table.signed(*p, false)).collect();
        match find(&open, left, table.settings.members_most, table.settings.steps_most) {
            Found::None => table.explain(t, Reason::AmountDiffers),
            Found::GaveUp => table.explain(t, Reason::SearchExhausted),
            Found::Several(_) => table.explain(t, Reason::SeveralDocuments),
            Found::One(chosen) => {
                let chosen: Vec<usize> = chosen.into_iter().filter_map(|place| all.get(place).copied()).collect();
                count(&mut wanted, &chosen);
                proposals.push((t, chosen, all.len() <= FEW));
            }
        }
    }
    for (t, chosen, is_sure) in proposals {
        if chosen.iter().any(|p| wanted.get(p).is_some_and(|n| *n > 1)) {
            table.explain(t, Reason::SeveralTransfers);
            for p in &chosen {
                table.explain_owed(*p, Reason::SeveralTransfers);
            }
            continue;
        }
        let mut why = vec![Why::AmountExact, Why::OnlySum];
        why.extend(unknown_number(table, t));
        why.extend((!is_sure).then_some(Why::OthersFit));
        let is_credit = |p: &usize| table.owed.get(*p).is_some_and(|owed| owed.payable.kind == PayableKind::CreditMemo);
        why.extend(chosen.iter().any(is_credit).then_some(Why::CreditMemoNetted));
        let amounts: Vec<(usize, i64)> = chosen.iter().map(|p| (*p, table.signed(*p, false))).collect();
        let found = table.proposal(t, &amounts, why);
        table.settle(t, found);
    }
}

/// Several transfers that add up to one document. Certain only if it is the vendor's only open document.
pub(super) fn part_payments(table: &mut Table<'_>) {
    let mut by_account: BTreeMap<Account, Vec<usize>> = BTreeMap::new();
    for t in table.waiting() {
        let is_free = !candidates(table, t).is_empty();
        match table.account(t).filter(|_| is_free) {
            Some(account) => by_account.entry(account).or_default().push(t),
            None => no_candidates(table, t),
        }
    }
    for (account, transfers) in by_account {
        let all = table.by_account.get(&account).cloned().unwrap_or_default();
        let open: Vec<usize> = all.into_iter().filter(|p| table.signed(*p, false) != 0).collect();
        let mut proposals: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut wanted: BTreeMap<usize, usize> = BTreeMap::new();
        for p in open.iter().copied().filter(|p| table.signed(*p, false) > 0) {
            let chosen = parts_of(table, p, &transfers);
            count(&mut wanted, &chosen);
            if !chosen.is_empty() {
                proposals.push((p, chosen));
            }
        }
        for (p, chosen) in proposals {
            if chosen.iter().any(|t| wanted.get(t).is_some_and(|n| *n > 1)) {
                continue;
            }
            let is_sure = open.len() == 1 && chosen.len() == transfers.len();
            propose_parts(table, p, &chosen, is_sure);
        }
        for t in transfers {
            single_part(table, t, &open);
        }
    }
}

fn no_candidates(table: &mut Table<'_>, t: usize) {
    let Some(moved) = table.moved.get(t) else { return };
    let reason = match moved.transfer.vendors.len() {
        _ if moved.named.has_unknown => Reason::UnknownNumber,
        0 => Reason::NoVendor,
        1 => Reason::NoDocument,
        _ => Reason::SeveralDocuments,
    };
    table.explain(t, reason);
}

/// The only transfers that add up to a document.
fn parts_of(table: &Table<'_>, p: usize, transfers: &[usize]) -> Vec<usize> {
    let goal = table.signed(p, false);
    let amount = |t: &usize| table.moved.get(*t).map_or(0, |moved| moved.left);
    let fits = |t: &&usize| amount(t) < goal && table.is_dated_near(**t, p) && !table.is_rejected(**t, p);
    let near: Vec<usize> = transfers.iter().filter(fits).copied().collect();
    if near.len() < 2 || near.len() > table.settings.candidates_most {
        return Vec::new();
    }
    let amounts: Vec<i64> = near.iter().map(amount).collect();
    match find(&amounts, goal, table.settings.members_most, table.settings.steps_most) {
        Found::One(chosen) => chosen.into_iter().filter_map(|place| near.get(place).copied()).collect(),
        Found::None | Found::Several(_) | Found::GaveUp => Vec::new(),
    }
}

fn propose_parts(table: &mut Table<'_>, p: usize, chosen: &[usize], is_sure: bool) {
    let build = |table: &Table<'_>, t: usize| {
        let mut why = vec![Why::SeveralTransfers, Why::PartPayment];
        why.extend(unknown_number(table, t));
        why.extend((!is_sure).then_some(Why::OthersFit));
        let left = table.moved.get(t).map_or(0, |moved| moved.left);
        table.proposal(t, &[(p, left)], why)
    };
    let mut found: Vec<(usize, Match)> = chosen.iter().map(|t| (*t, build(table, *t))).collect();
    // They are one thing: certain together or not at all.
    let least = found.iter().map(|(_, found)| found.confidence).min().unwrap_or(Confidence::Low);
    for (_, found) in &mut found {
        found.confidence = least;
    }
    for (t, found) in found {
        table.settle(t, found);
    }
}

/// A transfer of less than the vendor's only open document: a hint.
fn single_part(table: &mut Table<'_>, t: usize, open: &[usize]) {
    let [p] = open else { return };
    let Some(left) =
        table.moved.get(t).map(|moved| moved.left).filter(|left| *left > 0 && *left < table.signed(*p, false))
    else {
        return;
    };
    if table.moved.get(t).is_some_and(|moved| moved.suggestion.is_some() || left != moved.transfer.amount) {
        return;
    }
    if table.is_rejected(t, *p) || !table.is_dated_near(t, *p) {
        return;
    }
    let mut found = table.proposal(t, &[(*p, left)], vec![Why::PartPayment, Why::OnlyOne]);
    found.confidence = Confidence::Low;
    table.settle(t, found);
    table.explain_owed(*p, Reason::ToConfirm);
}
