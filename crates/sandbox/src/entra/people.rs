//! People of the directory who sign in to the app with OpenID Connect: the authorization code flow with PKCE, the id token, and the keys
//! it is signed with. Where a browser would see the login page of Microsoft, it sees a list of accounts to choose from.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow>

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use url::Url;
use uuid::Uuid;

use super::refusal::Refusal;
use super::settings::IdToken;
use super::signing::SigningKey;
use super::{DOMAIN, Login};
use crate::ids::Ids;

/// A code is good for so long.
const CODE_SECONDS: i64 = 600;
/// An id token lives for so long.
const TOKEN_SECONDS: i64 = 3_600;
/// Who is in the directory of every seed.
const NAMES: [&str; 4] = ["Ann Lee", "Bob Ortiz", "Carla Nowak", "Dev Patel"];

/// An account of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// `oid`: it stays, whatever the account is called.
    pub object_id: Uuid,
    /// User principal name, `preferred_username` in an id token.
    pub user_name: String,
    /// What people read.
    pub display_name: String,
}

/// What the browser brings to the login page.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Wish {
    pub(super) client_id: Option<String>,
    response_type: Option<String>,
    redirect_uri: Option<String>,
    scope: Option<String>,
    state: Option<String>,
    nonce: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// A code that was given out.
struct Code {
    person: Person,
    redirect_uri: String,
    nonce: Option<String>,
    challenge: Option<String>,
    made: Timestamp,
    is_redeemed: bool,
}

/// The codes that were given out, and the key that id tokens are signed with. Neither outlives the process.
#[derive(Default)]
pub(super) struct Doorway {
    codes: Mutex<HashMap<String, Code>>,
    key: OnceLock<SigningKey>,
}

/// The accounts of a seed.
pub(super) fn of_seed(ids: &Ids) -> Vec<Person> {
    let person = |name: &&str| Person {
        object_id: ids.guid(),
        user_name: format!("{}@{DOMAIN}", name.to_lowercase().replace(' ', ".")),
        display_name: (*name).to_owned(),
    };
    NAMES.iter().map(person).collect()
}

impl Wish {
    /// Where the answer goes, if the app may be answered there: the app registration has the addresses of this machine, with any port.
    pub(super) fn checked(&self) -> Result<Url, Refusal> {
        let required = |value: &Option<String>, name| match value.as_deref() {
            Some(value) if !value.is_empty() => Ok(value.to_owned()),
            _ => Err(Refusal::missing(name)),
        };
        let redirect = required(&self.redirect_uri, "redirect_uri")?;
        let url = Url::parse(&redirect).ok().filter(|url| {
            url.scheme() == "http"
                && matches!(url.host_str(), Some("127.0.0.1" | "localhost"))
                && url.fragment().is_none()
        });
        let url = url.ok_or_else(|| Refusal::redirect(&redirect))?;
        if required(&self.response_type, "response_type")? != "code" {
            return Err(Refusal::response_type());
        }
        if !required(&self.scope, "scope")?.split(' ').any(|scope| scope == "openid") {
            return Err(Refusal::no_openid());
        }
        if self.code_challenge.is_some() && self.code_challenge_method.as_deref() != Some("S256") {
            return Err(Refusal::challenge_method());
        }
        Ok(url)
    }
}

impl Doorway {
    /// Gives the browser a code for this account: where it goes with it.
    pub(super) fn admit(&self, person: Person, wish: &Wish, redirect: &Url, ids: &Ids, now: Timestamp) -> Url {
        let code = format!("1.{}", ids.alphanumeric(80));
        let made = Code {
            person,
            redirect_uri: redirect.to_string(),
            nonce: wish.nonce.clone(),
            challenge: wish.code_challenge.clone(),
            made: now,
            is_redeemed: false,
        };
        self.codes().insert(code.clone(), made);
        back(redirect, wish, &[("code", &code)])
    }

    /// The person of a code, which is worth something once, to who asked for it; and the nonce for the id token.
    pub(super) fn redeem(&self, login: &Login<'_>, now: Timestamp) -> Result<(Person, Option<String>), Refusal> {
        let mut codes = self.codes();
        let code = codes.get_mut(login.required("code")?).ok_or_else(Refusal::bad_code)?;
        if code.is_redeemed {
            return Err(Refusal::redeemed());
        }
        if now > code.made.saturating_add(SignedDuration::from_secs(CODE_SECONDS)).unwrap_or(Timestamp::MAX) {
            return Err(Refusal::old_code());
        }
        let redirect = login.required("redirect_uri")?;
        if redirect != code.redirect_uri {
            return Err(Refusal::other_redirect(redirect, &code.redirect_uri));
        }
        if let Some(challenge) = &code.challenge {
            let verifier = login.required("code_verifier")?;
            if BASE64URL_NOPAD.encode(&Sha256::digest(verifier.as_bytes())) != *challenge {
                return Err(Refusal::verifier());
            }
        }
        code.is_redeemed = true;
        Ok((code.person.clone(), code.nonce.clone()))
    }

    /// The id token of a person, made wrong as the switches say.
    pub(super) fn id_token(&self, claims: &Claims<'_>, flaw: IdToken) -> String {
        let (now, issuer) = (claims.now.as_second(), format!("http://{}/{}/v2.0", claims.host, claims.tenant));
        let other = Uuid::from_u128(claims.client_id.as_u128() ^ 1);
        let tenant = if flaw == IdToken::OfOtherTenant { other } else { claims.tenant };
        let since = if flaw == IdToken::Expired { now - TOKEN_SECONDS - 600 } else { now };
        let body = json!({
            "aud": if flaw == IdToken::ForOtherApp { other } else { claims.client_id },
            "iss": if flaw == IdToken::OfOtherIssuer { format!("{issuer}/") } else { issuer },
            "iat": since, "nbf": since, "exp": since + TOKEN_SECONDS,
            "nonce": if flaw == IdToken::WithOtherNonce { Some("another") } else { claims.nonce },
            "name": claims.person.display_name, "preferred_username": claims.person.user_name,
            "oid": claims.person.object_id, "tid": tenant,
            "sub": BASE64URL_NOPAD.encode(&Sha256::digest(claims.person.object_id.as_bytes())),
            "ver": "2.0",
        });
        let own = self.key();
        match flaw {
            // Under the name of the right one.
            IdToken::SignedByAnother => SigningKey::make().sign(&own.id, &body),
            IdToken::Unsigned => SigningKey::unsigned(&body),
            _ => own.sign(&own.id, &body),
        }
    }

    /// What verifies the id tokens.
    pub(super) fn key(&self) -> &SigningKey {
        self.key.get_or_init(SigningKey::make)
    }

    fn codes(&self) -> MutexGuard<'_, HashMap<String, Code>> {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an id token says.
pub(super) struct Claims<'a> {
    pub(super) person: &'a Person,
    pub(super) nonce: Option<&'a str>,
    pub(super) tenant: Uuid,
    pub(super) client_id: Uuid,
    pub(super) host: &'a str,
    pub(super) now: Timestamp,
}

/// Where the browser goes when the person does not want to.
pub(super) fn declined(redirect: &Url, wish: &Wish) -> Url {
    let text = "AADSTS65004: User declined to consent to access the app.";
    back(redirect, wish, &[("error", "access_denied"), ("error_subcode", "cancel"), ("error_description", text)])
}

fn back(redirect: &Url, wish: &Wish, pairs: &[(&str, &str)]) -> Url {
    let mut url = redirect.clone();
    url.query_pairs_mut().extend_pairs(pairs);
    if let Some(state) = &wish.state {
        url.query_pairs_mut().append_pair("state", state);
    }
    url
}
