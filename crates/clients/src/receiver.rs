//! Tries our own receivers from outside, as Brex and Business Central would: the one way to find out whether what stands between
//! (name, proxy, certificate, firewall) lets a delivery through unchanged.

use std::time::Duration;

use reqwest::Method;
use secrecy::SecretString;
use url::Url;

use crate::brex::webhook_signature::{Rejection, sign};
use crate::call::{Call, unsendable};
use crate::error::Error;
use crate::http::Http;
use crate::kind::{Access, Asked, System};

/// Brex waits ten seconds for an answer, Business Central five (brex.md §6.3, business-central.md §7.3).
const TIMEOUT: Duration = Duration::from_secs(5);

/// What a receiver is asked with.
#[derive(Clone)]
pub struct Receiver {
    http: Http,
}

impl Receiver {
    /// Asks through `http`.
    pub fn new(http: Http) -> Self {
        Self { http }
    }

    /// Delivers a body signed as Brex signs. Gives the status of the answer, whatever it is.
    pub async fn deliver(
        &self,
        url: &Url,
        secret: &SecretString,
        id: &str,
        now_unix: i64,
        body: &str,
    ) -> Result<u16, Error> {
        // Marked as a read, since nothing of Brex or Business Central is written.
        let asked = Asked { system: System::Own, operation: "deliver", access: Access::Read };
        let timestamp = now_unix.to_string();
        let signature =
            sign(secret, id, &timestamp, body.as_bytes()).map_err(|why: Rejection| unsendable(asked, why))?;
        let call = Call::new(asked, Method::POST, url.clone())
            .header_text("webhook-id", id)?
            .header_text("webhook-timestamp", &timestamp)?
            .header_text("webhook-signature", &signature)?
            .body(body.as_bytes().to_vec(), "application/json")
            .timeout(TIMEOUT);
        Ok(self.http.exchange(&call).await?.status().as_u16())
    }

    /// Shakes hands as Business Central does. Gives status and text of the answer; the text should be `token`.
    pub async fn shake_hands(&self, url: &Url, token: &str) -> Result<(u16, String), Error> {
        let call =
            Call::get(System::Own, "shake_hands", url.clone()).query_pair("validationToken", token).timeout(TIMEOUT);
        let answer = self.http.exchange(&call).await?;
        Ok((answer.status().as_u16(), String::from_utf8_lossy(answer.body()).into_owned()))
    }
}
