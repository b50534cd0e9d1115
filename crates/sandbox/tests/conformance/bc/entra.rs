//! The token endpoint: certificates, texts, lifetimes, scopes, and tokens that are for something else.

use crate::bc::auth::{SCOPE, login, token};
use crate::bc::caller::{Caller, START, answer, error};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding};
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXUPPER};
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use sandbox::Options;
use sandbox::entra::{Description, NoCredential, OTHER_DOMAIN, OtherTenant, UnknownTenant, WrongScope};
use serde_json::{Value, json};

const KIND: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A key and a certificate of it, valid in 2026.
struct Identity {
    key: KeyPair,
    certificate: Vec<u8>,
}

impl Identity {
    fn new() -> Self {
        Self::until("271231235959Z")
    }

    fn until(end: &str) -> Self {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let public = key.public_key().as_der().unwrap();
        let validity = der(0x30, &[&der(0x17, &[b"260101000000Z"]), &der(0x17, &[end.as_bytes()])]);
        let (algorithm, name) = (der(0x30, &[]), der(0x30, &[]));
        let version = der(0xA0, &[&der(0x02, &[&[2]])]);
        let body = [&version, &der(0x02, &[&[1]]), &algorithm, &name, &validity, &name, public.as_ref()];
        // Nobody checks who has signed the certificate: it is trusted because it was uploaded.
        let certificate = der(0x30, &[&der(0x30, &body), &algorithm, &der(0x03, &[&[0]])]);
        Self { key, certificate }
    }

    fn thumbprint(&self) -> Vec<u8> {
        use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
        digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.certificate).as_ref().to_vec()
    }

    async fn register(&self, caller: &Caller) -> (StatusCode, Value) {
        control(caller, Method::POST, "certificates", json!({"certificate": BASE64.encode(&self.certificate)})).await
    }

    /// A JWT with these claims; its header names this certificate.
    fn sign(&self, algorithm: &str, claims: &Value) -> String {
        let header = json!({"alg": algorithm, "typ": "JWT", "x5t": BASE64URL_NOPAD.encode(&self.thumbprint())});
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(&header), part(claims));
        let padding: &'static dyn RsaEncoding = if algorithm == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(padding, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
    }
}

fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x82][..], &length, &content].concat()
}

/// Claims that are fine, with one of them changed.
fn claims(caller: &Caller, change: (&str, Value)) -> Value {
    let entra = &caller.sandbox.ready().entra;
    let now = START.parse::<jiff::Timestamp>().unwrap().as_second();
    let mut claims = json!({
        "aud": format!("https://login.microsoftonline.com/{}/oauth2/v2.0/token", entra.tenant_id),
        "iss": entra.client_id, "sub": entra.client_id, "jti": "22b3bb26-e046-42df-9c96-65dbd72c1c81",
        "nbf": now, "exp": now + 600,
    });
    if !change.0.is_empty() {
        claims[change.0] = change.1;
    }
    claims
}

async fn present(caller: &Caller, assertion: &str) -> (StatusCode, Value) {
    let entra = caller.sandbox.ready().entra.clone();
    let client = entra.client_id.to_string();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &client),
        ("scope", SCOPE),
        ("client_assertion_type", KIND),
        ("client_assertion", assertion),
    ];
    token(caller, &entra.tenant_id.to_string(), &form).await
}

async fn control(caller: &Caller, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
    let url = format!("{}/_sandbox/entra/{path}", caller.sandbox.ready().control.base_url);
    answer(caller.client.request(method, url).json(&body)).await
}

/// Code and the sentence behind it, up to the ids.
fn refusal(answered: &(StatusCode, Value)) -> (u16, u64, String) {
    let description = answered.1["error_description"].as_str().unwrap_or_default();
    let text = description.split(" Trace ID: ").next().unwrap_or_default();
    let text = text.split_once(": ").map_or("", |(_, text)| text);
    (answered.0.as_u16(), answered.1["error_codes"][0].as_u64().unwrap_or_default(), text.to_owned())
}

async fn opens(caller: &Caller, token: &Value) -> (StatusCode, Value) {
    let url = format!("{}/companies", caller.service());
    answer(caller.client.get(url).bearer_auth(token["access_token"].as_str().unwrap())).await
}

#[tokio::test]
async fn an_assertion_signed_with_a_registered_certificate_gives_a_token() {
    let caller = Caller::start().await;
    let identity = Identity::new();
    let (status, body) = identity.register(&caller).await;
    assert_eq!((status.as_u16(), &body["thumbprint"]), (200, &json!(HEXUPPER.encode(&identity.thumbprint()))));
    for algorithm in ["PS256", "RS256"] {
        let (status, token) = present(&caller, &identity.sign(algorithm, &claims(&caller, ("", Value::Null)))).await;
        assert_eq!(status, 200, "{token}");
        assert_eq!(opens(&caller, &token).await.0, 200);
    }
    let path = format!("certificates/{}", HEXUPPER.encode(&identity.thumbprint()));
    assert_eq!(control(&caller, Method::DELETE, &path, Value::Null).await.0, 204);
    let refused = present(&caller, &identity.sign("PS256", &claims(&caller, ("", Value::Null)))).await;
    assert_eq!((refused.0.as_u16(), &refused.1["error_codes"]), (401, &json!([700_027])));
}

#[tokio::test]
async fn an_assertion_by_an_unknown_key_or_with_a_wrong_signature_is_refused() {
    let caller = Caller::start().await;
    let (identity, stranger) = (Identity::new(), Identity::new());
    identity.register(&caller).await;
    let good = claims(&caller, ("", Value::Null));
    let (status, code, text) = refusal(&present(&caller, &stranger.sign("PS256", &good)).await);
    let start = "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Thumbprint of key used by client: '";
    assert_eq!((status, code), (401, 700_027));
    assert!(text.starts_with(start), "{text}");
    let (head, _) =
        identity.sign("RS256", &good).rsplit_once('.').map(|(head, tail)| (head.to_owned(), tail.len())).unwrap();
    let forged = format!("{head}.{}", BASE64URL_NOPAD.encode(&[7; 256]));
    let (status, code, text) = refusal(&present(&caller, &forged).await);
    assert_eq!((status, code), (401, 700_027));
    assert!(text.starts_with("Client assertion failed signature validation. [Reason - The provided signature value did not match the expected signature value., Thumbprint of key"), "{text}");
    assert!(text.contains("Found key 'Start=01/01/2026 00:00:00, End=12/31/2027 23:59:59'"), "{text}");
}

#[tokio::test]
async fn an_assertion_by_an_expired_certificate_is_refused() {
    let caller = Caller::start().await;
    let identity = Identity::until("260301000000Z");
    identity.register(&caller).await;
    let (_, code, text) =
        refusal(&present(&caller, &identity.sign("PS256", &claims(&caller, ("", Value::Null)))).await);
    assert_eq!(code, 700_027);
    assert!(text.contains("[Reason - The key used is expired., "), "{text}");
}

#[tokio::test]
async fn each_claim_of_an_assertion_is_checked() {
    let caller = Caller::start().await;
    let identity = Identity::new();
    identity.register(&caller).await;
    let now = START.parse::<jiff::Timestamp>().unwrap().as_second();
    let page =
        "Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .";
    let wrong_app = format!("Client assertion application identifier doesn't match 'client_id' parameter. {page}");
    let range = |from: &str, until: &str| {
        format!(
            "Client assertion is not within its valid time range. Current time: 2026-03-02T10:00:00.0000000Z, assertion valid from {from}, expiry time of assertion {until}. {page}"
        )
    };
    let cases = [
        (
            ("aud", json!("https://example.com")),
            700_023,
            format!("Client assertion audience claim does not match Realm issuer. {page}"),
        ),
        (("iss", json!("somebody")), 700_021, wrong_app.clone()),
        (("sub", json!("00000000-0000-0000-0000-00000000ffff")), 700_021, wrong_app),
        (("exp", json!(now)), 700_024, range("2026-03-02T10:00:00.0000000Z", "2026-03-02T10:00:00.0000000Z")),
        (("nbf", json!(now + 1)), 700_024, range("2026-03-02T10:00:01.0000000Z", "2026-03-02T10:10:00.0000000Z")),
    ];
    for (change, code, text) in cases {
        let name = change.0;
        let answered = present(&caller, &identity.sign("PS256", &claims(&caller, change))).await;
        assert_eq!(refusal(&answered), (401, code, text), "{name}");
        assert_eq!(answered.1["error"], "invalid_client");
    }
}

#[tokio::test]
async fn what_is_no_assertion_is_malformed() {
    let caller = Caller::start().await;
    let identity = Identity::new();
    identity.register(&caller).await;
    let unsigned = identity.sign("none", &claims(&caller, ("", Value::Null)));
    let timeless = identity.sign("PS256", &claims(&caller, ("exp", Value::Null)));
    let endless = identity.sign("PS256", &claims(&caller, ("exp", json!(i64::MAX))));
    for assertion in ["x", "..", "e30.e30.e30", "\u{feff}.é.ü", &unsigned, &timeless, &endless] {
        assert_eq!(refusal(&present(&caller, assertion).await).1, 50027, "{assertion}");
    }
    for certificate in ["", "MA", "MAA=", "-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----"] {
        let (status, _) = control(&caller, Method::POST, "certificates", json!({"certificate": certificate})).await;
        assert_eq!(status, 400, "{certificate}");
    }
}

#[tokio::test]
async fn an_error_has_all_its_members_and_ids_after_single_spaces_or_line_breaks() {
    let caller = Caller::start().await;
    for (description, between) in [(Description::Spaces, " "), (Description::Lines, "\r\n")] {
        caller.sandbox.world().entra.configure(|settings| settings.description = description);
        let (_, body) = login(&caller, ("client_secret", "wrong")).await;
        let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
        let wanted = "error error_description error_codes timestamp trace_id correlation_id error_uri";
        assert_eq!(keys, wanted.split(' ').collect::<Vec<_>>());
        let app = caller.sandbox.ready().entra.client_id;
        let text = format!(
            "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{app}'."
        );
        let ids = [
            ("Trace ID", &body["trace_id"]),
            ("Correlation ID", &body["correlation_id"]),
            ("Timestamp", &body["timestamp"]),
        ];
        let ids = ids.map(|(name, id)| format!("{between}{name}: {}", id.as_str().unwrap())).concat();
        assert_eq!(body["error_description"], format!("{text}{ids}"));
        assert_eq!(body["timestamp"], "2026-03-02 10:00:00Z");
        assert_eq!(body["error_uri"], "https://login.microsoftonline.com/error?code=7000215");
    }
}

#[tokio::test]
async fn an_expired_secret_is_told_apart_from_a_wrong_one_until_it_is_replaced() {
    let caller = Caller::start().await;
    control(&caller, Method::PATCH, "settings", json!({"secret_expired": true})).await;
    let answered = login(&caller, ("", "")).await;
    let (status, code, text) = refusal(&answered);
    assert_eq!((status, code, answered.1["error"].as_str()), (401, 7_000_222, Some("invalid_client")));
    assert!(text.starts_with("The provided client secret keys for app '"), "{text}");
    assert!(text.contains(
        "are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, "
    ));
    let (_, fresh) = control(&caller, Method::POST, "secret/rotate", Value::Null).await;
    assert_eq!(refusal(&login(&caller, ("", "")).await).1, 7_000_215);
    assert_eq!(login(&caller, ("client_secret", fresh["client_secret"].as_str().unwrap())).await.0, 200);
}

#[tokio::test]
async fn an_unknown_tenant_is_an_invalid_request_or_an_invalid_tenant() {
    let caller = Caller::start().await;
    let unknown = login(&caller, ("tenant", "contoso.com")).await;
    let text = "Tenant 'contoso.com' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.";
    assert_eq!(refusal(&unknown), (400, 90002, text.to_owned()));
    assert_eq!(unknown.1["error"], "invalid_request");
    caller.sandbox.world().entra.configure(|settings| settings.unknown_tenant = UnknownTenant::InvalidTenant);
    assert_eq!(login(&caller, ("tenant", "contoso.com")).await.1["error"], "invalid_tenant");
}

#[tokio::test]
async fn an_app_that_is_not_in_the_directory_is_unauthorized() {
    let caller = Caller::start().await;
    let stranger = login(&caller, ("client_id", "00000000-0000-0000-0000-00000000ffff")).await;
    assert_eq!((refusal(&stranger).1, stranger.1["error"].as_str()), (700_016, Some("unauthorized_client")));
    assert_eq!(refusal(&login(&caller, ("tenant", OTHER_DOMAIN)).await).1, 90002);
    caller.sandbox.world().entra.configure(|settings| settings.other_tenant = OtherTenant::WithoutApp);
    let (status, code, text) = refusal(&login(&caller, ("tenant", OTHER_DOMAIN)).await);
    let app = caller.sandbox.ready().entra.client_id;
    assert_eq!((status, code), (400, 700_016));
    assert!(
        text.starts_with(&format!(
            "Application with identifier '{app}' was not found in the directory '{OTHER_DOMAIN}'. "
        )),
        "{text}"
    );
}

#[tokio::test]
async fn every_missing_parameter_is_named() {
    let caller = Caller::start().await;
    let tenant = caller.sandbox.ready().entra.tenant_id.to_string();
    let client = caller.sandbox.ready().entra.client_id.to_string();
    let whole = [
        ("grant_type", "client_credentials"),
        ("client_id", client.as_str()),
        ("scope", SCOPE),
        ("client_assertion_type", KIND),
        ("client_assertion", "x"),
    ];
    for (index, (name, _)) in whole.iter().enumerate().take(4) {
        let form: Vec<_> = whole.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, pair)| *pair).collect();
        let answered = token(&caller, &tenant, &form).await;
        let text = format!("The request body must contain the following parameter: '{name}'.");
        assert_eq!(refusal(&answered), (400, 900_144, text));
        assert_eq!(answered.1["error"], "invalid_request");
    }
    assert_eq!(refusal(&token(&caller, &tenant, &whole[..3]).await).1, 900_144);
    caller.sandbox.world().entra.configure(|settings| settings.no_credential = NoCredential::NotAuthenticated);
    let text = "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.";
    assert_eq!(refusal(&token(&caller, &tenant, &whole[..3]).await), (401, 7_000_216, text.to_owned()));
}

#[tokio::test]
async fn exactly_one_resource_with_default_is_a_scope() {
    let caller = Caller::start().await;
    let two = format!("{SCOPE} https://graph.microsoft.com/.default");
    for scope in ["https://api.businesscentral.dynamics.com/Financials.ReadWrite.All", two.as_str(), "openid", "x y"] {
        let answered = login(&caller, ("scope", scope)).await;
        let text = format!(
            "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."
        );
        assert_eq!(refusal(&answered), (400, 70011, text));
        assert_eq!(answered.1["error"], "invalid_scope");
    }
    let unknown = login(&caller, ("scope", "https://example.com/.default")).await;
    assert_eq!((refusal(&unknown).1, unknown.1["error"].as_str()), (500_011, Some("invalid_resource")));
    caller.sandbox.world().entra.configure(|settings| settings.wrong_scope = WrongScope::NotDefault);
    assert_eq!(refusal(&login(&caller, ("scope", "openid")).await).1, 1_002_012);
}

#[tokio::test]
async fn tokens_live_for_60_to_90_minutes_at_random_unless_a_policy_says_otherwise() {
    let caller = Caller::start().await;
    let mut lifetimes = Vec::new();
    for _ in 0..20 {
        lifetimes.push(login(&caller, ("", "")).await.1["expires_in"].as_u64().unwrap());
    }
    assert!(lifetimes.iter().all(|seconds| (3_600..=5_400).contains(seconds)), "{lifetimes:?}");
    assert!(lifetimes.iter().any(|seconds| *seconds != lifetimes[0]), "{lifetimes:?}");
    let again = Caller::start().await;
    assert_eq!(login(&again, ("", "")).await.1["expires_in"], lifetimes[0]);
    control(&caller, Method::PATCH, "settings", json!({"lifetime_seconds": 600})).await;
    let (_, token) = login(&caller, ("", "")).await;
    assert_eq!((&token["expires_in"], &token["ext_expires_in"]), (&json!(600), &json!(600)));
    let keys: Vec<&String> = token.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["token_type", "expires_in", "ext_expires_in", "access_token"]);
    caller.sandbox.world().clock.advance(SignedDuration::from_secs(599));
    assert_eq!(opens(&caller, &token).await.0, 200);
    caller.sandbox.world().clock.advance(SignedDuration::from_secs(1));
    assert_eq!(opens(&caller, &token).await.0, 401);
}

#[tokio::test]
async fn a_token_for_another_audience_opens_nothing() {
    let caller = Caller::start().await;
    let (status, token) = login(&caller, ("scope", "https://graph.microsoft.com/.default")).await;
    assert_eq!(status, 200);
    let (status, body) = opens(&caller, &token).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (401, "Authentication_InvalidCredentials"));
}

#[tokio::test]
async fn a_token_of_another_tenant_opens_nothing() {
    let caller = Caller::start().await;
    let entra = &caller.sandbox.world().entra;
    entra.configure(|settings| settings.other_tenant = OtherTenant::WithApp);
    let (status, token) = login(&caller, ("tenant", OTHER_DOMAIN)).await;
    assert_eq!(status, 200, "{token}");
    assert_eq!(opens(&caller, &token).await.0, 401);
    let base = format!("{}/v2.0", caller.sandbox.ready().bc.base_url);
    let bearer = token["access_token"].as_str().unwrap();
    let home = entra.other_tenant_id();
    for (place, code) in [
        ("Production", "NoEnvironment"),
        (&format!("{home}/Production"), "NoEnvironment"),
        ("contoso.com/Production", "Authentication_InvalidCredentials"),
    ] {
        let (_, body) =
            answer(caller.client.get(format!("{base}/{place}/api/v2.0/companies")).bearer_auth(bearer)).await;
        assert_eq!(error(&body).0, code, "{place}");
    }
}

#[tokio::test]
async fn certificates_settings_and_tokens_of_entra_survive_a_stop_and_a_start() {
    let directory = tempfile::tempdir().unwrap();
    let state = Some(directory.path().join("state.json"));
    let options = Options { records: 1, state, start: Some(START.parse().unwrap()), ..Options::default() };
    let caller = Caller::start_with(options.clone()).await;
    let identity = Identity::new();
    identity.register(&caller).await;
    control(&caller, Method::PATCH, "settings", json!({"lifetime_seconds": 700})).await;
    let (_, token) = login(&caller, ("", "")).await;
    caller.sandbox.stop().await.unwrap();
    let caller = Caller::start_with(options).await;
    assert_eq!(opens(&caller, &token).await.0, 200);
    let (_, fresh) = present(&caller, &identity.sign("PS256", &claims(&caller, ("", Value::Null)))).await;
    assert_eq!(fresh["expires_in"], 700);
    assert_eq!(control(&caller, Method::PATCH, "settings", json!({"lifetime": 1})).await.0, 400);
}
