//! Reads columns of a row; what cannot be read is named by table, column and key.

use std::str::FromStr;

use sqlx::any::AnyRow;
use sqlx::{Any, Decode, Row, Type};
use uuid::Uuid;

use crate::error::Error;

/// A table's name and the columns that tell one row from another.
#[derive(Clone, Copy)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) key: &'static [&'static str],
}

impl Table {
    pub(crate) fn row<'r>(&self, row: &'r AnyRow) -> Columns<'r> {
        Columns { table: *self, row }
    }
}

/// How much waits, and since when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many.
    pub number: i64,
    /// When the oldest of them came.
    pub oldest_ms: Option<i64>,
}

impl Waiting {
    /// The columns `waiting` and `oldest_ms`.
    pub(crate) fn read(row: &Columns<'_>) -> Result<Self, Error> {
        Ok(Self { number: row.integer("waiting")?, oldest_ms: row.optional_integer("oldest_ms")? })
    }
}

/// The columns of one row.
pub(crate) struct Columns<'r> {
    table: Table,
    row: &'r AnyRow,
}

impl<'r> Columns<'r> {
    fn get<T: Decode<'r, Any> + Type<Any>>(&self, column: &'static str) -> Result<T, Error> {
        self.row.try_get(column).map_err(|_| self.broken(column))
    }

    pub(crate) fn text(&self, column: &'static str) -> Result<String, Error> {
        self.get(column)
    }

    pub(crate) fn optional_text(&self, column: &'static str) -> Result<Option<String>, Error> {
        self.get(column)
    }

    pub(crate) fn bytes(&self, column: &'static str) -> Result<Vec<u8>, Error> {
        self.get(column)
    }

    pub(crate) fn integer(&self, column: &'static str) -> Result<i64, Error> {
        self.get(column)
    }

    pub(crate) fn optional_integer(&self, column: &'static str) -> Result<Option<i64>, Error> {
        self.get(column)
    }

    /// A text that stands for a value.
    pub(crate) fn parsed<T>(&self, column: &'static str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Error> {
        read(self.get(column)?).ok_or_else(|| self.broken(column))
    }

    /// A text that stands for a value, or nothing.
    pub(crate) fn optional_parsed<T>(
        &self,
        column: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let text: Option<&str> = self.get(column)?;
        text.map(|text| read(text).ok_or_else(|| self.broken(column))).transpose()
    }

    pub(crate) fn optional_uuid(&self, column: &'static str) -> Result<Option<Uuid>, Error> {
        self.optional_parsed(column, from_str)
    }

    fn broken(&self, column: &'static str) -> Error {
        let part = |name: &&'static str| match self.row.try_get::<&str, _>(*name) {
            Ok(text) => text.to_owned(),
            Err(_) => self.row.try_get::<i64, _>(*name).map_or_else(|_| "?".to_owned(), |number| number.to_string()),
        };
        let row = self.table.key.iter().map(part).collect::<Vec<_>>().join("/");
        Error::BrokenRow { table: self.table.name, column, row }
    }
}

/// [`FromStr`] in the form that [`Columns::parsed`] takes.
pub(crate) fn from_str<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}
