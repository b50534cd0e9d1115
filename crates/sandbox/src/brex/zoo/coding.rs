//! Field values of a line, with the ids that the ERP gave when the values were offered in Brex.

use serde_json::{Value, json};
use uuid::Uuid;

use super::Zoo;
use super::cast::usable;
use crate::company::{Account, Vendor};

/// Whether a value comes back with the ERP's id, or with its number or code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Id,
    Number,
}

/// One field with the value that was chosen, if one was.
#[derive(Debug, Clone)]
pub(super) struct Coding {
    field: String,
    field_name: String,
    brex_value: Option<String>,
    remote_value: Option<String>,
    value_name: Option<String>,
}

impl Coding {
    fn chosen(field: &str, field_name: &str, by: By, id: Uuid, number: &str, name: &str) -> Self {
        Self {
            field: field.to_owned(),
            field_name: field_name.to_owned(),
            brex_value: Some(brex_value_id(&id.to_string())),
            remote_value: Some(match by {
                By::Id => id.to_string(),
                By::Number => number.to_owned(),
            }),
            value_name: Some(format!("{number} {name}")),
        }
    }

    pub(super) fn account(account: &Account, by: By) -> Self {
        Self::chosen("GL_ACCOUNT", "G/L Account", by, account.id, &account.number, &account.name)
    }

    pub(super) fn vendor(vendor: &Vendor, by: By) -> Self {
        Self::chosen("VENDOR", "Vendor", by, vendor.id, &vendor.number, &vendor.name)
    }

    /// A field that nobody filled in.
    pub(super) fn missing(field: &str, field_name: &str) -> Self {
        Self {
            field: field.to_owned(),
            field_name: field_name.to_owned(),
            brex_value: None,
            remote_value: None,
            value_name: None,
        }
    }

    /// A value that was made in Brex: the ERP has no id for it.
    pub(super) fn made_in_brex(field: &str, field_name: &str, name: &str) -> Self {
        Self {
            brex_value: Some(brex_value_id(name)),
            value_name: Some(name.to_owned()),
            ..Self::missing(field, field_name)
        }
    }

    /// A value with any remote id.
    pub(super) fn raw(field: &str, field_name: &str, remote_value: &str, name: &str) -> Self {
        Self { remote_value: Some(remote_value.to_owned()), ..Self::made_in_brex(field, field_name, name) }
    }

    pub(super) fn is_of(&self, field: &str) -> bool {
        self.field == field
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "brex_field_id": format!("extended_field_c{}", stable(&self.field)),
            "remote_field_id": self.field,
            "field_name": self.field_name,
            "brex_field_value_id": self.brex_value,
            "remote_field_value_id": self.remote_value,
            "field_value_name": self.value_name,
            "type": "IDENTIFIER",
        })
    }
}

impl Zoo<'_> {
    /// An expense account that can be booked on.
    pub(super) fn account(&self, by: By) -> Coding {
        match self.cast.accounts.as_slice() {
            [] => Coding::missing("GL_ACCOUNT", "G/L Account"),
            accounts => Coding::account(accounts[self.ids.below(accounts.len())], by),
        }
    }

    /// A usable value of a dimension; nothing if the company does not have it.
    pub(super) fn dimension(&self, code: &str, by: By) -> Option<Coding> {
        let dimension = self.company.dimension(code)?;
        let values = usable(dimension);
        let value = *values.get(self.ids.below(values.len()))?;
        Some(Coding::chosen(&format!("DIM_{code}"), &dimension.name, by, value.id, &value.code, &value.name))
    }

    /// An account, mostly a department, sometimes a project and a region.
    pub(super) fn line_coding(&self, by: By) -> Vec<Coding> {
        let mut coding = vec![self.account(by)];
        for (code, percent) in [("DEPARTMENT", 75), ("PROJECT", 25), ("REGION", 20)] {
            if self.ids.chance(percent) {
                coding.extend(self.dimension(code, by));
            }
        }
        coding
    }
}

fn brex_value_id(value: &str) -> String {
    format!("efo_c{}", stable(value))
}

/// 24 characters that depend on nothing but the text: a field has the same id on all records.
fn stable(text: &str) -> String {
    crate::ids::Ids::new(0).stream(text).alphanumeric(24)
}
