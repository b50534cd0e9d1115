//! Paying an open invoice through Brex: what has to be true before, the key that makes a repeat harmless, and how much may
//! go out in a day. One order is one transfer for one invoice.

use std::collections::BTreeSet;

use jiff::ToSpan as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Match, Movement, Payable, PayableKind, Transfer, money_of, number_key, numbers_in};
use crate::directory::{Blocked, Vendor};
use crate::id::OWN_PREFIX;
use crate::money::Currency;
use crate::text::fitting;

/// Name space of the keys; a random constant that must never change.
const KEY_NAMESPACE: Uuid = Uuid::from_u128(0x1b7e_52d4_90c6_4f3a_8e21_c5d0_7a94_36bf);
/// Longest memo of a cheque, in bytes (brex.md 4.2).
const CHEQUE_MEMO_MAX: usize = 40;
/// Longest memo of all other rails.
const MEMO_MAX: usize = 90;
/// Letters of the mark in the memo.
const MARK_LETTERS: usize = 6;

/// A transfer that shall be made: what is sent, and for which invoice. Never changed once it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The posted invoice in BC.
    pub invoice: Uuid,
    /// The supplier's number of it.
    pub number: String,
    /// The BC vendor.
    pub vendor: Uuid,
    /// Its number.
    pub vendor_number: String,
    /// Its name.
    pub vendor_name: String,
    /// The Brex vendor that is paid.
    pub brex_vendor: String,
    /// How it is paid.
    pub way: Way,
    /// The cash account.
    pub account: String,
    /// US cents.
    pub cents: i64,
    /// What the payee reads: the number and a mark by which the transfer is found again.
    pub memo: String,
    /// Whether a person has to approve it in Brex.
    pub is_manual: bool,
    /// Transfers that a person said do not pay this invoice.
    #[serde(default)]
    pub despite: BTreeSet<String>,
    /// The Idempotency-Key.
    pub key: Uuid,
}

/// A way to pay a Brex vendor: one of its payment instruments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// The instrument (`pdinstl_...`).
    pub instrument: String,
    /// `ACH`, `DOMESTIC_WIRE`, `CHEQUE`, `INTERNATIONAL_WIRE`.
    pub rail: String,
}

/// The key of the order number `place` (from 0) for an invoice: the same after a crash, a reinstallation or a lost database.
pub fn order_key(invoice: Uuid, place: usize) -> Uuid {
    Uuid::new_v5(&KEY_NAMESPACE, format!("{invoice}\n{place}").as_bytes())
}

/// The memo: the supplier's number as far as it fits, and six letters that follow from the key. Letters only, so that nobody
/// takes them for the number of a document. Brex keeps the memo, and of our other texts nothing (brex.md 4.2).
pub fn order_memo(number: &str, rail: &str, key: Uuid) -> String {
    let most = if rail == "CHEQUE" { CHEQUE_MEMO_MAX } else { MEMO_MAX };
    let digest = Sha256::digest(key.as_bytes());
    let letter = |byte: &u8| char::from(b'A'.saturating_add(byte % 26));
    let mark: String = digest.iter().take(MARK_LETTERS).map(letter).collect();
    let room = most.saturating_sub(MARK_LETTERS.saturating_add(1));
    // Brex documents no character set for memos; vendor names are refused beyond ASCII (brex.md 4.1).
    let plain: String = number.chars().map(|c| if c.is_ascii() && !c.is_ascii_control() { c } else { '-' }).collect();
    format!("{} {mark}", fitting(&plain, room)).trim_start().to_owned()
}

/// What is known when an invoice is to be paid.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// The invoice.
    pub payable: &'a Payable,
    /// All documents that were read.
    pub payables: &'a [Payable],
    /// The Brex record that it was made for, if it was: its id and source (`CARD`, `BILL`, `REIMBURSEMENT`).
    pub record: Option<(&'a str, &'a str)>,
    /// The vendor in BC.
    pub vendor: Option<&'a Vendor>,
    /// The Brex vendors that are linked to it.
    pub links: &'a [String],
    /// How the linked Brex vendor may be paid; none if Brex does not know it.
    pub ways: Option<&'a [Way]>,
    /// The instrument that a person chose.
    pub chosen: Option<&'a str>,
    /// All transfers.
    pub transfers: &'a [Transfer],
    /// What is matched, and what may be.
    pub matches: &'a [Match],
    /// External document numbers of unposted payment lines in BC that pay it.
    pub lines: &'a [String],
    /// Transfers that are known to pay other invoices.
    pub elsewhere: &'a BTreeSet<String>,
    /// Days that a payment may be earlier than its document.
    pub days_before: i32,
    /// Transfers that a person said do not pay it.
    pub despite: &'a BTreeSet<String>,
}

/// Why an invoice is not paid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is owed to us.
    #[error("it is a credit memo")]
    NotAnInvoice,
    /// Nothing is open.
    #[error("nothing of it is open in Business Central")]
    NotOpen,
    /// Part of it is paid, and nobody can say how much.
    #[error(
        "Business Central does not tell what is left of it: the vendor has other entries that were paid in part. Apply \
         those in Business Central, or pay this one there"
    )]
    RemainingUncertain,
    /// Brex pays in US dollars.
    #[error("it is in {0}, and Brex transfers are in US dollars only")]
    OtherCurrency(Currency),
    /// It came from Brex.
    #[error("it was made for the Brex record {0} ({1}), which Brex pays itself: a transfer would pay it twice")]
    PaidByBrex(String, String),
    /// Another document looks like the same one.
    #[error("the vendor has another posted invoice with this number and amount: it may be entered twice")]
    Twin,
    /// The vendor is not in the mirror.
    #[error("its vendor is not known in Business Central")]
    VendorUnknown,
    /// BC says that it must not be paid.
    #[error("vendor {0} is blocked in Business Central")]
    VendorBlocked(String),
    /// No Brex vendor is linked.
    #[error(
        "vendor {0} is not linked to a Brex vendor: keep it in the vendor directory (connection.directory), then ask for \
         vendors directory sync"
    )]
    VendorNotLinked(String),
    /// Several Brex vendors are linked.
    #[error("vendor {0} is linked to several Brex vendors")]
    SeveralLinks(String),
    /// The linked Brex vendor is gone.
    #[error("Brex no longer has the linked vendor {0}")]
    PayeeGone(String),
    /// There is no way to pay.
    #[error("the Brex vendor {0} has no payment instrument: enter its bank details in Brex")]
    NoInstrument(String),
    /// There are several ways to pay.
    #[error("the vendor can be paid in several ways: choose one with --instrument: {0}")]
    SeveralInstruments(String),
    /// The chosen way is not one of the vendor's.
    #[error("{0} is not a payment instrument of this vendor")]
    UnknownInstrument(String),
    /// Somebody may have paid it already.
    #[error("the transfer {0} may pay it already ({1}); if it does not, say so with --despite {0}")]
    EarlierTransfer(String, &'static str),
    /// A payment is prepared in BC.
    #[error("a payment journal in Business Central has an unposted payment of it, number {0:?}")]
    PreparedInBc(String),
    /// It is ordered already.
    #[error("it is ordered already: order {0} is {1}")]
    Ordered(i64, &'static str),
    /// Another order of the invoice was made since it was planned.
    #[error("another order of this invoice was made since this was planned")]
    PlannedAnew,
    /// The account has not enough.
    #[error("the cash account has {available} available, and {needed} are needed")]
    Balance {
        /// What is there.
        available: String,
        /// What is needed.
        needed: String,
    },
    /// More than may go out in a day.
    #[error("{what} would be {sum} today, and {most} is the most ({setting})")]
    Limit {
        /// What is counted.
        what: &'static str,
        /// What it would come to.
        sum: String,
        /// What is allowed.
        most: String,
        /// The setting.
        setting: &'static str,
    },
}

impl Refusal {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAnInvoice => "not_an_invoice",
            Self::NotOpen => "not_open",
            Self::RemainingUncertain => "remaining_uncertain",
            Self::OtherCurrency(_) => "other_currency",
            Self::PaidByBrex(..) => "paid_by_brex",
            Self::Twin => "twin",
            Self::VendorUnknown => "vendor_unknown",
            Self::VendorBlocked(_) => "vendor_blocked",
            Self::VendorNotLinked(_) => "vendor_not_linked",
            Self::SeveralLinks(_) => "several_links",
            Self::PayeeGone(_) => "payee_gone",
            Self::NoInstrument(_) => "no_instrument",
            Self::SeveralInstruments(_) => "several_instruments",
            Self::UnknownInstrument(_) => "unknown_instrument",
            Self::EarlierTransfer(..) => "earlier_transfer",
            Self::PreparedInBc(_) => "prepared_in_bc",
            Self::Ordered(..) | Self::PlannedAnew => "ordered",
            Self::Balance { .. } => "balance",
            Self::Limit { .. } => "limit",
        }
    }
}

/// What would be paid: to which Brex vendor, by which way, and how many cents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The Brex vendor.
    pub brex_vendor: String,
    /// The way.
    pub way: Way,
    /// US cents.
    pub cents: i64,
}

/// Whether the invoice may be paid, and how; else everything that stands against it.
pub fn decide_payment(case: &Case<'_>) -> Result<Payment, Vec<Refusal>> {
    let mut against = Vec::new();
    let payable = case.payable;
    if payable.kind != PayableKind::Invoice {
        against.push(Refusal::NotAnInvoice);
    } else if payable.remaining <= 0 {
        against.push(Refusal::NotOpen);
    } else if !payable.is_certain {
        against.push(Refusal::RemainingUncertain);
    }
    if payable.currency.as_str() != "USD" {
        against.push(Refusal::OtherCurrency(payable.currency.clone()));
    }
    // After a lost database the record may not be known yet; the number tells all the same.
    let is_ours = payable.numbers.iter().any(|number| number.starts_with(OWN_PREFIX));
    if let Some((record, source)) = case.record.or(is_ours.then_some(("of its number", "CARD or REIMBURSEMENT"))) {
        against.push(Refusal::PaidByBrex(record.to_owned(), source.to_owned()));
    }
    if case.payables.iter().any(|other| is_twin(payable, other)) {
        against.push(Refusal::Twin);
    }
    match case.vendor {
        None => against.push(Refusal::VendorUnknown),
        Some(vendor) if vendor.blocked != Blocked::No => against.push(Refusal::VendorBlocked(vendor.number.clone())),
        Some(_) => {}
    }
    against.extend(earlier_transfers(case));
    against.extend(case.lines.iter().map(|number| Refusal::PreparedInBc(number.clone())));
    let payee = payee(case).map_err(|refusal| against.push(refusal));
    match payee {
        Ok((brex_vendor, way)) if against.is_empty() => Ok(Payment { brex_vendor, way, cents: payable.remaining }),
        _ => Err(against),
    }
}

/// The same number and total for the same vendor.
fn is_twin(payable: &Payable, other: &Payable) -> bool {
    let number = |payable: &Payable| payable.numbers.first().and_then(|number| number_key(number));
    other.id != payable.id
        && (other.kind, other.vendor, other.total) == (payable.kind, payable.vendor, payable.total)
        && other.currency == payable.currency
        && number(payable).is_some()
        && number(other) == number(payable)
}

fn payee(case: &Case<'_>) -> Result<(String, Way), Refusal> {
    let number = || case.vendor.map_or_else(String::new, |vendor| vendor.number.clone());
    let brex_vendor = match case.links {
        [] => return Err(Refusal::VendorNotLinked(number())),
        [only] => only.clone(),
        _ => return Err(Refusal::SeveralLinks(number())),
    };
    let ways = case.ways.ok_or_else(|| Refusal::PayeeGone(brex_vendor.clone()))?;
    let way = match (case.chosen, ways) {
        (Some(chosen), ways) => ways
            .iter()
            .find(|way| way.instrument == chosen)
            .ok_or_else(|| Refusal::UnknownInstrument(chosen.to_owned()))?,
        (None, []) => return Err(Refusal::NoInstrument(brex_vendor)),
        (None, [only]) => only,
        (None, several) => {
            let listed: Vec<String> = several.iter().map(|way| format!("{} ({})", way.instrument, way.rail)).collect();
            return Err(Refusal::SeveralInstruments(listed.join(", ")));
        }
    };
    Ok((brex_vendor, way.clone()))
}

/// Transfers that may pay it: matched or suggested, naming its number, or of the same vendor and amount with nothing that
/// they are known to be for. One that failed or came back pays nothing.
fn earlier_transfers(case: &Case<'_>) -> Vec<Refusal> {
    let payable = case.payable;
    let keys: BTreeSet<String> = payable.numbers.iter().filter_map(|number| number_key(number)).collect();
    let others = case.payables.iter().filter(|other| other.vendor == payable.vendor && other.id != payable.id);
    let others: BTreeSet<String> =
        others.flat_map(|other| &other.numbers).filter_map(|number| number_key(number)).collect();
    let earliest = payable.date.saturating_sub(case.days_before.days());
    let is_for = |found: &Match| found.parts.iter().any(|part| part.payable == payable.id);
    let of = |transfer: &Transfer| {
        let own: Vec<&Match> = case.matches.iter().filter(|found| found.transfer == transfer.id).collect();
        let may_be_its_vendor = transfer.vendors.is_empty() || transfer.vendors.contains(&payable.vendor);
        let names_one = |keys: &BTreeSet<String>| {
            transfer.texts.iter().any(|text| !numbers_in(text, |key| keys.contains(key)).known.is_empty())
        };
        if own.iter().any(|found| is_for(found)) {
            Some("it is matched with it, or may be")
        } else if may_be_its_vendor && names_one(&keys) {
            Some("it names its number")
        } else if own.is_empty()
            && transfer.vendors.contains(&payable.vendor)
            && transfer.amount == payable.remaining
            && transfer.currency == payable.currency
            && (transfer.movement == Movement::UnderWay || transfer.date >= earliest)
            && !case.elsewhere.contains(&transfer.id)
            && !names_one(&others)
        {
            Some("it pays this vendor the same amount, and nobody knows for what")
        } else {
            None
        }
    };
    let counts = |transfer: &&Transfer| {
        matches!(transfer.movement, Movement::UnderWay | Movement::Completed) && !case.despite.contains(&transfer.id)
    };
    let found = case.transfers.iter().filter(counts);
    found.filter_map(|transfer| Some(Refusal::EarlierTransfer(transfer.id.clone(), of(transfer)?))).collect()
}

/// How much may be ordered on one day, in US cents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// In all.
    pub daily: i64,
    /// For one vendor.
    pub vendor_daily: i64,
}

/// Whether an order stays within what may be ordered on one day. `today` are the vendors and cents of that day's orders.
pub fn check_limits(limits: &Limits, today: &[(Uuid, i64)], vendor: Uuid, cents: i64) -> Result<(), Refusal> {
    let sum = |only: Option<Uuid>| {
        let counted = today.iter().filter(|(other, _)| only.is_none_or(|vendor| vendor == *other));
        counted.fold(cents, |sum, (_, cents)| sum.saturating_add(*cents))
    };
    let too_much = |what, sum: i64, most: i64, setting| {
        (sum > most).then(|| Refusal::Limit { what, sum: dollars(sum), most: dollars(most), setting })
    };
    let of_vendor =
        || too_much("what is paid to this vendor", sum(Some(vendor)), limits.vendor_daily, "vendor_daily_most");
    match too_much("what is paid", sum(None), limits.daily, "daily_most").or_else(of_vendor) {
        Some(refusal) => Err(refusal),
        None => Ok(()),
    }
}

/// US cents as people write them: `1200.00 USD`.
pub fn dollars(cents: i64) -> String {
    let money = money_of(cents, &Currency::usd());
    format!("{:.2} {}", money.amount, money.currency)
}
