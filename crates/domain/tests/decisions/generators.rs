//! Random records: sound ones, and sound ones with a few things spoilt. And the document that a plan becomes.

use std::collections::BTreeMap;

use domain::document::{FoundDocument, FoundLine, PlannedDocument};
use domain::id::RecordId;
use domain::money::{Currency, Money};
use domain::record::{CodedField, Line, Merchant, Person, Record, Side};
use domain::rules::CurrencyRule;
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::made::{coded, gl, guid, named, record};

const TYPES: [(&str, Side); 6] = [
    ("CARD_EXPENSE_POST", Side::Debit),
    ("CARD_EXPENSE_REFUND", Side::Credit),
    ("CARD_EXPENSE_REPAYMENT", Side::Credit),
    ("REIMBURSEMENT_EXPENSE_APPROVAL", Side::Debit),
    ("REIMBURSEMENT_EXPENSE_POST", Side::Debit),
    ("BILL_EXPENSE", Side::Debit),
];

/// Currencies that the company knows, with their decimals.
const CURRENCIES: [(&str, u32); 4] = [("USD", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3)];

pub(crate) fn currency_rule() -> impl Strategy<Value = CurrencyRule> {
    select(vec![CurrencyRule::Billing, CurrencyRule::Original])
}

fn minor_units() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 1..100_000_i64, 1 => 1..1_000_000_000_000_i64]
}

/// Coding that the company of `made` understands.
fn coding() -> impl Strategy<Value = Vec<CodedField>> {
    let accounts = vec![gl("61300"), gl(&guid(0x641)), named("GL_ACCOUNT", "64100 Travel")];
    let dimensions = vec![
        None,
        Some(coded("DIM_DEPARTMENT", "MKT")),
        Some(coded("DIM_DEPARTMENT", &guid(0xd2))),
        Some(named("DIM_DEPARTMENT", "Sales")),
        Some(CodedField { field: Some("DIM_PROJECT".to_owned()), ..CodedField::default() }),
    ];
    (select(accounts), select(dimensions), any::<bool>()).prop_map(|(account, dimension, project)| {
        let project = project.then(|| coded("DIM_PROJECT", "P1"));
        [Some(account), dimension, project].into_iter().flatten().collect()
    })
}

/// A text as people type it, or not at all.
fn text() -> impl Strategy<Value = Option<String>> {
    proptest::option::of("[a-zA-Z0-9 é€🎪\t]{0,130}")
}

fn instant() -> impl Strategy<Value = Timestamp> {
    (946_684_800_i64..4_102_444_800).prop_map(|second| Timestamp::from_second(second).unwrap())
}

/// One split: billed and original minor units, memo, coding.
type Split = (i64, i64, Option<String>, Vec<CodedField>);

fn split_line((billed, original, memo, coding): Split, currencies: &[(&str, u32)]) -> Line {
    let mut amounts = [billed, original]
        .into_iter()
        .zip(currencies)
        .map(|(units, (code, decimals))| Money::new(Decimal::new(units, *decimals), Currency::new(code).unwrap()));
    Line {
        id: "accrli_1".to_owned(),
        side: Side::Debit,
        amount: amounts.next().unwrap(),
        original_amount: amounts.next(),
        memo,
        coding,
    }
}

fn total(amounts: impl Iterator<Item = Money>) -> Option<Money> {
    amounts.reduce(|sum, next| Money::new(sum.amount + next.amount, sum.currency))
}

/// A record that adds up and is coded in full: every type, either sign, with and without original amounts and the
/// balancing side.
pub(crate) fn sound_record() -> impl Strategy<Value = Record> {
    let splits = proptest::collection::vec((minor_units(), minor_units(), text(), coding()), 1..7);
    let currencies = proptest::collection::vec(select(&CURRENCIES[..]), 1..=2);
    let head = (select(&TYPES[..]), any::<bool>(), any::<bool>(), "[a-z0-9]{1,12}");
    let texts = (text(), text(), text(), "[ -~]{0,20}[!-~][ -~]{0,14}");
    (head, splits, currencies, instant(), proptest::option::of(instant()), texts).prop_map(
        |((kind, negative, balanced, id), splits, currencies, posting_at, due_at, texts)| {
            let lines: Vec<Line> = splits.into_iter().map(|split| split_line(split, &currencies)).collect();
            let amount = total(lines.iter().map(|line| line.amount.clone())).unwrap();
            let original = total(lines.iter().filter_map(|line| line.original_amount.clone()));
            let shown = format!("{} {}", amount.amount, amount.currency);
            let mut record = record(kind.0, kind.1, &shown, lines);
            record.lines.last_mut().unwrap().original_amount.clone_from(&original);
            if !balanced {
                record.lines.pop();
            }
            let sign = if negative { Decimal::NEGATIVE_ONE } else { Decimal::ONE };
            record.amount.amount *= sign;
            record.original_amount = original.map(|money| Money::new(money.amount * sign, money.currency));
            let (memo, merchant, person, number) = texts;
            Record {
                id: RecordId::new(format!("accr_{id}")),
                posting_at,
                due_at,
                memo,
                merchant: merchant.map(|name| Merchant { id: "pmch_1".to_owned(), name }),
                person: person.map(|name| Person { name, email: "sam.lee@example.com".to_owned() }),
                invoice_number: Some(number),
                ..record
            }
        },
    )
}

/// What can be wrong with a record.
#[derive(Clone, Copy, Debug)]
enum Spoilt {
    Total,
    Line,
    Decimals,
    LostLine,
    ExtraLine,
    Side,
    Currency,
    Original,
    Coding,
    Account,
    Dimension,
    Type,
}

const SPOILT: [Spoilt; 12] = [
    Spoilt::Total,
    Spoilt::Line,
    Spoilt::Decimals,
    Spoilt::LostLine,
    Spoilt::ExtraLine,
    Spoilt::Side,
    Spoilt::Currency,
    Spoilt::Original,
    Spoilt::Coding,
    Spoilt::Account,
    Spoilt::Dimension,
    Spoilt::Type,
];

fn spoil(mut record: Record, how: Spoilt, by: Decimal, at: usize) -> Record {
    let at = at % record.lines.len();
    let line = &mut record.lines[at];
    match how {
        Spoilt::Total => record.amount.amount += by,
        Spoilt::Line => line.amount.amount += by,
        Spoilt::Decimals => line.amount.amount += Decimal::new(1, 6),
        Spoilt::LostLine => drop(record.lines.remove(at)),
        Spoilt::ExtraLine => {
            let again = line.clone();
            record.lines.push(again);
        }
        Spoilt::Side => line.side = if line.side == Side::Debit { Side::Credit } else { Side::Debit },
        Spoilt::Currency => line.amount.currency = Currency::new("GBP").unwrap(),
        Spoilt::Original => line.original_amount = Some(Money::new(by, line.amount.currency.clone())),
        Spoilt::Coding => line.coding.clear(),
        Spoilt::Account => line.coding.push(gl("7500")),
        Spoilt::Dimension => line.coding.push(coded("DIM_REGION", "WEST")),
        Spoilt::Type => "CARD_PAYMENT".clone_into(&mut record.type_name),
    }
    record
}

/// A record with one to three things wrong; several may cancel each other out.
pub(crate) fn spoilt_record() -> impl Strategy<Value = Record> {
    let spoilers = proptest::collection::vec((select(&SPOILT[..]), -200_i64..200, any::<prop::sample::Index>()), 1..=3);
    (sound_record(), spoilers).prop_map(|(record, spoilers)| {
        spoilers.into_iter().fold(record, |record, (how, by, at)| {
            let lines = record.lines.len();
            if lines == 0 { record } else { spoil(record, how, Decimal::new(by, 2), at.index(lines)) }
        })
    })
}

/// The document as Business Central shows it after it was created from the plan in a company that books dollars.
pub(crate) fn as_created(plan: &PlannedDocument) -> FoundDocument {
    let accounts = plan.lines.iter().map(|line| FoundLine {
        line_type: "Account".to_owned(),
        account: line.account.clone(),
        description: line.description.clone(),
        amount: line.amount,
        tax_code: line.tax_code.clone().unwrap_or_default(),
        dimensions: line.dimensions.clone(),
    });
    let marker = FoundLine {
        line_type: "Comment".to_owned(),
        account: String::new(),
        description: plan.marker_line(),
        amount: Decimal::ZERO,
        tax_code: String::new(),
        dimensions: BTreeMap::new(),
    };
    FoundDocument {
        kind: plan.kind,
        id: Uuid::from_u128(0x900),
        number: "108001".to_owned(),
        vendor_document_number: plan.number.as_str().to_owned(),
        vendor_number: plan.vendor_number.clone(),
        posting_date: Some(plan.posting_date),
        document_date: Some(plan.document_date),
        due_date: plan.due_date.or(Some(plan.posting_date)),
        currency: plan.currency.clone().unwrap_or_else(|| "USD".to_owned()),
        total: plan.total,
        tax: Decimal::ZERO,
        prices_include_tax: plan.tax.is_some_and(|tax| tax.prices_include_tax),
        applies_to: plan.applies_to.as_ref().map(|invoice| invoice.id),
        status: "Draft".to_owned(),
        dimensions: plan.dimensions.clone(),
        lines: accounts.chain([marker]).collect(),
    }
}
