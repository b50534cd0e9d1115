//! The working table of one run: both sides in a fixed order, how much of each is left, and the indexes.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::numbers::{Named, number_key, numbers_in};
use super::results::days_between;
use super::{
    Books, Confidence, LedgerPayment, Match, Movement, Part, Payable, PayableKind, Reason, Said, Settings, Transfer,
    Why,
};
use crate::money::Currency;

/// A transfer under way through the phases.
pub(super) struct Moved<'a> {
    pub(super) transfer: &'a Transfer,
    /// What it names.
    pub(super) named: Named,
    /// What of it is not accounted for.
    pub(super) left: i64,
    /// The payment of BC that stands for it.
    pub(super) booked: Option<usize>,
    /// Why it is not matched, as far as known.
    pub(super) reason: Option<Reason>,
    /// What may be confirmed.
    pub(super) suggestion: Option<Match>,
}

/// A document under way through the phases.
pub(super) struct Owed<'a> {
    pub(super) payable: &'a Payable,
    /// What new matches may still take: what BC has open, less what earlier matches take that BC does not know yet.
    pub(super) open: i64,
    /// What any match may take: the total less all matches.
    pub(super) total: i64,
    /// Why nothing fits, as far as known.
    pub(super) reason: Option<Reason>,
}

/// Vendor and currency: nothing is ever matched across.
pub(super) type Account = (Uuid, Currency);

pub(super) struct Table<'a> {
    pub(super) settings: &'a Settings,
    pub(super) moved: Vec<Moved<'a>>,
    pub(super) owed: Vec<Owed<'a>>,
    pub(super) payments: Vec<&'a LedgerPayment>,
    pub(super) by_number: BTreeMap<String, Vec<usize>>,
    pub(super) by_account: BTreeMap<Account, Vec<usize>>,
    pub(super) by_id: BTreeMap<&'a str, usize>,
    pub(super) matches: Vec<Match>,
    rejected: &'a BTreeSet<(String, String)>,
}

impl<'a> Table<'a> {
    pub(super) fn new(books: &'a Books, said: &'a Said, settings: &'a Settings) -> Self {
        let payables: BTreeMap<&str, &Payable> = books.payables.iter().map(|p| (p.id.as_str(), p)).collect();
        let mut payables: Vec<&Payable> = payables.into_values().collect();
        payables.sort_by(|a, b| (a.date, &a.id).cmp(&(b.date, &b.id)));
        let mut by_number: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut by_account: BTreeMap<Account, Vec<usize>> = BTreeMap::new();
        for (place, payable) in payables.iter().enumerate() {
            let keys: BTreeSet<String> = payable.numbers.iter().filter_map(|number| number_key(number)).collect();
            for key in keys {
                by_number.entry(key).or_default().push(place);
            }
            by_account.entry((payable.vendor, payable.currency.clone())).or_default().push(place);
        }
        let transfers: BTreeMap<&str, &Transfer> = books.transfers.iter().map(|t| (t.id.as_str(), t)).collect();
        let mut transfers: Vec<&Transfer> = transfers.into_values().collect();
        transfers.sort_by(|a, b| (a.date, &a.id).cmp(&(b.date, &b.id)));
        let moved = transfers.into_iter().map(|transfer| Moved::new(transfer, &by_number)).collect();
        let payments: BTreeMap<&str, &LedgerPayment> = books.payments.iter().map(|p| (p.id.as_str(), p)).collect();
        Self {
            settings,
            moved,
            by_id: payables.iter().enumerate().map(|(place, payable)| (payable.id.as_str(), place)).collect(),
            owed: payables.into_iter().map(Owed::new).collect(),
            payments: payments.into_values().collect(),
            by_number,
            by_account,
            matches: Vec::new(),
            rejected: &said.rejected,
        }
    }

    /// The transfers that are still looked for, by place.
    pub(super) fn waiting(&self) -> Vec<usize> {
        let is_waiting = |moved: &Moved<'_>| {
            moved.transfer.movement == Movement::Completed && moved.left == moved.transfer.amount && moved.left > 0
        };
        self.moved.iter().enumerate().filter(|(_, moved)| is_waiting(moved)).map(|(place, _)| place).collect()
    }

    /// The account of a transfer whose vendor is certain.
    pub(super) fn account(&self, t: usize) -> Option<Account> {
        let transfer = self.moved.get(t)?.transfer;
        match transfer.vendors.as_slice() {
            [vendor] => Some((*vendor, transfer.currency.clone())),
            _ => None,
        }
    }

    pub(super) fn is_rejected(&self, t: usize, p: usize) -> bool {
        match (self.moved.get(t), self.owed.get(p)) {
            (Some(moved), Some(owed)) => self.rejected.contains(&(moved.transfer.id.clone(), owed.payable.id.clone())),
            _ => false,
        }
    }

    pub(super) fn is_dated_near(&self, t: usize, p: usize) -> bool {
        let (Some(moved), Some(owed)) = (self.moved.get(t), self.owed.get(p)) else { return false };
        self.days_early(t, p) <= self.settings.days_before
            && days_between(owed.payable.due.max(owed.payable.date), moved.transfer.date) <= self.settings.days_after
    }

    /// How many days the transfer is earlier than the document.
    fn days_early(&self, t: usize, p: usize) -> i32 {
        let (Some(moved), Some(owed)) = (self.moved.get(t), self.owed.get(p)) else { return 0 };
        days_between(moved.transfer.date, owed.payable.date)
    }

    /// What may be taken of a document, negative for a credit memo.
    pub(super) fn signed(&self, p: usize, may_be_closed: bool) -> i64 {
        let Some(owed) = self.owed.get(p) else { return 0 };
        let left = if may_be_closed && owed.payable.remaining == 0 { owed.total } else { owed.open.min(owed.total) };
        match owed.payable.kind {
            PayableKind::Invoice => left,
            PayableKind::CreditMemo => left.saturating_neg(),
        }
    }

    /// A match of a transfer with these amounts, with what speaks against it.
    pub(super) fn proposal(&self, t: usize, amounts: &[(usize, i64)], mut why: Vec<Why>) -> Match {
        let mut parts = Vec::new();
        for (p, amount) in amounts {
            if let Some(owed) = self.owed.get(*p) {
                parts.push(Part { payable: owed.payable.id.clone(), amount: *amount });
                if !owed.payable.is_certain && owed.payable.remaining != 0 {
                    why.push(Why::RemainingUncertain);
                }
            }
            // Late is common; a number that is named before its document exists is not.
            if self.days_early(t, *p) > self.settings.days_before && *amount > 0 {
                why.push(Why::DatesApart);
            }
        }
        let (mut transfer, mut fee) = (String::new(), 0);
        if let Some(moved) = self.moved.get(t) {
            transfer.clone_from(&moved.transfer.id);
            fee = moved.transfer.settled.map_or(0, |settled| settled.saturating_sub(moved.transfer.amount));
            if moved.transfer.vendors.is_empty() {
                why.push(Why::VendorNotLinked);
            }
        }
        match fee {
            0 => {}
            1.. if fee <= self.settings.fee_most => why.push(Why::Fee),
            _ => why.push(Why::SettledDiffers),
        }
        parts.sort();
        why.sort_unstable();
        why.dedup();
        let confidence = if why.iter().any(|why| why.is_against()) { Confidence::Medium } else { Confidence::High };
        Match { transfer, parts, confidence, why, fee: fee.max(0) }
    }

    /// Takes the money of a match that is certain; keeps the other as a suggestion.
    pub(super) fn settle(&mut self, t: usize, found: Match) {
        if found.confidence == Confidence::High {
            self.take(t, found, true);
        } else if let Some(moved) = self.moved.get_mut(t).filter(|moved| moved.suggestion.is_none()) {
            moved.reason = Some(Reason::ToConfirm);
            moved.suggestion = Some(found);
        }
    }

    /// Takes the money of a match from both sides; `is_new` if BC's open amount does not know it yet.
    pub(super) fn take(&mut self, t: usize, found: Match, is_new: bool) {
        for part in &found.parts {
            let place = self.by_id.get(part.payable.as_str()).copied();
            let Some(owed) = place.and_then(|place| self.owed.get_mut(place)) else { continue };
            let amount = part.amount.saturating_abs();
            owed.total = owed.total.saturating_sub(amount);
            if is_new {
                owed.open = owed.open.saturating_sub(amount).max(0);
            }
        }
        if let Some(moved) = self.moved.get_mut(t) {
            moved.left = moved.left.saturating_sub(found.amount());
            moved.reason = None;
            moved.suggestion = None;
        }
        self.matches.push(found);
    }

    /// Notes why a transfer is not matched, unless something is known already.
    pub(super) fn explain(&mut self, t: usize, reason: Reason) {
        if let Some(moved) = self.moved.get_mut(t) {
            moved.reason.get_or_insert(reason);
        }
    }

    /// Notes why a document is not matched, unless something is known already.
    pub(super) fn explain_owed(&mut self, p: usize, reason: Reason) {
        if let Some(owed) = self.owed.get_mut(p) {
            owed.reason.get_or_insert(reason);
        }
    }
}

impl<'a> Moved<'a> {
    fn new(transfer: &'a Transfer, by_number: &BTreeMap<String, Vec<usize>>) -> Self {
        let mut named = Named::default();
        for text in &transfer.texts {
            let found = numbers_in(text, |key| by_number.contains_key(key));
            named.has_unknown |= found.has_unknown;
            for key in found.known {
                if !named.known.contains(&key) {
                    named.known.push(key);
                }
            }
        }
        Self { transfer, named, left: transfer.amount, booked: None, reason: None, suggestion: None }
    }
}

impl<'a> Owed<'a> {
    fn new(payable: &'a Payable) -> Self {
        let open = payable.remaining.clamp(0, payable.total.max(0));
        Self { payable, open, total: payable.total.max(0), reason: None }
    }
}
