//! The OData layer: filters, selection, expansion, order, paging, counting, keys.

use std::collections::HashSet;

use crate::bc::caller::{Caller, answer, error, invoice};
use reqwest::Method;
use sandbox::Options;
use serde_json::json;

#[tokio::test]
async fn a_list_has_context_and_etags() {
    let caller = Caller::start().await;
    let (_, body) = caller.get("vendors?$select=id,number&$top=2").await;
    let context = body["@odata.context"].as_str().unwrap();
    assert!(context.ends_with("/vendors(id,number)"), "{context}");
    assert!(context.contains("/api/v2.0/$metadata#companies("), "{context}");
    let row = body["value"][0].as_object().unwrap();
    assert_eq!(row.keys().collect::<Vec<_>>(), ["@odata.etag", "id", "number"]);
    assert!(row["@odata.etag"].as_str().unwrap().starts_with("W/\""));
    assert!(body.get("@odata.nextLink").is_none());
}

#[tokio::test]
async fn filters_understand_the_documented_operators() {
    let caller = Caller::start().await;
    let cases = [
        ("number eq 'V00001'", 1),
        ("number eq 'v00001'", 1),
        ("displayName eq 'O''Malley''s Hardware'", 1),
        ("displayName eq 'Riverside Catering'", 2),
        ("startswith(displayName,'Harbor Light') and state eq 'ME'", 1),
        ("contains(displayName,'northgate')", 0),
        ("tolower(displayName) eq 'northgate printing'", 2),
        ("endswith(displayName,'GmbH')", 1),
        ("blocked eq 'All'", 2),
        ("blocked ne '_x0020_'", 3),
        ("(number ge 'V00010' and number le 'V00012')", 3),
        ("number eq 'V00001' or number eq 'V00002'", 2),
        ("lastModifiedDateTime gt 2026-03-02T09:59:59Z and number lt 'E0002'", 1),
        ("lastModifiedDateTime gt 2026-03-02T10:00:00Z", 0),
    ];
    for (filter, count) in cases {
        assert_eq!(caller.rows(&format!("vendors?$filter={filter}")).await.len(), count, "{filter}");
    }
}

#[tokio::test]
async fn filters_that_business_central_refuses_are_refused() {
    let caller = Caller::start().await;
    let cases = [
        ("number eq 'A' or displayName eq 'B'", 501, "BadRequest_MethodNotImplemented"),
        ("not (number eq 'A')", 501, "BadRequest_MethodNotImplemented"),
        ("colour eq 'A'", 400, "BadRequest"),
        ("currencyCode eq 'USD'", 501, "BadRequest_MethodNotImplemented"),
        ("id eq 'f64eba74-dacd-4854-a584-1834f68cfc3a'", 400, "BadRequest"),
        ("number eq", 404, "BadRequest_NotFound"),
        ("number eq 'A", 404, "BadRequest_NotFound"),
        ("number in ('A','B')", 404, "BadRequest_NotFound"),
        ("blocked eq 'Sometimes'", 400, "Unknown"),
    ];
    for (filter, status, code) in cases {
        let (found, body) = caller.get(&format!("vendors?$filter={filter}")).await;
        assert_eq!((found.as_u16(), error(&body).0.as_str()), (status, code), "{filter}");
    }
    let (_, body) = caller.get("vendors?$filter=number eq 'A' or displayName eq 'B'").await;
    assert_eq!(error(&body).1, "The 'OR' operator is not supported on distinct fields on an OData filter.");
}

#[tokio::test]
async fn the_newer_schema_knows_in() {
    let caller = Caller::start().await;
    let rows = caller.rows("vendors?$schemaversion=2.1&$filter=number in ('V00001','V00002','V99999')").await;
    assert_eq!(rows.len(), 2);
}

#[tokio::test]
async fn a_lambda_is_silently_ignored() {
    let caller = Caller::start().await;
    caller.draft("A-1").await;
    caller.draft("A-2").await;
    let rows = caller.rows("purchaseInvoices?$filter=purchaseInvoiceLines/any(l:l/lineObjectNumber eq '99999')").await;
    assert_eq!(rows.len(), 2);
}

#[tokio::test]
async fn expansion_goes_down_two_levels_with_options() {
    let caller = Caller::start().await;
    let mut body = invoice("A-1");
    body["purchaseInvoiceLines"][0]["dimensionSetLines"] = json!([{"code": "project", "valueCode": "p-14"}]);
    let (_, draft) = caller.post("purchaseInvoices", body).await;
    let id = draft["id"].as_str().unwrap();
    let path = format!(
        "purchaseInvoices({id})?$select=number&$expand=purchaseInvoiceLines($filter=lineType eq 'Account';$select=sequence;$expand=dimensionSetLines($select=code,valueCode)),dimensionSetLines"
    );
    let (status, found) = caller.get(&path).await;
    assert_eq!(status, 200, "{found}");
    let lines = found["purchaseInvoiceLines"].as_array().unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["sequence"], 10000);
    assert_eq!(lines[0]["dimensionSetLines"][0]["valueCode"], "P-14");
    assert_eq!(found["dimensionSetLines"], json!([]));
    assert!(found.get("status").is_none());
    let (status, _) = caller.get("purchaseInvoices?$expand=nonsense").await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn rows_come_in_the_order_that_was_asked_for() {
    let caller = Caller::start().await;
    let rows = caller.rows("accounts?$orderby=category asc,number desc&$top=3&$select=number,category").await;
    let numbers: Vec<_> = rows.iter().map(|row| row["number"].as_str().unwrap()).collect();
    assert_eq!(numbers, ["15200", "15100", "13100"]);
}

#[tokio::test]
async fn pages_lead_through_all_rows_once() {
    let caller = Caller::start_with(Options { records: 1, vendors: 250, ..Options::default() }).await;
    let mut url = caller.url("vendors?$select=number&$filter=startswith(number,'V')");
    let mut numbers = HashSet::new();
    let mut pages = 0;
    loop {
        let request = caller.request(Method::GET, &url).header("Prefer", "odata.maxpagesize=100");
        let (status, body) = answer(request).await;
        assert_eq!(status, 200, "{body}");
        pages += 1;
        for row in body["value"].as_array().unwrap() {
            assert!(numbers.insert(row["number"].as_str().unwrap().to_owned()));
        }
        match body.get("@odata.nextLink").map(|link| link.as_str().unwrap()) {
            Some(link) => {
                assert!(link.contains("$select=number"), "{link}");
                assert!(link.contains("&aid=FIN&$skiptoken="), "{link}");
                link.clone_into(&mut url);
            }
            None => break,
        }
    }
    assert_eq!((pages, numbers.len()), (3, 250));
}

#[tokio::test]
async fn counting_knows_the_filter_but_not_the_page() {
    let caller = Caller::start().await;
    let (_, body) = caller.get("vendors?$count=true&$top=1&$filter=state eq 'GA'").await;
    let counted = body["@odata.count"].as_u64().unwrap();
    assert_eq!(body["value"].as_array().unwrap().len(), 1);
    let url = caller.url("vendors/$count?$filter=state eq 'GA'");
    let text = caller.request(Method::GET, &url).send().await.unwrap().text().await.unwrap();
    assert_eq!(text, counted.to_string());
}

#[tokio::test]
async fn the_company_can_be_named_in_the_query() {
    let caller = Caller::start().await;
    for company in [caller.sandbox.ready().bc.company_id.to_string(), "Northwind Supply, Inc.".to_owned()] {
        let url = format!("{}/vendors?company={company}&$top=1", caller.service());
        assert_eq!(answer(caller.request(Method::GET, &url)).await.0, 200);
    }
    let (status, body) = answer(caller.request(Method::GET, &format!("{}/vendors", caller.service()))).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (404, "Internal_CompanyNotFound"));
}

#[tokio::test]
async fn unknown_segments_keys_and_verbs_are_refused() {
    let caller = Caller::start().await;
    let (status, body) = caller.get("vendor").await;
    assert_eq!(status, 404);
    assert_eq!(error(&body).1, "Resource not found for the segment 'vendor'.");
    assert_eq!(caller.get("vendors('V00001')").await.0, 404);
    assert_eq!(caller.get("vendors(00000000-0000-0000-0000-00000000ffff)").await.0, 404);
    let (status, body) = caller.post("accounts", json!({"number": "1"})).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (405, "BadRequest_MethodNotAllowed"));
}

#[tokio::test]
async fn dimension_values_hang_below_their_dimension_and_hide_what_is_blocked() {
    let caller = Caller::start().await;
    let dimensions = caller.rows("dimensions?$expand=dimensionValues").await;
    assert_eq!(dimensions.len(), 3);
    let departments = dimensions.iter().find(|row| row["code"] == "DEPARTMENT").unwrap();
    let values = departments["dimensionValues"].as_array().unwrap();
    assert!(values.iter().any(|value| value["code"] == "OLDOPS"));
    assert!(values[0].get("blocked").is_none());
    let nested = caller.rows(&format!("dimensions({})/dimensionValues", departments["id"].as_str().unwrap())).await;
    assert_eq!(nested.len(), values.len());
}

#[tokio::test]
async fn set_up_reads_show_currency_and_posting_range() {
    let caller = Caller::start().await;
    let setup = &caller.rows("generalLedgerSetup").await[0];
    assert_eq!(setup["localCurrencyCode"], "USD");
    assert_eq!(setup["shortcutDimension1Code"], "DEPARTMENT");
    assert_eq!(setup["allowPostingFrom"], "2025-03-01");
    assert_eq!(caller.rows("companyInformation").await[0]["currencyCode"], "USD");
    assert!(caller.rows("currencies").await.iter().all(|row| row["code"] != "USD"));
    assert!(caller.rows("currencyExchangeRates").await.iter().all(|row| row["currencyCode"] != "CAD"));
    assert_eq!(caller.rows("accountingPeriods").await.len(), 36);
    assert!(caller.rows("accounts").await.len() >= 40);
}

#[tokio::test]
async fn a_page_has_at_most_twenty_thousand_rows() {
    let caller = Caller::start_with(Options { records: 1, vendors: 25_000, ..Options::default() }).await;
    let (_, body) = caller.get("vendors?$select=id&$top=24000").await;
    assert_eq!(body["value"].as_array().unwrap().len(), 20_000);
    let link = body["@odata.nextLink"].as_str().unwrap();
    assert!(link.contains("$top=4000&aid=FIN&$skiptoken="), "{link}");
    let (_, body) = answer(caller.request(Method::GET, link)).await;
    assert_eq!(body["value"].as_array().unwrap().len(), 4_000);
    assert!(body.get("@odata.nextLink").is_none());
}

#[tokio::test]
async fn parts_of_texts_are_compared_and_functions_nest_in_the_newer_schema() {
    let caller = Caller::start().await;
    let count = async |query: &str| caller.rows(&format!("vendors?{query}")).await.len();
    assert_eq!(count("$filter=substring(number,1) eq '00001'").await, 1);
    assert_eq!(count("$filter=substring(displayName,0,6) eq 'Harbor'").await, 2);
    assert_eq!(count("$filter=toupper(displayName) eq 'NORTHGATE PRINTING'").await, 2);
    let nested = [
        ("startswith(tolower(displayName),'harbor')", 2),
        ("contains(toupper(displayName),toupper('Northgate'))", 2),
        ("tolower(substring(displayName,0,6)) eq 'harbor'", 2),
        ("substring(substring(displayName,1,5),1,2) eq 'rb'", 2),
        ("tolower(displayName) in ('northgate printing','nobody')", 2),
    ];
    for (filter, rows) in nested {
        assert_eq!(count(&format!("$schemaversion=2.1&$filter={filter}")).await, rows, "{filter}");
        let (status, body) = caller.get(&format!("vendors?$filter={filter}")).await;
        assert_eq!((status.as_u16(), error(&body).0.as_str()), (404, "BadRequest_NotFound"), "{filter}");
    }
    let (status, _) = caller.get("vendors?$filter=length(displayName) eq 3").await;
    assert_eq!(status, 501);
}

#[tokio::test]
async fn negation_is_refused_unless_switched() {
    let caller = Caller::start().await;
    let filter = "vendors?$filter=not (number eq 'V00001') and startswith(number,'V0000')";
    let (status, body) = caller.get(filter).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (501, "BadRequest_MethodNotImplemented"));
    caller.sandbox.world().bc.configure(|settings| settings.negation = true);
    let rows = caller.rows(filter).await;
    assert_eq!(rows.len(), 8);
    assert!(rows.iter().all(|row| row["number"] != "V00001"));
}

#[tokio::test]
async fn a_stale_skip_token_is_refused() {
    let caller = Caller::start().await;
    let gone = "00000000-0000-0000-0000-00000000ffff";
    let (status, body) = caller.get(&format!("vendors?$orderby=number&aid=FIN&$skiptoken={gone}")).await;
    let text = "The skip token is no longer valid.".to_owned();
    assert_eq!((status.as_u16(), error(&body)), (400, ("SkipTokenIsNoLongerValid".to_owned(), text)));
    let unordered = format!("vendors?$top=1&aid=FIN&$skiptoken={gone}");
    assert_eq!(caller.get(&unordered).await.0, 200);
    caller.sandbox.world().bc.configure(|settings| settings.strict_skip_token = true);
    assert_eq!(error(&caller.get(&unordered).await.1).0, "SkipTokenIsNoLongerValid");
}

#[tokio::test]
async fn errors_come_in_the_language_that_was_asked_for_or_in_that_of_the_user() {
    let caller = Caller::start().await;
    let text = async |language: Option<&str>| {
        let request = caller.request(Method::GET, &caller.url("vendor"));
        let request =
            language.into_iter().fold(request, |request, language| request.header("Accept-Language", language));
        let body = answer(request).await.1;
        assert_eq!(body["error"]["code"], "BadRequest_ResourceNotFound");
        error(&body).1
    };
    let english = "Resource not found for the segment 'vendor'.";
    assert_eq!(text(None).await, english);
    assert_ne!(text(Some("de-DE")).await, english);
    caller.sandbox.world().bc.configure(|settings| settings.user_language = "de-DE".to_owned());
    assert_ne!(text(None).await, english);
    assert_eq!(text(Some("en-US")).await, english);
    let parts = json!([{"id": "1", "method": "GET", "url": "vendor"}]);
    let batch =
        caller.request(Method::POST, &format!("{}/$batch", caller.service())).header("Accept", "application/json");
    let (_, body) = answer(batch.header("Accept-Language", "en-US").json(&json!({"requests": parts}))).await;
    assert_eq!(error(&body["responses"][0]["body"]).1, english);
}
