//! Reading JSON tolerantly: absent, null and blank values, and times that come with or without a time of day.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

/// The value, or its default when it is null. Used with `#[serde(default)]`, which covers an absent key.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// An id; null, an empty text and the zero id mean that there is none.
pub(crate) fn id_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Uuid>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    if text.is_empty() {
        return Ok(None);
    }
    let id = Uuid::parse_str(&text).map_err(D::Error::custom)?;
    Ok((!id.is_nil()).then_some(id))
}

/// A date; null, an empty text and Business Central's blank date `0001-01-01` mean that there is none.
pub(crate) fn date_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    if text.is_empty() {
        return Ok(None);
    }
    let date: Date = text.parse().map_err(D::Error::custom)?;
    Ok((date.year() > 1).then_some(date))
}

/// An instant; a date alone is its first instant in UTC.
pub(crate) fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    parse_instant(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// An instant; null, an empty text and a blank date mean that there is none.
pub(crate) fn instant_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        None => Ok(None),
        Some(text) if text.is_empty() || text.starts_with("0001-01-01") => Ok(None),
        Some(text) => parse_instant(&text).map(Some).map_err(D::Error::custom),
    }
}

fn parse_instant(text: &str) -> Result<Timestamp, jiff::Error> {
    match text.parse::<Timestamp>() {
        Ok(instant) => Ok(instant),
        Err(not_an_instant) => match text.parse::<Date>() {
            Ok(date) if text.len() == "2000-01-01".len() => {
                TimeZone::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight()))
            }
            _ => Err(not_an_instant),
        },
    }
}

/// A text-valued enum that keeps values it does not know, so that a new constant never fails a page.
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$variant_meta:meta])* $variant:ident = $text:literal, )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $( $(#[$variant_meta])* $variant, )+
            /// A value that was not known when this was written, as it came.
            Other(String),
        }

        impl $name {
            /// The value as text.
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $text, )+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $( $text => Self::$variant, )+
                    _ => Self::Other(text),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use open_enum;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[derive(Deserialize)]
    struct Row {
        #[serde(default, deserialize_with = "date_or_none")]
        date: Option<Date>,
        #[serde(default, deserialize_with = "id_or_none")]
        id: Option<Uuid>,
        #[serde(default, deserialize_with = "instant_or_none")]
        at: Option<Timestamp>,
    }

    #[test]
    fn blank_values_read_as_nothing() {
        for text in [
            r"{}",
            r#"{"date":null,"id":null,"at":null}"#,
            r#"{"date":"0001-01-01","id":"00000000-0000-0000-0000-000000000000","at":"0001-01-01T00:00:00Z"}"#,
            r#"{"date":"","id":"","at":""}"#,
        ] {
            let row: Row = serde_json::from_str(text).unwrap();
            assert_eq!((row.date, row.id, row.at), (None, None, None), "{text}");
        }
    }

    #[test]
    fn a_date_alone_is_the_first_instant_of_that_day() {
        let row: Row = serde_json::from_str(r#"{"at":"2026-06-21"}"#).unwrap();
        assert_eq!(row.at.unwrap().to_string(), "2026-06-21T00:00:00Z");
        assert!(serde_json::from_str::<Row>(r#"{"at":"yesterday"}"#).is_err());
    }
}
