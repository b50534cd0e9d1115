//! Webhooks: subscriptions, secrets, and signed deliveries of `ACCOUNTING_RECORD_READY_FOR_EXPORT`.

mod outbox;
mod secrets;
mod sender;
mod subscriptions;

pub(super) use self::outbox::Outbox;
pub use self::outbox::{Attempt, Delivery, DeliveryState, Forgotten};
pub use self::secrets::{SecretStatus, WebhookSecret, signature};
pub(super) use self::sender::Sender;
pub use self::sender::{DeliveryCount, WebhookReport, spawn_deliveries};
pub(super) use self::subscriptions::router;
pub use self::subscriptions::{Subscription, SubscriptionStatus};

/// The one event that the sandbox sends.
pub(super) const RECORD_READY: &str = "ACCOUNTING_RECORD_READY_FOR_EXPORT";
