//! The text of a document line from a template such as `{merchant}: {memo}`.

use std::str::FromStr;

use serde::Serialize;

use crate::document::DESCRIPTION_MAX;
use crate::record::{Line, Record};
use crate::text::fitting;

/// Templates of a connection, the preferred one first: the first whose words are all there is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Descriptions(Vec<Template>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
enum Part {
    Text(String),
    Word(Word),
}

/// What may stand between braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Word {
    Memo,
    Merchant,
    User,
    Record,
    Type,
    InvoiceNumber,
}

const WORDS: [(&str, Word); 6] = [
    ("memo", Word::Memo),
    ("merchant", Word::Merchant),
    ("user", Word::User),
    ("record", Word::Record),
    ("type", Word::Type),
    ("invoice_number", Word::InvoiceNumber),
];

/// Why a template cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTemplate {
    /// A brace is not closed or not opened.
    #[error("{0:?} has a brace without its other one")]
    Brace(String),
    /// The word is not known.
    #[error("{{{0}}} is unknown; there are memo, merchant, user, record, type and invoice_number")]
    Word(String),
}

impl Default for Descriptions {
    fn default() -> Self {
        let one = |word| Template(vec![Part::Word(word)]);
        Self(vec![one(Word::Memo), one(Word::Merchant), one(Word::User)])
    }
}

impl Descriptions {
    /// Reads templates; none at all means the default.
    pub fn read<S: AsRef<str>>(texts: &[S]) -> Result<Self, InvalidTemplate> {
        if texts.is_empty() {
            return Ok(Self::default());
        }
        Ok(Self(texts.iter().map(|text| text.as_ref().parse()).collect::<Result<_, _>>()?))
    }

    /// The description of a line: printable and cut to what BC takes.
    pub fn text(&self, line: &Line, record: &Record) -> String {
        let text = self.0.iter().filter_map(|template| template.filled(line, record)).find(|text| !text.is_empty());
        let text = text.unwrap_or_else(|| format!("Brex {}", record.id));
        fitting(&text, DESCRIPTION_MAX).to_owned()
    }
}

impl Template {
    fn filled(&self, line: &Line, record: &Record) -> Option<String> {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Word(word) => filled.push_str(&word.of(line, record)?),
            }
        }
        Some(printable(&filled))
    }
}

impl Word {
    /// What the word stands for; none where nothing printable is there. The line's memo comes before the record's.
    fn of(self, line: &Line, record: &Record) -> Option<String> {
        let candidates = match self {
            Self::Memo => [line.memo.as_deref(), record.memo.as_deref()],
            Self::Merchant => [record.merchant.as_ref().map(|m| m.name.as_str()), None],
            Self::User => [record.person.as_ref().map(|p| p.name.as_str()), None],
            Self::Record => [Some(record.id.as_str()), None],
            Self::Type => [Some(record.type_name.as_str()), None],
            Self::InvoiceNumber => [record.invoice_number.as_deref(), None],
        };
        candidates.into_iter().flatten().map(printable).find(|text| !text.is_empty())
    }
}

impl FromStr for Template {
    type Err = InvalidTemplate;

    fn from_str(text: &str) -> Result<Self, InvalidTemplate> {
        let broken = || InvalidTemplate::Brace(text.to_owned());
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, tail) = after.split_once('}').ok_or_else(broken)?;
            let word = WORDS.iter().find(|(known, _)| *known == name.trim());
            let (_, word) = word.ok_or_else(|| InvalidTemplate::Word(name.to_owned()))?;
            parts.extend([Part::Text(before.to_owned()), Part::Word(*word)]);
            rest = tail;
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        let is_stray = |part: &Part| matches!(part, Part::Text(text) if text.contains('}'));
        if parts.iter().any(is_stray) { Err(broken()) } else { Ok(Self(parts)) }
    }
}

/// One line of printable words. Only the start is read: more than a description takes is never shown.
fn printable(text: &str) -> String {
    let words = text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty());
    words.take(DESCRIPTION_MAX).collect::<Vec<_>>().join(" ")
}
