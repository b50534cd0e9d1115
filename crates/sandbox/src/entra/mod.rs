//! Entra ID: the token endpoint with its error answers, the tokens it gave out, and the people who sign in.

mod assertion;
mod certificate;
mod door;
mod people;
mod refusal;
mod settings;
mod signing;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::HOST;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use self::assertion::Assertion;
use self::certificate::Certificate;
pub use self::people::Person;
use self::people::{Claims, Doorway};
use self::refusal::Refusal;
pub use self::settings::{Description, IdToken, NoCredential, OtherTenant, Settings, UnknownTenant, WrongScope};
use crate::ids::Ids;
use crate::world::World;

/// The scope of tokens that open Business Central.
pub const SCOPE: &str = "https://api.businesscentral.dynamics.com/.default";
/// The verified domain of the tenant.
pub const DOMAIN: &str = "northwindsupply.onmicrosoft.com";
/// The verified domain of the other tenant, if there is one.
pub const OTHER_DOMAIN: &str = "fabrikam.onmicrosoft.com";
/// Resources that every directory knows; the first one is Business Central.
const RESOURCES: [&str; 2] = ["https://api.businesscentral.dynamics.com", "https://graph.microsoft.com"];
/// Without a policy, a token lives this long and up to half an hour more.
const SHORTEST_SECONDS: u32 = 3_600;
const SPREAD_SECONDS: usize = 1_801;

/// The directories, the one app registration, and the tokens given out.
pub struct Entra {
    tenants: [Uuid; 2],
    client_id: Uuid,
    ids: Ids,
    doorway: Doorway,
    app: Mutex<App>,
}

#[derive(Serialize, Deserialize)]
struct App {
    secret: String,
    certificates: Vec<Certificate>,
    settings: Settings,
    tokens: HashMap<String, Token>,
    #[serde(default)]
    people: Vec<Person>,
}

#[derive(Serialize, Deserialize)]
struct Token {
    expiry: Timestamp,
    grant: Grant,
}

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Grant {
    directory: Directory,
    /// Whether its audience is Business Central.
    opens_bc: bool,
}

/// A directory (tenant).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Directory {
    /// The one with the environment.
    Own,
    Other,
}

impl Directory {
    fn domain(self) -> &'static str {
        match self {
            Self::Own => DOMAIN,
            Self::Other => OTHER_DOMAIN,
        }
    }
}

/// Whom a token lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bearer {
    /// The app, as a user of the tenant with the environment.
    OfTenant,
    /// The app, as a user of a tenant without any environment.
    OfOtherTenant,
}

impl Entra {
    /// The directory of a seed.
    pub fn new(ids: &Ids) -> Self {
        Self {
            tenants: [ids.guid(), ids.stream("entra other tenant").guid()],
            client_id: ids.guid(),
            app: Mutex::new(App {
                secret: secret(ids),
                certificates: Vec::new(),
                settings: Settings::default(),
                tokens: HashMap::new(),
                people: people::of_seed(&ids.stream("entra people")),
            }),
            doorway: Doorway::default(),
            ids: ids.stream("entra tokens"),
        }
    }

    /// The secret and the tokens given out, for a state file.
    pub(crate) fn snapshot(&self) -> Result<Value, serde_json::Error> {
        serde_json::to_value(&*self.lock())
    }

    /// Takes over an [`Entra::snapshot`]: tokens given out before stay valid until they expire.
    pub(crate) fn restore(&self, snapshot: Value) -> Result<(), serde_json::Error> {
        let mut app: App = serde_json::from_value(snapshot)?;
        // A state file from before there were people.
        if app.people.is_empty() {
            app.people = self.people();
        }
        // A token drawn before the snapshot must not be drawn again.
        let newest = app.tokens.values().map(|token| token.expiry).max();
        self.ids.skip_to(newest.map_or(0, |expiry| expiry.as_microsecond().unsigned_abs()));
        *self.lock() = app;
        Ok(())
    }

    /// The directory (tenant).
    pub fn tenant_id(&self) -> Uuid {
        self.tenants[0]
    }

    /// The other directory, if there is one.
    pub fn other_tenant_id(&self) -> Uuid {
        self.tenants[1]
    }

    /// The app registration.
    pub fn client_id(&self) -> Uuid {
        self.client_id
    }

    /// The app's present secret.
    pub fn client_secret(&self) -> String {
        self.lock().secret.clone()
    }

    /// Gives the app another secret, which is returned; the one before is not valid any more.
    pub fn rotate_secret(&self) -> String {
        let fresh = secret(&self.ids);
        let mut app = self.lock();
        app.secret.clone_from(&fresh);
        app.settings.secret_expired = false;
        fresh
    }

    /// The accounts of the directory.
    pub fn people(&self) -> Vec<Person> {
        self.lock().people.clone()
    }

    /// Adds an account, in place of one of the same name, which is another person's from then on.
    pub fn add_person(&self, user_name: &str, display_name: &str) -> Person {
        let (object_id, user_name, display_name) = (self.ids.guid(), user_name.to_owned(), display_name.to_owned());
        let person = Person { object_id, user_name, display_name };
        let people = &mut self.lock().people;
        people.retain(|known| !known.user_name.eq_ignore_ascii_case(&person.user_name));
        people.push(person.clone());
        person
    }

    /// Registers a certificate on the app, as PEM or as base64 of its DER. Its thumbprint, if it is one.
    pub fn register_certificate(&self, text: &str) -> Option<String> {
        let certificate = Certificate::read(text)?;
        let thumbprint = certificate.thumbprint.clone();
        let certificates = &mut self.lock().certificates;
        certificates.retain(|known| known.thumbprint != thumbprint);
        certificates.push(certificate);
        Some(thumbprint)
    }

    /// Removes a certificate from the app. Says whether it was there.
    pub fn remove_certificate(&self, thumbprint: &str) -> bool {
        let certificates = &mut self.lock().certificates;
        let before = certificates.len();
        certificates.retain(|certificate| !certificate.thumbprint.eq_ignore_ascii_case(thumbprint));
        certificates.len() < before
    }

    /// The switches as they stand.
    pub fn settings(&self) -> Settings {
        self.lock().settings.clone()
    }

    /// Changes the switches.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.lock().settings);
    }

    /// True if `tenant` names the directory that a bearer comes from.
    pub(crate) fn is_tenant_of(&self, bearer: Bearer, tenant: &str) -> bool {
        let home = match bearer {
            Bearer::OfTenant => Directory::Own,
            Bearer::OfOtherTenant => Directory::Other,
        };
        self.directory(tenant, OtherTenant::WithApp) == Some(home)
    }

    /// True if `token` was given out for Business Central, not taken back, and has not expired.
    pub fn accepts(&self, token: &str, now: Timestamp) -> bool {
        self.bearer(token, now) == Some(Bearer::OfTenant)
    }

    /// Whom a token lets in; none if it was not given out for Business Central, taken back, or has expired.
    pub(crate) fn bearer(&self, token: &str, now: Timestamp) -> Option<Bearer> {
        let app = self.lock();
        let token = app.tokens.get(token).filter(|token| now < token.expiry && token.grant.opens_bc)?;
        Some(match token.grant.directory {
            Directory::Own => Bearer::OfTenant,
            Directory::Other => Bearer::OfOtherTenant,
        })
    }

    /// Gives out a token for Business Central.
    pub fn issue_token(&self, now: Timestamp) -> (String, i64) {
        let (token, seconds) = self.issue(Grant { directory: Directory::Own, opens_bc: true }, now);
        (token, i64::from(seconds))
    }

    fn issue(&self, grant: Grant, now: Timestamp) -> (String, u32) {
        let spread = u32::try_from(self.ids.below(SPREAD_SECONDS)).unwrap_or_default();
        let mut app = self.lock();
        let claims = json!({ "jti": self.ids.alphanumeric(60), "roles": app.settings.roles });
        let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
        let token = format!("eyJ0eXAiOiJKV1Qi.{claims}.{}", self.ids.alphanumeric(43));
        let seconds = app.settings.lifetime_seconds.unwrap_or(SHORTEST_SECONDS + spread);
        let expiry = now.saturating_add(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(Timestamp::MAX);
        app.tokens.retain(|_, token| now < token.expiry);
        app.tokens.insert(token.clone(), Token { expiry, grant });
        (token, seconds)
    }

    /// Takes back all tokens.
    pub fn revoke_tokens(&self) {
        self.lock().tokens.clear();
    }

    fn directory(&self, tenant: &str, other: OtherTenant) -> Option<Directory> {
        let directories = [Directory::Own, Directory::Other].into_iter().zip(self.tenants);
        let named = |(directory, id): &(Directory, Uuid)| {
            tenant.eq_ignore_ascii_case(directory.domain()) || Uuid::try_parse(tenant).is_ok_and(|tenant| tenant == *id)
        };
        let (directory, _) = directories.into_iter().find(named)?;
        (directory == Directory::Own || other != OtherTenant::Absent).then_some(directory)
    }

    fn check(&self, login: &Login<'_>, now: Timestamp) -> Result<Grant, Refusal> {
        let app = self.lock();
        let settings = &app.settings;
        let directory = self.directory(login.tenant, settings.other_tenant).ok_or_else(|| {
            let error = match settings.unknown_tenant {
                UnknownTenant::InvalidRequest => "invalid_request",
                UnknownTenant::InvalidTenant => "invalid_tenant",
            };
            Refusal::tenant(error, login.tenant)
        })?;
        let grant = login.required("grant_type")?;
        let client_id = login.required("client_id")?;
        let scope = login.required("scope")?;
        if grant != "client_credentials" {
            return Err(Refusal::grant(grant));
        }
        if !self.is_app(client_id)
            || (directory == Directory::Other && settings.other_tenant == OtherTenant::WithoutApp)
        {
            return Err(Refusal::app(client_id, directory.domain()));
        }
        self.authenticate(&app, login, now)?;
        resource(scope, directory, settings.wrong_scope)
            .map(|resource| Grant { directory, opens_bc: resource == RESOURCES[0] })
    }

    fn is_app(&self, client_id: &str) -> bool {
        Uuid::try_parse(client_id).is_ok_and(|id| id == self.client_id)
    }

    /// What a person's code is worth: the answer with the id token.
    fn redeem(&self, login: &Login<'_>, now: Timestamp) -> Result<Value, Refusal> {
        door::own(self, login.tenant)?;
        let client_id = login.required("client_id")?;
        if !self.is_app(client_id) {
            return Err(Refusal::app(client_id, DOMAIN));
        }
        self.authenticate(&self.lock(), login, now)?;
        let (person, nonce) = self.doorway.redeem(login, now)?;
        let (nonce, tenant, client_id, host) = (nonce.as_deref(), self.tenant_id(), self.client_id, login.host);
        let claims = Claims { person: &person, nonce, tenant, client_id, host, now };
        Ok(json!({
            "token_type": "Bearer", "scope": "openid profile email", "expires_in": SHORTEST_SECONDS,
            "ext_expires_in": SHORTEST_SECONDS,
            "access_token": format!("EwB4.{}", self.ids.alphanumeric(60)),
            "id_token": self.doorway.id_token(&claims, self.settings().id_token),
        }))
    }

    fn authenticate(&self, app: &App, login: &Login<'_>, now: Timestamp) -> Result<(), Refusal> {
        if let Ok(assertion) = login.required("client_assertion") {
            if login.required("client_assertion_type")? != assertion::KIND {
                return Err(Refusal::missing("client_assertion_type"));
            }
            return Assertion::read(assertion)?.check(&app.certificates, self.client_id, &login.audiences(), now);
        }
        let secret = login.required("client_secret").map_err(|missing| match app.settings.no_credential {
            NoCredential::MissingParameter => missing,
            NoCredential::NotAuthenticated => Refusal::no_credential(),
        })?;
        if secret != app.secret {
            return Err(Refusal::secret(self.client_id));
        }
        if app.settings.secret_expired {
            return Err(Refusal::expired(self.client_id));
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, App> {
        self.app.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn secret(ids: &Ids) -> String {
    format!("s~{}", ids.alphanumeric(38))
}

/// The one resource of a scope: permissions come from consent, so there is nothing else to ask for.
fn resource(scope: &str, directory: Directory, wrong: WrongScope) -> Result<&'static str, Refusal> {
    let Some(resource) = scope.strip_suffix("/.default").filter(|resource| !resource.contains(' ')) else {
        return Err(match wrong {
            WrongScope::NotValid => Refusal::scope(scope),
            WrongScope::NotDefault => Refusal::not_default(scope),
        });
    };
    let known = RESOURCES.into_iter().find(|known| *known == resource.trim_end_matches('/'));
    known.ok_or_else(|| Refusal::resource(resource, directory.domain()))
}

/// A request for a token.
struct Login<'a> {
    tenant: &'a str,
    host: &'a str,
    form: HashMap<String, String>,
}

impl Login<'_> {
    fn required(&self, name: &str) -> Result<&str, Refusal> {
        match self.form.get(name) {
            Some(value) if !value.is_empty() => Ok(value),
            _ => Err(Refusal::missing(name)),
        }
    }

    /// The address of this endpoint, by its real name and by the one that was called.
    fn audiences(&self) -> [String; 2] {
        ["https://login.microsoftonline.com".to_owned(), format!("http://{}", self.host)]
            .map(|base| format!("{base}/{}/oauth2/v2.0/token", self.tenant))
    }
}

/// The routes of the login.
pub fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/{tenant}/oauth2/v2.0/token", post(token))
        .route("/{tenant}/oauth2/v2.0/authorize", get(door::authorize))
        .route("/{tenant}/oauth2/v2.0/authorize/as/{account}", get(door::choose))
        .route("/{tenant}/oauth2/v2.0/authorize/decline", get(door::decline))
        .route("/{tenant}/discovery/v2.0/keys", get(door::keys))
        .route("/{tenant}/v2.0/.well-known/openid-configuration", get(door::metadata))
}

async fn token(
    State(world): State<Arc<World>>,
    tenant: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // A tenant that is no text is named as it was sent.
    let tenant = tenant.map_or_else(|_| uri.path().split('/').nth(1).unwrap_or_default().to_owned(), |tenant| tenant.0);
    let form = url::form_urlencoded::parse(&body).into_owned().collect();
    let host = host_of(&headers);
    let (now, entra) = (world.clock.now(), &world.entra);
    let login = Login { tenant: &tenant, host, form };
    let answer = if matches!(login.required("grant_type"), Ok("authorization_code")) {
        entra.redeem(&login, now)
    } else {
        entra.check(&login, now).map(|grant| {
            let (access_token, expires_in) = entra.issue(grant, now);
            json!({
                "token_type": "Bearer",
                "expires_in": expires_in,
                "ext_expires_in": expires_in,
                "access_token": access_token,
            })
        })
    };
    match answer {
        Ok(answer) => Json(answer).into_response(),
        Err(refusal) => refusal.answer(entra.settings().description, &entra.ids, now),
    }
}

/// How this service was called.
fn host_of(headers: &HeaderMap) -> &str {
    headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}
