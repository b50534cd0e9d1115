//! People who sign in to the app with OpenID Connect: the login page, the code, the id token and the keys.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use data_encoding::BASE64URL_NOPAD;
use jiff::SignedDuration;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::bc::auth::token;
use crate::bc::caller::{Caller, answer};

const REDIRECT: &str = "http://localhost:4000/back";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn browser() -> Client {
    Client::builder().no_proxy().redirect(Policy::none()).build().unwrap()
}

/// The login page as an app asks for it, with one parameter changed; without a value it is left out.
fn page(caller: &Caller, change: (&str, Option<&str>)) -> Url {
    let entra = &caller.sandbox.ready().entra;
    let mut url = Url::parse(&format!("{}/{}/oauth2/v2.0/authorize", entra.base_url, entra.tenant_id)).unwrap();
    let challenge = BASE64URL_NOPAD.encode(&Sha256::digest(VERIFIER.as_bytes()));
    let client = entra.client_id.to_string();
    let pairs = [
        ("client_id", &*client),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", "openid profile"),
        ("state", "state & more"),
        ("nonce", "a nonce"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in pairs {
        let value = if name == change.0 { change.1 } else { Some(value) };
        if let Some(value) = value {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
    url
}

/// Chooses the first account: where the browser is sent.
async fn chosen(caller: &Caller) -> Url {
    let page = page(caller, ("", None));
    let text = browser().get(page.clone()).send().await.unwrap().text().await.unwrap();
    let account = caller.sandbox.world().entra.people()[0].object_id;
    let link = text.split('"').find(|part| part.starts_with(&format!("authorize/as/{account}?"))).unwrap();
    let sent = browser().get(page.join(&link.replace("&amp;", "&")).unwrap()).send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::SEE_OTHER);
    Url::parse(sent.headers()["location"].to_str().unwrap()).unwrap()
}

fn value(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned()
}

async fn redeem(caller: &Caller, code: &str, change: (&str, &str)) -> (StatusCode, Value) {
    let entra = caller.sandbox.ready().entra.clone();
    let client = entra.client_id.to_string();
    let mut form = [
        ("grant_type", "authorization_code"),
        ("client_id", &*client),
        ("client_secret", &*entra.client_secret),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    for pair in &mut form {
        if pair.0 == change.0 {
            pair.1 = change.1;
        }
    }
    token(caller, &entra.tenant_id.to_string(), &form).await
}

fn code_of(answered: &(StatusCode, Value)) -> (u16, u64) {
    (answered.0.as_u16(), answered.1["error_codes"][0].as_u64().unwrap_or_default())
}

#[tokio::test]
async fn a_person_signs_in_with_a_code_and_the_id_token_verifies_with_the_published_key() {
    let caller = Caller::start().await;
    let sent = chosen(&caller).await;
    assert!(sent.as_str().starts_with(REDIRECT), "{sent}");
    assert_eq!(value(&sent, "state"), "state & more");
    let (status, body) = redeem(&caller, &value(&sent, "code"), ("", "")).await;
    assert_eq!(status, 200, "{body}");
    let id_token = body["id_token"].as_str().unwrap();
    let (signed, signature) = id_token.rsplit_once('.').unwrap();
    let (head, claims) = signed.split_once('.').unwrap();
    let part =
        |part: &str| -> Value { serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap() };
    let (head, claims) = (part(head), part(claims));

    let entra = caller.sandbox.ready().entra.clone();
    let base = format!("{}/{}", entra.base_url, entra.tenant_id);
    let metadata = answer(caller.client.get(format!("{base}/v2.0/.well-known/openid-configuration"))).await.1;
    let keys = answer(caller.client.get(metadata["jwks_uri"].as_str().unwrap())).await.1;
    let key = &keys["keys"][0];
    assert_eq!((&head["alg"], &head["kid"]), (&json!("RS256"), &key["kid"]));
    let number = |name: &str| BASE64URL_NOPAD.decode(key[name].as_str().unwrap().as_bytes()).unwrap();
    let public = RsaPublicKeyComponents { n: number("n"), e: number("e") };
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    public.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature).unwrap();

    let person = caller.sandbox.world().entra.people()[0].clone();
    assert_eq!(claims["iss"], metadata["issuer"]);
    assert_eq!((&claims["aud"], &claims["tid"]), (&json!(entra.client_id), &json!(entra.tenant_id)));
    assert_eq!((&claims["oid"], &claims["nonce"]), (&json!(person.object_id), &json!("a nonce")));
    assert_eq!(claims["preferred_username"], "ann.lee@northwindsupply.onmicrosoft.com");
}

#[tokio::test]
async fn a_code_is_worth_something_once_for_ten_minutes_to_who_asked_for_it() {
    let caller = Caller::start().await;
    let code = value(&chosen(&caller).await, "code");
    let refused = [
        (("code", "1.nonsense"), (400, 9_002_313)),
        (("redirect_uri", "http://localhost:4000/other"), (400, 500_112)),
        (("code_verifier", "another"), (400, 501_481)),
        (("client_secret", "another"), (401, 7_000_215)),
        (("client_id", "another"), (400, 700_016)),
    ];
    for (change, expected) in refused {
        assert_eq!(code_of(&redeem(&caller, &code, change).await), expected, "{change:?}");
    }
    assert_eq!(redeem(&caller, &code, ("", "")).await.0, 200);
    assert_eq!(code_of(&redeem(&caller, &code, ("", "")).await), (400, 54005));
    let late = value(&chosen(&caller).await, "code");
    caller.sandbox.world().clock.advance(SignedDuration::from_secs(601));
    assert_eq!(code_of(&redeem(&caller, &late, ("", "")).await), (400, 70008));
}

#[tokio::test]
async fn a_login_page_that_is_asked_for_wrongly_sends_the_browser_nowhere() {
    let caller = Caller::start().await;
    let refused = [
        (("redirect_uri", Some("https://evil.example/back")), "AADSTS50011"),
        (("redirect_uri", None), "AADSTS900144"),
        (("client_id", Some("another")), "AADSTS700016"),
        (("response_type", Some("id_token")), "AADSTS700054"),
        (("scope", Some("profile")), "AADSTS90014"),
        (("code_challenge_method", Some("plain")), "AADSTS501491"),
    ];
    for (change, expected) in refused {
        let shown = browser().get(page(&caller, change)).send().await.unwrap();
        assert_eq!(shown.status(), StatusCode::BAD_REQUEST, "{change:?}");
        assert!(shown.text().await.unwrap().contains(expected), "{change:?}");
    }
    let mut decline = page(&caller, ("", None));
    decline.set_path(&format!("{}/decline", decline.path()));
    let sent = browser().get(decline).send().await.unwrap();
    let sent = Url::parse(sent.headers()["location"].to_str().unwrap()).unwrap();
    assert_eq!(value(&sent, "error"), "access_denied");
    assert!(value(&sent, "error_description").starts_with("AADSTS65004"));
}

#[tokio::test]
async fn a_name_that_is_given_to_somebody_else_is_another_account() {
    let caller = Caller::start().await;
    let url = format!("{}/_sandbox/entra/people", caller.sandbox.ready().control.base_url);
    let (_, before) = answer(caller.client.get(&url)).await;
    let account = json!({ "user_name": before[0]["user_name"], "display_name": "Another Ann" });
    let (status, added) = answer(caller.client.request(Method::POST, &url).json(&account)).await;
    assert_eq!(status, 201);
    assert_ne!(added["object_id"], before[0]["object_id"]);
    let (_, after) = answer(caller.client.get(&url)).await;
    assert_eq!(after.as_array().unwrap().len(), before.as_array().unwrap().len());
    assert!(after.as_array().unwrap().contains(&added));
}
