//! Makes books with a known truth from a seed: payments as they happen, and the traps that are in real books.

use std::collections::{BTreeMap, BTreeSet};

use domain::money::Currency;
use domain::transfer::{Books, LedgerPayment, Movement, Payable, PayableKind, Transfer};
use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use uuid::Uuid;

/// What is true of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Truth {
    /// The documents that it pays, with the money on each.
    pub(crate) pays: BTreeMap<String, i64>,
    /// Whether what is in the books leaves no other reading.
    pub(crate) is_clear: bool,
}

/// Books with their truth.
pub(crate) struct World {
    pub(crate) books: Books,
    pub(crate) truth: BTreeMap<String, Truth>,
    chance: Chance,
    vendors: u64,
}

/// SplitMix64: the same numbers from the same seed, everywhere.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    pub(crate) fn cents(&mut self) -> i64 {
        i64::try_from(1_000 + self.below(2_000_000)).unwrap_or(1_000)
    }

    fn days(&mut self, bound: u64) -> i64 {
        i64::try_from(self.below(bound)).unwrap_or(0)
    }
}

pub(crate) fn vendor(number: u64) -> Uuid {
    Uuid::from_u128(0x1000 + u128::from(number))
}

pub(crate) fn usd() -> Currency {
    Currency::new("USD").unwrap()
}

/// An open invoice with a number of its own.
pub(crate) fn invoice(id: &str, vendor: Uuid, number: &str, total: i64, date: Date) -> Payable {
    Payable {
        id: id.to_owned(),
        kind: PayableKind::Invoice,
        vendor,
        numbers: vec![number.to_owned(), format!("PPI-{id}")],
        total,
        remaining: total,
        is_certain: true,
        currency: usd(),
        date,
        due: date.saturating_add(30.days()),
    }
}

/// A completed transfer to a linked vendor.
pub(crate) fn transfer(id: &str, vendor: Uuid, amount: i64, date: Date, memo: &str) -> Transfer {
    Transfer {
        id: id.to_owned(),
        movement: Movement::Completed,
        amount,
        currency: usd(),
        date,
        texts: vec![memo.to_owned(), format!("Some Vendor - {memo}")],
        vendors: vec![vendor],
        settled: Some(amount),
    }
}

impl World {
    /// Books with `stories` payments among `vendors` vendors.
    pub(crate) fn generate(seed: u64, stories: usize, vendors: u64) -> Self {
        let mut world = Self { books: Books::default(), truth: BTreeMap::new(), chance: Chance(seed), vendors };
        for number in 0..stories {
            match number % 20 {
                0..=3 => world.named(1, 0),
                4 | 5 => world.plain(),
                6 | 7 => world.named(2, 0),
                8 => world.named(3, 0),
                9 => world.sum(),
                10 => world.in_parts(),
                11 => world.named(1, 1),
                12 => world.with_fee(),
                13 => world.returned_and_paid_again(),
                14 => world.same_amount_twice(),
                15 => world.other_vendors_number(),
                16 => world.two_vendors_of_one_name(),
                17 => world.paid_twice(),
                18 => world.booked(),
                _ => world.noise(),
            }
        }
        world
    }

    fn vendor(&mut self) -> Uuid {
        vendor(self.chance.below(self.vendors))
    }

    fn owes(&mut self, vendor: Uuid, total: i64) -> Payable {
        let number = self.books.payables.len();
        let day = date(2026, 1, 5).saturating_add(self.chance.days(120).days());
        let name = match number % 3 {
            0 => format!("INV-2026-{number:05}"),
            1 => format!("R{number:06}"),
            _ => format!("{}/{number:05}", 10 + number % 80),
        };
        let payable = invoice(&format!("p{number:06}"), vendor, &name, total, day);
        self.books.payables.push(payable.clone());
        payable
    }

    fn pays(&mut self, vendor: Uuid, memo: &str, paid: &[(&Payable, i64)], is_clear: bool) -> usize {
        let number = self.books.transfers.len();
        let day = paid.iter().map(|(payable, _)| payable.date).max().unwrap_or(date(2026, 3, 1));
        let day = day.saturating_add((2 + self.chance.days(30)).days());
        let amount = paid.iter().map(|(_, amount)| amount).sum();
        let made = transfer(&format!("t{number:06}"), vendor, amount, day, memo);
        let pays = paid.iter().map(|(payable, amount)| (payable.id.clone(), *amount)).collect();
        self.truth.insert(made.id.clone(), Truth { pays, is_clear });
        self.books.transfers.push(made);
        number
    }

    /// Invoices that the memo names, less credit memos that it does not.
    fn named(&mut self, invoices: usize, credits: usize) {
        let vendor = self.vendor();
        let mut all = Vec::new();
        for _ in 0..invoices {
            let total = self.chance.cents();
            all.push(self.owes(vendor, total));
        }
        let memo = all.iter().map(|p| p.numbers[0].clone()).collect::<Vec<_>>().join(" ");
        let mut paid: Vec<(Payable, i64)> = all.into_iter().map(|p| (p.clone(), p.total)).collect();
        for _ in 0..credits {
            let total = 1 + paid[0].1 / 3;
            let credit = self.owes(vendor, total);
            if let Some(last) = self.books.payables.last_mut() {
                last.kind = PayableKind::CreditMemo;
            }
            paid.push((credit, -total));
        }
        let paid: Vec<(&Payable, i64)> = paid.iter().map(|(p, amount)| (p, *amount)).collect();
        self.pays(vendor, &memo, &paid, true);
    }

    /// Nothing but vendor, amount and date.
    fn plain(&mut self) {
        let (vendor, total) = (self.vendor(), self.chance.cents());
        let owed = self.owes(vendor, total);
        self.pays(vendor, "Payment", &[(&owed, total)], true);
    }

    fn sum(&mut self) {
        let (vendor, a, b) = (self.vendor(), self.chance.cents(), self.chance.cents());
        let (a, b) = (self.owes(vendor, a), self.owes(vendor, b));
        self.pays(vendor, "Payment", &[(&a, a.total), (&b, b.total)], true);
    }

    fn in_parts(&mut self) {
        let (vendor, total) = (self.vendor(), self.chance.cents());
        let owed = self.owes(vendor, total);
        let (memo, first) = (owed.numbers[0].clone(), total / 3);
        self.pays(vendor, &memo, &[(&owed, first)], true);
        self.pays(vendor, &memo, &[(&owed, total - first)], true);
    }

    fn with_fee(&mut self) {
        let (vendor, total) = (self.vendor(), self.chance.cents());
        let owed = self.owes(vendor, total);
        let number = self.pays(vendor, &owed.numbers[0], &[(&owed, total)], true);
        self.books.transfers[number].settled = Some(total + 1_500);
    }

    fn returned_and_paid_again(&mut self) {
        let (vendor, total) = (self.vendor(), self.chance.cents());
        let owed = self.owes(vendor, total);
        let memo = owed.numbers[0].clone();
        let first = self.pays(vendor, &memo, &[(&owed, total)], false);
        self.books.transfers[first].movement = Movement::Returned;
        let id = self.books.transfers[first].id.clone();
        self.truth.insert(id, Truth { pays: BTreeMap::new(), is_clear: false });
        self.pays(vendor, &memo, &[(&owed, total)], true);
    }

    fn same_amount_twice(&mut self) {
        let (vendor, total) = (self.vendor(), self.chance.cents());
        let first = self.owes(vendor, total);
        let second = self.owes(vendor, total);
        for owed in self.books.payables.iter_mut().rev().take(2) {
            owed.date = second.date;
            owed.due = second.due;
        }
        let paid = if self.chance.below(2) == 0 { first } else { second };
        self.pays(vendor, "Payment", &[(&paid, total)], false);
    }

    /// The payee's own invoice is paid, but the memo says a number of somebody else.
    fn other_vendors_number(&mut self) {
        let (other, vendor, total) = (self.vendor(), self.vendor(), self.chance.cents());
        let named = self.owes(other, total);
        let owed = self.owes(vendor, total);
        let is_own = other == vendor;
        let paid = if is_own { &named } else { &owed };
        self.pays(vendor, &named.numbers[0], &[(paid, total)], is_own);
    }

    fn two_vendors_of_one_name(&mut self) {
        let (a, total) = (self.vendor(), self.chance.cents());
        let b = vendor(self.vendors + self.chance.below(self.vendors));
        let owed = self.owes(a, total);
        self.owes(b, total);
        let is_named = self.chance.below(2) == 0;
        let memo = if is_named { owed.numbers[0].clone() } else { "Payment".to_owned() };
        let number = self.pays(a, &memo, &[(&owed, total)], is_named);
        self.books.transfers[number].vendors = vec![a, b];
    }

    fn paid_twice(&mut self) {
        let (vendor, total) = (self.vendor(), self.chance.cents());
        let owed = self.owes(vendor, total);
        let first = self.pays(vendor, &owed.numbers[0], &[(&owed, total)], true);
        let second = self.pays(vendor, &owed.numbers[0], &[(&owed, total)], false);
        let day = self.books.transfers[first].date.saturating_add(3.days());
        self.books.transfers[second].date = day;
        let id = self.books.transfers[second].id.clone();
        self.truth.insert(id, Truth { pays: BTreeMap::new(), is_clear: false });
    }

    /// The accountant has booked it in BC: the invoice is closed.
    fn booked(&mut self) {
        let (vendor, total) = (self.vendor(), self.chance.cents());
        let owed = self.owes(vendor, total);
        if let Some(last) = self.books.payables.last_mut() {
            last.remaining = 0;
        }
        let number = self.pays(vendor, &owed.numbers[0], &[(&owed, total)], true);
        let made = &self.books.transfers[number];
        self.books.payments.push(LedgerPayment {
            id: format!("{}", 900_000 + number),
            vendor,
            amount: total,
            currency: usd(),
            date: made.date.saturating_add(1.day()),
            texts: vec!["PAY-1".to_owned()],
            is_open: false,
        });
    }

    /// What is nobody's business: unpaid invoices, other currencies, rent whose invoice is not there yet, customers' money.
    fn noise(&mut self) {
        let (vendor, total) = (self.vendor(), self.chance.cents());
        let rent = self.owes(vendor, total);
        let number = self.pays(vendor, "RENT-2026-088", &[(&rent, total)], false);
        let id = self.books.transfers[number].id.clone();
        self.truth.insert(id, Truth { pays: BTreeMap::new(), is_clear: false });
        let euro_total = self.chance.cents();
        let euro = self.owes(vendor, euro_total);
        if let Some(last) = self.books.payables.last_mut() {
            last.currency = Currency::new("EUR").unwrap();
        }
        for movement in [Movement::Incoming, Movement::Failed, Movement::UnderWay, Movement::Completed] {
            let number = self.pays(vendor, &euro.numbers[0], &[(&euro, euro_total)], false);
            let made = &mut self.books.transfers[number];
            made.movement = movement;
            self.truth.insert(made.id.clone(), Truth { pays: BTreeMap::new(), is_clear: false });
        }
        for _ in 0..2 {
            let total = self.chance.cents();
            self.owes(vendor, total);
        }
    }

    /// Everything in another order.
    pub(crate) fn shuffled(&self, seed: u64) -> Books {
        let mut chance = Chance(seed);
        let mut books = self.books.clone();
        shuffle(&mut books.transfers, &mut chance);
        shuffle(&mut books.payables, &mut chance);
        shuffle(&mut books.payments, &mut chance);
        books
    }

    /// Transfers whose truth leaves no doubt.
    pub(crate) fn clear(&self) -> BTreeSet<&str> {
        self.truth.iter().filter(|(_, truth)| truth.is_clear).map(|(id, _)| id.as_str()).collect()
    }
}

fn shuffle<T>(items: &mut [T], chance: &mut Chance) {
    for place in (1..items.len()).rev() {
        let other = usize::try_from(chance.below(u64::try_from(place + 1).unwrap_or(1))).unwrap_or(0);
        items.swap(place, other);
    }
}
