//! Why a planned document is as it is: where each account, dimension and tax code comes from, and what decided about dates,
//! currency and tax.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::calendar::{PeriodPolicy, is_date};
use crate::document::{DocumentKind, PlannedDocument, PlannedLine};
use crate::money::Money;
use crate::record::Record;
use crate::rules::{CurrencyRule, Rules};
use crate::tax::PlannedTax;

/// A planned document with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The document.
    pub document: PlannedDocument,
    /// Why it is so.
    pub reasons: Reasons,
}

/// The reasons of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reasons {
    /// Where the dates come from.
    pub dates: String,
    /// Which amount is booked, in which currency.
    pub currency: String,
    /// How tax is treated.
    pub tax: String,
    /// For money that comes back: which invoice it is linked to, or why to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<String>,
    /// The reasons of each line, in their order.
    pub lines: Vec<LineReasons>,
}

/// The reasons of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineReasons {
    /// Where the account comes from.
    pub account: Source,
    /// Dimension code to where its value comes from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, Source>,
    /// Where the tax code comes from; none if there is no code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<Source>,
}

impl LineReasons {
    /// Each part of the line with its source, in words.
    pub fn words(&self) -> String {
        let account = format!("account {}", self.account.words());
        let dimensions = self.dimensions.iter().map(|(code, source)| format!("{code} {}", source.words()));
        let tax = self.tax.iter().map(|source| format!("tax {}", source.words()));
        std::iter::once(account).chain(dimensions).chain(tax).collect::<Vec<_>>().join("; ")
    }
}

/// Where a part of a line comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Coded in Brex.
    Coded {
        /// Name of the field, or its id.
        field: String,
        /// How its value was understood.
        by: By,
    },
    /// Coded in Brex with a value that the connection's table translates.
    Table {
        /// Name of the field, or its id.
        field: String,
        /// The value in the table.
        value: String,
    },
    /// Coded in Brex with a value of which a person said what it means.
    Said {
        /// Name of the field, or its id.
        field: String,
        /// The value.
        value: String,
    },
    /// A rule for what is not coded.
    Rule {
        /// Its place among `[[connection.defaults]]`, from 1.
        number: usize,
    },
    /// What the connection says for everything else.
    Connection,
}

/// How a coded value was understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// By BC's id.
    Id,
    /// By number or code.
    Number,
    /// By name.
    Name,
}

impl Source {
    /// The source in words.
    pub fn words(&self) -> String {
        match self {
            Self::Coded { field, by: By::Id } => format!("coded in {field} by id"),
            Self::Coded { field, by: By::Number } => format!("coded in {field} by number"),
            Self::Coded { field, by: By::Name } => format!("coded in {field} by name"),
            Self::Table { field, value } => format!("row {value:?} of the table for {field}"),
            Self::Said { field, value } => format!("a person said what {value:?} of {field} means"),
            Self::Rule { number } => format!("default rule {number}"),
            Self::Connection => "default of the connection".to_owned(),
        }
    }
}

/// Where the dates come from.
pub(crate) fn dates(record: &Record, day: Date, posted: Date, rules: &Rules) -> String {
    let from = if is_date(record.posting_at) {
        format!("{day} in Brex")
    } else {
        format!(
            "{} in Brex is {day} in {}",
            record.posting_at,
            rules.zone.iana_name().unwrap_or("the company's time zone")
        )
    };
    match rules.period {
        _ if posted != day => format!("{from}; moved to {posted}, the first open posting date"),
        PeriodPolicy::AsIs => format!("{from}; kept as it is, whatever the allowed posting dates are"),
        PeriodPolicy::Hold | PeriodPolicy::NextOpen { .. } => from,
    }
}

/// Which amount is booked, in which currency.
pub(crate) fn currency(record: &Record, foreign: Option<&str>, total: &Money, rules: &Rules) -> String {
    let amount = match (rules.currency, &record.original_amount) {
        (CurrencyRule::Billing, _) => "the billed amount",
        (CurrencyRule::Original, Some(_)) => "the original amount",
        (CurrencyRule::Original, None) => "the billed amount, since Brex sent no original one",
    };
    let whose = if foreign.is_some() { "a foreign currency" } else { "the company's own currency" };
    format!("{amount}; {} is {whose}", total.currency)
}

/// How tax is treated.
pub(crate) fn tax(kind: DocumentKind, tax: Option<PlannedTax>, lines: &[PlannedLine], rules: &Rules) -> String {
    let taxed = lines.iter().filter(|line| line.tax_code.is_some()).count();
    let codes = match taxed {
        0 => "no tax code".to_owned(),
        _ if taxed == lines.len() => "a tax code on every line".to_owned(),
        _ => format!("a tax code on {taxed} of {} lines", lines.len()),
    };
    let prices = match tax {
        Some(PlannedTax { prices_include_tax: true, .. }) => "unit costs include VAT",
        _ if rules.tax.prices_include_tax && kind == DocumentKind::CreditMemo => {
            "Business Central decides by the vendor whether prices on credit memos include VAT"
        }
        _ => "the gross amount is the unit cost",
    };
    format!("{codes}; {prices}")
}
