//! The coding of a line: its account and dimensions, from what is coded in Brex, else from the connection's rules.

use std::collections::BTreeMap;

use crate::defaults::same;
use crate::directory::{Account, DimensionValue, Directory};
use crate::hold::{Hold, HoldCode};
use crate::money::Money;
use crate::record::{CodedField, Line, Record};
use crate::rules::{Axis, Rules};

/// Account and dimensions of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Coding {
    pub(crate) account: Option<String>,
    pub(crate) dimensions: BTreeMap<String, String>,
}

/// The account and dimensions of a line over `amount`.
pub(crate) fn decide_coding(
    line: &Line,
    record: &Record,
    amount: &Money,
    rules: &Rules,
    directory: &Directory,
) -> Result<(String, BTreeMap<String, String>), Hold> {
    let mut coding = coded(line, rules, directory)?;
    add_defaults(&mut coding, line, record, rules, directory)?;
    let account = coding.account.ok_or_else(|| {
        Hold::new(HoldCode::AccountNotCoded, format!("the line over {amount} carries no G/L account"))
    })?;
    Ok((account, coding.dimensions))
}

fn coded(line: &Line, rules: &Rules, directory: &Directory) -> Result<Coding, Hold> {
    let mut coding = Coding::default();
    for field in line.coding.iter().filter(|field| !field.is_empty()) {
        match rules.fields.axis(field.field.as_deref(), field.field_name.as_deref()) {
            Axis::Account => {
                let number = account_number(field, rules, directory)?;
                let earlier = coding.account.replace(number.clone());
                agree("G/L accounts", earlier, &number, line)?;
            }
            Axis::Dimension(code) => {
                let value = dimension_value(&code, field, rules, directory)?;
                let earlier = coding.dimensions.insert(value.dimension.clone(), value.code.clone());
                agree(&format!("values of dimension {code}"), earlier, &value.code, line)?;
            }
            Axis::Vendor | Axis::Other => {}
        }
    }
    Ok(coding)
}

/// What the rules say about an axis that is not coded; of several rules the first that speaks about it counts.
fn add_defaults(
    coding: &mut Coding,
    line: &Line,
    record: &Record,
    rules: &Rules,
    directory: &Directory,
) -> Result<(), Hold> {
    for rule in rules.defaults.iter().filter(|rule| rule.fits(line, record)) {
        if let (None, Some(text)) = (&coding.account, &rule.account) {
            let account = directory.account(text).or_else(|| directory.account_named(text));
            coding.account = Some(usable(account, text)?);
        }
        for (dimension, text) in &rule.dimensions {
            if coding.dimensions.keys().any(|coded| coded.eq_ignore_ascii_case(dimension)) {
                continue;
            }
            let found = directory.value(dimension, text).or_else(|| directory.value_named(dimension, text));
            let value = found.ok_or_else(|| value_unknown(dimension, text, directory))?;
            coding.dimensions.insert(value.dimension.clone(), value.code.clone());
        }
    }
    Ok(())
}

/// Two fields of one line may say the same, but not two different things.
fn agree(what: &str, earlier: Option<String>, now: &str, line: &Line) -> Result<(), Hold> {
    match earlier {
        Some(earlier) if earlier != now => {
            let text = format!("the line over {} is coded to two {what}: {earlier} and {now}", line.amount);
            Err(Hold::new(HoldCode::CodingContradicts, text))
        }
        Some(_) | None => Ok(()),
    }
}

/// The account's number: by BC's id or number; where Brex knows only a name, by the number that the name starts with or
/// the account's name; else by the connection's table.
fn account_number(field: &CodedField, rules: &Rules, directory: &Directory) -> Result<String, Hold> {
    let by_name = || match field.value() {
        Some(_) => None,
        None => field.value_name().and_then(|name| directory.account_named(name)),
    };
    let by_table = || in_table(field, rules).and_then(|text| directory.account(text));
    let account = field.find(|text| directory.account(text)).or_else(by_name).or_else(by_table);
    usable(account, &field.shown())
}

fn usable(account: Option<&Account>, shown: &str) -> Result<String, Hold> {
    let account = account.ok_or_else(|| {
        Hold::new(HoldCode::AccountUnknown, format!("the G/L account {shown} is not in Business Central"))
    })?;
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
) -> Result<&'a DimensionValue, Hold> {
    let found = match field.value() {
        Some(value) => directory.value(dimension, value),
        None => field
            .value_name()
            .and_then(|name| directory.value(dimension, name).or_else(|| directory.value_named(dimension, name))),
    };
    found
        .or_else(|| in_table(field, rules).and_then(|text| directory.value(dimension, text)))
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

/// What the connection's table says about a field's value, by the value's id, else by its name.
fn in_table<'a>(field: &CodedField, rules: &'a Rules) -> Option<&'a str> {
    let fields = [field.field.as_deref(), field.field_name.as_deref()];
    let is_meant = |key: &str| fields.into_iter().flatten().any(|name| same(name, key));
    let tables: Vec<_> = rules.values.iter().filter(|(key, _)| is_meant(key)).map(|(_, table)| table).collect();
    [field.value(), field.value_name()].into_iter().flatten().find_map(|value| {
        let entries = tables.iter().flat_map(|table| table.iter());
        entries.filter(|(key, _)| same(key, value)).map(|(_, meant)| meant.as_str()).next()
    })
}
