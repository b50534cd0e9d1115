//! `$filter`: parsed against a set's schema into a tree, refusing what Business Central refuses.

mod condition;
mod literal;
mod parser;

use serde_json::Value;
use uuid::Uuid;

use self::condition::Test;
pub(crate) use self::condition::{Operand, Relation};
use super::super::error::Refusal;
use super::super::schema::{Field, Schema};
use super::lexer::tokens;

/// A parsed filter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    /// A condition on one field.
    Test(Test),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    /// `any` and `all` are silently ignored: every row passes.
    Everything,
}

/// What a filter may be made of.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Grammar {
    /// `$schemaversion=2.1`, which adds `in` and nested functions.
    pub(crate) extended: bool,
    /// Whether `not` is understood.
    pub(crate) negation: bool,
}

impl Expr {
    /// Parses a filter on a set.
    pub(crate) fn parse(text: &str, schema: &'static Schema, grammar: Grammar) -> Result<Self, Refusal> {
        parser::parse(&tokens(text)?, schema, grammar)
    }

    /// True if a row passes; `cell` gives the row's value of a field.
    pub(crate) fn accepts(&self, cell: &dyn Fn(&'static Field) -> Value) -> bool {
        match self {
            Self::Test(test) => test.accepts(&cell(test.field)),
            Self::And(left, right) => left.accepts(cell) && right.accepts(cell),
            Self::Or(left, right) => left.accepts(cell) || right.accepts(cell),
            Self::Not(inner) => !inner.accepts(cell),
            Self::Everything => true,
        }
    }

    /// The value that a field must equal for any row to pass, if the filter says so.
    pub(crate) fn required(&self, field: &str) -> Option<&Operand> {
        match self {
            Self::Test(test) if test.is_plain() && test.field.name == field => Some(&test.operand),
            Self::And(left, right) => left.required(field).or_else(|| right.required(field)),
            _ => None,
        }
    }

    /// The rows that may pass, if `lookup` knows the rows that have a value in a field. No row that passes is missing.
    pub(crate) fn candidates(&self, lookup: &dyn Fn(&str, &str) -> Option<Vec<Uuid>>) -> Option<Vec<Uuid>> {
        match self {
            Self::Test(Test {
                field,
                relation: Relation::Equal,
                operand: Operand::Text(text),
                any_case: false,
                part: None,
            }) if !text.contains('*') => lookup(field.name, text),
            Self::And(left, right) => left.candidates(lookup).or_else(|| right.candidates(lookup)),
            Self::Or(left, right) => {
                let mut ids = left.candidates(lookup)?;
                ids.append(&mut right.candidates(lookup)?);
                ids.sort_unstable();
                ids.dedup();
                Some(ids)
            }
            Self::Test(_) | Self::Not(_) | Self::Everything => None,
        }
    }

    fn fields(&self, found: &mut Vec<&'static str>) {
        match self {
            Self::Test(test) => found.push(test.field.name),
            Self::And(left, right) | Self::Or(left, right) => {
                left.fields(found);
                right.fields(found);
            }
            Self::Not(inner) => inner.fields(found),
            Self::Everything => {}
        }
    }
}
