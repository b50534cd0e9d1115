//! The vendor directory: the payees of bill payments. Bank details are neither read nor written here, so nothing of ours can
//! keep, show or overwrite them. <https://developer.brex.com/openapi/payments_api/>

use reqwest::Method;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Client, asked};
use crate::error::Error;
use crate::kind::{Access, Kind};
use crate::wire::or_default;

/// The most vendors that Brex gives on one page.
const PAGE: &str = "1000";
/// A name is looked up over this many pages at most: whether Brex takes it as exact or as a part is not documented.
const MAX_NAME_PAGES: usize = 20;

/// A vendor in Brex, without its bank details.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct BrexVendor {
    /// The id (`pdcont_...`).
    pub id: String,
    /// The name, unique within the account.
    #[serde(default, deserialize_with = "or_default")]
    pub company_name: String,
    /// The e-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// The telephone number.
    #[serde(default)]
    pub phone: Option<String>,
}

/// What is written: only what is given, so that everything else (bank details above all) stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VendorFields {
    /// The name; needed to create.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_name: Option<String>,
    /// The e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// A page of vendors.
#[derive(Debug, Deserialize)]
pub struct VendorsPage {
    /// The vendors.
    pub items: Vec<BrexVendor>,
    /// Where the next page starts; none at the end.
    #[serde(default)]
    pub next_cursor: Option<String>,
}

impl Client {
    /// One page of the directory, from the start or from where the page before ended.
    pub async fn list_vendors(&self, cursor: Option<&str>) -> Result<VendorsPage, Error> {
        let mut call = self.get("list_vendors", &["v1", "vendors"])?.query_pair("limit", PAGE);
        if let Some(cursor) = cursor {
            call = call.query_pair("cursor", cursor);
        }
        let mut page: VendorsPage = self.send(call).await?.json()?;
        page.next_cursor = page.next_cursor.filter(|next| !next.is_empty());
        match &page.next_cursor {
            Some(next) if Some(next.as_str()) == cursor => {
                Err(Error::unreadable(asked("list_vendors", Access::Read), "the list repeated its cursor"))
            }
            _ => Ok(page),
        }
    }

    /// The vendors that Brex finds by this name. Partial matches may be among them: compare.
    pub async fn find_vendors_by_name(&self, name: &str) -> Result<Vec<BrexVendor>, Error> {
        const OPERATION: &str = "find_vendors_by_name";
        let first = self.get(OPERATION, &["v1", "vendors"])?.query_pair("name", name).query_pair("limit", PAGE);
        self.walk(OPERATION, first, MAX_NAME_PAGES).await
    }

    /// The vendor with this id, if it is there.
    pub async fn get_vendor(&self, id: &str) -> Result<Option<BrexVendor>, Error> {
        match self.send(self.get("get_vendor", &["v1", "vendors", id])?).await {
            Ok(answer) => answer.json().map(Some),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates a vendor. Keep the key with the intent: the same key again makes no second one.
    pub async fn create_vendor(&self, idempotency_key: Uuid, fields: &VendorFields) -> Result<BrexVendor, Error> {
        let call = self
            .write("create_vendor", Method::POST, &["v1", "vendors"])?
            .header_text("idempotency-key", &idempotency_key.to_string())?
            .json(fields)?;
        self.send(call).await?.json()
    }

    /// Changes what is given and leaves the rest. Doing it twice changes nothing, so no key is needed.
    pub async fn update_vendor(&self, id: &str, fields: &VendorFields) -> Result<BrexVendor, Error> {
        let call = self.write("update_vendor", Method::PUT, &["v1", "vendors", id])?.json(fields)?;
        self.send(call).await?.json()
    }

    /// Deletes a vendor. That it is already gone counts as deleted.
    pub async fn delete_vendor(&self, id: &str) -> Result<(), Error> {
        match self.send(self.write("delete_vendor", Method::DELETE, &["v1", "vendors", id])?).await {
            Err(error) if error.kind() != Kind::NotFound => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}
