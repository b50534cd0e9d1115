//! OData queries that cannot be broken out of: field names are constants, values are escaped literals, and `or` exists
//! only over one field (Business Central refuses it over several, and an empty list must never become "everything").

use std::fmt::{self, Write as _};

use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

/// The longest query that is sent. No limit is published; 8 kB is a common one for the whole request line.
pub(crate) const MAX_QUERY_BYTES: usize = 6 * 1024;

/// A value in a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Literal {
    /// A text or an enum member.
    Text(String),
    /// An id: bare, without quotes.
    Id(Uuid),
    /// An instant, in milliseconds; more precise ones are cut, so that "after" never misses a row.
    Instant(Timestamp),
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => {
                f.write_char('\'')?;
                for character in text.chars() {
                    if character == '\'' {
                        f.write_char('\'')?;
                    }
                    f.write_char(character)?;
                }
                f.write_char('\'')
            }
            Self::Id(id) => write!(f, "{id}"),
            Self::Instant(instant) => {
                // Towards the past on either side of 1970, which `as_millisecond` does not do.
                let in_ms = i64::try_from(instant.as_nanosecond().div_euclid(1_000_000));
                let in_ms = in_ms.ok().and_then(|in_ms| Timestamp::from_millisecond(in_ms).ok()).unwrap_or(*instant);
                write!(f, "{in_ms:.3}")
            }
        }
    }
}

/// A condition on rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter(String);

impl Filter {
    /// `field` equals `value`.
    pub(crate) fn equals(field: &'static str, value: &Literal) -> Self {
        Self(format!("{field} eq {value}"))
    }

    /// `field` lies after `instant`.
    pub(crate) fn after(field: &'static str, instant: Timestamp) -> Self {
        Self(format!("{field} gt {}", Literal::Instant(instant)))
    }

    /// `field` lies from one day to another, both included.
    pub(crate) fn between(field: &'static str, from: Date, to: Date) -> Self {
        Self(format!("{field} ge {from} and {field} le {to}"))
    }

    /// `field` is a day or lies after it.
    pub(crate) fn since(field: &'static str, from: Date) -> Self {
        Self(format!("{field} ge {from}"))
    }

    /// `field` equals one of `values`; nothing for no values.
    pub(crate) fn any_of(field: &'static str, values: &[Literal]) -> Option<Self> {
        let (first, rest) = values.split_first()?;
        let mut text = Self::equals(field, first).0;
        for value in rest {
            let _infallible = write!(text, " or {field} eq {value}");
        }
        Some(Self(text))
    }

    /// Both conditions.
    pub(crate) fn and(self, other: &Self) -> Self {
        Self(format!("({}) and ({})", self.0, other.0))
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The options of a read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    text: String,
}

impl Query {
    pub(crate) fn filter(self, filter: Option<&Filter>) -> Self {
        match filter {
            Some(filter) => self.option("$filter", &filter.0),
            None => self,
        }
    }

    pub(crate) fn select(self, fields: &'static str) -> Self {
        self.option("$select", fields)
    }

    pub(crate) fn expand(self, expansion: &'static str) -> Self {
        self.option("$expand", expansion)
    }

    fn option(mut self, name: &'static str, value: &str) -> Self {
        if !self.text.is_empty() {
            self.text.push('&');
        }
        self.text.push_str(name);
        self.text.push('=');
        escape_into(&mut self.text, value);
        self
    }

    /// The query as it stands in the address, after the question mark.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

/// The values split so that each part has at most `max_values` and its filter stays within [`MAX_QUERY_BYTES`].
pub(crate) fn split(field: &'static str, values: &[Literal], max_values: usize) -> Vec<Vec<Literal>> {
    let mut parts: Vec<Vec<Literal>> = Vec::new();
    let mut length = 0;
    for value in values {
        let mut escaped = String::new();
        escape_into(&mut escaped, &format!(" or {field} eq {value}"));
        match parts.last_mut() {
            Some(part) if part.len() < max_values && length + escaped.len() <= MAX_QUERY_BYTES => {
                part.push(value.clone());
                length += escaped.len();
            }
            _ => {
                parts.push(vec![value.clone()]);
                length = escaped.len();
            }
        }
    }
    parts
}

/// Percent-escapes everything except what OData itself needs to be readable. Spaces become `%20`, never `+`.
fn escape_into(target: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'(' | b')' | b',' | b'$' | b'=' => {
                target.push(char::from(byte));
            }
            _ => {
                let _infallible = write!(target, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;
    use url::Url;

    use super::*;

    /// Reads one text literal at the start of `text`, as a server does; gives the value and what follows.
    fn read_literal(text: &str) -> (String, &str) {
        let mut value = String::new();
        let mut rest = text.strip_prefix('\'').unwrap();
        loop {
            let end = rest.find('\'').unwrap();
            value.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.strip_prefix('\'') {
                Some(after) => {
                    value.push('\'');
                    rest = after;
                }
                None => return (value, rest),
            }
        }
    }

    fn filter_seen_by_the_server(filter: &Filter) -> String {
        let query = Query::default().select("id").filter(Some(filter)).expand("lines");
        let mut url = Url::parse("http://127.0.0.1/vendors").unwrap();
        url.set_query(Some(query.as_str()));
        let url = Url::parse(url.as_str()).unwrap();
        assert_eq!(url.fragment(), None);
        let options: Vec<_> = url.query_pairs().collect();
        assert_eq!(options.len(), 3);
        assert_eq!((&*options[0].0, &*options[1].0, &*options[2].0), ("$select", "$filter", "$expand"));
        options[1].1.clone().into_owned()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_text_cannot_break_out_of_its_literal(texts in prop::collection::vec(any::<String>(), 1..5)) {
            let values: Vec<_> = texts.iter().cloned().map(Literal::Text).collect();
            let seen = filter_seen_by_the_server(&Filter::any_of("number", &values).unwrap());
            let mut rest = seen.as_str();
            for (index, text) in texts.iter().enumerate() {
                if index > 0 {
                    rest = rest.strip_prefix(" or ").unwrap();
                }
                let (value, after) = read_literal(rest.strip_prefix("number eq ").unwrap());
                prop_assert_eq!(&value, text);
                rest = after;
            }
            prop_assert_eq!(rest, "");
        }

        #[test]
        fn splitting_keeps_every_value_in_order_and_every_part_short(texts in prop::collection::vec(".{0,60}", 0..200)) {
            let values: Vec<_> = texts.into_iter().map(Literal::Text).collect();
            let parts = split("vendorInvoiceNumber", &values, 50);
            prop_assert_eq!(parts.concat(), values);
            for part in parts {
                let filter = Filter::any_of("vendorInvoiceNumber", &part).unwrap();
                prop_assert!(part.len() <= 50);
                prop_assert!(Query::default().filter(Some(&filter)).as_str().len() <= MAX_QUERY_BYTES + 16);
            }
        }
    }

    #[test]
    fn an_instant_is_cut_to_milliseconds() {
        let instant: Timestamp = "2026-03-02T10:12:13.4579Z".parse().unwrap();
        let filter = Filter::after("lastModifiedDateTime", instant);
        assert_eq!(filter.to_string(), "lastModifiedDateTime gt 2026-03-02T10:12:13.457Z");
    }

    #[test]
    fn an_instant_before_1970_is_cut_towards_the_past() {
        let instant: Timestamp = "1969-12-31T23:59:59.9995Z".parse().unwrap();
        let filter = Filter::after("lastModifiedDateTime", instant);
        assert_eq!(filter.to_string(), "lastModifiedDateTime gt 1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn conditions_combine_in_parentheses() {
        let number = Filter::equals("vendorNumber", &Literal::Text("O'Hara & Co".to_owned()));
        let id = Filter::equals("id", &Literal::Id(Uuid::nil()));
        let both = number.and(&id);
        assert_eq!(
            both.to_string(),
            "(vendorNumber eq 'O''Hara & Co') and (id eq 00000000-0000-0000-0000-000000000000)"
        );
        assert_eq!(Filter::any_of("id", &[]), None);
    }
}
