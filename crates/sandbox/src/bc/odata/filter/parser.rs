//! From tokens to a tree, against a set's schema.

use super::super::super::error::Refusal;
use super::super::super::permissions::{table_of, words};
use super::super::super::schema::{Field, Kind, Schema};
use super::super::lexer::Token;
use super::condition::{Operand, Relation, Test};
use super::literal::{incompatible, operand};
use super::{Expr, Grammar};

/// Nobody nests deeper, and a stack is finite.
const DEEPEST: usize = 100;

/// Reads a whole filter.
pub(super) fn parse(tokens: &[Token], schema: &'static Schema, grammar: Grammar) -> Result<Expr, Refusal> {
    let mut parser = Parser { tokens, at: 0, schema, grammar, depth: 0 };
    let expr = parser.or()?;
    if parser.at == tokens.len() { Ok(expr) } else { Err(Refusal::syntax()) }
}

/// What stands left of an operator: a field, or functions of it.
#[derive(Clone, Copy)]
struct Subject {
    field: &'static Field,
    any_case: bool,
    part: Option<(usize, Option<usize>)>,
}

impl Subject {
    fn of(field: &'static Field) -> Self {
        Self { field, any_case: false, part: None }
    }

    fn is_text(self) -> bool {
        matches!(self.field.kind, Kind::Text(_) | Kind::Code(_))
    }

    fn test(self, relation: Relation, operand: Operand) -> Expr {
        let Self { field, any_case, part } = self;
        Expr::Test(Test { field, relation, operand, any_case, part })
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    schema: &'static Schema,
    grammar: Grammar,
    /// Parentheses and negations that are open.
    depth: usize,
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
                let inner = self.deeper(Self::or)?;
                self.expect(&Token::Close)?;
                Ok(inner)
            }
            Token::Word(word) if word == "not" && self.grammar.negation => {
                Ok(Expr::Not(Box::new(self.deeper(Self::term)?)))
            }
            Token::Word(word) if word == "not" => {
                Err(Refusal::not_implemented("The 'NOT' operator is not supported on an OData filter."))
            }
            Token::Word(word) if word.ends_with("/any") || word.ends_with("/all") => self.lambda(),
            Token::Word(word) if self.peek() == Some(&Token::Open) => self.call(&word),
            Token::Word(word) => {
                let subject = self.field(&word).map(Subject::of)?;
                self.relation(subject)
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

    /// The part of a filter within parentheses or behind a negation.
    fn deeper(&mut self, read: fn(&mut Self) -> Result<Expr, Refusal>) -> Result<Expr, Refusal> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Refusal::syntax());
        }
        let expr = read(self)?;
        self.depth -= 1;
        Ok(expr)
    }

    fn call(&mut self, function: &str) -> Result<Expr, Refusal> {
        let relation = match function {
            "startswith" => Relation::StartsWith,
            "endswith" => Relation::EndsWith,
            "contains" => Relation::Contains,
            _ => {
                let subject = self.function(function)?;
                return self.relation(subject);
            }
        };
        self.expect(&Token::Open)?;
        let subject = self.argument()?;
        self.expect(&Token::Comma)?;
        let operand = self.operand(subject.field)?;
        self.expect(&Token::Close)?;
        if !subject.is_text() {
            return Err(incompatible(subject.field));
        }
        Ok(subject.test(relation, operand))
    }

    /// `tolower`, `toupper` or `substring` of a field, and with the newer schema of another of them.
    fn function(&mut self, name: &str) -> Result<Subject, Refusal> {
        if !matches!(name, "tolower" | "toupper" | "substring") {
            let text = format!("The function '{name}' is not supported on an OData filter.");
            return Err(Refusal::not_implemented(text));
        }
        self.expect(&Token::Open)?;
        let mut subject = self.argument()?;
        if name == "substring" {
            if !subject.is_text() {
                return Err(incompatible(subject.field));
            }
            self.expect(&Token::Comma)?;
            let start = self.number()?;
            let length = self.takes(&Token::Comma).then(|| self.number()).transpose()?;
            // A part of a part begins within the first one.
            let (skipped, kept) = subject.part.unwrap_or((0, None));
            let left = kept.map(|kept| kept.saturating_sub(start));
            let kept = length.map(|length| left.map_or(length, |left| left.min(length))).or(left);
            subject.part = Some((skipped.saturating_add(start), kept));
        } else {
            subject.any_case = true;
        }
        self.expect(&Token::Close)?;
        Ok(subject)
    }

    fn argument(&mut self) -> Result<Subject, Refusal> {
        let Token::Word(word) = self.next()? else {
            return Err(Refusal::syntax());
        };
        if self.peek() != Some(&Token::Open) {
            return self.field(&word).map(Subject::of);
        }
        self.depth += 1;
        if !self.grammar.extended || self.depth > DEEPEST {
            return Err(Refusal::syntax());
        }
        let subject = self.function(&word)?;
        self.depth -= 1;
        Ok(subject)
    }

    fn number(&mut self) -> Result<usize, Refusal> {
        match self.next()? {
            Token::Bare(text) => text.parse().map_err(|_| Refusal::syntax()),
            _ => Err(Refusal::syntax()),
        }
    }

    fn relation(&mut self, subject: Subject) -> Result<Expr, Refusal> {
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
            "in" if self.grammar.extended => return self.one_of(subject),
            _ => return Err(Refusal::syntax()),
        };
        let operand = self.operand(subject.field)?;
        self.fits(subject, relation, &operand)?;
        Ok(subject.test(relation, operand))
    }

    /// The platform sets a filter on the field, which refuses what the field cannot hold.
    fn fits(&self, subject: Subject, relation: Relation, operand: &Operand) -> Result<(), Refusal> {
        let (Kind::Code(maximum) | Kind::Text(maximum), Operand::Text(value)) = (subject.field.kind, operand) else {
            return Ok(());
        };
        let Some(sign) = relation.sign().filter(|_| value.chars().count() > maximum && !value.contains('*')) else {
            return Ok(());
        };
        let table = table_of(self.schema.set).map_or_else(|| words(self.schema.entity), ToOwned::to_owned);
        let caption = words(subject.field.name).replace("Number", "No.");
        Err(Refusal::filter_too_long(&format!("{sign}'{value}'"), &caption, &table, value, maximum))
    }

    fn one_of(&mut self, subject: Subject) -> Result<Expr, Refusal> {
        self.expect(&Token::Open)?;
        let mut found: Option<Expr> = None;
        loop {
            let operand = self.operand(subject.field)?;
            self.fits(subject, Relation::Equal, &operand)?;
            let test = subject.test(Relation::Equal, operand);
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

    /// A literal, and with the newer schema also one within `tolower` or `toupper`.
    fn operand(&mut self, field: &'static Field) -> Result<Operand, Refusal> {
        let token = self.next()?;
        let nested = matches!(&token, Token::Word(word) if matches!(word.as_str(), "tolower" | "toupper"));
        if !nested || !self.grammar.extended {
            return operand(&token, field);
        }
        self.expect(&Token::Open)?;
        let literal = self.next()?;
        self.expect(&Token::Close)?;
        operand(&literal, field)
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

    fn takes(&mut self, wanted: &Token) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(next)) if next == word);
        self.at += usize::from(found);
        found
    }
}
