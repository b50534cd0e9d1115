//! Numbers, texts and types at the ends of what can be sent: refused or kept, never a broken connection.

use std::time::Duration;

use crate::bc::caller::{Caller, answer, error, invoice};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use reqwest::{Client, Method};
use serde_json::{Value, json};

const LARGEST: &str = "999999999999999.99";

fn line(quantity: &str, cost: &str) -> Value {
    let number = |text: &str| text.parse::<Value>().unwrap();
    json!({"lineType": "Account", "lineObjectNumber": "60500", "quantity": number(quantity), "unitCost": number(cost)})
}

#[tokio::test]
async fn amounts_that_a_decimal_does_not_hold_are_refused() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let lines = format!("purchaseInvoices({})/purchaseInvoiceLines", draft["id"].as_str().unwrap());
    let range = |value: &str| {
        format!(
            "The number is outside of the permitted range. The current value is: {value}. The permitted range is: from -999,999,999,999,999.99 to 999,999,999,999,999.99."
        )
    };
    let overflow = "Value was either too large or too small for a Decimal.".to_owned();
    let cases = [
        (line("1", "1000000000000000"), range("1000000000000000")),
        (line("2", LARGEST), range("1999999999999999.98")),
        (line(LARGEST, LARGEST), overflow),
        (line("1", LARGEST), range("1000000000000125.39")),
    ];
    for (body, text) in cases {
        let (status, answered) = caller.post(&lines, body).await;
        assert_eq!((status.as_u16(), error(&answered)), (400, ("Unknown".to_owned(), text)));
    }
    for amount in ["1e400", "79228162514264337593543950336"] {
        let body = format!("{{\"unitCost\": {amount}}}");
        let request = caller.request(Method::POST, &caller.url(&lines)).header("Content-Type", "application/json");
        let (status, answered) = answer(request.body(body)).await;
        assert_eq!((status.as_u16(), error(&answered).0.as_str()), (400, "BadRequest"), "{answered}");
    }
    let (status, line) = caller.post(&lines, line("1", "999999999999000")).await;
    assert_eq!((status.as_u16(), line["netAmount"].to_string().as_str()), (201, "999999999999000"));
    let (status, _) = caller.post(&lines, json!({"sequence": i32::MAX, "description": "the last one"})).await;
    assert_eq!(status, 201);
    let (status, _) = caller.post(&lines, json!({"description": "after the last one"})).await;
    assert_eq!(status, 400);
}

/// Any JSON value, with a liking for the ends of ranges, as text.
fn value() -> impl Strategy<Value = String> {
    let numbers = prop::sample::select(vec![
        "0",
        "-0",
        "1",
        "-1",
        "0.00000000000000000000000000001",
        "1e-28",
        "1e-400",
        "1e400",
        "99.999999",
        LARGEST,
        "-999999999999999.99",
        "1000000000000000",
        "79228162514264337593543950335",
        "9223372036854775808",
        "2147483647",
        "-2147483648",
        "1E+15",
        "1e9999999999",
    ]);
    let texts = prop::sample::select(vec![
        "",
        " ",
        "_x0020_",
        "Account",
        "Comment",
        "Item",
        "60500",
        "V00001",
        "EUR",
        "JPY",
        "0001-01-01",
        "9999-12-31",
        "-009999-01-01",
        "2026-03-01",
        "ﬃ",
        "\u{0}",
        "'",
        "00000000-0000-0000-0000-000000000000",
        "NONTAXABLE",
    ]);
    prop_oneof![
        6 => numbers.prop_map(ToOwned::to_owned),
        3 => texts.prop_map(|text| json!(text).to_string()),
        1 => "\\PC{0,300}".prop_map(|text| json!(text).to_string()),
        1 => prop::sample::select(vec!["null", "true", "false", "[]", "{}", "[{}]", "[null]"]).prop_map(ToOwned::to_owned),
    ]
}

fn body(fields: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec((prop::sample::select(fields), value()), 0..6).prop_map(|fields| {
        let fields: Vec<String> = fields.into_iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
        fields.join(", ")
    })
}

const LINE: &[&str] = &[
    "quantity",
    "unitCost",
    "discountAmount",
    "discountPercent",
    "amountExcludingTax",
    "netAmount",
    "sequence",
    "taxCode",
    "description",
    "lineType",
    "lineObjectNumber",
    "accountId",
    "itemId",
    "expectedReceiptDate",
    "documentId",
];
const HEADER: &[&str] = &[
    "discountAmount",
    "currencyCode",
    "postingDate",
    "invoiceDate",
    "dueDate",
    "vendorInvoiceNumber",
    "vendorId",
    "payToVendorNumber",
    "pricesIncludeTax",
    "shortcutDimension1Code",
    "purchaser",
    "shipToName",
    "dimensionSetLines",
];
const PAYMENT: &[&str] = &[
    "amount",
    "lineNumber",
    "postingDate",
    "documentNumber",
    "externalDocumentNumber",
    "appliesToInvoiceNumber",
    "appliesToInvoiceId",
    "vendorNumber",
    "comment",
];
const CURRENCY: &[&str] = &["code", "amountRoundingPrecision", "amountDecimalPlaces", "symbol"];

/// Sends a body; the answer is one that BC gives to a caller who is wrong, or to one who is right.
async fn send(caller: &Caller, method: Method, path: &str, body: &str) -> Value {
    let request = caller.request(method, &caller.url(path)).header("If-Match", "*");
    let (status, answered) = answer(request.header("Content-Type", "application/json").body(body.to_owned())).await;
    assert!(status.as_u16() < 500, "{path} {body}: {status} {answered}");
    answered
}

async fn all_of_it(caller: &Caller, header: &str, first: &str, second: &str, payment: &str, currency: &str) {
    let account = "\"lineType\": \"Account\", \"lineObjectNumber\": \"60500\", \"quantity\": 1, \"unitCost\": 10";
    let document = send(
        caller,
        Method::POST,
        "purchaseInvoices",
        &format!("{{\"vendorNumber\": \"V00001\", \"purchaseInvoiceLines\": [{{{account}}}, {{{account}, {first}}}], {header}}}")
            .replace(", }", "}"),
    )
    .await;
    let id = document["id"].as_str().map(ToOwned::to_owned);
    let id = match id {
        Some(id) => id,
        None => caller.draft("A-1").await["id"].as_str().unwrap().to_owned(),
    };
    let path = format!("purchaseInvoices({id})");
    let line = send(caller, Method::POST, &format!("{path}/purchaseInvoiceLines"), &format!("{{{second}}}")).await;
    if let Some(line) = line["id"].as_str() {
        send(caller, Method::PATCH, &format!("purchaseInvoiceLines({line})"), &format!("{{{first}}}")).await;
    }
    send(caller, Method::PATCH, &path, &format!("{{{header}}}")).await;
    send(caller, Method::POST, "currencies", &format!("{{{currency}}}")).await;
    let (status, row) = caller.get(&format!("{path}?$expand=purchaseInvoiceLines,dimensionSetLines")).await;
    assert_eq!(status, 200, "{row}");
    let (status, answered) = caller.post_document("purchaseInvoices", &id).await;
    assert!(status.as_u16() < 500, "{answered}");
    let journals = caller.rows("vendorPaymentJournals").await;
    let journal = journals[0]["id"].as_str().unwrap();
    let path = format!("vendorPaymentJournals({journal})/vendorPayments");
    send(caller, Method::POST, &path, &format!("{{\"vendorNumber\": \"V00001\", {payment}}}").replace(", }", "}"))
        .await;
    let (status, answered) = caller.post_document("journals", journal).await;
    assert!(status.as_u16() < 500, "{answered}");
    caller.rows("vendors?$filter=number eq 'V00001'").await;
    caller.rows(&path).await;
}

#[test]
fn no_body_of_a_document_or_payment_breaks_the_connection() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut caller = runtime.block_on(Caller::start());
    caller.client = Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
    runtime.block_on(async { caller.post("purchaseInvoices", invoice("A-0")).await });
    let mut runner = TestRunner::new_with_rng(
        Config { cases: 96, failure_persistence: None, ..Config::default() },
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let bodies = (body(HEADER), body(LINE), body(LINE), body(PAYMENT), body(CURRENCY));
    let outcome = runner.run(&bodies, |(header, first, second, payment, currency)| {
        runtime.block_on(all_of_it(&caller, &header, &first, &second, &payment, &currency));
        Ok(())
    });
    outcome.unwrap();
}
