//! Fields and their values: the lists that people code with in Brex. What stands in them is named by our `remote_id`.
//! <https://developer.brex.com/openapi/fields_api/> (beta)

use reqwest::Method;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Client, Page};
use crate::error::Error;
use crate::wire::or_default;

/// The most that Brex gives on one page.
const PAGE: &str = "1000";
/// More pages than any list has; each holds a thousand.
const MAX_PAGES: usize = 1_000;
/// Ids in one request: an address stays far below the 8 kB that many servers take.
const IDS_PER_CALL: usize = 50;
/// The most values that one call may carry.
pub const VALUES_PER_CALL: usize = 1_000;

/// A field: one axis of coding.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Field {
    /// The id (`extended_field_...`).
    pub brex_id: String,
    /// What people see.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// Our name of the axis; it cannot be changed.
    #[serde(default)]
    pub remote_id: Option<String>,
    /// Whether people can still choose it.
    #[serde(default, deserialize_with = "or_default")]
    pub is_disabled: bool,
    /// `ERP`, `ACCOUNTING`, `USER`, `TRAVEL` or newer.
    #[serde(default)]
    pub group: Option<String>,
}

/// A field to be made in the group `ERP`, which needs the accounting integration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewField {
    /// What people see.
    pub name: String,
    /// Our name of the axis.
    pub remote_id: String,
    /// The accounting integration.
    pub integration_id: String,
}

/// A value of a field.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FieldValue {
    /// The id (`efo_...`).
    pub brex_id: String,
    /// What people see.
    #[serde(default, deserialize_with = "or_default")]
    pub value: String,
    /// Our id; it cannot be changed.
    #[serde(default)]
    pub remote_id: Option<String>,
    /// Our code; it cannot be changed.
    #[serde(default)]
    pub value_id: Option<String>,
    /// Whether people can still choose it.
    #[serde(default, deserialize_with = "or_default")]
    pub is_disabled: bool,
}

/// A value to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewValue {
    /// What people see.
    pub value: String,
    /// Our code.
    pub value_id: String,
    /// Our id.
    pub remote_id: String,
}

/// A change of a value; what is not given stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ValueChange {
    /// The value.
    pub brex_id: String,
    /// What becomes of it.
    pub data: ValueData,
}

/// What a change sets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ValueData {
    /// What people see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Whether people can still choose it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_disabled: Option<bool>,
}

#[derive(Serialize)]
struct Items<'a, T> {
    items: &'a [T],
}

impl Client {
    /// Every field of the account.
    pub async fn list_fields(&self) -> Result<Vec<Field>, Error> {
        self.list_all("list_fields", &["v1", "fields"], &[]).await
    }

    /// Every value of a field.
    pub async fn list_field_values(&self, field: &str) -> Result<Vec<FieldValue>, Error> {
        self.list_all("list_field_values", &["v1", "fields", field, "values"], &[]).await
    }

    /// These values of a field; those that Brex does not know are left out.
    pub async fn find_field_values(&self, field: &str, brex_ids: &[String]) -> Result<Vec<FieldValue>, Error> {
        let mut found = Vec::new();
        for ids in brex_ids.chunks(IDS_PER_CALL) {
            let path = ["v1", "fields", field, "values"];
            found.extend(self.list_all("find_field_values", &path, ids).await?);
        }
        Ok(found)
    }

    /// Makes a field. Keep the key: the same key again makes no second one.
    pub async fn create_field(&self, idempotency_key: Uuid, field: &NewField) -> Result<Field, Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            group: &'static str,
            #[serde(flatten)]
            field: &'a NewField,
        }
        let call = self
            .write("create_field", Method::POST, &["v1", "fields"])?
            .header_text("idempotency-key", &idempotency_key.to_string())?
            .json(&Body { group: "ERP", field })?;
        self.send(call).await?.json()
    }

    /// Makes at most [`VALUES_PER_CALL`] values.
    pub async fn create_field_values(
        &self,
        idempotency_key: Uuid,
        field: &str,
        values: &[NewValue],
    ) -> Result<Vec<FieldValue>, Error> {
        let call = self
            .write("create_field_values", Method::POST, &["v1", "fields", field, "values"])?
            .header_text("idempotency-key", &idempotency_key.to_string())?
            .json(&Items { items: values })?;
        Ok(self.send(call).await?.json::<Page<FieldValue>>()?.items)
    }

    /// Changes at most [`VALUES_PER_CALL`] values. Doing it twice changes nothing, so no key is needed.
    pub async fn update_field_values(&self, field: &str, changes: &[ValueChange]) -> Result<Vec<FieldValue>, Error> {
        let call = self
            .write("update_field_values", Method::PUT, &["v1", "fields", field, "values"])?
            .json(&Items { items: changes })?;
        Ok(self.send(call).await?.json::<Page<FieldValue>>()?.items)
    }

    async fn list_all<T: serde::de::DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &[&str],
        brex_ids: &[String],
    ) -> Result<Vec<T>, Error> {
        let first = self.get(operation, path)?.query_pair("limit", PAGE);
        let first = brex_ids.iter().fold(first, |call, id| call.query_pair("brex_id[]", id));
        self.walk(operation, first, MAX_PAGES).await
    }
}
