//! The company that the token belongs to. <https://developer.brex.com/openapi/team_api/>

use serde::Deserialize;

use super::Client;
use crate::error::Error;
use crate::wire::or_default;

/// A Brex account's company.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Company {
    /// The id (`cuacc_...`), the same as in webhooks.
    pub id: String,
    /// The registered name.
    #[serde(default, deserialize_with = "or_default")]
    pub legal_name: String,
    /// The kind of account, such as `BREX_EMPOWER`.
    #[serde(default, rename = "accountType")]
    pub account_type: Option<String>,
}

impl Client {
    /// The company of this token; also the cheap call that keeps an idle token alive.
    pub async fn get_company(&self) -> Result<Company, Error> {
        self.send(self.get("get_company", &["v2", "company"])?).await?.json()
    }
}
