//! Which payment that is posted in BC stands for which transfer.

use std::collections::{BTreeMap, BTreeSet};

use super::Reason;
use super::results::days_between;
use super::table::{Account, Table};

/// Payments that BC has already: named by the transfer's id, else the only one of vendor, amount and date on both sides.
pub(super) fn bookings(table: &mut Table<'_>) {
    let mut by_text: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut by_amount: BTreeMap<(Account, i64), Vec<usize>> = BTreeMap::new();
    for (place, payment) in table.payments.iter().enumerate() {
        let words = payment.texts.iter().flat_map(|text| text.split(char::is_whitespace)).map(str::to_uppercase);
        let words: BTreeSet<String> = words.collect();
        for word in words {
            by_text.entry(word).or_default().push(place);
        }
        let account = (payment.vendor, payment.currency.clone());
        by_amount.entry((account, payment.amount)).or_default().push(place);
    }
    let mut taken = BTreeSet::new();
    for t in table.waiting() {
        let Some(moved) = table.moved.get_mut(t) else { continue };
        // Code[35] is stored in upper case.
        let named = by_text.get(&moved.transfer.id.to_uppercase()).map(Vec::as_slice).unwrap_or_default();
        let fits = |place: &usize| {
            let payment = table.payments.get(*place);
            payment.is_some_and(|p| p.amount == moved.transfer.amount && p.currency == moved.transfer.currency)
        };
        if let Some(place) = named.iter().copied().find(|place| fits(place) && !taken.contains(place)) {
            taken.insert(place);
            moved.booked = Some(place);
        }
    }
    let mut wanted: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for t in table.waiting() {
        if table.moved.get(t).is_some_and(|moved| moved.booked.is_some()) {
            continue;
        }
        let (Some(account), Some(moved)) = (table.account(t), table.moved.get(t)) else { continue };
        let near = |place: &&usize| {
            let payment = table.payments.get(**place);
            let days = payment.map(|payment| days_between(payment.date, moved.transfer.date).saturating_abs());
            !taken.contains(*place) && days.is_some_and(|days| days <= table.settings.booking_days)
        };
        let places = by_amount.get(&(account, moved.left)).map(Vec::as_slice).unwrap_or_default();
        let places: Vec<usize> = places.iter().filter(near).copied().collect();
        for place in &places {
            wanted.entry(*place).or_default().push(t);
        }
        if let ([place], Some(moved)) = (places.as_slice(), table.moved.get_mut(t)) {
            moved.booked = Some(*place);
        }
    }
    // Two transfers that want one payment: nobody can say whose it is.
    for rivals in wanted.into_values().filter(|rivals| rivals.len() > 1) {
        for t in rivals {
            if let Some(moved) = table.moved.get_mut(t) {
                moved.booked = None;
                moved.reason = Some(Reason::SeveralTransfers);
            }
        }
    }
}
