//! The webhook at Brex: registered once, repaired when it is gone or off, and the secrets its deliveries are signed with.

use clients::brex::{NewSubscription, SubscriptionStatus, WebhookSecretStatus};
use store::{Error, Lease};
use url::Url;
use uuid::Uuid;

use crate::app::{App, Connection};
use crate::stop::Stop;

/// Cursor that keeps the unguessable part of the webhook's address.
const HOOK_TOKEN: &str = "webhook.token";
/// The events that this connector acts on.
const EVENTS: [&str; 3] = ["ACCOUNTING_RECORD_READY_FOR_EXPORT", "TRANSFER_PROCESSED", "TRANSFER_FAILED"];

/// Makes sure that Brex delivers to us and that we know the secrets. Without a public address there is nothing to do:
/// the poll brings every record.
pub async fn keep_webhook(app: &App, connection: &Connection, lease: &Lease) -> Result<(), Stop> {
    let Some(public_url) = &app.public_url else { return Ok(()) };
    let token = hook_token(app, connection, lease).await?;
    connection.set_hook(|hook| hook.token = Some(token.clone()));
    let Some(url) = hook_url(public_url, &token) else { return Ok(()) };
    let wanted = NewSubscription { url, event_types: EVENTS.map(str::to_owned).to_vec() };
    let known = connection.brex.list_subscriptions().await?;
    match known.iter().find(|subscription| subscription.url == wanted.url.as_str()) {
        Some(subscription) if subscription.status == SubscriptionStatus::Active => {}
        Some(subscription) => {
            connection.brex.update_subscription(&subscription.id, &wanted, &SubscriptionStatus::Active).await?;
        }
        None => {
            let key = Uuid::new_v5(&Uuid::NAMESPACE_URL, wanted.url.as_str().as_bytes());
            connection.brex.create_subscription(key, &wanted).await?;
        }
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

async fn hook_token(app: &App, connection: &Connection, lease: &Lease) -> Result<String, Error> {
    let cursors = app.store.cursors();
    if let Some(token) = cursors.get(&connection.id, HOOK_TOKEN).await? {
        return Ok(token);
    }
    let token = app.chance.token();
    cursors.set(lease, &connection.id, HOOK_TOKEN, &token).await?;
    Ok(token)
}

/// The address that Brex delivers to.
fn hook_url(public_url: &Url, token: &str) -> Option<Url> {
    let mut url = public_url.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(["hooks", "brex", token]);
    Some(url)
}
