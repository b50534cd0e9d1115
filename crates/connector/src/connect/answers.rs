//! What has to be told to join two systems.

use std::sync::Arc;

use clients::entra::{ClientSecret, Credential};
use jiff::civil::Date;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use super::{Refusal, Why};
use crate::clock::{Clock, SystemClock};
use crate::config::{ConnectionConfig, Source};
use crate::secrets;

/// The answers, as far as they are known.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Answers {
    pub(crate) name: Option<String>,
    pub(crate) start_date: Option<Date>,
    pub(crate) time_zone: Option<String>,
    pub(crate) allow_hosts: Vec<String>,
    pub(crate) brex: BrexAnswers,
    pub(crate) entra: EntraAnswers,
    pub(crate) bc: BcAnswers,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BrexAnswers {
    pub(crate) token: Option<SecretString>,
    pub(crate) integration_vendor: Option<String>,
    pub(crate) source: Option<Source>,
    pub(crate) base_url: Option<Url>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EntraAnswers {
    pub(crate) tenant: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<SecretString>,
    pub(crate) client_secret_ends: Option<Date>,
    pub(crate) certificate: Option<SecretString>,
    pub(crate) certificate_ends: Option<Date>,
    pub(crate) base_url: Option<Url>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BcAnswers {
    pub(crate) environment: Option<String>,
    pub(crate) company: Option<String>,
    pub(crate) base_url: Option<Url>,
}

/// What the application signs in with.
pub(crate) struct SignIn<'a> {
    pub(crate) text: &'a SecretString,
    pub(crate) ends: Option<Date>,
    pub(crate) is_certificate: bool,
}

impl EntraAnswers {
    /// One of the two ways.
    pub(crate) fn sign_in(&self) -> Result<SignIn<'_>, Refusal> {
        match (&self.client_secret, &self.certificate) {
            (Some(text), None) => Ok(SignIn { text, ends: self.client_secret_ends, is_certificate: false }),
            (None, Some(text)) => Ok(SignIn { text, ends: self.certificate_ends, is_certificate: true }),
            (None, None) => Err(Refusal::new(Why::Config, "entra: give client_secret or certificate")),
            (Some(_), Some(_)) => Err(Refusal::new(Why::Config, "entra: give client_secret or certificate, not both")),
        }
    }

    pub(crate) fn is_signed(&self) -> bool {
        self.client_secret.is_some() || self.certificate.is_some()
    }

    pub(crate) fn credential(&self) -> Result<Credential, Refusal> {
        let SignIn { text, is_certificate, .. } = self.sign_in()?;
        if is_certificate {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            return Ok(secrets::certificate("entra.certificate", text.clone(), &clock)?);
        }
        Ok(ClientSecret::new(text.clone()).into())
    }
}

impl Answers {
    /// A connection that is there keeps the source that it has.
    pub(crate) fn keep_source_of(&mut self, known: Option<&ConnectionConfig>) {
        if let Some(known) = known {
            self.brex.source.get_or_insert(known.brex.source);
        }
    }

    /// The answers without which nothing can be joined.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        let all = [
            ("name", self.name.is_some()),
            ("start_date", self.start_date.is_some()),
            ("time_zone", self.time_zone.is_some()),
            ("brex.token", self.brex.token.is_some()),
            ("entra.tenant", self.entra.tenant.is_some()),
            ("entra.client_id", self.entra.client_id.is_some()),
            ("entra.client_secret", self.entra.is_signed()),
        ];
        all.into_iter().filter(|(_, is_there)| !is_there).map(|(key, _)| key).collect()
    }

    /// The name of the connection; until it is known, of a draft that is only checked.
    pub(crate) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("draft")
    }

    /// The token; complete answers have one.
    pub(crate) fn token(&self) -> Result<&SecretString, Refusal> {
        self.brex.token.as_ref().ok_or_else(|| Refusal::new(Why::Config, "brex.token is missing"))
    }
}
