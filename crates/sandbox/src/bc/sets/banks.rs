//! `bankAccounts`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::codes::Writes;
use super::documents::currency_cells;
use super::reads::{Reads, anywhere, nothing};
use crate::bc::document::currency;
use crate::bc::error::Refusal;
use crate::bc::input::Scalar;
use crate::bc::schema::Kind::{Bool, Code, DateTime, Guid, Text};
use crate::bc::schema::{self, Schema, r, w};
use crate::bc::table::Tables;

/// A bank account as BC stores it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct BankAccount {
    pub(crate) number: String,
    pub(crate) name: String,
    pub(crate) account_number: String,
    pub(crate) blocked: bool,
    pub(crate) currency: String,
    pub(crate) iban: String,
    pub(crate) intercompany: bool,
}

impl BankAccount {
    /// The one that every company starts with.
    pub(crate) fn first() -> Self {
        Self { number: "CHECKING".to_owned(), name: "Checking account".to_owned(), ..Self::default() }
    }
}

pub(crate) static BANK_ACCOUNTS: Writes<BankAccount> = Writes {
    reads: Reads {
        schema: &Schema {
            set: "bankAccounts",
            entity: "bankAccount",
            fields: &[
                r("id", Guid),
                w("number", Code(20)),
                w("displayName", Text(100)),
                r("lastModifiedDateTime", DateTime),
                w("bankAccountNumber", Text(30)),
                w("blocked", Bool),
                w("currencyCode", Code(10)).computed(),
                w("currencyId", Guid).computed(),
                w("iban", Code(50)),
                w("intercompanyEnabled", Bool),
            ],
        },
        table: |tables| &tables.bank_accounts,
        cell: |tables, id, row, field| match field {
            "id" => schema::guid(id),
            "number" => row.value.number.as_str().into(),
            "displayName" => row.value.name.as_str().into(),
            "lastModifiedDateTime" => schema::moment(row.modified),
            "bankAccountNumber" => row.value.account_number.as_str().into(),
            "blocked" => row.value.blocked.into(),
            "currencyCode" | "currencyId" => currency_cells(tables, &row.value.currency, field),
            "iban" => row.value.iban.as_str().into(),
            "intercompanyEnabled" => row.value.intercompany.into(),
            _ => Value::Null,
        },
        below: anywhere,
        navigation: nothing,
    },
    table: |tables| &mut tables.bank_accounts,
    caption: "Bank Account",
    key: Some(("No.", |row| &row.number)),
    blank: Some(|_| BankAccount::default()),
    set,
};

fn set(tables: &Tables, row: &mut BankAccount, field: &str, value: &Scalar) -> Result<(), Refusal> {
    match (field, value) {
        ("number", Scalar::Text(text)) => text.clone_into(&mut row.number),
        ("displayName", Scalar::Text(text)) => text.clone_into(&mut row.name),
        ("bankAccountNumber", Scalar::Text(text)) => text.clone_into(&mut row.account_number),
        ("iban", Scalar::Text(text)) => text.clone_into(&mut row.iban),
        ("currencyCode", Scalar::Text(text)) => row.currency = currency::by_code(tables, text)?,
        ("currencyId", Scalar::Guid(id)) => row.currency = currency::by_id(tables, *id)?,
        ("blocked", Scalar::Bool(blocked)) => row.blocked = *blocked,
        ("intercompanyEnabled", Scalar::Bool(enabled)) => row.intercompany = *enabled,
        _ => return Err(Refusal::read_only(field)),
    }
    Ok(())
}
