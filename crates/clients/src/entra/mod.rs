//! Access tokens for Business Central from Microsoft Entra ID, by client credentials: cached, refreshed early, fetched
//! once however many callers wait. An app signs in with its secret, or with a certificate. <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>

mod certificate;
mod people;
mod permissions;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;
use url::form_urlencoded;

use crate::answer::Failure;
use crate::call::{Call, endpoint};
use crate::error::Error;
use crate::http::Http;
use crate::kind::{Access, Asked, Effect, Kind, Retry, System};

pub use self::certificate::{Certificate, CertificateError, Now};
pub use self::people::{Identity, PeopleSignIn, SignInError, Trip};
pub use self::permissions::{NEEDED, NOT_NEEDED, permissions_of};

/// The kind of assertion that takes the place of a secret.
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

const SCOPE: &str = "https://api.businesscentral.dynamics.com/.default";

/// A token is replaced this long before it ends, or a tenth of its life if that is shorter.
const REFRESH_EARLY: Duration = Duration::from_mins(5);

const ASKED: Asked = Asked { system: System::Entra, operation: "get_token", access: Access::Read };

/// The secret of an app registration.
#[derive(Clone)]
pub struct ClientSecret(pub(crate) SecretString);

impl ClientSecret {
    /// Wraps the secret's value (not its id).
    pub fn new(value: SecretString) -> Self {
        Self(value)
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret([redacted])")
    }
}

/// What an app signs in with.
#[derive(Clone, Debug)]
pub enum Credential {
    /// Its secret.
    Secret(ClientSecret),
    /// A certificate that is uploaded to it.
    Certificate(Certificate),
}

impl From<ClientSecret> for Credential {
    fn from(secret: ClientSecret) -> Self {
        Self::Secret(secret)
    }
}

impl From<Certificate> for Credential {
    fn from(certificate: Certificate) -> Self {
        Self::Certificate(certificate)
    }
}

impl Credential {
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Secret(one), Self::Secret(other)) => one.0.expose_secret() == other.0.expose_secret(),
            (Self::Certificate(one), Self::Certificate(other)) => one.is_same(other),
            (Self::Secret(_), Self::Certificate(_)) | (Self::Certificate(_), Self::Secret(_)) => false,
        }
    }
}

/// Gives out access tokens of one app in one tenant. Clones share the token.
#[derive(Clone)]
pub struct TokenSource {
    shared: Arc<Shared>,
}

struct Shared {
    http: Http,
    base_url: Url,
    tenant: String,
    client_id: String,
    state: Mutex<State>,
}

struct State {
    credential: Credential,
    cached: Option<Cached>,
}

struct Cached {
    token: Arc<SecretString>,
    refresh_at: Instant,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: SecretString,
    expires_in: u64,
}

impl TokenSource {
    /// Tokens for `client_id` in `tenant`; `base_url` is `https://login.microsoftonline.com`.
    pub fn new(
        http: Http,
        base_url: Url,
        tenant: impl Into<String>,
        client_id: impl Into<String>,
        credential: impl Into<Credential>,
    ) -> Self {
        let (tenant, client_id) = (tenant.into(), client_id.into());
        let state = State { credential: credential.into(), cached: None };
        Self { shared: Arc::new(Shared { http, base_url, tenant, client_id, state: Mutex::new(state) }) }
    }

    /// A token that is still good for a while. Callers that come while one is being fetched wait for that one.
    pub async fn token(&self) -> Result<Arc<SecretString>, Error> {
        let mut state = self.shared.state.lock().await;
        if let Some(current) = state.cached.as_ref().filter(|current| Instant::now() < current.refresh_at) {
            return Ok(Arc::clone(&current.token));
        }
        let fresh = self.fetch(&state.credential).await?;
        let token = Arc::clone(&fresh.token);
        state.cached = Some(fresh);
        Ok(token)
    }

    /// Forgets `token` after it was refused. A token that somebody else has already replaced is left alone, so a burst
    /// of refusals costs one fetch.
    pub async fn invalidate(&self, token: &Arc<SecretString>) {
        let mut state = self.shared.state.lock().await;
        if state.cached.as_ref().is_some_and(|current| Arc::ptr_eq(&current.token, token)) {
            state.cached = None;
        }
    }

    /// Signs in with this from now on. True if it is another than before.
    pub async fn replace_credential(&self, credential: impl Into<Credential>) -> bool {
        let credential = credential.into();
        let mut state = self.shared.state.lock().await;
        let changed = !state.credential.is_same(&credential);
        if changed {
            *state = State { credential, cached: None };
        }
        changed
    }

    /// The form, and what in it is secret.
    fn form(&self, credential: &Credential, url: &Url) -> Result<(String, SecretString), Error> {
        let client_id = &self.shared.client_id;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials").append_pair("client_id", client_id);
        let secret = match credential {
            Credential::Secret(secret) => {
                form.append_pair("client_secret", secret.0.expose_secret());
                secret.0.clone()
            }
            Credential::Certificate(certificate) => {
                let unsigned = || Error::new(ASKED, Kind::Unreachable, Retry::Never, Effect::None);
                let assertion = certificate.assertion(client_id, url.as_str()).ok_or_else(unsigned)?;
                form.append_pair("client_assertion_type", ASSERTION)
                    .append_pair("client_assertion", assertion.expose_secret());
                assertion
            }
        };
        Ok((form.append_pair("scope", SCOPE).finish(), secret))
    }

    async fn fetch(&self, credential: &Credential) -> Result<Cached, Error> {
        let shared = &self.shared;
        let url = endpoint(ASKED, &shared.base_url, [shared.tenant.as_str(), "oauth2", "v2.0", "token"])?;
        let (form, secret) = self.form(credential, &url)?;
        let call = Call::new(ASKED, Method::POST, url)
            .body(form.into_bytes(), "application/x-www-form-urlencoded")
            .hiding(secret);
        let asked_at = Instant::now();
        let answer = shared.http.exchange(&call).await?;
        if !answer.status().is_success() {
            return Err(answer.error(read_failure(answer.body())));
        }
        let TokenAnswer { access_token, expires_in } = answer.secret_json()?;
        let life = Duration::from_secs(expires_in);
        let refresh_at = asked_at + life.saturating_sub(REFRESH_EARLY.min(life / 10));
        Ok(Cached { token: Arc::new(access_token), refresh_at })
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource")
            .field("tenant", &self.shared.tenant)
            .field("client_id", &self.shared.client_id)
            .finish_non_exhaustive()
    }
}

/// Microsoft asks clients to branch on the numbers, since the texts change.
pub(crate) fn read_failure(body: &[u8]) -> Failure {
    #[derive(Deserialize)]
    struct Body {
        error: Option<String>,
        error_description: Option<String>,
        #[serde(default)]
        error_codes: Vec<u64>,
        correlation_id: Option<String>,
    }
    let Ok(body) = serde_json::from_slice::<Body>(body) else { return Failure::default() };
    let code = body.error_codes.first().map(|number| format!("AADSTS{number}")).or(body.error);
    let message = body.error_description.map(|text| match text.find("Trace ID:") {
        Some(end) => text[..end].trim_end().to_owned(),
        None => text,
    });
    Failure { code, message, request_id: body.correlation_id }
}
