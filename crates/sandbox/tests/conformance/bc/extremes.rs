//! Whatever bytes come in path, query, headers and body: never a panic, always a well-formed answer.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sandbox::{Options, Routers, World, routers};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

const CASES: u32 = 256;

/// A sandbox without sockets, asked over and over.
struct Rig {
    runtime: Runtime,
    world: Arc<World>,
    routers: Routers,
    base: String,
}

impl Rig {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let options = Options { records: 1, vendors: 20, bc_limits: false, ..Options::default() };
        let world = runtime.block_on(async { World::open(options) }).unwrap();
        let routers = routers(&world);
        let ready = &routers.ready;
        let base = format!("/v2.0/{}/Production/api/v2.0/companies({})/", ready.entra.tenant_id, ready.bc.company_id);
        Self { runtime, world, routers, base }
    }

    fn ask(&self, method: &str, target: &str, headers: &[(&str, Vec<u8>)], body: Vec<u8>) -> (StatusCode, Vec<u8>) {
        let (token, _) = self.world.entra.issue_token(self.world.clock.now());
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(*name), HeaderValue::from_bytes(value)) {
                request = request.header(name, value);
            }
        }
        // A target that no client can send is none that a server gets.
        let Ok(request) = request.header("authorization", format!("Bearer {token}")).body(Body::from(body)) else {
            return (StatusCode::OK, Vec::new());
        };
        let router = self.routers.bc.clone();
        self.runtime.block_on(async {
            let response = router.oneshot(request).await.unwrap();
            whole(response).await
        })
    }
}

async fn whole(response: Response<Body>) -> (StatusCode, Vec<u8>) {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    let json = parts.headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if json {
        let body: Value = serde_json::from_slice(&body).unwrap();
        if !parts.status.is_success() {
            // Business Central nests the code, Entra ID does not.
            let error = body["error"].get("code").unwrap_or(&body["error"]);
            assert!(error.as_str().is_some_and(|code| !code.is_empty()), "{body}");
        }
    } else {
        assert!(parts.status.is_success(), "{}", parts.status);
    }
    (parts.status, body)
}

fn check<S: Strategy>(strategy: &S, test: impl Fn(S::Value)) {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner =
        TestRunner::new_with_rng(Config { cases: CASES, failure_persistence: None, ..Config::default() }, rng);
    runner
        .run(strategy, |value| {
            test(value);
            Ok(())
        })
        .unwrap();
}

/// Bytes as a client must write them in a URL.
fn escaped(bytes: &[u8]) -> String {
    url::form_urlencoded::byte_serialize(bytes).collect()
}

fn method() -> impl Strategy<Value = &'static str> {
    select(vec!["GET", "POST", "PATCH", "DELETE", "PUT", "OPTIONS", "BREW"])
}

/// Words that mean something somewhere, and some that never do.
fn word() -> impl Strategy<Value = String> {
    let known = vec![
        "vendors",
        "purchaseInvoices",
        "purchaseInvoiceLines",
        "dimensionSetLines",
        "$count",
        "$batch",
        "Microsoft.NAV.post",
        "number",
        "displayName",
        "balance",
        "blocked",
        "id",
        "lastModifiedDateTime",
        "eq",
        "ne",
        "gt",
        "and",
        "or",
        "not",
        "in",
        "(",
        ")",
        "((",
        ",",
        "'",
        "''",
        "'V00001'",
        "*",
        "null",
        "true",
        "1",
        "-1",
        "1e999",
        "2026-03-02",
        "2026-03-02T10:00:00Z",
        "5d115c9c-44e3-ea11-bb43-000d3a2feca1",
        "contains",
        "substring",
        "tolower",
        "any",
        "lines/any",
        "desc",
        ";",
        "=",
        "$filter=",
        "$expand=",
        "$select=",
        "$orderby=",
        "$top=",
        "$skip=",
        "$skiptoken=",
        "&",
        "/",
        "?",
        "%",
        "%25",
        "%00",
        "%C3%28",
        " ",
    ];
    prop_oneof![4 => select(known).prop_map(ToOwned::to_owned), 1 => any::<String>(), 1 => vec(any::<u8>(), 0..6).prop_map(|bytes| escaped(&bytes))]
}

fn sentence() -> impl Strategy<Value = String> {
    vec(word(), 0..12).prop_map(|words| words.join(" "))
}

#[test]
fn any_path_and_query_get_a_well_formed_answer() {
    let rig = Rig::new();
    check(&(method(), vec(word(), 0..8), sentence(), any::<bool>()), |(method, path, query, below)| {
        let base = if below { rig.base.as_str() } else { "/v2.0/" };
        let query = escaped(query.as_bytes());
        rig.ask(method, &format!("{base}{}?{query}", path.join("/").replace(' ', "%20")), &[], Vec::new());
    });
}

#[test]
fn any_query_option_gets_a_well_formed_answer() {
    let rig = Rig::new();
    let option =
        select(vec!["$filter", "$expand", "$select", "$orderby", "$top", "$skip", "$skiptoken", "$count", "company"]);
    check(&(option, sentence(), any::<bool>()), |(option, value, newer)| {
        let schema = if newer { "&$schemaversion=2.1" } else { "" };
        let target = format!("{}purchaseInvoices?{option}={}{schema}", rig.base, escaped(value.as_bytes()));
        rig.ask("GET", &target, &[], Vec::new());
    });
}

#[test]
fn any_header_gets_a_well_formed_answer() {
    let rig = Rig::new();
    let names =
        ["prefer", "if-match", "isolation", "data-access-intent", "accept-language", "accept", "content-type", "host"];
    check(&(method(), select(names.to_vec()), vec(any::<u8>(), 0..40)), |(method, name, value)| {
        let target = format!("{}vendors(5d115c9c-44e3-ea11-bb43-000d3a2feca1)", rig.base);
        rig.ask(method, &target, &[(name, value.clone())], b"{}".to_vec());
        rig.ask("POST", "/v2.0/Production/api/v2.0/$batch", &[(name, value)], b"{\"requests\":[]}".to_vec());
    });
}

#[test]
fn any_body_gets_a_well_formed_answer() {
    let rig = Rig::new();
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        select(vec!["1e999", "-0.0000000001", "99999999999999999999999999999999"])
            .prop_map(|text| text.parse().unwrap()),
        word().prop_map(Value::from),
    ];
    let names = vec![
        "number",
        "displayName",
        "vendorNumber",
        "postingDate",
        "unitCost",
        "quantity",
        "lineType",
        "purchaseInvoiceLines",
        "dimensionSetLines",
        "requests",
        "method",
        "url",
        "headers",
        "body",
        "id",
        "resource",
        "notificationUrl",
    ];
    let json = leaf.prop_recursive(4, 24, 6, move |inner| {
        let name = prop_oneof![select(names.clone()).prop_map(ToOwned::to_owned), word()];
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((name, inner), 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    let body = prop_oneof![3 => json.prop_map(|json| json.to_string().into_bytes()), 1 => vec(any::<u8>(), 0..60)];
    let place = select(vec![
        "vendors",
        "purchaseInvoices",
        "journals",
        "attachments",
        "$batch",
        "subscriptions",
        "Microsoft.NAV.post",
    ]);
    check(&(select(vec!["POST", "PATCH"]), place, body), |(method, place, body)| {
        let kind = [("content-type", b"application/json".to_vec())];
        rig.ask(method, &format!("{}{place}", rig.base), &kind, body.clone());
        rig.ask(method, &format!("/v2.0/Production/api/v2.0/{place}"), &kind, body);
    });
}

#[test]
fn any_login_gets_a_well_formed_answer() {
    let rig = Rig::new();
    let client = rig.world.entra.client_id().to_string();
    let pair = (
        select(vec!["grant_type", "client_id", "client_secret", "scope", "client_assertion", "client_assertion_type"]),
        word(),
    );
    check(&(vec(any::<u8>(), 0..20), vec(pair, 0..6), vec(any::<u8>(), 0..20)), |(tenant, pairs, noise)| {
        let form: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let known = format!("grant_type=client_credentials&client_id={client}&{}&", form.join("&"));
        let body = [known.as_bytes(), &noise].concat();
        for tenant in [escaped(&tenant), rig.world.entra.tenant_id().to_string()] {
            let request = Request::post(format!("/{tenant}/oauth2/v2.0/token")).body(Body::from(body.clone())).unwrap();
            let status = rig
                .runtime
                .block_on(async { whole(rig.routers.entra.clone().oneshot(request).await.unwrap()).await.0 });
            assert!(status.is_client_error(), "{status}");
        }
    });
}

#[test]
fn deep_and_long_input_is_refused_and_breaks_no_stack() {
    let rig = Rig::new();
    let filter = |text: &str| {
        rig.ask("GET", &format!("{}vendors?$filter={}", rig.base, text.replace(' ', "+")), &[], Vec::new()).0
    };
    assert_eq!(filter(&format!("{}number eq 'A'{}", "(".repeat(101), ")".repeat(101))), 404);
    assert_eq!(filter(&format!("{}number eq 'A'{}", "(".repeat(100), ")".repeat(100))), 200);
    rig.world.bc.configure(|settings| (settings.negation, settings.limits.url_bytes) = (true, usize::MAX));
    assert_eq!(filter(&format!("{}number eq 'A'", "not ".repeat(10_000))), 404);
    assert_eq!(filter(&vec!["number eq 'A'"; 3_000].join(" and ")), 200);
    let body = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)).into_bytes();
    assert_eq!(rig.ask("POST", &format!("{}vendors", rig.base), &[], body).0, 400);
    let url = format!("companies?$filter={}", "x".repeat(9_000));
    rig.world.bc.configure(|settings| settings.limits.url_bytes = 8_192);
    let part = serde_json::json!({"requests": [{"id": "1", "method": "GET", "url": url}]}).to_string().into_bytes();
    let (status, answered) =
        rig.ask("POST", "/v2.0/Production/api/v2.0/$batch", &[("accept", b"application/json".to_vec())], part);
    assert_eq!(status, 200);
    assert_eq!(serde_json::from_slice::<Value>(&answered).unwrap()["responses"][0]["status"], 414);
}
