//! Webhook secrets of the account, and the signature that proves them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::super::Brex;
use super::super::state::State;
use crate::ids::Ids;

/// How many secrets are remembered, those that do not sign any more included.
const REMEMBERED: usize = 10;

/// Whether a secret signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SecretStatus {
    /// The one in use.
    Active,
    /// Being rotated out; it signs too.
    PendingRevoke,
    /// Does not sign any more.
    Revoked,
}

/// A secret and its status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookSecret {
    /// `whsec_` and 32 bytes in base64.
    pub secret: String,
    /// Whether it signs.
    pub status: SecretStatus,
}

impl WebhookSecret {
    pub(in crate::brex) fn new(ids: &Ids) -> Self {
        let key: Vec<u8> = (0..4).flat_map(|_| ids.bits().to_be_bytes()).collect();
        Self { secret: format!("whsec_{}", STANDARD.encode(key)), status: SecretStatus::Active }
    }
}

/// One entry of `Webhook-Signature`: `v1,` and the MAC in base64, or none if the secret is not base64.
///
/// The prefix `whsec_` may be there or not.
pub fn signature(secret: &str, message_id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{message_id}.{timestamp}.").as_bytes());
    mac.update(body);
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

impl State {
    pub(in crate::brex) fn active_secret(&self) -> String {
        self.secrets
            .iter()
            .find(|secret| secret.status == SecretStatus::Active)
            .map(|secret| secret.secret.clone())
            .unwrap_or_default()
    }

    /// The header value: one entry for each secret that signs, the active one first.
    pub(super) fn signatures(&self, message_id: &str, timestamp: i64, body: &[u8]) -> String {
        let of_status = |status| self.secrets.iter().filter(move |secret| secret.status == status);
        of_status(SecretStatus::Active)
            .chain(of_status(SecretStatus::PendingRevoke))
            .filter_map(|secret| signature(&secret.secret, message_id, timestamp, body))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// As it is answered: what is revoked only if the settings say so.
    pub(super) fn listed_secrets(&self) -> Vec<WebhookSecret> {
        let revoked = self.settings.webhooks.revoked_secrets_listed;
        self.secrets.iter().filter(|secret| revoked || secret.status != SecretStatus::Revoked).cloned().collect()
    }
}

impl Brex {
    /// A new active secret. The one before it signs too until [`Brex::finish_rotation`]; older ones end now.
    pub fn rotate_secret(&self) -> String {
        let mut state = self.lock();
        for secret in &mut state.secrets {
            secret.status = match secret.status {
                SecretStatus::Active => SecretStatus::PendingRevoke,
                SecretStatus::PendingRevoke | SecretStatus::Revoked => SecretStatus::Revoked,
            };
        }
        let fresh = WebhookSecret::new(&state.draw());
        let value = fresh.secret.clone();
        state.secrets.push(fresh);
        let surplus = state.secrets.len().saturating_sub(REMEMBERED);
        state.secrets.drain(..surplus);
        value
    }

    /// Only the active secret signs from now on.
    pub fn finish_rotation(&self) {
        for secret in &mut self.lock().secrets {
            if secret.status == SecretStatus::PendingRevoke {
                secret.status = SecretStatus::Revoked;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::signature;

    const BODY: &str = r#"{"event_type":"ACCOUNTING_RECORD_READY_FOR_EXPORT","accountingRecordIds":["accr_cm9x1card00000000000001"],"companyId":"cuacc_cm0000000000000000000001"}"#;
    const ACTIVE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const OLD: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

    fn sign(secret: &str) -> Option<String> {
        signature(secret, "msg_2aF9kqLxYt0example", 1_781_254_841, BODY.as_bytes())
    }

    #[test]
    fn the_signature_equals_the_fixed_vector() {
        assert_eq!(sign(ACTIVE).as_deref(), Some("v1,qLypr8nAGJ9QnWHFG5vFnCabT3oZrOT3rOW8uEndjGc="));
        assert_eq!(sign(OLD).as_deref(), Some("v1,hMYQWzJfOwjY4AoIjEEEb4caLf1XwPj2A8qkDKg5hHk="));
    }

    #[test]
    fn the_prefix_of_a_secret_does_not_matter() {
        assert_eq!(sign(&format!("whsec_{ACTIVE}")), sign(ACTIVE));
    }
}
