//! The accounting integration: Brex allows one active integration for an account, whatever its vendor.
//! <https://developer.brex.com/openapi/accounting_api/>

use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use super::{Client, failure};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::Error;
use crate::wire::{instant_or_none, open_enum, or_default};

open_enum! {
    /// Whether an integration is in use.
    #[derive(Deserialize)]
    #[serde(from = "String")]
    pub enum IntegrationStatus {
        /// In use.
        Active = "ACTIVE",
        /// Disconnected.
        Disabled = "DISABLED",
    }
}

/// An accounting integration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Integration {
    /// The id; the schema says `integration_id`, its examples say `id`.
    #[serde(alias = "id")]
    pub integration_id: String,
    /// The name that Brex gave to the maker of the integration.
    pub vendor: String,
    /// Our id of the company on the other side.
    #[serde(default, deserialize_with = "or_default")]
    pub vendor_account_id: String,
    /// Whether it is in use.
    pub status: IntegrationStatus,
    /// When it was made.
    #[serde(default, deserialize_with = "instant_or_none")]
    pub created_at: Option<Timestamp>,
}

/// What came of a change to the integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntegrationAnswer {
    /// The integration as it now is.
    Integration(Integration),
    /// Another vendor's integration is active; a person has to disconnect it.
    OtherVendorActive {
        /// Its id.
        integration_id: Option<String>,
        /// Its vendor.
        vendor: Option<String>,
    },
    /// Our integration is active for another company.
    OtherAccountActive {
        /// Its id.
        integration_id: Option<String>,
        /// The id of that company.
        vendor_account_id: Option<String>,
    },
    /// It could not be disconnected, because it is not active.
    NotActive {
        /// The status it has.
        status: Option<String>,
    },
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    existing_integration_id: Option<String>,
    existing_vendor: Option<String>,
    existing_vendor_account_id: Option<String>,
    current_status: Option<String>,
}

impl Client {
    /// Makes the integration, or gives the active one if it is the same: doing it twice changes nothing.
    pub async fn create_integration(&self, vendor: &str, vendor_account_id: &str) -> Result<IntegrationAnswer, Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            vendor: &'a str,
            vendor_account_id: &'a str,
        }
        let call = self
            .write("create_integration", Method::POST, &["v3", "accounting", "integration"])?
            .json(&Body { vendor, vendor_account_id })?;
        self.change_integration(call).await
    }

    /// Stops using the integration.
    pub async fn disconnect_integration(&self, integration_id: &str) -> Result<IntegrationAnswer, Error> {
        let path = ["v3", "accounting", "integration", integration_id, "disconnect"];
        self.change_integration(self.write("disconnect_integration", Method::POST, &path)?).await
    }

    /// Uses a disconnected integration again.
    pub async fn reactivate_integration(&self, integration_id: &str) -> Result<IntegrationAnswer, Error> {
        let path = ["v3", "accounting", "integration", integration_id, "reactivate"];
        self.change_integration(self.write("reactivate_integration", Method::POST, &path)?).await
    }

    async fn change_integration(&self, call: Call) -> Result<IntegrationAnswer, Error> {
        let answer = self.exchange(call).await?;
        match conflict(&answer) {
            Some(conflict) => Ok(conflict),
            None => failure::success(answer)?.json().map(IntegrationAnswer::Integration),
        }
    }
}

fn conflict(answer: &Answer) -> Option<IntegrationAnswer> {
    if answer.status() != StatusCode::CONFLICT {
        return None;
    }
    let code = failure::read(answer.body()).code?;
    let details = failure::details::<Details>(answer).map(|(_, details)| details).unwrap_or_default();
    let integration_id = details.existing_integration_id;
    match code.as_str() {
        "ACTIVE_INTEGRATION_EXISTS" => {
            Some(IntegrationAnswer::OtherVendorActive { integration_id, vendor: details.existing_vendor })
        }
        "VENDOR_ACCOUNT_ID_MISMATCH" => Some(IntegrationAnswer::OtherAccountActive {
            integration_id,
            vendor_account_id: details.existing_vendor_account_id,
        }),
        "INTEGRATION_NOT_ACTIVE" => Some(IntegrationAnswer::NotActive { status: details.current_status }),
        _ => None,
    }
}
