//! Reading lists and set-up from Business Central: headers, tokens, paging and its guards, tolerant decoding.

use clients::bc::{AccountCategory, AccountType, Blocked};
use clients::{Effect, Kind, Retry};

use crate::server::{COMPANY, Server, json};

const VENDORS: &str = "/v2.0/contoso.com/Production/api/v2.0/companies(f64eba74-dacd-4854-a584-1834f68cfc3a)/vendors";

fn page(rows: &str, next: Option<&str>) -> String {
    let link = next.map(|next| format!(r#","@odata.nextLink":"{next}""#)).unwrap_or_default();
    format!(r#"{{"value":[{rows}]{link}}}"#)
}

fn vendor(number: u32) -> String {
    format!(r#"{{"id":"f7a5738a-44e3-ea11-bb43-{number:012}","number":"{number}"}}"#)
}

#[tokio::test]
async fn every_call_is_authorised_and_asks_for_english() {
    let base = "https://api.businesscentral.dynamics.com/v2.0/contoso.com/Production";
    let body = include_str!("../fixtures/bc/vendors_page.json").replace("{base}", base);
    let server = Server::start(move |_, _| json(200, &body)).await;
    let company = server.company();
    let mut vendors = company.list_vendors(Some("2026-01-01T00:00:00Z".parse().unwrap())).unwrap();
    // The example continues on the real host, where a test must not follow it.
    let error = vendors.next_page().await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (Kind::Unreadable, Effect::None));
    let seen = &server.seen()[0];
    assert_eq!(seen.uri.path(), VENDORS);
    assert_eq!(seen.header("authorization"), Some("Bearer a-token"));
    assert_eq!(seen.header("accept-language"), Some("en-US"));
    assert_eq!(seen.header("accept"), Some("application/json"));
    assert_eq!(seen.header("prefer"), Some("odata.maxpagesize=5000"));
    assert_eq!(seen.header("data-access-intent"), None);
    assert!(seen.header("user-agent").unwrap().starts_with("ml-connector/"));
    assert_eq!(seen.option("$filter").as_deref(), Some("lastModifiedDateTime gt 2026-01-01T00:00:00.000Z"));
    assert!(seen.option("$select").unwrap().starts_with("id,number,displayName,"));
    assert!(!seen.uri.query().unwrap().contains('+'));
}

#[tokio::test]
async fn an_empty_page_with_a_link_is_not_the_end() {
    let server = Server::start(|place, seen| {
        let next = |token: &str| format!("http://{}{VENDORS}?$skiptoken={token}", seen.header("host").unwrap());
        json(
            200,
            &match place {
                0 => page(&vendor(1), Some(&next("a"))),
                1 => page("", Some(&next("b"))),
                _ => page(&vendor(2), None),
            },
        )
    })
    .await;
    let vendors = server.company().list_vendors(None).unwrap().all().await.unwrap();
    assert_eq!(vendors.iter().map(|vendor| vendor.number.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(server.seen()[2].option("$skiptoken").as_deref(), Some("b"));
    assert!(server.seen().iter().all(|seen| seen.header("prefer").is_some()));
}

#[tokio::test]
async fn a_link_that_repeats_or_leaves_the_host_ends_the_walk() {
    let server = Server::start(|_, seen| {
        let again = format!("http://{}{VENDORS}?$skiptoken=a", seen.header("host").unwrap());
        json(200, &page("", Some(&again)))
    })
    .await;
    let error = server.company().list_vendors(None).unwrap().all().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreadable);
    assert_eq!(server.seen().len(), 2);

    let server = Server::start(|_, _| json(200, &page("", Some("http://127.0.0.2:1/vendors")))).await;
    let error = server.company().list_vendors(None).unwrap().all().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreadable);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_body_without_rows_is_not_an_empty_list() {
    for body in ["{}", r#"{"error":"x"}"#, "[]", "null", ""] {
        let server = Server::start(move |_, _| json(200, body)).await;
        let error = server.company().list_vendors(None).unwrap().all().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unreadable, "{body}");
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let refused = include_str!("../fixtures/bc/error_credentials.json");
    let server = Server::start(move |place, _| match place {
        0 => json(401, refused),
        _ => json(200, &page("", None)),
    })
    .await;
    assert!(server.company().list_vendors(None).unwrap().all().await.unwrap().is_empty());
    assert_eq!(server.seen().len(), 2);

    let server = Server::start(move |_, _| json(401, refused)).await;
    let error = server.company().list_vendors(None).unwrap().all().await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Unauthorized, Retry::Never));
    assert_eq!(error.code(), Some("Authentication_InvalidCredentials"));
    assert_eq!(error.api_message(), Some("The server has rejected the client credentials."));
    assert_eq!(error.request_id(), Some("c32f628c-2b96-48c1-8b4b-7440366a21ef"));
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn companies_are_listed_and_a_missing_display_name_falls_back() {
    let server = Server::start(|_, _| json(200, include_str!("../fixtures/bc/companies.json"))).await;
    let companies = server.bc().list_companies().await.unwrap();
    assert_eq!((companies[0].id, companies[0].display_name()), (COMPANY, "CRONUS USA, Inc."));
    assert_eq!(server.seen()[0].uri.path(), "/v2.0/contoso.com/Production/api/v2.0/companies");

    let unnamed = r#"{"value":[{"id":"f64eba74-dacd-4854-a584-1834f68cfc3a","name":"My","displayName":""}]}"#;
    let server = Server::start(move |_, _| json(200, unnamed)).await;
    assert_eq!(server.bc().list_companies().await.unwrap()[0].display_name(), "My");
}

#[tokio::test]
async fn vendors_and_accounts_read_escaped_and_unknown_members() {
    let rows = r#"{"value":[
        {"id":"f7a5738a-44e3-ea11-bb43-000d3a2feca1","number":"10000","displayName":"Fabrikam, Inc.","blocked":"_x0020_",
         "addressLine1":"10 North Lake Avenue","taxRegistrationNumber":null,"somethingNew":{"a":1}},
        {"id":"f7a5738a-44e3-ea11-bb43-000d3a2feca2","number":"20000","blocked":"Payment","lastModifiedDateTime":"0001-01-01T00:00:00Z"},
        {"id":"f7a5738a-44e3-ea11-bb43-000d3a2feca3","number":"30000","blocked":"Some_x0020_Day"}]}"#;
    let server = Server::start(move |_, _| json(200, rows)).await;
    let vendors = server.company().list_vendors(None).unwrap().all().await.unwrap();
    assert_eq!(vendors[0].blocked, Blocked::No);
    assert_eq!(vendors[0].address_line1, "10 North Lake Avenue");
    assert_eq!((&vendors[1].blocked, vendors[1].last_modified), (&Blocked::Payment, None));
    assert_eq!(vendors[2].blocked, Blocked::Other("Some Day".to_owned()));

    let rows = r#"{"value":[{"id":"f7a5738a-44e3-ea11-bb43-000d3a2feca1","number":"60500","displayName":"Software","blocked":false,
        "category":"Cost_x0020_of_x0020_Goods_x0020_Sold","accountType":"Posting","directPosting":true},
        {"id":"f7a5738a-44e3-ea11-bb43-000d3a2feca2","number":"60000","accountType":"Begin_x002D_Total"}]}"#;
    let server = Server::start(move |_, _| json(200, rows)).await;
    let accounts = server.company().list_accounts(None).unwrap().all().await.unwrap();
    assert!(accounts[0].is_usable() && !accounts[1].is_usable());
    assert_eq!(accounts[0].category, AccountCategory::CostOfGoodsSold);
    assert_eq!(accounts[1].account_type, AccountType::BeginTotal);
}

#[tokio::test]
async fn set_up_and_coding_lists_are_read() {
    let server = Server::start(|_, seen| {
        json(
            200,
            match seen.uri.path().rsplit('/').next().unwrap() {
                "generalLedgerSetup" => {
                    r#"{"value":[{"id":"f7a5738a-44e3-ea11-bb43-000d3a2feca1","allowPostingFrom":"2026-01-01",
                        "allowPostingTo":"0001-01-01","localCurrencyCode":"USD","shortcutDimension1Code":"DEPARTMENT"}]}"#
                }
                "companyInformation" => r#"{"value":[{"displayName":"CRONUS","currencyCode":"USD","country":"US"}]}"#,
                "accountingPeriods" => {
                    r#"{"value":[{"startingDate":"2026-01-01","name":"January","newFiscalYear":true,"closed":false}]}"#
                }
                "currencies" => r#"{"value":[{"id":"f7a5738a-44e3-ea11-bb43-000d3a2feca1","code":"EUR"}]}"#,
                "dimensions" => r#"{"value":[{"id":"4a0db8ab-8014-ee11-8f6e-6045bd9dec5b","code":"PROJECT"}]}"#,
                "dimensionValues" => {
                    r#"{"value":[{"id":"580db8ab-8014-ee11-8f6e-6045bd9dec5b","code":"P-14",
                        "dimensionId":"4a0db8ab-8014-ee11-8f6e-6045bd9dec5b","displayName":"Project 14"}]}"#
                }
                other => panic!("{other}"),
            },
        )
    })
    .await;
    let company = server.company();
    let setup = company.get_general_ledger_setup().await.unwrap();
    assert_eq!(setup.allow_posting_from, Some("2026-01-01".parse().unwrap()));
    assert_eq!((setup.allow_posting_to, setup.shortcut_dimension_1_code.as_str()), (None, "DEPARTMENT"));
    assert_eq!(company.get_company_information().await.unwrap().currency_code, "USD");
    assert!(company.list_accounting_periods().await.unwrap()[0].new_fiscal_year);
    assert_eq!(company.list_currencies().await.unwrap()[0].code, "EUR");
    let dimensions = company.list_dimensions().unwrap().all().await.unwrap();
    let values = company.list_dimension_values(None).unwrap().all().await.unwrap();
    assert_eq!(values[0].dimension_id, dimensions[0].id);
}

#[tokio::test]
async fn a_vendor_that_does_not_exist_is_nothing_but_a_wrong_address_is_an_error() {
    let id = uuid::uuid!("f7a5738a-44e3-ea11-bb43-000d3a2feca1");
    for (status, code, absent) in [
        (404, "BadRequest_ResourceNotFound", true),
        (404, "Internal_RecordNotFound", true),
        (400, "Internal_RecordNotFound", true),
        (404, "NoEnvironment", false),
        (404, "Internal_CompanyNotFound", false),
        (404, "BadRequest_NotFound", false),
    ] {
        let body = format!(r#"{{"error":{{"code":"{code}","message":"m"}}}}"#);
        let server = Server::start(move |_, _| json(status, &body)).await;
        let found = server.company().get_vendor(id).await;
        assert_eq!(matches!(found, Ok(None)), absent, "{status} {code}");
    }
}

#[tokio::test]
async fn a_vendor_is_found_by_number_whatever_is_in_it() {
    let server = Server::start(|_, _| json(200, &page(&vendor(7), None))).await;
    let found = server.company().find_vendor_by_number("O'Hara & Sons #1").await.unwrap();
    assert_eq!(found.unwrap().number, "7");
    assert_eq!(server.seen()[0].option("$filter").as_deref(), Some("number eq 'O''Hara & Sons #1'"));
}
