//! What can be switched where the real behaviour is not known or differs between accounts.

use serde::{Deserialize, Serialize};

use super::idempotency::KeySettings;
use super::payments::PaymentSettings;
use super::records::AccountingSettings;
use super::webhooks::WebhookSettings;

/// The switches of the Brex side. The defaults are the strict or the odd ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Records not updated for this many days are hidden when a query does not name `updated_at`.
    pub default_window_days: i64,
    /// Whether the hidden window counts for `ids=` queries too.
    pub window_applies_to_ids: bool,
    /// Most records of one page; documented is only the general maximum of 1000 and the default of 100.
    #[serde(default = "largest_page")]
    pub largest_page: usize,
    /// How the integration calls its id; schema and examples of the API description differ.
    pub integration_id_key: IdKey,
    /// A token that is not used for so many days expires; two pages of Brex say 30 and 90.
    #[serde(default = "token_idle_days")]
    pub token_idle_days: i64,
    /// Requests of one token in 60 seconds before 429.
    pub requests_per_minute: usize,
    /// What a 429 says.
    pub too_many_body: TooManyBody,
    /// `Retry-After` on a 429, if any.
    pub retry_after_seconds: Option<u64>,
    /// Refuse free text with other characters than ASCII in export results.
    pub ascii_only: bool,
    /// How the Fields API behaves where that is not documented.
    #[serde(default)]
    pub fields: FieldSettings,
    /// How records look and move where that is not documented.
    #[serde(default)]
    pub accounting: AccountingSettings,
    /// How webhooks behave where that is not documented.
    #[serde(default)]
    pub webhooks: WebhookSettings,
    /// How many of 100 events are never sent.
    pub webhook_drop_percent: u8,
    /// How `Idempotency-Key` works.
    pub idempotency: KeySettings,
    /// The switches of vendors, transfers and cash accounts.
    pub payments: PaymentSettings,
}

fn largest_page() -> usize {
    1_000
}

fn token_idle_days() -> i64 {
    90
}

/// The switches of the Fields API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FieldSettings {
    /// A batch with one bad item changes nothing.
    pub atomic_batches: bool,
    /// A remote id that is in use is refused.
    pub remote_ids_unique: bool,
    /// Names and values with other characters than ASCII are refused.
    pub ascii_only: bool,
}

impl Default for FieldSettings {
    fn default() -> Self {
        Self { atomic_batches: true, remote_ids_unique: true, ascii_only: false }
    }
}

/// The key under which an integration's id is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdKey {
    /// As in the schema.
    IntegrationId,
    /// As in all examples.
    Id,
}

/// The body of a 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TooManyBody {
    /// Nothing at all.
    Empty,
    /// The platform's error shape.
    Json,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            default_window_days: 30,
            window_applies_to_ids: false,
            largest_page: largest_page(),
            integration_id_key: IdKey::IntegrationId,
            token_idle_days: token_idle_days(),
            requests_per_minute: 1000,
            too_many_body: TooManyBody::Empty,
            retry_after_seconds: None,
            ascii_only: true,
            fields: FieldSettings::default(),
            accounting: AccountingSettings::default(),
            webhooks: WebhookSettings::default(),
            webhook_drop_percent: 0,
            idempotency: KeySettings::default(),
            payments: PaymentSettings::default(),
        }
    }
}
