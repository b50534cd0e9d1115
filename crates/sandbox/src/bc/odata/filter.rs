//! `$filter`: parsed against a set's schema into a tree, refusing what Business Central refuses.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use super::super::error::Refusal;
use super::super::input::{Scalar, member};
use super::super::schema::{Field, Kind, Schema};
use super::lexer::{Token, tokens};
use super::wildcard::wildcard;

/// A parsed filter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    /// A condition on one field.
    Test(Test),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    /// `any` and `all` are silently ignored: every row passes.
    Everything,
}

/// A condition on one field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Test {
    pub(crate) field: &'static Field,
    pub(crate) relation: Relation,
    pub(crate) operand: Operand,
    /// Set by `tolower` and `toupper`.
    any_case: bool,
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

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    Text(String),
    Number(Decimal),
    Moment(Timestamp),
    Bool(bool),
    Null,
}

impl Expr {
    /// Parses a filter on a set. `extended` is true with `$schemaversion=2.1`, which adds `in`.
    pub(crate) fn parse(text: &str, schema: &'static Schema, extended: bool) -> Result<Self, Refusal> {
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens: &tokens, at: 0, schema, extended };
        let expr = parser.or()?;
        if parser.at != tokens.len() {
            return Err(Refusal::syntax());
        }
        Ok(expr)
    }

    /// True if a row passes; `cell` gives the row's value of a field.
    pub(crate) fn accepts(&self, cell: &dyn Fn(&'static Field) -> Value) -> bool {
        match self {
            Self::Test(test) => test.accepts(&cell(test.field)),
            Self::And(left, right) => left.accepts(cell) && right.accepts(cell),
            Self::Or(left, right) => left.accepts(cell) || right.accepts(cell),
            Self::Everything => true,
        }
    }

    /// The value that a field must equal for any row to pass, if the filter says so.
    pub(crate) fn required(&self, field: &str) -> Option<&Operand> {
        match self {
            Self::Test(test) if test.field.name == field && test.relation == Relation::Equal => Some(&test.operand),
            Self::And(left, right) => left.required(field).or_else(|| right.required(field)),
            _ => None,
        }
    }

    /// The rows that may pass, if `lookup` knows the rows that have a value in a field. No row that passes is missing.
    pub(crate) fn candidates(&self, lookup: &dyn Fn(&str, &str) -> Option<Vec<Uuid>>) -> Option<Vec<Uuid>> {
        match self {
            Self::Test(Test { field, relation: Relation::Equal, operand: Operand::Text(text), any_case: false })
                if !text.contains('*') =>
            {
                lookup(field.name, text)
            }
            Self::And(left, right) => left.candidates(lookup).or_else(|| right.candidates(lookup)),
            Self::Or(left, right) => {
                let mut ids = left.candidates(lookup)?;
                ids.append(&mut right.candidates(lookup)?);
                ids.sort_unstable();
                ids.dedup();
                Some(ids)
            }
            Self::Test(_) | Self::Everything => None,
        }
    }

    fn fields(&self, found: &mut Vec<&'static str>) {
        match self {
            Self::Test(test) => found.push(test.field.name),
            Self::And(left, right) | Self::Or(left, right) => {
                left.fields(found);
                right.fields(found);
            }
            Self::Everything => {}
        }
    }
}

impl Test {
    fn accepts(&self, cell: &Value) -> bool {
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
                ) => self.part(cell, text),
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
                matches!((cell, &self.operand), (Value::String(cell), Operand::Text(text)) if self.part(cell, text))
            }
        }
    }

    fn part(&self, cell: &str, text: &str) -> bool {
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

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    schema: &'static Schema,
    extended: bool,
}

impl Parser<'_> {
    fn or(&mut self) -> Result<Expr, Refusal> {
        let mut left = self.and()?;
        while self.takes_word("or") {
            let right = self.and()?;
            let mut fields = Vec::new();
            left.fields(&mut fields);
            right.fields(&mut fields);
            fields.sort_unstable();
            fields.dedup();
            if fields.len() > 1 {
                return Err(Refusal::or_on_distinct_fields());
            }
            left = Expr::Or(Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, Refusal> {
        let mut left = self.term()?;
        while self.takes_word("and") {
            left = Expr::And(Box::new(left), Box::new(self.term()?));
        }
        Ok(left)
    }

    fn term(&mut self) -> Result<Expr, Refusal> {
        match self.next()? {
            Token::Open => {
                let inner = self.or()?;
                self.expect(&Token::Close)?;
                Ok(inner)
            }
            Token::Word(word) if word == "not" => {
                Err(Refusal::not_implemented("The 'NOT' operator is not supported on an OData filter."))
            }
            Token::Word(word) if word.ends_with("/any") || word.ends_with("/all") => self.lambda(),
            Token::Word(word) if self.peek() == Some(&Token::Open) => self.call(&word),
            Token::Word(word) => {
                let field = self.field(&word)?;
                self.relation(field, false)
            }
            _ => Err(Refusal::syntax()),
        }
    }

    /// Skips the parentheses of `any` or `all`.
    fn lambda(&mut self) -> Result<Expr, Refusal> {
        self.expect(&Token::Open)?;
        let mut depth = 1_usize;
        while depth > 0 {
            match self.next()? {
                Token::Open => depth += 1,
                Token::Close => depth -= 1,
                _ => {}
            }
        }
        Ok(Expr::Everything)
    }

    fn call(&mut self, function: &str) -> Result<Expr, Refusal> {
        self.expect(&Token::Open)?;
        let relation = match function {
            "startswith" => Relation::StartsWith,
            "endswith" => Relation::EndsWith,
            "contains" => Relation::Contains,
            "tolower" | "toupper" => {
                let field = self.named_field()?;
                self.expect(&Token::Close)?;
                return self.relation(field, true);
            }
            _ => {
                return Err(Refusal::not_implemented(format!(
                    "The function '{function}' is not supported on an OData filter."
                )));
            }
        };
        let (field, any_case) = self.argument()?;
        self.expect(&Token::Comma)?;
        let operand = self.operand(field)?;
        self.expect(&Token::Close)?;
        if !matches!(field.kind, Kind::Text(_) | Kind::Code(_)) {
            return Err(incompatible(field));
        }
        Ok(Expr::Test(Test { field, relation, operand, any_case }))
    }

    /// A field, or `tolower(field)`, which needs the newer schema inside another function.
    fn argument(&mut self) -> Result<(&'static Field, bool), Refusal> {
        match self.next()? {
            Token::Word(word) if matches!(word.as_str(), "tolower" | "toupper") && self.extended => {
                self.expect(&Token::Open)?;
                let field = self.named_field()?;
                self.expect(&Token::Close)?;
                Ok((field, true))
            }
            Token::Word(word) if self.peek() == Some(&Token::Comma) => Ok((self.field(&word)?, false)),
            _ => Err(Refusal::syntax()),
        }
    }

    fn relation(&mut self, field: &'static Field, any_case: bool) -> Result<Expr, Refusal> {
        let Token::Word(word) = self.next()? else {
            return Err(Refusal::syntax());
        };
        let relation = match word.as_str() {
            "eq" => Relation::Equal,
            "ne" => Relation::NotEqual,
            "gt" => Relation::Greater,
            "ge" => Relation::GreaterOrEqual,
            "lt" => Relation::Less,
            "le" => Relation::LessOrEqual,
            "in" if self.extended => return self.one_of(field),
            _ => return Err(Refusal::syntax()),
        };
        let operand = self.operand(field)?;
        Ok(Expr::Test(Test { field, relation, operand, any_case }))
    }

    fn one_of(&mut self, field: &'static Field) -> Result<Expr, Refusal> {
        self.expect(&Token::Open)?;
        let mut found: Option<Expr> = None;
        loop {
            let operand = self.operand(field)?;
            let test = Expr::Test(Test { field, relation: Relation::Equal, operand, any_case: false });
            found = Some(match found {
                None => test,
                Some(before) => Expr::Or(Box::new(before), Box::new(test)),
            });
            match self.next()? {
                Token::Comma => {}
                Token::Close => return found.ok_or_else(Refusal::syntax),
                _ => return Err(Refusal::syntax()),
            }
        }
    }

    fn operand(&mut self, field: &'static Field) -> Result<Operand, Refusal> {
        let token = self.next()?;
        operand(&token, field)
    }

    fn named_field(&mut self) -> Result<&'static Field, Refusal> {
        match self.next()? {
            Token::Word(word) => self.field(&word),
            _ => Err(Refusal::syntax()),
        }
    }

    fn field(&self, name: &str) -> Result<&'static Field, Refusal> {
        let field = self.schema.field(name).ok_or_else(|| Refusal::unknown_in_query(name, self.schema.entity))?;
        if field.stored {
            Ok(field)
        } else {
            Err(Refusal::not_implemented(format!("The field '{name}' cannot be used on an OData filter.")))
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Result<Token, Refusal> {
        let token = self.tokens.get(self.at).cloned().ok_or_else(Refusal::syntax)?;
        self.at += 1;
        Ok(token)
    }

    fn expect(&mut self, wanted: &Token) -> Result<(), Refusal> {
        if self.next()? == *wanted { Ok(()) } else { Err(Refusal::syntax()) }
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(next)) if next == word);
        self.at += usize::from(found);
        found
    }
}

fn incompatible(field: &Field) -> Refusal {
    Refusal::bad_request(format!(
        "A binary operator with incompatible types was detected. The field '{}' has type '{}'.",
        field.name,
        field.kind.edm()
    ))
}

fn operand(token: &Token, field: &'static Field) -> Result<Operand, Refusal> {
    let refuse = || incompatible(field);
    match (field.kind, token) {
        (_, Token::Word(word)) if word == "null" => Ok(Operand::Null),
        (Kind::Bool, Token::Word(word)) => word.parse().map(Operand::Bool).map_err(|_| Refusal::syntax()),
        (Kind::Code(_), Token::Text(text)) => Ok(Operand::Text(text.trim().to_uppercase())),
        (Kind::Text(_), Token::Text(text)) => Ok(Operand::Text(text.clone())),
        (Kind::Enum(members), Token::Text(text)) => match member(text, members)? {
            Scalar::Text(name) => Ok(Operand::Text(name)),
            _ => Err(refuse()),
        },
        (Kind::Guid, Token::Bare(text)) => {
            Uuid::try_parse(text).map(|id| Operand::Text(id.to_string())).map_err(|_| refuse())
        }
        (Kind::Decimal | Kind::Int | Kind::Int64, Token::Bare(text)) => {
            text.parse().map(Operand::Number).map_err(|_| Refusal::syntax())
        }
        (Kind::Date, Token::Bare(text)) if text.len() == 10 => {
            text.parse::<Date>().map(|date| Operand::Text(date.to_string())).map_err(|_| Refusal::syntax())
        }
        (Kind::DateTime, Token::Bare(text)) if text.contains('T') => {
            text.parse().map(Operand::Moment).map_err(|_| Refusal::syntax())
        }
        (_, Token::Open | Token::Close | Token::Comma | Token::Word(_)) => Err(Refusal::syntax()),
        _ => Err(refuse()),
    }
}
