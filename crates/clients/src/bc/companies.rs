//! The companies of an environment.
//! <https://learn.microsoft.com/dynamics365/business-central/dev-itpro/api-reference/v2.0/resources/dynamics_company>

use serde::Deserialize;
use uuid::Uuid;

use super::{Client, Pages, asked};
use crate::call::{Call, endpoint};
use crate::error::Error;
use crate::kind::{Access, System};
use crate::wire::or_default;

/// A company as the environment lists it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CompanyName {
    /// The id.
    pub id: Uuid,
    /// The name, at most 30 characters; part of web client addresses.
    pub name: String,
    /// The name to show; empty when none is set.
    #[serde(default, deserialize_with = "or_default")]
    display_name: String,
}

impl CompanyName {
    /// The name to show.
    pub fn display_name(&self) -> &str {
        if self.display_name.is_empty() { &self.name } else { &self.display_name }
    }
}

/// An environment of the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Environment {
    /// The name, as it stands in addresses.
    pub name: String,
    /// `Production` or `Sandbox`.
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    pub kind: String,
}

impl Client {
    /// All environments that the app can see. They are asked for above any environment, so the client's own may be a wrong one.
    /// <https://learn.microsoft.com/dynamics365/business-central/dev-itpro/webservices/api-get-environments>
    pub async fn list_environments(&self) -> Result<Vec<Environment>, Error> {
        const OPERATION: &str = "list_environments";
        #[derive(Deserialize)]
        struct Body {
            value: Vec<Environment>,
        }
        let address = ["environments", "v1.2"];
        let url = endpoint(asked(OPERATION, Access::Read), &self.shared.base_url, address)?;
        let answer = self.send(Call::get(System::BusinessCentral, OPERATION, url)).await?;
        Ok(answer.json::<Body>()?.value)
    }

    /// All companies that the app can see.
    pub async fn list_companies(&self) -> Result<Vec<CompanyName>, Error> {
        const OPERATION: &str = "list_companies";
        let url = self.url(asked(OPERATION, Access::Read), &["companies"])?;
        Pages::new(self.clone(), Call::get(System::BusinessCentral, OPERATION, url)).all().await
    }
}
