//! Whether others can tell us of changes: the public address, tried from outside; the webhook at Brex; the subscriptions in
//! Business Central and their ages.

use clients::brex::{SubscriptionStatus, WebhookSecretStatus};
use clients::{Http, Kind, Pace, Receiver};
use secrecy::SecretString;
use serde_json::json;
use store::BcSubscriptionRow;
use url::Url;

use super::{Patient, Verdict};
use crate::clock::timestamp;
use crate::subscriptions::{self, address};
use crate::web::BREX;

const HOUR_MS: i64 = 60 * 60 * 1_000;
const ROUND_TRIP: &str = "webhooks: own round trip";

impl Patient<'_> {
    /// Everything about being told.
    pub(super) async fn webhooks(&mut self) -> Result<(), store::Error> {
        let Some(public_url) = self.app.public_url.clone() else {
            let text = "no public_url: changes are found by the poll alone, within poll_seconds";
            self.note(ROUND_TRIP, Verdict::Ok, text, None);
            return Ok(());
        };
        subscriptions::recall(self.app, self.connection).await?;
        let hook = self.connection.hook();
        let url = |system: &str, token: Option<String>| token.and_then(|token| address(&public_url, system, &token));
        let (brex, bc) = (url("brex", hook.token), url("bc", hook.bc_token));
        if brex.is_none() && bc.is_none() {
            let text = "not registered yet: the first ml-connector run does it; then run doctor again";
            self.note(ROUND_TRIP, Verdict::Ok, text, None);
            return Ok(());
        }
        let pace = Pace { max_concurrent: 1, requests_per_second: 5 };
        let receiver = match Http::new(pace) {
            Ok(http) => Receiver::new(http),
            Err(error) => {
                self.conclude(ROUND_TRIP, Err(crate::worker::chain(&error)));
                return Ok(());
            }
        };
        if let Some(brex) = brex {
            self.brex_round_trip(&receiver, &brex).await?;
        }
        if let Some(bc) = bc {
            self.bc_handshake(&receiver, &bc).await;
        }
        self.bc_subscriptions().await
    }

    /// Is the webhook there and on, and does a delivery that is signed as Brex signs come into this database?
    async fn brex_round_trip(&mut self, receiver: &Receiver, url: &Url) -> Result<(), store::Error> {
        const REGISTERED: &str = "Brex: webhook";
        let brex = &self.connection.brex;
        let (Ok(known), Ok(secrets)) = (brex.list_subscriptions().await, brex.list_webhook_secrets().await) else {
            // Why not is told by the check of the scope.
            return Ok(());
        };
        let (verdict, text) = match known.iter().find(|subscription| subscription.url == url.as_str()) {
            Some(found) if found.status == SubscriptionStatus::Active => {
                (Verdict::Ok, format!("{} delivers to this address", found.id))
            }
            Some(found) => (
                Verdict::Warning,
                format!("{} is {}: ml-connector run switches it on again", found.id, found.status.as_str()),
            ),
            None => {
                let text = "Brex delivers to no address of ours: ml-connector run registers it; until then the poll finds changes";
                (Verdict::Warning, text.to_owned())
            }
        };
        self.note(REGISTERED, verdict, text, None);
        match secrets.iter().find(|secret| secret.status != WebhookSecretStatus::Revoked) {
            Some(secret) => self.deliver(receiver, url, &secret.secret).await,
            None => Ok(()),
        }
    }

    async fn deliver(&mut self, receiver: &Receiver, url: &Url, secret: &SecretString) -> Result<(), store::Error> {
        let id = format!("doctor_{}", self.app.chance.token());
        let now_ms = self.app.now_ms();
        let body = json!({ "event_type": "ML_CONNECTOR_DOCTOR", "at": timestamp(now_ms).to_string() }).to_string();
        let answer = receiver.deliver(url, secret, &id, now_ms.div_euclid(1_000), &body).await;
        let host = host(url);
        let outcome = match answer {
            Err(error) => Err(unreachable(url, &error)),
            Ok(204) if self.app.store.inbox().holds(&self.connection.id, BREX, &id).await? => {
                Ok(format!("a signed delivery to {host} came in unchanged"))
            }
            Ok(204) => Err(format!(
                "a delivery to {host} was taken, but not into this database: another installation answers there"
            )),
            Ok(401) => Err(format!(
                "a signed delivery to {host} is refused: something between changes body or headers, its clock is off, or another \
                 installation answers there"
            )),
            Ok(status) => Err(not_ours(url, status)),
        };
        self.conclude(ROUND_TRIP, outcome);
        Ok(())
    }

    async fn bc_handshake(&mut self, receiver: &Receiver, url: &Url) {
        let token = self.app.chance.token();
        let outcome = match receiver.shake_hands(url, &token).await {
            Err(error) => Err(unreachable(url, &error)),
            Ok((200, said)) if said == token => {
                Ok(format!("{} says the token back, as Business Central asks", host(url)))
            }
            Ok((status, _)) => Err(not_ours(url, status)),
        };
        self.conclude("notifications: own handshake", outcome);
    }

    fn conclude(&mut self, check: &'static str, outcome: Result<String, String>) {
        match outcome {
            Ok(text) => self.note(check, Verdict::Ok, text, None),
            Err(text) => self.note(check, Verdict::Failed, text, Some("webhook_unreachable".to_owned())),
        }
    }

    /// Business Central forgets a subscription after three days; it is renewed at half of that.
    async fn bc_subscriptions(&mut self) -> Result<(), store::Error> {
        for row in self.app.store.bc_subscriptions().list(&self.connection.id).await? {
            let (verdict, text) = age(&row, self.app.now_ms());
            self.note("BC: subscription", verdict, text, None);
        }
        Ok(())
    }
}

fn age(row: &BcSubscriptionRow, now_ms: i64) -> (Verdict, String) {
    let hours = |span_ms: i64| span_ms.div_euclid(HOUR_MS);
    match (row.renewed_ms, row.expires_ms) {
        (Some(renewed_ms), Some(expires_ms)) if expires_ms > now_ms => {
            let (ago, left) = (hours(now_ms.saturating_sub(renewed_ms)), hours(expires_ms.saturating_sub(now_ms)));
            (Verdict::Ok, format!("{}: renewed {ago} h ago, ends in {left} h", row.set))
        }
        (_, Some(_)) => (
            Verdict::Warning,
            format!("{}: has ended; ml-connector run makes it anew and looks for what was missed", row.set),
        ),
        (_, None) => (Verdict::Warning, format!("{}: not made yet; ml-connector run does it", row.set)),
    }
}

/// Scheme and host alone: the rest of the address is unguessable, and stays so.
fn host(url: &Url) -> String {
    url.host_str().map_or_else(|| "public_url".to_owned(), |host| format!("{}://{host}", url.scheme()))
}

fn unreachable(url: &Url, error: &clients::Error) -> String {
    let advice = match error.kind() {
        Kind::TimedOut => "it does not answer within 5 s, as both systems want it to",
        Kind::Redirected => "it answers with a redirect, which neither system follows: correct public_url",
        _ => {
            "it cannot be reached: check that ml-connector run is running, then public_url, name, certificate, proxy and firewall"
        }
    };
    format!("{}: {advice}", host(url))
}

fn not_ours(url: &Url, status: u16) -> String {
    format!(
        "{} answers {status}: something else than this connector is there, or the proxy leaves /hooks out",
        host(url)
    )
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_says_how_old_it_is_and_that_it_has_ended() {
        let row = |renewed_ms, expires_ms| BcSubscriptionRow {
            set: "vendors".to_owned(),
            subscription_id: None,
            states: Vec::new(),
            renewed_ms,
            expires_ms,
        };
        let (verdict, text) = age(&row(Some(0), Some(72 * HOUR_MS)), 20 * HOUR_MS);
        assert_eq!((verdict, text.as_str()), (Verdict::Ok, "vendors: renewed 20 h ago, ends in 52 h"));
        assert_eq!(age(&row(Some(0), Some(72 * HOUR_MS)), 72 * HOUR_MS).0, Verdict::Warning);
        assert_eq!(age(&row(None, None), 0).0, Verdict::Warning);
    }

    #[test]
    fn the_unguessable_part_of_the_address_is_not_told() {
        let url = Url::parse("https://hooks.example.com/hooks/brex/hidden-part").unwrap();
        assert!(!not_ours(&url, 404).contains("hidden-part"));
    }
}
