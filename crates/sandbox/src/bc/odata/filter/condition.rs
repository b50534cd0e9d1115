//! One condition of a filter: what a field of a row is compared with, and how.

use std::cmp::Ordering;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;

use super::super::super::schema::Field;
use super::super::wildcard::wildcard;

/// A condition on one field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Test {
    pub(crate) field: &'static Field,
    pub(crate) relation: Relation,
    pub(crate) operand: Operand,
    /// Set by `tolower` and `toupper`.
    pub(super) any_case: bool,
    /// Set by `substring`: the characters that are skipped, and those that are kept.
    pub(super) part: Option<(usize, Option<usize>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    StartsWith,
    EndsWith,
    Contains,
}

impl Relation {
    /// The operator of an AL filter, for those that compare with a whole value.
    pub(super) fn sign(self) -> Option<&'static str> {
        match self {
            Self::Equal => Some("="),
            Self::NotEqual => Some("<>"),
            Self::Greater => Some(">"),
            Self::GreaterOrEqual => Some(">="),
            Self::Less => Some("<"),
            Self::LessOrEqual => Some("<="),
            Self::StartsWith | Self::EndsWith | Self::Contains => None,
        }
    }
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    Text(String),
    Number(Decimal),
    Moment(Timestamp),
    Bool(bool),
    Null,
}

impl Test {
    /// An equality with the field as it is.
    pub(super) fn is_plain(&self) -> bool {
        self.relation == Relation::Equal && self.is_whole()
    }

    /// True if it is about the field itself, not about a function of it.
    pub(crate) fn is_whole(&self) -> bool {
        !self.any_case && self.part.is_none()
    }

    pub(super) fn accepts(&self, cell: &Value) -> bool {
        match (self.part, cell) {
            (Some((skipped, kept)), Value::String(text)) => {
                let part: String = text.chars().skip(skipped).take(kept.unwrap_or(usize::MAX)).collect();
                self.accepts_whole(&Value::String(part))
            }
            _ => self.accepts_whole(cell),
        }
    }

    fn accepts_whole(&self, cell: &Value) -> bool {
        // The text becomes an AL filter, as the documentation's `resource eq 'v2.0*'` shows.
        if let (Relation::Equal, Operand::Text(text), Value::String(cell)) = (self.relation, &self.operand, cell)
            && text.contains('*')
        {
            return wildcard(text, cell);
        }
        let Some(order) = self.compare(cell) else {
            return match (self.relation, cell, &self.operand) {
                (
                    Relation::StartsWith | Relation::EndsWith | Relation::Contains,
                    Value::String(cell),
                    Operand::Text(text),
                ) => self.is_in(cell, text),
                (Relation::NotEqual, _, _) => true,
                _ => false,
            };
        };
        match self.relation {
            Relation::Equal => order == Ordering::Equal,
            Relation::NotEqual => order != Ordering::Equal,
            Relation::Greater => order == Ordering::Greater,
            Relation::GreaterOrEqual => order != Ordering::Less,
            Relation::Less => order == Ordering::Less,
            Relation::LessOrEqual => order != Ordering::Greater,
            Relation::StartsWith | Relation::EndsWith | Relation::Contains => {
                matches!((cell, &self.operand), (Value::String(cell), Operand::Text(text)) if self.is_in(cell, text))
            }
        }
    }

    fn is_in(&self, cell: &str, text: &str) -> bool {
        let cell = if self.any_case { cell.to_lowercase() } else { cell.to_owned() };
        let text = if self.any_case { text.to_lowercase() } else { text.to_owned() };
        match self.relation {
            Relation::StartsWith => cell.starts_with(&text),
            Relation::EndsWith => cell.ends_with(&text),
            _ => cell.contains(&text),
        }
    }

    fn compare(&self, cell: &Value) -> Option<Ordering> {
        match (&self.operand, cell) {
            (Operand::Text(text), Value::String(cell)) if self.any_case => {
                Some(cell.to_lowercase().cmp(&text.to_lowercase()))
            }
            (Operand::Text(text), Value::String(cell)) => Some(cell.as_str().cmp(text)),
            (Operand::Number(number), Value::Number(cell)) => {
                cell.to_string().parse::<Decimal>().ok().map(|cell| cell.cmp(number))
            }
            (Operand::Moment(moment), Value::String(cell)) => {
                cell.parse::<Timestamp>().ok().map(|cell| cell.cmp(moment))
            }
            (Operand::Bool(wanted), Value::Bool(cell)) => Some(cell.cmp(wanted)),
            _ => None,
        }
    }
}
