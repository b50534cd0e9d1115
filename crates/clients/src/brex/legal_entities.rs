//! The legal entities of an account. In camelCase here, unlike within an expense.
//! <https://developer.brex.com/openapi/team_api/>

use serde::Deserialize;

use super::Client;
use crate::error::Error;
use crate::wire::or_default;

/// A walk through the legal entities has at most this many pages.
const MAX_PAGES: usize = 100;

/// A legal entity as the Team API lists it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ListedEntity {
    /// The id (`cuent_...`).
    pub id: String,
    /// The name that people know it by.
    #[serde(default, rename = "displayName", deserialize_with = "or_default")]
    pub display_name: String,
    /// Whether it is the one that is used where no other is named.
    #[serde(default, rename = "isDefault", deserialize_with = "or_default")]
    pub is_default: bool,
}

impl Client {
    /// All legal entities.
    pub async fn list_legal_entities(&self) -> Result<Vec<ListedEntity>, Error> {
        let first = self.get("list_legal_entities", &["v2", "legal_entities"])?;
        self.walk("list_legal_entities", first, MAX_PAGES).await
    }
}
