//! Records and a company for the tests: every builder gives something sound, and each test changes the one thing it is
//! about.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use domain::calendar::{PeriodPolicy, PostingRange};
use domain::directory::{Account, Blocked, CompanySetup, DimensionValue, Directory, Vendor};
use domain::document::PlannedDocument;
use domain::hold::Hold;
use domain::id::{JobId, RecordId};
use domain::mapping::decide_document;
use domain::money::{Currency, Money};
use domain::record::{CodedField, Line, Merchant, Person, Record, Review, Side};
use domain::rules::{ClosedYears, CurrencyRule, FieldRules, Rules};
use domain::tax::{TaxRules, TaxSetup};
use domain::template::Descriptions;
use domain::vendor::{Link, ResolvedVendor, decide_vendor};
use domain::why::Planned;
use jiff::tz::TimeZone;
use uuid::Uuid;

/// A BC company with the rules of its connection.
#[derive(Clone, Debug)]
pub(crate) struct Company {
    pub(crate) vendors: Vec<Vendor>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) values: Vec<DimensionValue>,
    pub(crate) setup: CompanySetup,
    pub(crate) rules: Rules,
}

impl Company {
    pub(crate) fn directory(&self) -> Directory {
        Directory::new(self.vendors.clone(), self.accounts.clone(), self.values.clone(), self.setup.clone())
    }

    /// Plans the document of the record on vendor V10000.
    pub(crate) fn plan(&self, record: &Record) -> Result<PlannedDocument, Hold> {
        self.plan_with_reasons(record).map(|planned| planned.document)
    }

    /// The same, with the reasons.
    pub(crate) fn plan_with_reasons(&self, record: &Record) -> Result<Planned, Hold> {
        decide_document(record, "V10000", job_of(record), &self.rules, &self.directory())
    }

    pub(crate) fn vendor(&self, record: &Record, links: &[Link]) -> Result<ResolvedVendor, Hold> {
        decide_vendor(record, links, &self.rules, &self.directory())
    }
}

/// A company in UTC that books dollars and knows three other currencies.
pub(crate) fn company() -> Company {
    let codes = |list: &[&str]| list.iter().map(|code| (*code).to_owned()).collect::<BTreeSet<_>>();
    Company {
        vendors: vec![
            vendor(0x10, "V10000", "Messe Berlin"),
            vendor(0x20, "V20000", "Schrute Farms, LLC"),
            Vendor { email: "sam.lee@example.com; sam@example.org".to_owned(), ..vendor(0x30, "V30000", "Sam Lee") },
        ],
        accounts: vec![
            account(0x613, "61300", "Advertising"),
            account(0x641, "64100", "Travel"),
            Account { account_type: "Heading".to_owned(), ..account(0x600, "60000", "Expenses") },
            Account { blocked: true, ..account(0x614, "61400", "Old Advertising") },
            Account { direct_posting: false, ..account(0x221, "22100", "Payables") },
        ],
        values: vec![
            value(0xd1, "DEPARTMENT", "MKT", "Marketing"),
            value(0xd2, "DEPARTMENT", "SALES", "Sales"),
            value(0xe1, "PROJECT", "P1", "Trade Fair"),
            value(0xe2, "PROJECT", "P2", "Trade Fair"),
        ],
        setup: CompanySetup {
            local_currency: "USD".to_owned(),
            posting: PostingRange::default(),
            closed: Vec::new(),
            currencies: codes(&["EUR", "JPY", "KWD"]),
            dimensions: codes(&["DEPARTMENT", "PROJECT"]),
            tax: TaxSetup::default(),
        },
        rules: Rules {
            version: "r1".to_owned(),
            zone: TimeZone::UTC,
            period: PeriodPolicy::Hold,
            closed_years: ClosedYears::Closed,
            currency: CurrencyRule::Billing,
            default_vendor: None,
            employees: BTreeMap::new(),
            fields: FieldRules::default(),
            meanings: Vec::new(),
            values: BTreeMap::new(),
            defaults: Vec::new(),
            types: BTreeMap::new(),
            header_dimensions: true,
            tax: TaxRules::default(),
            descriptions: Descriptions::default(),
        },
    }
}

/// The company with the rule that says which of a record's amounts is booked.
pub(crate) fn company_that_books(currency: CurrencyRule) -> Company {
    let mut company = company();
    company.rules.currency = currency;
    company
}

pub(crate) fn vendor(id: u128, number: &str, name: &str) -> Vendor {
    Vendor {
        id: Uuid::from_u128(id),
        number: number.to_owned(),
        name: name.to_owned(),
        email: String::new(),
        blocked: Blocked::No,
        city: String::new(),
        country: String::new(),
        website: String::new(),
    }
}

pub(crate) fn account(id: u128, number: &str, name: &str) -> Account {
    Account {
        id: Uuid::from_u128(id),
        number: number.to_owned(),
        name: name.to_owned(),
        account_type: "Posting".to_owned(),
        direct_posting: true,
        blocked: false,
    }
}

pub(crate) fn value(id: u128, dimension: &str, code: &str, name: &str) -> DimensionValue {
    DimensionValue {
        id: Uuid::from_u128(id),
        dimension: dimension.to_owned(),
        code: code.to_owned(),
        name: name.to_owned(),
    }
}

/// The text of a BC id.
pub(crate) fn guid(id: u128) -> String {
    Uuid::from_u128(id).to_string()
}

/// Reads `12.50 USD`.
pub(crate) fn money(text: &str) -> Money {
    let (amount, currency) = text.split_once(' ').unwrap();
    Money::new(amount.parse().unwrap(), Currency::new(currency).unwrap())
}

/// A line on the debit side.
pub(crate) fn line(amount: &str, coding: Vec<CodedField>) -> Line {
    Line {
        id: "accrli_1".to_owned(),
        side: Side::Debit,
        amount: money(amount),
        original_amount: None,
        memo: None,
        coding,
    }
}

/// A field coded by its remote ids, as for lists that the connector pushed.
pub(crate) fn coded(field: &str, value: &str) -> CodedField {
    CodedField { field: Some(field.to_owned()), value: Some(value.to_owned()), ..CodedField::default() }
}

/// A field coded with a value that was made in Brex and has only a name.
pub(crate) fn named(field: &str, value_name: &str) -> CodedField {
    CodedField { field: Some(field.to_owned()), value_name: Some(value_name.to_owned()), ..CodedField::default() }
}

pub(crate) fn gl(number: &str) -> CodedField {
    coded("GL_ACCOUNT", number)
}

/// A record of a type whose expense stands on `side`, with the balancing line that makes it double entry.
pub(crate) fn record(type_name: &str, side: Side, amount: &str, lines: Vec<Line>) -> Record {
    let total = money(amount);
    let other = if side == Side::Debit { Side::Credit } else { Side::Debit };
    let mut lines: Vec<Line> = lines.into_iter().map(|line| Line { side, ..line }).collect();
    let balance = Money::new(total.abs(), total.currency.clone());
    lines.push(Line { side: other, amount: balance, ..line("0 USD", vec![]) });
    Record {
        id: RecordId::new("accr_1"),
        version: 4,
        type_name: type_name.to_owned(),
        policy: None,
        review: Review::ReadyForExport,
        source_type: "CARD".to_owned(),
        source_id: Some("expense_1".to_owned()),
        amount: total,
        original_amount: None,
        posting_at: "2026-06-11T09:09:05.840865Z".parse().unwrap(),
        updated_at: "2026-06-12T16:20:41.102334Z".parse().unwrap(),
        due_at: None,
        invoice_number: None,
        memo: None,
        merchant: Some(Merchant { id: "pmch_42".to_owned(), name: "Messe Berlin GmbH".to_owned() }),
        person: Some(Person { name: "Dana Okafor".to_owned(), email: "dana.okafor@example.com".to_owned() }),
        lines,
        receipts: Vec::new(),
    }
}

/// Card spend.
pub(crate) fn card(amount: &str, lines: Vec<Line>) -> Record {
    record("CARD_EXPENSE_POST", Side::Debit, amount, lines)
}

/// Card spend with one line on account 61300.
pub(crate) fn simple_card(amount: &str) -> Record {
    card(amount, vec![line(amount, vec![gl("61300")])])
}

/// A refund with one line on account 61300; the record may carry either sign, the line never does.
pub(crate) fn refund(amount: &str) -> Record {
    record("CARD_EXPENSE_REFUND", Side::Credit, amount, vec![line(amount.trim_start_matches('-'), vec![gl("61300")])])
}

/// A reimbursement of Sam Lee.
pub(crate) fn reimbursement(amount: &str) -> Record {
    Record {
        source_type: "REIMBURSEMENT".to_owned(),
        merchant: None,
        person: Some(Person { name: "Sam Lee".to_owned(), email: "Sam.Lee@Example.com ".to_owned() }),
        ..record("REIMBURSEMENT_EXPENSE_APPROVAL", Side::Debit, amount, vec![line(amount, vec![gl("64100")])])
    }
}

/// A bill of Schrute Farms.
pub(crate) fn supplier_bill(amount: &str, number: Option<&str>) -> Record {
    Record {
        source_type: "BILL".to_owned(),
        review: Review::Review,
        due_at: Some("2026-07-01T12:00:00Z".parse().unwrap()),
        invoice_number: number.map(str::to_owned),
        merchant: Some(Merchant { id: "pdcont_1".to_owned(), name: "Schrute Farms LLC".to_owned() }),
        person: None,
        ..record("BILL_EXPENSE", Side::Debit, amount, vec![line(amount, vec![gl("61300")])])
    }
}

/// The record with another merchant.
pub(crate) fn from_merchant(name: &str, record: Record) -> Record {
    Record { merchant: Some(Merchant { id: "pmch_1".to_owned(), name: name.to_owned() }), ..record }
}

pub(crate) fn job_of(record: &Record) -> JobId {
    JobId::new("cuacc_1", &record.id, Uuid::from_u128(0xc0))
}

/// The hold as `code: sentence`.
pub(crate) fn held<T: Debug>(outcome: Result<T, Hold>) -> String {
    let hold = outcome.unwrap_err();
    format!("{}: {}", hold.code, hold.sentence)
}
