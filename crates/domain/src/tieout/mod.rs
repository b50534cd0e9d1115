//! The tie-out of a period: every Brex record ends as exactly one thing, and every document of ours comes from exactly one
//! record. It compares what Brex says, what Business Central holds and what the connector remembers, and explains the
//! difference or names what cannot be explained. It decides nothing and repairs nothing.

mod sums;
mod unexplained;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::Date;
use serde::Serialize;
use uuid::Uuid;

use crate::document::DocumentKind;
use crate::hold::HoldCode;
use crate::id::RecordId;
use crate::money::Money;
use crate::stage::Stage;

pub use sums::{ByCurrency, Sums, Totals};
pub use unexplained::{Reason, Unexplained};

/// First and last day, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Period {
    /// First day.
    pub from: Date,
    /// Last day.
    pub to: Date,
}

impl Period {
    /// True when the day lies in the period.
    pub fn contains(&self, day: Date) -> bool {
        (self.from..=self.to).contains(&day)
    }
}

/// What Brex says about a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrexRecord {
    /// Its id.
    pub id: RecordId,
    /// Id of its expense.
    pub source: Option<String>,
    /// Its type as Brex spells it.
    pub type_name: String,
    /// Card merchant or payee.
    pub merchant: Option<String>,
    /// The day it has effect, in the company's time zone.
    pub day: Date,
    /// What is booked: positive for spend, negative for what comes back.
    pub money: Money,
    /// False for money movement, which never becomes a document.
    pub is_spend: bool,
    /// How far it is in Brex.
    pub standing: Standing,
    /// Brex keeps an export status of it: bills have none.
    pub has_status: bool,
}

/// How far a record is in Brex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody asked for its export yet.
    Open,
    /// A person asked for the export, or it is a bill that is ready.
    Ready,
    /// Brex says that it is exported.
    Exported,
}

/// What the connector remembers about a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OurRecord {
    /// Its id.
    pub id: RecordId,
    /// Where it stands.
    pub stage: Stage,
    /// Why it is held.
    pub hold: Option<HoldCode>,
}

/// A document of ours in Business Central.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BcDocument {
    /// Its id.
    pub id: Uuid,
    /// Its number.
    pub number: String,
    /// Its kind.
    pub kind: DocumentKind,
    /// `Draft`, `Open`, …
    pub status: String,
    /// Number of its vendor.
    pub vendor: String,
    /// The record that its marker names.
    pub record: RecordId,
    /// Its Posting Date; none if Business Central holds none.
    pub posting_date: Option<Date>,
    /// Its total, negative for a credit memo.
    pub money: Money,
    /// Its lines, negative for a credit memo.
    pub lines: Vec<BcLine>,
}

/// A line with an amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BcLine {
    /// G/L account.
    pub account: String,
    /// Amount including tax.
    pub money: Money,
    /// Dimension code to value code.
    pub dimensions: BTreeMap<String, String>,
}

/// What a record ends as.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case", tag = "end", content = "code")]
pub enum End {
    /// One document, reported to Brex.
    Document,
    /// Waits for a person.
    Held(HoldCode),
    /// A person set it aside.
    Skipped,
    /// Money movement.
    NotSpend,
    /// A legal entity spent that another connection books for.
    Elsewhere,
    /// Nobody asked for its export in Brex yet.
    NotReady,
    /// The connector is at it.
    InWork(Stage),
    /// None of these: see the list of what is unexplained.
    Unexplained,
}

impl End {
    /// Stable name of the class.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Held(_) => "held",
            Self::Skipped => "skipped",
            Self::NotSpend => "not_spend",
            Self::Elsewhere => "elsewhere",
            Self::NotReady => "not_ready",
            Self::InWork(_) => "in_work",
            Self::Unexplained => "unexplained",
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(code) => write!(f, "held: {code}"),
            Self::InWork(stage) => write!(f, "in work: {stage}"),
            other => f.write_str(other.as_str()),
        }
    }
}

/// One record of the period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Its id.
    pub record: RecordId,
    /// Its type.
    pub record_type: String,
    /// Card merchant or payee.
    pub merchant: Option<String>,
    /// Its day.
    pub day: Date,
    /// Its signed amount.
    pub money: Money,
    /// What it ends as.
    #[serde(flatten)]
    pub end: End,
    /// The number of its document.
    pub document: Option<String>,
    /// The Posting Date of its document, if that lies outside the period.
    pub posted_outside: Option<Date>,
}

/// The whole comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TieOut {
    /// The period.
    pub period: Period,
    /// The records of the period, by day and id.
    pub items: Vec<Item>,
    /// Counts and sums.
    pub sums: Sums,
    /// What does not fit, by record.
    pub unexplained: Vec<Unexplained>,
}

impl TieOut {
    /// True when everything is explained.
    pub fn holds(&self) -> bool {
        self.unexplained.is_empty()
    }

    /// True when, beyond that, nothing waits: every record is a document, set aside, no spend, or booked elsewhere.
    pub fn is_closed(&self) -> bool {
        let done = |end: &End| matches!(end, End::Document | End::Skipped | End::NotSpend | End::Elsewhere);
        self.holds() && self.items.iter().all(|item| done(&item.end))
    }
}

/// The three sides, each record and document once.
#[derive(Clone, Debug, Default)]
pub struct Sides {
    /// All records that Brex has since the cut-over date, of any day: a document of the period may come from another day.
    pub brex: BTreeMap<RecordId, BrexRecord>,
    /// Records that Brex has and that cannot be read, with the reason; their day is unknown.
    pub unreadable: BTreeMap<RecordId, String>,
    /// All records that the connector knows.
    pub ours: BTreeMap<RecordId, OurRecord>,
    /// Records that the connector does not know, and of which Brex says that a legal entity spent that another connection books
    /// for: that one may have exported them before this one looked.
    pub elsewhere: BTreeSet<RecordId>,
    /// All documents of ours that are posted or to be posted in the period or belong to a record of ours, by the
    /// record that their marker names.
    pub documents: BTreeMap<RecordId, Vec<BcDocument>>,
}

/// Compares the three sides.
pub fn tie_out(period: Period, sides: &Sides) -> TieOut {
    let unexplained = unexplained::find(period, sides);
    let mut items: Vec<Item> = sides
        .brex
        .values()
        .filter(|record| period.contains(record.day))
        .map(|record| item(period, sides, record, &unexplained))
        .collect();
    items.sort_by(|a, b| (a.day, &a.record).cmp(&(b.day, &b.record)));
    let sums = sums::add_up(period, sides, &items);
    TieOut { period, items, sums, unexplained }
}

fn item(period: Period, sides: &Sides, record: &BrexRecord, unexplained: &[Unexplained]) -> Item {
    let document = sides.documents.get(&record.id).and_then(|documents| documents.first());
    let is_unexplained = unexplained.iter().any(|found| found.record.as_ref() == Some(&record.id));
    let end = match sides.ours.get(&record.id) {
        _ if is_unexplained => End::Unexplained,
        None if sides.elsewhere.contains(&record.id) => End::Elsewhere,
        ours => end_of(record, ours),
    };
    Item {
        record: record.id.clone(),
        record_type: record.type_name.clone(),
        merchant: record.merchant.clone(),
        day: record.day,
        money: record.money.clone(),
        end,
        document: document.map(|document| document.number.clone()),
        posted_outside: document.and_then(|document| document.posting_date).filter(|day| !period.contains(*day)),
    }
}

/// What a record ends as that contradicts nothing.
fn end_of(record: &BrexRecord, ours: Option<&OurRecord>) -> End {
    let Some(ours) = ours else {
        // What Brex has not released was never looked at.
        return if record.is_spend { End::NotReady } else { End::NotSpend };
    };
    if ours.stage == Stage::Exported {
        return End::Document;
    }
    if let Some(code) = ours.hold {
        return End::Held(code);
    }
    match ours.stage {
        Stage::Waiting if record.is_spend => End::NotReady,
        Stage::Waiting | Stage::NotSpend => End::NotSpend,
        Stage::Elsewhere => End::Elsewhere,
        Stage::Skipped => End::Skipped,
        stage => End::InWork(stage),
    }
}
