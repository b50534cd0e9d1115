//! The companies of an environment.
//! <https://learn.microsoft.com/dynamics365/business-central/dev-itpro/api-reference/v2.0/resources/dynamics_company>

use serde::Deserialize;
use uuid::Uuid;

use super::{Client, Pages, asked};
use crate::call::Call;
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

impl Client {
    /// All companies that the app can see.
    pub async fn list_companies(&self) -> Result<Vec<CompanyName>, Error> {
        const OPERATION: &str = "list_companies";
        let url = self.url(asked(OPERATION, Access::Read), &["companies"])?;
        Pages::new(self.clone(), Call::get(System::BusinessCentral, OPERATION, url)).all().await
    }
}
