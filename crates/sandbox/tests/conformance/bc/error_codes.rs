//! The codes of the platform's error table that no other file of this folder causes, each with its text.

use crate::bc::caller::{Caller, answer, error};
use reqwest::Method;
use serde_json::{Value, json};

fn refused(status: u16, code: &str, text: &str) -> (u16, (String, String)) {
    (status, (code.to_owned(), text.to_owned()))
}

async fn posted(caller: &Caller, set: &str, body: Value) -> (u16, (String, String)) {
    let (status, body) = caller.post(set, body).await;
    (status.as_u16(), error(&body))
}

#[tokio::test]
async fn a_query_option_without_a_usable_argument_is_a_bad_url() {
    let caller = Caller::start().await;
    for (name, value) in [("$top", "x"), ("$skip", "-1"), ("$count", "perhaps"), ("$skiptoken", "last")] {
        let (status, body) = caller.get(&format!("vendors?{name}={value}")).await;
        let text = format!("Invalid value '{value}' for {name} query option found.");
        assert_eq!((status.as_u16(), error(&body)), refused(400, "BadRequest_InvalidRequestUrl", &text));
    }
}

#[tokio::test]
async fn a_value_that_is_none_of_its_type_has_a_code_and_a_text_of_its_own() {
    let caller = Caller::start().await;
    let cases = [
        (
            "vendors",
            json!({"displayName": null}),
            "BadRequest_RequiredParamNotProvided",
            "Field 'displayName' must not be blank or empty.",
        ),
        (
            "vendors",
            json!({"displayName": "A", "currencyId": "EUR"}),
            "Application_InvalidGUID",
            "Invalid format of GUID string. The correct format of the GUID string is: CDEF7890-ABCD-0123-1234-567890ABCDEF where 0-9, A-F symbolizes hexadecimal digits.",
        ),
        (
            "purchaseInvoices",
            json!({"vendorNumber": "V00001", "invoiceDate": "next Tuesday"}),
            "BadRequest",
            "Unable to convert value to Date",
        ),
        (
            "paymentTerms",
            json!({"code": "SOON", "dueDateCalculation": "soon"}),
            "Application_EvaluateException",
            "The value \"soon\" cannot be evaluated into type DateFormula.",
        ),
        (
            "vendors",
            json!({"displayName": "A", "blocked": "Sometimes"}),
            "Unknown",
            "'Sometimes' is not an option. The existing options are: _x0020_,Payment,All",
        ),
        (
            "purchaseInvoices",
            json!({"vendorNumber": "V00001", "purchaser": "NOBODY"}),
            "Internal_InvalidTableRelation",
            "The field Purchaser Code of table Purchase Header contains a value (NOBODY) that cannot be found in the related table (Salesperson/Purchaser).",
        ),
    ];
    for (set, body, code, text) in cases {
        assert_eq!(posted(&caller, set, body).await, refused(400, code, text));
    }
}

#[tokio::test]
async fn a_filter_on_more_than_a_field_can_hold_is_refused() {
    let caller = Caller::start().await;
    let long = "SELLACRE24_WFLOORINGS1";
    for (operator, sign) in [("eq", "="), ("ne", "<>"), ("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<=")] {
        let (status, body) = caller.get(&format!("vendors?$filter=number {operator} '{long}'")).await;
        let text = format!(
            "The filter \"{sign}'{long}'\" is not valid for the No. field on the Vendor table. The length of the string is 22, but it must be less than or equal to 20 characters. Value: {long}"
        );
        assert_eq!((status.as_u16(), error(&body)), refused(400, "Application_FilterErrorException", &text));
    }
    let (status, _) = caller.get(&format!("vendors?$schemaversion=2.1&$filter=number in ('V00001','{long}')")).await;
    assert_eq!(status, 400);
    let fits = "vendors?$filter=number eq 'SELLACRE24_WFLOORING' or startswith(number,'SELLACRE24_WFLOORINGS1')";
    assert!(caller.rows(fits).await.is_empty());
}

#[tokio::test]
async fn an_environment_that_is_upgraded_is_unavailable() {
    let caller = Caller::start().await;
    let switch = |on: bool| {
        let url = format!("{}/_sandbox/bc/settings", caller.sandbox.ready().control.base_url);
        caller.client.patch(url).json(&json!({"upgrading": on})).send()
    };
    assert_eq!(switch(true).await.unwrap().status(), 200);
    let response = caller.request(Method::GET, &caller.url("vendors?$top=1")).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()), (503, "30"));
    let url = format!("{}/admin/v2.24/applications/environments", caller.sandbox.ready().bc.base_url);
    assert_eq!(answer(caller.request(Method::GET, &url)).await.1["value"][0]["status"], "Upgrading");
    assert_eq!(switch(false).await.unwrap().status(), 200);
    assert_eq!(caller.get("vendors?$top=1").await.0, 200);
}

#[tokio::test]
async fn a_write_that_says_it_only_reads_is_an_error() {
    let caller = Caller::start().await;
    let before = caller.rows("vendors").await.len();
    let post = caller.request(Method::POST, &caller.url("vendors")).header("Data-Access-Intent", "ReadOnly");
    let (status, body) = answer(post.json(&json!({"displayName": "A"}))).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (400, "BadRequest"));
    assert_eq!(caller.rows("vendors").await.len(), before);
}
