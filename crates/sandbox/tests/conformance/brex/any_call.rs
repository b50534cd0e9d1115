//! Whatever is sent, Brex answers, and every refusal is in the shape of its API.

use jiff::SignedDuration;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

use super::caller::Caller;

/// Every path of the Brex port that a token opens; `*` stands for a part that is made up.
const PATHS: &[&str] = &[
    "/v3/accounting/integration",
    "/v3/accounting/integration/*/disconnect",
    "/v3/accounting/integration/*/reactivate",
    "/v3/accounting/records",
    "/v3/accounting/records/*",
    "/v3/accounting/records/export-results",
    "/v3/accounting/*",
    "/v1/fields",
    "/v1/fields/*",
    "/v1/fields/*/values",
    "/v1/fields/*/values/*",
    "/v1/vendors",
    "/v1/vendors/*",
    "/v1/transfers",
    "/v1/transfers/*",
    "/v1/incoming_transfers",
    "/v1/linked_accounts",
    "/v1/expenses",
    "/v1/expenses/*",
    "/v1/expenses/card",
    "/v1/expenses/card/*",
    "/v1/expenses/card/*/receipt_upload",
    "/v1/expenses/card/receipt_match",
    "/v1/webhooks",
    "/v1/webhooks/*",
    "/v1/webhooks/secrets",
    "/v2/company",
    "/v2/departments",
    "/v2/departments/*",
    "/v2/locations",
    "/v2/legal_entities",
    "/v2/legal_entities/*",
    "/v2/users",
    "/v2/users/*",
    "/v2/accounts/cash",
    "/v2/accounts/cash/*",
    "/v2/accounts/cash/*/statements",
    "/v2/accounts/card",
    "/v2/accounts/card/primary/statements",
    "/v2/transactions/card/primary",
    "/v2/transactions/cash/*",
    "/*",
];

/// Names that mean something in a query or a body.
const NAMES: &[&str] = &[
    "limit",
    "cursor",
    "ids",
    "updated_at[gt]",
    "updated_at",
    "review_status",
    "single_entry",
    "expand[]",
    "posted_at_start",
    "purchased_at_start",
    "load_custom_fields",
    "status[]",
    "name",
    "group",
    "items",
    "value",
    "remote_id",
    "data",
    "results",
    "accounting_record_id",
    "success",
    "failure",
    "error_message",
    "deep_link_url",
    "vendor",
    "vendor_account_id",
    "url",
    "event_types",
    "status",
    "memo",
    "receipt_name",
];

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..12)
}

/// Any bytes, so that they may stand in a path or a query.
fn encoded(bytes: &[u8]) -> String {
    url::form_urlencoded::byte_serialize(bytes).collect::<String>().replace('+', "%20")
}

fn path() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        bytes().prop_map(|bytes| encoded(&bytes)),
        select(vec!["..%2F", "%00", "%FF%FE", "accr_x", "a%2Fb", "-1"]).prop_map(str::to_owned),
    ];
    (select(PATHS), part).prop_map(|(path, part)| path.replace('*', &part))
}

fn query() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        bytes().prop_map(|bytes| encoded(&bytes)),
        select(vec!["-1", "1", "99999999999999999999", "2026-13-01", "true", "0000-01-01", "9999-12-31T23:59:60Z"])
            .prop_map(str::to_owned),
    ];
    let name = prop_oneof![select(NAMES).prop_map(encoded_name), bytes().prop_map(|bytes| encoded(&bytes))];
    let pairs = proptest::collection::vec((name, value), 0..4);
    pairs.prop_map(|pairs| pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&"))
}

fn encoded_name(name: &str) -> String {
    encoded(name.as_bytes())
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((select(NAMES), inner), 0..6).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![bytes(), json().prop_map(|json| json.to_string().into_bytes())]
}

/// What a header may carry at all: no control characters.
fn header() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(prop_oneof![0x20..0x7f_u8, 0x80..=0xff_u8], 0..300)
}

#[test]
fn any_bytes_get_a_well_formed_answer_in_the_shape_of_their_api() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let caller = runtime.block_on(Caller::start());
    let mut runner = TestRunner::new_with_rng(
        Config { failure_persistence: None, ..Config::with_cases(800) },
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let method = select(vec!["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]);
    let call = (method, path(), query(), header(), body(), any::<bool>());
    runner
        .run(&call, |(method, path, query, header, body, keyed)| {
            let mut request = caller.request(method, &format!("{path}?{query}")).header("X-Anything", &header[..]);
            if keyed {
                request = request.header("Idempotency-Key", &header[..]);
            }
            // The limit of a minute is not what is looked at.
            caller.world().clock.advance(SignedDuration::from_secs(1));
            let (status, text) = runtime.block_on(async {
                let answer = request.body(body.clone()).send().await.unwrap();
                (answer.status().as_u16(), answer.text().await.unwrap())
            });
            let answer: Result<Value, _> = serde_json::from_str(&text);
            match status {
                200 | 201 => assert!(text.is_empty() || answer.is_ok(), "{method} {path}: {text}"),
                400..=499 => {
                    let answer = answer.unwrap_or_else(|_| panic!("{method} {path}?{query}: {status} {text}"));
                    let code = if path.starts_with("/v3/accounting") { "error_code" } else { "type" };
                    let well_formed = answer[code].is_string() && answer["message"].is_string();
                    assert!(well_formed, "{method} {path}?{query}: {status} {answer}");
                }
                _ => panic!("{method} {path}?{query} {body:?}: {status} {text}"),
            }
            Ok(())
        })
        .unwrap();
    for links in ["receipts", "uploads"] {
        let url = caller.url(&format!("/{links}/%FF?X-Amz-Date=x"));
        let status = runtime.block_on(async {
            let method = if links == "uploads" { reqwest::Method::PUT } else { reqwest::Method::GET };
            super::caller::client().request(method, url).send().await.unwrap().status()
        });
        assert_eq!(status, 403, "{links}");
    }
}
