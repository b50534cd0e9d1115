//! Webhook subscriptions and the secrets that sign their deliveries. <https://developer.brex.com/openapi/webhooks_api/>

use reqwest::Method;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use super::Client;
use crate::error::Error;
use crate::kind::Kind;
use crate::wire::{open_enum, or_default};

const MAX_PAGES: usize = 100;

open_enum! {
    /// Whether a subscription delivers.
    #[derive(Deserialize)]
    #[serde(from = "String")]
    pub enum SubscriptionStatus {
        /// It delivers.
        Active = "ACTIVE",
        /// It does not.
        Inactive = "INACTIVE",
    }
}

open_enum! {
    /// Whether a secret still signs.
    #[derive(Deserialize)]
    #[serde(from = "String")]
    pub enum WebhookSecretStatus {
        /// In use.
        Active = "ACTIVE",
        /// Being replaced, but still valid.
        PendingRevoke = "PENDING_REVOKE",
        /// No longer valid.
        Revoked = "REVOKED",
    }
}

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Subscription {
    /// The id.
    pub id: String,
    /// Where it delivers to.
    pub url: String,
    /// Which events it delivers.
    #[serde(default, deserialize_with = "or_default")]
    pub event_types: Vec<String>,
    /// Whether it delivers.
    pub status: SubscriptionStatus,
}

/// A subscription to make, or what to change one to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewSubscription {
    /// Where to deliver to; https only.
    pub url: Url,
    /// Which events; at least one.
    pub event_types: Vec<String>,
}

/// A secret that signs deliveries.
#[derive(Clone, Debug, Deserialize)]
pub struct WebhookSecret {
    /// The secret.
    pub secret: SecretString,
    /// Whether it still signs.
    pub status: WebhookSecretStatus,
}

impl Client {
    /// All subscriptions of this account.
    pub async fn list_subscriptions(&self) -> Result<Vec<Subscription>, Error> {
        let first = self.get("list_subscriptions", &["v1", "webhooks"])?;
        self.walk("list_subscriptions", first, MAX_PAGES).await
    }

    /// Makes a subscription. Keep the key with the intent: the same key again makes no second one.
    pub async fn create_subscription(
        &self,
        idempotency_key: Uuid,
        subscription: &NewSubscription,
    ) -> Result<Subscription, Error> {
        let call = self
            .write("create_subscription", Method::POST, &["v1", "webhooks"])?
            .header_text("idempotency-key", &idempotency_key.to_string())?
            .json(subscription)?;
        self.send(call).await?.json()
    }

    /// Changes a subscription.
    pub async fn update_subscription(
        &self,
        id: &str,
        subscription: &NewSubscription,
        status: &SubscriptionStatus,
    ) -> Result<Subscription, Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            url: &'a Url,
            event_types: &'a [String],
            status: &'a str,
        }
        let body = Body { url: &subscription.url, event_types: &subscription.event_types, status: status.as_str() };
        let call = self.write("update_subscription", Method::PUT, &["v1", "webhooks", id])?.json(&body)?;
        self.send(call).await?.json()
    }

    /// Deletes a subscription. That it is already gone counts as deleted.
    pub async fn delete_subscription(&self, id: &str) -> Result<(), Error> {
        let call = self.write("delete_subscription", Method::DELETE, &["v1", "webhooks", id])?;
        match self.send(call).await {
            Err(error) if error.kind() != Kind::NotFound => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// The secrets, revoked ones included. They belong to the account, not to one subscription.
    pub async fn list_webhook_secrets(&self) -> Result<Vec<WebhookSecret>, Error> {
        let answer = self.send(self.get("list_webhook_secrets", &["v1", "webhooks", "secrets"])?).await?;
        answer.secret_json()
    }
}
