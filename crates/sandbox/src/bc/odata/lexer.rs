//! Splits a `$filter` into tokens.

use super::super::error::Refusal;

/// A piece of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Field, operator, function name, or `true`, `false`, `null`; may contain slashes.
    Word(String),
    /// A quoted string, unquoted.
    Text(String),
    /// Number, date, date-time or GUID.
    Bare(String),
    Open,
    Close,
    Comma,
}

/// The tokens of a filter; malformed ones are a query syntax error.
pub(super) fn tokens(filter: &str) -> Result<Vec<Token>, Refusal> {
    let mut tokens = Vec::new();
    let mut rest = filter;
    while let Some(first) = rest.chars().next() {
        rest = match first {
            ' ' | '\t' => &rest[1..],
            '(' => push(&mut tokens, Token::Open, &rest[1..]),
            ')' => push(&mut tokens, Token::Close, &rest[1..]),
            ',' => push(&mut tokens, Token::Comma, &rest[1..]),
            '\'' => {
                let (text, after) = quoted(&rest[1..])?;
                push(&mut tokens, Token::Text(text), after)
            }
            _ => {
                let end = rest.find([' ', '\t', '(', ')', ',', '\'']).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                push(&mut tokens, classify(word)?, after)
            }
        };
    }
    Ok(tokens)
}

fn push<'a>(tokens: &mut Vec<Token>, token: Token, rest: &'a str) -> &'a str {
    tokens.push(token);
    rest
}

/// The text up to the closing quote, doubled quotes made single, and what follows.
fn quoted(rest: &str) -> Result<(String, &str), Refusal> {
    let mut text = String::new();
    let mut rest = rest;
    loop {
        let end = rest.find('\'').ok_or_else(Refusal::syntax)?;
        text.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        if !rest.starts_with('\'') {
            return Ok((text, rest));
        }
        text.push('\'');
        rest = &rest[1..];
    }
}

fn classify(word: &str) -> Result<Token, Refusal> {
    let first = word.chars().next().ok_or_else(Refusal::syntax)?;
    if uuid::Uuid::try_parse(word).is_ok() && word.len() == 36 {
        return Ok(Token::Bare(word.to_owned()));
    }
    if first.is_ascii_digit() || first == '-' {
        return Ok(Token::Bare(word.to_owned()));
    }
    let is_name = word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | ':' | '.' | '$'));
    if is_name && (first.is_ascii_alphabetic() || first == '_' || first == '$') {
        return Ok(Token::Word(word.to_owned()));
    }
    Err(Refusal::syntax())
}
