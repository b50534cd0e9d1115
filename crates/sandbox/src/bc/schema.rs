//! What an entity set looks like: its fields with types and access, in the order of BC's pages.

use rust_decimal::Decimal;

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Guid,
    /// Upper-cased and trimmed on write.
    Code(usize),
    Text(usize),
    /// One of these member names, in their escaped form.
    Enum(&'static [&'static str]),
    Decimal,
    Int,
    Int64,
    Bool,
    Date,
    DateTime,
    /// Bytes of their own, behind links.
    Stream,
}

impl Kind {
    pub(crate) fn edm(self) -> &'static str {
        match self {
            Self::Guid => "Edm.Guid",
            Self::Code(_) | Self::Text(_) | Self::Enum(_) => "Edm.String",
            Self::Decimal => "Edm.Decimal",
            Self::Int => "Edm.Int32",
            Self::Int64 => "Edm.Int64",
            Self::Bool => "Edm.Boolean",
            Self::Date => "Edm.Date",
            Self::DateTime => "Edm.DateTimeOffset",
            Self::Stream => "Edm.Stream",
        }
    }
}

/// One field of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) writable: bool,
    /// False for page variables, which are no table fields.
    pub(crate) stored: bool,
}

impl Field {
    /// A page variable: shown, but not to be filtered or sorted by.
    pub(crate) const fn computed(mut self) -> Self {
        self.stored = false;
        self
    }
}

/// A field that can only be read.
pub(crate) const fn r(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, writable: false, stored: true }
}

/// A field that can be written.
pub(crate) const fn w(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, writable: true, stored: true }
}

/// An entity set's shape.
#[derive(Debug)]
pub(crate) struct Schema {
    /// `vendors`
    pub(crate) set: &'static str,
    /// `vendor`
    pub(crate) entity: &'static str,
    pub(crate) fields: &'static [Field],
}

impl Schema {
    pub(crate) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// The escaped name of the blank enum member.
pub(crate) const BLANK: &str = "_x0020_";

/// A decimal as BC writes it: no trailing zeros.
pub(crate) fn decimal(value: Decimal) -> serde_json::Value {
    let text = value.normalize().to_string();
    let number: Option<serde_json::Number> = text.parse().ok();
    number.map_or(serde_json::Value::Null, serde_json::Value::Number)
}

/// BC's blank date.
pub(crate) const BLANK_DATE: &str = "0001-01-01";

/// A date, blank if absent.
pub(crate) fn date(value: Option<jiff::civil::Date>) -> serde_json::Value {
    value.map_or_else(|| BLANK_DATE.into(), |date| date.to_string().into())
}

/// A moment in UTC with milliseconds.
pub(crate) fn moment(value: jiff::Timestamp) -> serde_json::Value {
    value.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into()
}

/// A GUID as text.
pub(crate) fn guid(value: uuid::Uuid) -> serde_json::Value {
    value.to_string().into()
}
