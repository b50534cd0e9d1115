//! The records that the account has at its start: every kind that Brex knows, made from the seed.
//!
//! They come in rounds of 120, so that a hundred thousand records have the same mixture as the first 120: about 70%
//! that a careful accountant would simply book, the rest not ready, not spend, or in need of a person.

mod bills;
mod cards;
mod cast;
mod coding;
mod merchants;
mod movements;
mod oddities;
mod reimbursements;
mod sketch;
mod trouble;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::records::Stored;
use crate::company::Company;
use crate::ids::Ids;

use self::cast::Cast;
use self::sketch::Sketch;
pub(super) use self::sketch::{DEPARTMENT, user_id};

/// Draws one kind of record; the number is the record's place in the whole.
type Kind = fn(&Zoo<'_>, usize) -> Sketch;

/// How many of each kind are in a round of 120.
const ROUND: &[(usize, Kind)] = &[
    (22, cards::coded_by_id),
    (8, cards::coded_by_number),
    (8, cards::named_as_the_vendor),
    (5, cards::named_in_capitals),
    (4, cards::named_with_another_legal_form),
    (3, cards::raw_descriptor),
    (9, cards::split),
    (4, cards::refund),
    (2, cards::repayment),
    (6, cards::foreign_currency),
    (2, cards::billed_in_euro),
    (1, cards::memo_with_markup),
    (4, reimbursements::approval),
    (3, reimbursements::post),
    (3, bills::in_review),
    (2, bills::ready),
    (1, bills::later_version),
    (2, cards::in_prepare),
    (2, cards::in_review),
    (1, oddities::as_recorded),
    (1, movements::card_payment),
    (1, movements::card_payment_refund),
    (1, movements::reward_redemption),
    (1, movements::payout),
    (1, movements::payout_reversal),
    (1, movements::payin),
    (1, movements::payin_refund),
    (1, movements::bill_payment),
    (1, movements::bill_card_payment),
    (1, movements::bill_payin),
    (1, movements::invoice_payment),
    (1, movements::invoice),
    (1, trouble::uncoded),
    (1, trouble::unknown_merchant),
    (1, trouble::two_vendors_of_that_name),
    (1, trouble::blocked_account),
    (1, trouble::heading_account),
    (1, trouble::control_account),
    (1, trouble::unknown_account),
    (1, trouble::blocked_vendor),
    (1, trouble::unknown_dimension_value),
    (1, trouble::out_of_period),
    (1, trouble::lines_do_not_sum),
    (1, trouble::zero_amount),
    (1, trouble::no_exchange_rate),
    (1, oddities::unknown_type),
    (1, reimbursements::without_vendor),
    (1, reimbursements::repayment),
];

/// What every kind draws from.
struct Zoo<'a> {
    ids: &'a Ids,
    company: &'a Company,
    cast: Cast<'a>,
    company_id: &'a str,
    now: Timestamp,
}

/// `count` records of the 45 days before `now`. The first is always one that can simply be booked.
pub(super) fn records(ids: &Ids, company: &Company, company_id: &str, count: usize, now: Timestamp) -> Vec<Stored> {
    let zoo = Zoo { ids, company, cast: Cast::new(company), company_id, now };
    let order = order(ids);
    (0..count).map(|number| order[number % order.len()](&zoo, number).stored(&zoo)).collect()
}

/// One round in an order that the seed decides.
fn order(ids: &Ids) -> Vec<Kind> {
    let ids = ids.stream("order");
    let mut order: Vec<Kind> = ROUND.iter().flat_map(|&(count, kind)| std::iter::repeat_n(kind, count)).collect();
    for last in (2..order.len()).rev() {
        order.swap(last, 1 + ids.below(last));
    }
    order
}

impl Zoo<'_> {
    /// The first moment at which a record of the zoo is posted, but for those that are late on purpose.
    fn opening(&self) -> Timestamp {
        self.now.saturating_sub(SignedDuration::from_hours(45 * 24)).unwrap_or(self.now)
    }

    /// A moment of the last 45 days, to the microsecond.
    fn recently(&self) -> Timestamp {
        self.after(self.opening(), 45)
    }

    /// A moment after `start`, at most `days` later, and at least a minute ago.
    fn after(&self, start: Timestamp, days: i64) -> Timestamp {
        let latest = self.now.saturating_sub(SignedDuration::from_mins(1)).unwrap_or(self.now);
        let moment = start.saturating_add(self.span(days)).unwrap_or(start);
        moment.min(latest).max(start)
    }

    /// A moment before `end`, at least an hour and at most `days` earlier.
    fn before(&self, end: Timestamp, days: i64) -> Timestamp {
        let span = self.span(days).max(SignedDuration::from_hours(1));
        end.saturating_sub(span).unwrap_or(end)
    }

    /// Up to so many days, to the microsecond.
    fn span(&self, days: i64) -> SignedDuration {
        const MICROS_OF_A_DAY: i64 = 24 * 3600 * 1_000_000;
        let micros = usize::try_from(days * MICROS_OF_A_DAY).unwrap_or(1);
        SignedDuration::from_micros(i64::try_from(self.ids.below(micros)).unwrap_or(0))
    }

    /// Cents between two whole amounts.
    fn amount(&self, from: i64, below: i64) -> Decimal {
        let span = usize::try_from((below - from) * 100).unwrap_or(1);
        Decimal::new(from * 100 + i64::try_from(self.ids.below(span)).unwrap_or(0), 2)
    }
}
