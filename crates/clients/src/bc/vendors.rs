//! Vendors: reading them, and making one that a person agreed to. The connector changes and deletes none.
//! <https://learn.microsoft.com/dynamics365/business-central/dev-itpro/api-reference/v2.0/resources/dynamics_vendor>

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::odata::{Filter, Literal, Query};
use super::{Company, Pages, names};
use crate::call::CREATE_TIMEOUT;
use crate::error::Error;
use crate::wire::{instant_or_none, open_enum, or_default};

/// What is read; the balance is left out, since Business Central has to calculate it for every row.
const FIELDS: &str = "id,number,displayName,addressLine1,addressLine2,city,state,country,postalCode,phoneNumber,email,\
                      website,taxRegistrationNumber,currencyCode,blocked,lastModifiedDateTime";

open_enum! {
    /// Whether and for what a vendor is blocked.
    pub enum Blocked {
        /// Not blocked.
        No = "",
        /// Payments only; documents can be made.
        Payment = "Payment",
        /// Everything.
        All = "All",
    }
}

/// A vendor.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vendor {
    /// The id, which survives a change of number.
    pub id: Uuid,
    /// The number that people use.
    pub number: String,
    /// The name.
    #[serde(default, deserialize_with = "or_default")]
    pub display_name: String,
    /// The first line of the address.
    #[serde(default, deserialize_with = "or_default")]
    pub address_line1: String,
    /// The second line of the address.
    #[serde(default, deserialize_with = "or_default")]
    pub address_line2: String,
    /// The city.
    #[serde(default, deserialize_with = "or_default")]
    pub city: String,
    /// The state or county.
    #[serde(default, deserialize_with = "or_default")]
    pub state: String,
    /// The country code.
    #[serde(default, deserialize_with = "or_default")]
    pub country: String,
    /// The postal code.
    #[serde(default, deserialize_with = "or_default")]
    pub postal_code: String,
    /// The telephone number.
    #[serde(default, deserialize_with = "or_default")]
    pub phone_number: String,
    /// One or more mail addresses, separated by semicolons.
    #[serde(default, deserialize_with = "or_default")]
    pub email: String,
    /// The web site.
    #[serde(default, deserialize_with = "or_default")]
    pub website: String,
    /// The VAT registration number.
    #[serde(default, deserialize_with = "or_default")]
    pub tax_registration_number: String,
    /// The currency; the company's own where the vendor has none.
    #[serde(default, deserialize_with = "or_default")]
    pub currency_code: String,
    /// Whether the vendor is blocked.
    #[serde(default = "not_blocked", deserialize_with = "names::member")]
    pub blocked: Blocked,
    /// The last change.
    #[serde(default, rename = "lastModifiedDateTime", deserialize_with = "instant_or_none")]
    pub last_modified: Option<Timestamp>,
}

/// A vendor to create, blocked for everything. Number and posting groups come from Business Central's number series and
/// vendor template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVendor {
    /// The name, at most 100 characters.
    pub name: String,
    /// The country code, at most 10 characters; blank is not sent.
    pub country: String,
    /// Mail addresses, at most 80 characters; blank is not sent.
    pub email: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    display_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    country: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    email: &'a str,
    blocked: &'static str,
}

fn not_blocked() -> Blocked {
    Blocked::No
}

impl Company {
    /// The vendors that changed after `modified_since`, or all of them. Deleted ones show only by their absence from the
    /// full list.
    pub fn list_vendors(&self, modified_since: Option<Timestamp>) -> Result<Pages<Vendor>, Error> {
        let changed = modified_since.map(|instant| Filter::after("lastModifiedDateTime", instant));
        self.pages("list_vendors", &["vendors"], &Query::default().select(FIELDS).filter(changed.as_ref()))
    }

    /// The vendor with this id.
    pub async fn get_vendor(&self, id: Uuid) -> Result<Option<Vendor>, Error> {
        let query = Query::default().select(FIELDS);
        self.find_row(self.read("get_vendor", &[&format!("vendors({id})")], &query)?).await
    }

    /// The vendor with this number.
    pub async fn find_vendor_by_number(&self, number: &str) -> Result<Option<Vendor>, Error> {
        let filter = Filter::equals("number", &Literal::Text(number.to_owned()));
        let query = Query::default().select(FIELDS).filter(Some(&filter));
        let rows = self.pages::<Vendor>("find_vendor_by_number", &["vendors"], &query)?.all().await?;
        Ok(rows.into_iter().next())
    }

    /// The vendors with exactly this name. How the filter treats case is not documented, so the answer is sorted out here.
    pub async fn find_vendors_named(&self, name: &str) -> Result<Vec<Vendor>, Error> {
        let filter = Filter::equals("displayName", &Literal::Text(name.to_owned()));
        let query = Query::default().select(FIELDS).filter(Some(&filter));
        let mut rows = self.pages::<Vendor>("find_vendors_named", &["vendors"], &query)?.all().await?;
        rows.retain(|row| row.display_name == name);
        Ok(rows)
    }

    /// Creates a vendor that is blocked with type All. There is no key that would make a repeat harmless, and names may occur
    /// twice: whoever creates must look first and, after an unclear answer, only look.
    pub async fn create_vendor(&self, vendor: &NewVendor) -> Result<Vendor, Error> {
        let NewVendor { name, country, email } = vendor;
        let body = Body { display_name: name, country, email, blocked: "All" };
        let call = self.write("create_vendor", Method::POST, &["vendors"])?.timeout(CREATE_TIMEOUT).json(&body)?;
        self.client.send(call).await?.json()
    }
}
