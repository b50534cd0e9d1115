//! Any JSON as a transfer or a vendor.

use proptest::prelude::{Strategy, any};
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use super::transfers::{Scene, TRANSFERS};

/// JSON of a few levels, often under the names that the API knows.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = proptest::prop_oneof![
        proptest::strategy::Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        proptest::sample::select(vec!["VENDOR", "BANK", "ACH", "CHEQUE", "MANUAL", "USD"]).prop_map(Value::from),
    ];
    let names = vec![
        "counterparty",
        "amount",
        "currency",
        "type",
        "id",
        "description",
        "external_memo",
        "originating_account",
        "company_name",
        "email",
        "payment_accounts",
        "details",
        "routing_number",
        "address",
        "receiving_account",
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        let name = proptest::sample::select(names.clone());
        proptest::prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name, inner), 0..6).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

#[test]
fn any_body_gets_an_answer_in_the_platforms_shape() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let scene = runtime.block_on(Scene::start());
    let mut runner = TestRunner::new_with_rng(
        Config { failure_persistence: None, ..Config::with_cases(200) },
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let calls =
        [("POST", TRANSFERS), ("POST", "/v1/incoming_transfers"), ("POST", "/v1/vendors"), ("PUT", "/v1/vendors/x")];
    runner
        .run(&(any_json(), proptest::sample::select(calls.to_vec())), |(body, (method, path))| {
            let request = scene.caller.request(method, path).header("Idempotency-Key", "k").json(&body);
            // The limit of a minute is not what is looked at.
            scene.wait(1);
            let (status, answer) = runtime.block_on(scene.caller.send(request));
            assert!(status == 200 || matches!(status, 400 | 404), "{status} for {body}");
            assert!(status == 200 || answer["type"].is_string() && answer["message"].is_string(), "{answer}");
            Ok(())
        })
        .unwrap();
}
