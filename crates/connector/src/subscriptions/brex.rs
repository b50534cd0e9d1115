//! The webhook at Brex: registered once, repaired when it is gone, off, elsewhere or short of an event, and the secrets its
//! deliveries are signed with.

use clients::brex::{NewSubscription, Subscription, SubscriptionStatus, WebhookSecretStatus};
use domain::audit::Note;
use serde_json::json;
use store::Lease;
use uuid::Uuid;

use super::{address, path, token};
use crate::app::{App, Connection};
use crate::config::Source;
use crate::stop::Stop;

/// Cursor that keeps the unguessable part of the webhook's address.
pub(super) const TOKEN: &str = "webhook.token";
/// Cursor that keeps the id of the subscription.
const SUBSCRIPTION: &str = "webhook.subscription";
/// The events that a connection acts on; expenses have none that would be of use.
fn events(connection: &Connection) -> &'static [&'static str] {
    match connection.settings.brex.source {
        Source::Accounting => &["ACCOUNTING_RECORD_READY_FOR_EXPORT", "TRANSFER_PROCESSED", "TRANSFER_FAILED"],
        Source::Expenses => &["TRANSFER_PROCESSED", "TRANSFER_FAILED"],
    }
}

/// Makes sure that Brex delivers to us and that we know the secrets. Without a public address, or while nobody listens at
/// it, there is nothing to do: the poll brings every record.
pub async fn keep(app: &App, connection: &Connection, lease: &Lease) -> Result<(), Stop> {
    let Some(public_url) = app.public_url.as_ref().filter(|_| app.is_receiving()) else { return Ok(()) };
    let token = token(app, connection, lease, TOKEN).await?;
    let Some(url) = address(public_url, "brex", &token) else { return Ok(()) };
    let path = path("brex", &token);
    connection.set_hook(|hook| hook.token = Some(token));
    let wanted =
        NewSubscription { url, event_types: events(connection).iter().map(|event| (*event).to_owned()).collect() };
    let known = connection.brex.list_subscriptions().await?;
    // Nobody but us knows the path: an address that ends with it is ours, even if this machine has moved.
    let mut ours = known.iter().filter(|subscription| subscription.url.ends_with(&path));
    match ours.next() {
        Some(found) => repair(app, connection, lease, found, &wanted).await?,
        None => register(app, connection, lease, &wanted).await?,
    }
    for surplus in ours {
        connection.brex.delete_subscription(&surplus.id).await?;
    }
    fetch_secrets(app, connection).await
}

/// Fetches the secrets that deliveries may be signed with; two while Brex rotates them.
pub async fn fetch_secrets(app: &App, connection: &Connection) -> Result<(), Stop> {
    let secrets = connection.brex.list_webhook_secrets().await?;
    let usable = secrets.into_iter().filter(|secret| secret.status != WebhookSecretStatus::Revoked);
    let usable: Vec<_> = usable.map(|secret| secret.secret).collect();
    let now_ms = app.now_ms();
    connection.set_hook(|hook| {
        hook.secrets = usable;
        hook.fetched_ms = now_ms;
    });
    Ok(())
}

/// Makes the subscription. The key follows from the one that was there before: the same answer lost twice makes one, and
/// one that somebody deleted is made anew.
async fn register(app: &App, connection: &Connection, lease: &Lease, wanted: &NewSubscription) -> Result<(), Stop> {
    let before = app.store.cursors().get(&connection.id, SUBSCRIPTION).await?;
    let name = format!("{} after {}", wanted.url, before.as_deref().unwrap_or("none"));
    let key = Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes());
    let made = connection.brex.create_subscription(key, wanted).await?;
    app.store.cursors().set(lease, &connection.id, SUBSCRIPTION, &made.id).await?;
    note(app, connection, lease, "webhook_registered", &made.id, json!({ "events": wanted.event_types })).await
}

async fn repair(
    app: &App,
    connection: &Connection,
    lease: &Lease,
    found: &Subscription,
    wanted: &NewSubscription,
) -> Result<(), Stop> {
    app.store.cursors().set(lease, &connection.id, SUBSCRIPTION, &found.id).await?;
    let missing: Vec<&String> = wanted.event_types.iter().filter(|event| !found.event_types.contains(event)).collect();
    let moved = found.url != wanted.url.as_str();
    if found.status == SubscriptionStatus::Active && missing.is_empty() && !moved {
        return Ok(());
    }
    connection.brex.update_subscription(&found.id, wanted, &SubscriptionStatus::Active).await?;
    let detail = json!({ "status_was": found.status.as_str(), "events_missing": missing, "address_changed": moved });
    note(app, connection, lease, "webhook_repaired", &found.id, detail).await
}

async fn note(
    app: &App,
    connection: &Connection,
    lease: &Lease,
    action: &str,
    id: &str,
    detail: serde_json::Value,
) -> Result<(), Stop> {
    let subject = format!("webhook {id}");
    let note = Note { action: action.to_owned(), subject, before: None, after: None, detail };
    Ok(app.store.audit().append(lease, &connection.id, app.now_ms(), &app.actor(), &[note]).await?)
}
