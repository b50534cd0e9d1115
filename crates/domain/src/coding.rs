//! The coding of a line: its account, dimensions and tax code, from what is coded in Brex, else from the connection's
//! rules; and where each of them comes from.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::defaults::{DefaultRule, same};
use crate::directory::{Account, DimensionValue, Directory};
use crate::hold::{Hold, HoldCode};
use crate::money::Money;
use crate::record::{CodedField, Line, Record};
use crate::rules::{Axis, Rules};
use crate::tax::TaxCode;
use crate::why::{By, LineReasons, Source};

/// What a line is coded to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Coding {
    pub(crate) account: String,
    pub(crate) dimensions: BTreeMap<String, String>,
    pub(crate) tax_code: Option<String>,
    pub(crate) reasons: LineReasons,
}

/// A number or code with where it comes from.
type Coded = (String, Source);

/// What is known so far.
#[derive(Default)]
struct Parts {
    account: Option<Coded>,
    dimensions: BTreeMap<String, Coded>,
    tax: Option<Coded>,
}

/// What a line over `amount` is coded to.
pub(crate) fn decide_coding(
    line: &Line,
    record: &Record,
    amount: &Money,
    rules: &Rules,
    directory: &Directory,
) -> Result<Coding, Hold> {
    let mut parts = coded(line, rules, directory)?;
    for (number, rule) in (1..).zip(&rules.defaults).filter(|(_, rule)| rule.fits(line, record)) {
        add_default(&mut parts, rule, &Source::Rule { number }, directory)?;
    }
    if let (None, Some(text)) = (&parts.tax, &rules.tax.default) {
        parts.tax = Some((default_tax(text, directory)?, Source::Connection));
    }
    let (account, of_account) = parts.account.ok_or_else(|| {
        Hold::new(HoldCode::AccountNotCoded, format!("the line over {amount} carries no G/L account"))
    })?;
    let (tax_code, of_tax) = parts.tax.unzip();
    let (dimensions, of_dimensions) =
        parts.dimensions.into_iter().map(|(code, (value, source))| ((code.clone(), value), (code, source))).unzip();
    let reasons = LineReasons { account: of_account, dimensions: of_dimensions, tax: of_tax };
    Ok(Coding { account, dimensions, tax_code, reasons })
}

fn coded(line: &Line, rules: &Rules, directory: &Directory) -> Result<Parts, Hold> {
    let mut parts = Parts::default();
    for field in line.coding.iter().filter(|field| !field.is_empty()) {
        match rules.fields.axis(field.field.as_deref(), field.field_name.as_deref()) {
            Axis::Account => {
                let found = account_number(field, rules, directory)?;
                agree("G/L accounts", parts.account.as_ref(), &found.0, line)?;
                parts.account = Some(found);
            }
            Axis::Dimension(code) => {
                let (value, source) = dimension_value(&code, field, rules, directory)?;
                agree(
                    &format!("values of dimension {code}"),
                    parts.dimensions.get(&value.dimension),
                    &value.code,
                    line,
                )?;
                parts.dimensions.insert(value.dimension.clone(), (value.code.clone(), source));
            }
            Axis::Tax => {
                let found = tax_code(field, rules, directory)?;
                agree("tax codes", parts.tax.as_ref(), &found.0, line)?;
                parts.tax = Some(found);
            }
            Axis::Vendor | Axis::Other => {}
        }
    }
    Ok(parts)
}

/// What a rule says about an axis that is not coded; of several rules the first that speaks about it counts.
fn add_default(parts: &mut Parts, rule: &DefaultRule, source: &Source, directory: &Directory) -> Result<(), Hold> {
    if let (None, Some(text)) = (&parts.account, &rule.account) {
        let found = directory.account(text).or_else(|| directory.account_named(text));
        parts.account = Some((usable(found.ok_or_else(|| account_unknown(text))?)?, source.clone()));
    }
    for (dimension, text) in &rule.dimensions {
        if parts.dimensions.keys().any(|coded| coded.eq_ignore_ascii_case(dimension)) {
            continue;
        }
        let found = directory.value(dimension, text).or_else(|| directory.value_named(dimension, text));
        let value = found.ok_or_else(|| value_unknown(dimension, text, directory))?;
        parts.dimensions.insert(value.dimension.clone(), (value.code.clone(), source.clone()));
    }
    if let (None, Some(text)) = (&parts.tax, &rule.tax) {
        parts.tax = Some((default_tax(text, directory)?, source.clone()));
    }
    Ok(())
}

/// Two fields of one line may say the same, but not two different things.
fn agree(what: &str, earlier: Option<&Coded>, now: &str, line: &Line) -> Result<(), Hold> {
    match earlier {
        Some((earlier, _)) if earlier != now => {
            let text = format!("the line over {} is coded to two {what}: {earlier} and {now}", line.amount);
            Err(Hold::new(HoldCode::CodingContradicts, text))
        }
        Some(_) | None => Ok(()),
    }
}

/// What a coded field means: by BC's id or number; where Brex knows only a name, by the number that it is or by the name;
/// else by the connection's table.
fn understood<'a, T>(
    field: &CodedField,
    rules: &Rules,
    id: impl Fn(&T) -> Uuid,
    by_number: impl Fn(&str) -> Option<&'a T>,
    by_name: impl Fn(&str) -> Option<&'a T>,
) -> Option<(&'a T, Source)> {
    let shown = [field.field_name.as_deref(), field.field.as_deref()].into_iter().flatten().next().unwrap_or_default();
    let coded = |by| Source::Coded { field: shown.to_owned(), by };
    let text = field.value().or(field.value_name())?;
    if let Some(found) = by_number(text) {
        let is_id = Uuid::parse_str(text).is_ok_and(|text| text == id(found));
        return Some((found, coded(if is_id { By::Id } else { By::Number })));
    }
    let name = field.value_name().filter(|_| field.value().is_none());
    if let Some(found) = name.and_then(by_name) {
        return Some((found, coded(By::Name)));
    }
    if let Some((value, meant)) = said(field, rules) {
        return Some((by_number(meant)?, Source::Said { field: shown.to_owned(), value: value.to_owned() }));
    }
    let (value, meant) = in_table(field, rules)?;
    Some((by_number(meant)?, Source::Table { field: shown.to_owned(), value: value.to_owned() }))
}

/// The value of a field and what a person said about it, by the id or the name of either: of several words the first.
fn said<'a>(field: &'a CodedField, rules: &'a Rules) -> Option<(&'a str, &'a str)> {
    let is_meant = |name: &str| [&field.field, &field.field_name].into_iter().flatten().any(|known| same(known, name));
    rules.meanings.iter().filter(|meaning| is_meant(&meaning.field)).find_map(|meaning| {
        let mut values = [field.value(), field.value_name()].into_iter().flatten();
        values.find(|value| same(&meaning.value, value)).map(|value| (value, meaning.target.as_str()))
    })
}

/// A coded value of which nobody knows what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotUnderstood {
    /// Id of the field, or its name.
    pub field: String,
    /// Id of the value, or its name.
    pub value: String,
    /// Field and value as people see them in Brex.
    pub shown: (String, String),
    /// What it has to be.
    pub axis: Axis,
}

/// The coded values of a record of which nobody knows what they mean, each once. What has no dimension in Business Central is left out:
/// no word of a person helps it.
pub fn not_understood(record: &Record, rules: &Rules, directory: &Directory) -> Vec<NotUnderstood> {
    let mut found: Vec<NotUnderstood> = Vec::new();
    for field in record.lines.iter().flat_map(|line| &line.coding).filter(|field| !field.is_empty()) {
        let axis = rules.fields.axis(field.field.as_deref(), field.field_name.as_deref());
        let hold = match &axis {
            Axis::Account => account_number(field, rules, directory).err(),
            Axis::Dimension(code) if directory.has_dimension(code) => {
                dimension_value(code, field, rules, directory).err()
            }
            Axis::Tax => tax_code(field, rules, directory).err(),
            Axis::Dimension(_) | Axis::Vendor | Axis::Other => None,
        };
        let is_unknown = hold.is_some_and(|hold| hold.code != HoldCode::AccountUnusable);
        // The one by which the field is recognised: by the other, nobody would know what the value has to be.
        let names = [field.field.as_deref(), field.field_name.as_deref()];
        let name = names.into_iter().flatten().find(|name| rules.fields.axis(Some(name), None) == axis);
        if let (true, Some(name), Some(value)) = (is_unknown, name, field.value().or(field.value_name())) {
            let shown = (field.field_name.as_deref().unwrap_or(name).to_owned(), field.shown());
            let one = NotUnderstood { field: name.to_owned(), value: value.to_owned(), shown, axis };
            if !found.contains(&one) {
                found.push(one);
            }
        }
    }
    found
}

/// A name may start with the account's number, as in the coding lists.
fn account_number(field: &CodedField, rules: &Rules, directory: &Directory) -> Result<Coded, Hold> {
    let by_number = |text: &str| directory.account(text);
    let by_name = |name: &str| {
        let numbered = name.split_whitespace().next().and_then(by_number);
        numbered.or_else(|| directory.account_named(name))
    };
    let found = understood(field, rules, |account: &Account| account.id, by_number, by_name);
    let (account, source) = found.ok_or_else(|| account_unknown(&field.shown()))?;
    Ok((usable(account)?, source))
}

fn account_unknown(shown: &str) -> Hold {
    Hold::new(HoldCode::AccountUnknown, format!("the G/L account {shown} is not in Business Central"))
}

fn usable(account: &Account) -> Result<String, Hold> {
    match account.unusable_because() {
        None => Ok(account.number.clone()),
        Some(reason) => {
            let text = format!("the G/L account {} {} cannot be used: {reason}", account.number, account.name);
            Err(Hold::new(HoldCode::AccountUnusable, text))
        }
    }
}

fn dimension_value<'a>(
    dimension: &str,
    field: &CodedField,
    rules: &Rules,
    directory: &'a Directory,
) -> Result<(&'a DimensionValue, Source), Hold> {
    let by_code = |text: &str| directory.value(dimension, text);
    let by_name = |name: &str| directory.value_named(dimension, name);
    understood(field, rules, |value: &DimensionValue| value.id, by_code, by_name)
        .filter(|_| directory.has_dimension(dimension))
        .ok_or_else(|| value_unknown(dimension, &field.shown(), directory))
}

fn value_unknown(dimension: &str, shown: &str, directory: &Directory) -> Hold {
    let text = if directory.has_dimension(dimension) {
        format!("the value {shown} of dimension {dimension} is not in Business Central")
    } else {
        format!("the dimension {dimension} is not in Business Central")
    };
    Hold::new(HoldCode::DimensionUnknown, text)
}

fn tax_code(field: &CodedField, rules: &Rules, directory: &Directory) -> Result<Coded, Hold> {
    let by_code = |text: &str| directory.tax_code(text);
    let by_name = |name: &str| directory.tax_code_named(name);
    let found = understood(field, rules, |code: &TaxCode| code.id, by_code, by_name);
    let (code, source) = found.ok_or_else(|| tax_unknown(&field.shown()))?;
    Ok((code.code.clone(), source))
}

fn default_tax(text: &str, directory: &Directory) -> Result<String, Hold> {
    let found = directory.tax_code(text).or_else(|| directory.tax_code_named(text));
    found.map(|code| code.code.clone()).ok_or_else(|| tax_unknown(text))
}

fn tax_unknown(shown: &str) -> Hold {
    Hold::new(HoldCode::TaxCodeUnknown, format!("the tax code {shown} is not in Business Central"))
}

/// The value of a field and what the connection's table says about it, by the value's id, else by its name.
fn in_table<'a>(field: &'a CodedField, rules: &'a Rules) -> Option<(&'a str, &'a str)> {
    let fields = [field.field.as_deref(), field.field_name.as_deref()];
    let is_meant = |key: &str| fields.into_iter().flatten().any(|name| same(name, key));
    let tables: Vec<_> = rules.values.iter().filter(|(key, _)| is_meant(key)).map(|(_, table)| table).collect();
    [field.value(), field.value_name()].into_iter().flatten().find_map(|value| {
        let entries = tables.iter().flat_map(|table| table.iter());
        entries.filter(|(key, _)| same(key, value)).map(|(_, meant)| (value, meant.as_str())).next()
    })
}
