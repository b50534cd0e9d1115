//! Signs people in with Microsoft Entra ID, by OpenID Connect's authorization code flow with PKCE: where the browser is sent, and what
//! the code that it brings back is worth. An id token is believed only if Entra's own key signed it for this app, this directory and
//! this very request. <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow>

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::{Url, form_urlencoded};
use uuid::Uuid;

use super::{ClientSecret, read_failure};
use crate::call::{Call, endpoint};
use crate::error::Error;
use crate::http::Http;
use crate::kind::{Access, Asked, System};

/// A code is worth something once, so it is not sent twice.
const REDEEM: Asked = Asked { system: System::Entra, operation: "redeem_code", access: Access::Write };

/// Microsoft asks for the keys to be read about once a day…
const KEYS_LAST: Duration = Duration::from_hours(24);
/// …and again when a token names one that is not known, which a stranger must not be able to cause all the time.
const KEYS_REST: Duration = Duration::from_mins(1);

/// Clocks may differ by so much, in seconds.
const LEEWAY_S: i64 = 300;

/// One attempt of one browser to sign in. Who cannot name its secrets did not begin it.
#[derive(Clone)]
pub struct Trip {
    /// Where the browser comes back to; it has to be registered with the app.
    pub redirect: Url,
    /// Comes back with the browser.
    pub state: String,
    /// Comes back in the id token.
    pub nonce: String,
    /// 43 to 128 letters and digits (RFC 7636), of which only the hash goes along with the browser.
    pub verifier: SecretString,
}

/// Who somebody is in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `oid`: the account, whatever it is called.
    pub object: Uuid,
    /// `preferred_username`: what the account is called at the moment.
    pub user_name: Option<String>,
}

/// Somebody was not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Entra did not take the code, or did not answer.
    #[error(transparent)]
    Call(#[from] Error),
    /// The id token is not to be believed.
    #[error("the id token is not to be believed: {0}")]
    Untrusted(&'static str),
}

/// Signs people in to one app of one directory. Clones share the keys.
#[derive(Clone)]
pub struct PeopleSignIn {
    shared: Arc<Shared>,
}

struct Shared {
    http: Http,
    base_url: Url,
    tenant: Uuid,
    client_id: Uuid,
    secret: ClientSecret,
    keys: Mutex<Option<Keys>>,
}

struct Keys {
    set: JwkSet,
    read: Instant,
}

#[derive(Deserialize)]
struct CodeAnswer {
    id_token: SecretString,
}

/// What is read of an id token. Audience and issuer are checked with the signature.
#[derive(Deserialize)]
struct Claims {
    oid: Uuid,
    tid: Uuid,
    exp: i64,
    nbf: Option<i64>,
    nonce: Option<String>,
    preferred_username: Option<String>,
}

impl PeopleSignIn {
    /// For the app `client_id` of the directory `tenant`; `base_url` is `https://login.microsoftonline.com`.
    pub fn new(http: Http, base_url: Url, tenant: Uuid, client_id: Uuid, secret: ClientSecret) -> Self {
        Self { shared: Arc::new(Shared { http, base_url, tenant, client_id, secret, keys: Mutex::new(None) }) }
    }

    /// Where the browser is sent.
    pub fn address(&self, trip: &Trip) -> Result<Url, Error> {
        let mut url = self.place(["oauth2", "v2.0", "authorize"])?;
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(trip.verifier.expose_secret().as_bytes()));
        url.query_pairs_mut().extend_pairs([
            ("client_id", &*self.shared.client_id.to_string()),
            ("response_type", "code"),
            ("redirect_uri", trip.redirect.as_str()),
            ("response_mode", "query"),
            ("scope", "openid profile"),
            ("state", &trip.state),
            ("nonce", &trip.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("prompt", "select_account"),
        ]);
        Ok(url)
    }

    /// Who came back from this trip with this code.
    pub async fn redeem(&self, trip: &Trip, code: &str, now: Timestamp) -> Result<Identity, SignInError> {
        let secret = &self.shared.secret.0;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("client_id", &self.shared.client_id.to_string())
            .append_pair("client_secret", secret.expose_secret())
            .append_pair("code", code)
            .append_pair("redirect_uri", trip.redirect.as_str())
            .append_pair("code_verifier", trip.verifier.expose_secret())
            .append_pair("scope", "openid profile")
            .finish();
        let call = Call::new(REDEEM, Method::POST, self.place(["oauth2", "v2.0", "token"])?)
            .body(form.into_bytes(), "application/x-www-form-urlencoded")
            .hiding(secret.clone())
            .hiding(trip.verifier.clone())
            .hiding(SecretString::from(code));
        let answer = self.shared.http.exchange(&call).await?;
        if !answer.status().is_success() {
            return Err(answer.error(read_failure(answer.body())).into());
        }
        let CodeAnswer { id_token } = answer.secret_json()?;
        self.believed(id_token.expose_secret(), &trip.nonce, now).await
    }

    async fn believed(&self, token: &str, nonce: &str, now: Timestamp) -> Result<Identity, SignInError> {
        let untrusted = |what| move |_| SignInError::Untrusted(what);
        let header = decode_header(token).map_err(untrusted("it has no header that can be used"))?;
        let key = self.key(header.kid.as_deref().unwrap_or_default()).await?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_required_spec_claims(&["aud", "iss"]);
        validation.set_audience(&[self.shared.client_id]);
        validation.set_issuer(&[self.place(["v2.0"])?]);
        // By our clock, and not by that of the library.
        validation.validate_exp = false;
        let claims = decode::<Claims>(token, &key, &validation)
            .map_err(untrusted("signature, audience or issuer is not what it has to be"))?
            .claims;
        let now_s = now.as_second();
        if claims.exp.saturating_add(LEEWAY_S) <= now_s
            || claims.nbf.is_some_and(|from| from > now_s.saturating_add(LEEWAY_S))
        {
            return Err(SignInError::Untrusted("its time is over, or has not come"));
        }
        if claims.nonce.as_deref() != Some(nonce) {
            return Err(SignInError::Untrusted("it answers another request"));
        }
        if claims.tid != self.shared.tenant {
            return Err(SignInError::Untrusted("the person is of another directory"));
        }
        Ok(Identity { object: claims.oid, user_name: claims.preferred_username })
    }

    /// The key of this name. Microsoft changes its keys now and then.
    async fn key(&self, name: &str) -> Result<DecodingKey, SignInError> {
        let mut keys = self.shared.keys.lock().await;
        let age = keys.as_ref().map(|keys| keys.read.elapsed());
        let is_known = keys.as_ref().is_some_and(|keys| keys.set.find(name).is_some());
        let is_rested = age.is_none_or(|age| age >= KEYS_REST);
        if age.is_none_or(|age| age >= KEYS_LAST) || (!is_known && is_rested) {
            *keys = Some(Keys { set: self.read_keys().await?, read: Instant::now() });
        }
        let found = keys.as_ref().and_then(|keys| keys.set.find(name));
        let found = found.ok_or(SignInError::Untrusted("it names a key that Entra ID does not have"))?;
        DecodingKey::from_jwk(found).map_err(|_| SignInError::Untrusted("the key that it names cannot be used"))
    }

    async fn read_keys(&self) -> Result<JwkSet, Error> {
        let call = Call::get(System::Entra, "list_keys", self.place(["discovery", "v2.0", "keys"])?);
        let answer = self.shared.http.exchange(&call).await?;
        if !answer.status().is_success() {
            return Err(answer.error(read_failure(answer.body())));
        }
        answer.json()
    }

    fn place<const N: usize>(&self, segments: [&str; N]) -> Result<Url, Error> {
        let tenant = self.shared.tenant.to_string();
        endpoint(REDEEM, &self.shared.base_url, std::iter::once(tenant.as_str()).chain(segments))
    }
}

impl fmt::Debug for PeopleSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeopleSignIn").field("tenant", &self.shared.tenant).finish_non_exhaustive()
    }
}
