//! What stands right of an operator, read as the type of the field.

use jiff::civil::Date;
use uuid::Uuid;

use super::super::super::error::Refusal;
use super::super::super::input::{Scalar, member};
use super::super::super::schema::{Field, Kind};
use super::super::lexer::Token;
use super::condition::Operand;

pub(super) fn incompatible(field: &Field) -> Refusal {
    Refusal::bad_request(format!(
        "A binary operator with incompatible types was detected. The field '{}' has type '{}'.",
        field.name,
        field.kind.edm()
    ))
}

pub(super) fn operand(token: &Token, field: &'static Field) -> Result<Operand, Refusal> {
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
