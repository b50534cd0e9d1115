//! Webhooks: subscriptions, secrets, and signed deliveries.

mod kinds;
mod outbox;
mod secrets;
mod sender;
mod subscriptions;

pub use self::kinds::{Authorization, AuthorizationStatus, AuthorizationType, WebhookSettings};
pub(super) use self::outbox::Outbox;
pub use self::outbox::{Attempt, Delivery, DeliveryState, Forgotten};
pub use self::secrets::{SecretStatus, WebhookSecret, signature};
pub(super) use self::sender::Sender;
pub use self::sender::{DeliveryCount, WebhookReport, spawn_deliveries};
pub(super) use self::subscriptions::router;
pub use self::subscriptions::{Subscription, SubscriptionStatus};

/// The event of an export action.
pub(super) const RECORD_READY: &str = "ACCOUNTING_RECORD_READY_FOR_EXPORT";
