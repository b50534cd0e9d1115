//! Tells an address that somebody named, such as a channel of a chat, by one POST.

use std::time::Duration;

use reqwest::Method;
use secrecy::SecretString;
use serde_json::Value;
use url::Url;

use crate::answer::Failure;
use crate::call::Call;
use crate::error::Error;
use crate::http::Http;
use crate::kind::System;

const TIMEOUT: Duration = Duration::from_secs(15);

/// An address that is told something. The address itself may be the secret, so that it is in no error.
#[derive(Clone)]
pub struct Hook {
    http: Http,
    url: Url,
}

impl Hook {
    /// Tells `url` through `http`.
    pub fn new(http: Http, url: Url) -> Self {
        Self { http, url }
    }

    /// Posts this, and takes every answer that is a success.
    pub async fn tell(&self, body: &Value) -> Result<(), Error> {
        let call = Call::write(System::Own, "tell", Method::POST, self.url.clone())
            .json(body)?
            .hiding(SecretString::from(self.url.as_str()))
            .hiding(SecretString::from(self.url.path()))
            .timeout(TIMEOUT);
        let answer = self.http.exchange(&call).await?;
        if answer.status().is_success() { Ok(()) } else { Err(answer.error(Failure::default())) }
    }
}
