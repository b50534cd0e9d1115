//! `webhookSupportedResources` of the runtime group: what one may subscribe to.

use serde_json::Value;
use uuid::Uuid;

use super::{EntitySet, Scope};
use crate::bc::error::Refusal;
use crate::bc::schema::Kind::Text;
use crate::bc::schema::{Schema, r};
use crate::bc::table::Tables;
use crate::bc::webhooks::WATCHED;

/// The platform's list.
pub(crate) struct WebhookResources;

static SCHEMA: Schema = Schema {
    set: "webhookSupportedResources",
    entity: "webhookSupportedResource",
    fields: &[r("resource", Text(250))],
};

fn key(name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
}

/// Only what exists in this sandbox can be subscribed to.
pub(crate) fn supported() -> impl Iterator<Item = &'static str> {
    WATCHED.iter().copied()
}

impl EntitySet for WebhookResources {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn keys(&self, _tables: &Tables, _scope: &Scope<'_>, exact: Option<Uuid>) -> Result<Vec<Uuid>, Refusal> {
        Ok(supported().map(key).filter(|id| exact.is_none_or(|exact| exact == *id)).collect())
    }

    fn cell(&self, _tables: &Tables, _scope: &Scope<'_>, id: Uuid, _field: &str) -> Value {
        supported().find(|name| key(name) == id).map_or(Value::Null, |name| format!("v2.0/{name}").into())
    }

    /// A list of the platform, without ETags.
    fn etag(&self, _tables: &Tables, _scope: &Scope<'_>, _id: Uuid) -> Option<String> {
        None
    }
}
