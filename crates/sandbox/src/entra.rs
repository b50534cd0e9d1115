//! Entra ID: the client-credentials token endpoint with its error answers, and the tokens it gave out.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::ids::Ids;
use crate::world::World;

/// The only scope that is understood.
pub const SCOPE: &str = "https://api.businesscentral.dynamics.com/.default";
/// The verified domain of the tenant.
pub const DOMAIN: &str = "northwindsupply.onmicrosoft.com";
const LIFETIME_SECONDS: i64 = 3599;

/// The directory, its one app registration, and the tokens given out.
pub struct Entra {
    tenant_id: Uuid,
    client_id: Uuid,
    ids: Ids,
    app: Mutex<App>,
}

#[derive(Serialize, Deserialize)]
struct App {
    secret: String,
    secret_expired: bool,
    lifetime_seconds: i64,
    tokens: HashMap<String, Timestamp>,
}

impl Entra {
    /// The directory of a seed.
    pub fn new(ids: &Ids) -> Self {
        Self {
            tenant_id: ids.guid(),
            client_id: ids.guid(),
            app: Mutex::new(App {
                secret: format!("s~{}", ids.alphanumeric(38)),
                secret_expired: false,
                lifetime_seconds: LIFETIME_SECONDS,
                tokens: HashMap::new(),
            }),
            ids: ids.stream("entra tokens"),
        }
    }

    /// The secret and the tokens given out, for a state file.
    pub(crate) fn snapshot(&self) -> Result<Value, serde_json::Error> {
        serde_json::to_value(&*self.lock())
    }

    /// Takes over an [`Entra::snapshot`]: tokens given out before stay valid until they expire.
    pub(crate) fn restore(&self, snapshot: Value) -> Result<(), serde_json::Error> {
        let app: App = serde_json::from_value(snapshot)?;
        // A token drawn before the snapshot must not be drawn again.
        let newest = app.tokens.values().max().map_or(0, |expiry| expiry.as_microsecond().unsigned_abs());
        self.ids.skip_to(newest);
        *self.lock() = app;
        Ok(())
    }

    /// The directory (tenant).
    pub fn tenant_id(&self) -> Uuid {
        self.tenant_id
    }

    /// The app registration.
    pub fn client_id(&self) -> Uuid {
        self.client_id
    }

    /// The app's present secret.
    pub fn client_secret(&self) -> String {
        self.lock().secret.clone()
    }

    /// True if `tenant` names this directory, by id or by domain.
    pub fn is_tenant(&self, tenant: &str) -> bool {
        tenant.eq_ignore_ascii_case(DOMAIN) || Uuid::try_parse(tenant).is_ok_and(|id| id == self.tenant_id)
    }

    /// True if `token` was given out, not taken back, and has not expired.
    pub fn accepts(&self, token: &str, now: Timestamp) -> bool {
        self.lock().tokens.get(token).is_some_and(|expiry| now < *expiry)
    }

    /// Gives out a token.
    pub fn issue_token(&self, now: Timestamp) -> (String, i64) {
        let token = format!("eyJ0eXAiOiJKV1Qi.{}.{}", self.ids.alphanumeric(120), self.ids.alphanumeric(43));
        let mut app = self.lock();
        let lifetime = app.lifetime_seconds;
        let expiry = now.saturating_add(SignedDuration::from_secs(lifetime)).unwrap_or(Timestamp::MAX);
        app.tokens.retain(|_, expiry| now < *expiry);
        app.tokens.insert(token.clone(), expiry);
        (token, lifetime)
    }

    /// Takes back all tokens.
    pub fn revoke_tokens(&self) {
        self.lock().tokens.clear();
    }

    /// How long tokens given out from now on are valid.
    pub fn set_lifetime(&self, seconds: i64) {
        self.lock().lifetime_seconds = seconds;
    }

    /// Lets the client secret expire, or makes it valid again.
    pub fn set_secret_expired(&self, expired: bool) {
        self.lock().secret_expired = expired;
    }

    fn check(&self, tenant: &str, form: &HashMap<String, String>) -> Result<(), Refusal> {
        if !self.is_tenant(tenant) {
            return Err(Refusal::tenant(tenant));
        }
        let get = |name: &'static str| match form.get(name) {
            Some(value) if !value.is_empty() => Ok(value.as_str()),
            _ => Err(Refusal::missing(name)),
        };
        let grant = get("grant_type")?;
        let client_id = get("client_id")?;
        let scope = get("scope")?;
        if grant != "client_credentials" {
            return Err(Refusal::grant(grant));
        }
        if Uuid::try_parse(client_id).ok() != Some(self.client_id) {
            return Err(Refusal::app(client_id, self.tenant_id));
        }
        let secret = get("client_secret")?;
        let app = self.lock();
        if secret != app.secret {
            return Err(Refusal::secret(self.client_id));
        }
        if app.secret_expired {
            return Err(Refusal::expired(self.client_id));
        }
        if scope != SCOPE {
            return Err(Refusal::scope(scope));
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, App> {
        self.app.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An AADSTS error.
struct Refusal {
    status: StatusCode,
    error: &'static str,
    code: u32,
    text: String,
}

impl Refusal {
    fn new(status: StatusCode, error: &'static str, code: u32, text: &str) -> Self {
        Self { status, error, code, text: format!("AADSTS{code}: {text}") }
    }

    fn tenant(tenant: &str) -> Self {
        let text = format!(
            "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
        );
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", 90002, &text)
    }

    fn missing(name: &str) -> Self {
        let text = format!("The request body must contain the following parameter: '{name}'.");
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", 900_144, &text)
    }

    fn grant(grant: &str) -> Self {
        let text = format!("The app requested an unsupported grant type '{grant}'.");
        Self::new(StatusCode::BAD_REQUEST, "unsupported_grant_type", 70003, &text)
    }

    fn app(client_id: &str, tenant: Uuid) -> Self {
        let text = format!(
            "Application with identifier '{client_id}' was not found in the directory '{tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
        );
        Self::new(StatusCode::BAD_REQUEST, "unauthorized_client", 700_016, &text)
    }

    fn secret(client_id: Uuid) -> Self {
        let text = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client_id}'."
        );
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", 7_000_215, &text)
    }

    fn expired(client_id: Uuid) -> Self {
        let text = format!(
            "The provided client secret keys for app '{client_id}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds."
        );
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", 7_000_222, &text)
    }

    fn scope(scope: &str) -> Self {
        let text = format!(
            "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."
        );
        Self::new(StatusCode::BAD_REQUEST, "invalid_scope", 70011, &text)
    }

    fn answer(self, ids: &Ids, now: Timestamp) -> Response {
        let (trace, correlation) = (ids.guid(), ids.guid());
        let timestamp = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let mut description = self.text;
        // Writing to a string cannot fail.
        let _ = write!(description, " Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}");
        let body = json!({
            "error": self.error,
            "error_description": description,
            "error_codes": [self.code],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.code),
        });
        (self.status, Json(body)).into_response()
    }
}

/// The routes of the login.
pub fn router() -> Router<Arc<World>> {
    Router::new().route("/{tenant}/oauth2/v2.0/token", post(token))
}

async fn token(State(world): State<Arc<World>>, Path(tenant): Path<String>, body: String) -> Response {
    let form: HashMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let now = world.clock.now();
    if let Err(refusal) = world.entra.check(&tenant, &form) {
        return refusal.answer(&world.entra.ids, now);
    }
    let (access_token, expires_in) = world.entra.issue_token(now);
    Json(json!({
        "token_type": "Bearer",
        "expires_in": expires_in,
        "ext_expires_in": expires_in,
        "access_token": access_token,
    }))
    .into_response()
}
