//! A set that is read from one table and written by nobody through the API.

use serde_json::Value;
use uuid::Uuid;

use super::{EntitySet, Parent, Scope};
use crate::bc::error::Refusal;
use crate::bc::schema::Schema;
use crate::bc::table::{Row, Table, Tables};

/// How the rows of one table are shown.
pub(crate) struct Reads<T: 'static> {
    pub(crate) schema: &'static Schema,
    pub(crate) table: fn(&Tables) -> &Table<T>,
    /// The value of a field.
    pub(crate) cell: fn(&Tables, Uuid, &Row<T>, &str) -> Value,
    /// Whether a row hangs below a parent.
    pub(crate) below: fn(&T, Parent) -> bool,
    pub(crate) navigation: fn(&str) -> Option<&'static dyn EntitySet>,
}

/// For sets that hang below nothing.
pub(crate) fn anywhere<T>(_row: &T, _parent: Parent) -> bool {
    true
}

/// For sets that nothing hangs below.
pub(crate) fn nothing(_name: &str) -> Option<&'static dyn EntitySet> {
    None
}

impl<T: Clone + 'static> EntitySet for Reads<T> {
    fn schema(&self) -> &'static Schema {
        self.schema
    }

    fn navigation(&self, name: &str) -> Option<&'static dyn EntitySet> {
        (self.navigation)(name)
    }

    fn keys(&self, tables: &Tables, scope: &Scope<'_>, exact: Option<Uuid>) -> Result<Vec<Uuid>, Refusal> {
        let table = (self.table)(tables);
        let belongs = |row: &T| scope.parent.is_none_or(|parent| (self.below)(row, parent));
        Ok(match exact {
            Some(id) => table.get(id).filter(|row| belongs(row)).map(|_| id).into_iter().collect(),
            None => table.iter().filter(|(_, row)| belongs(row)).map(|(id, _)| id).collect(),
        })
    }

    fn cell(&self, tables: &Tables, _scope: &Scope<'_>, id: Uuid, field: &str) -> Value {
        (self.table)(tables).row(id).map_or(Value::Null, |row| (self.cell)(tables, id, row, field))
    }

    fn etag(&self, tables: &Tables, _scope: &Scope<'_>, id: Uuid) -> Option<String> {
        (self.table)(tables).row(id).map(|row| Tables::etag(id, row.version))
    }
}
