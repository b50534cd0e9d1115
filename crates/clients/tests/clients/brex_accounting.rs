//! The Accounting API of Brex: records, export results, integration, and the expense behind a record.

use clients::brex::{
    AccountingRecord, ExportAnswer, ExportResult, IntegrationAnswer, RecordsQuery, ReviewStatus, SourceType,
};
use clients::{Effect, Kind, Retry};

use crate::server::{Seen, Server, json};

fn record(id: &str) -> String {
    include_str!("../fixtures/brex/record_card.json").replace("accr_cm9x1card00000000000001", id)
}

fn page(items: &[String], next: Option<&str>) -> String {
    let next = next.map_or("null".to_owned(), |next| format!("\"{next}\""));
    let more = next != "null";
    format!(r#"{{"items":[{}],"next_cursor":{next},"has_next_page":{more},"total_count":null}}"#, items.join(","))
}

fn values(seen: &Seen, name: &str) -> Vec<String> {
    seen.query().into_iter().filter(|(key, _)| key == name).map(|(_, value)| value).collect()
}

#[tokio::test]
async fn records_are_asked_for_with_an_explicit_start() {
    let server = Server::start(|_, _| json(200, include_str!("../fixtures/brex/records_page_empty.json"))).await;
    let client = server.brex();
    let page = client.list_records(&RecordsQuery::default()).await.unwrap();
    assert!(page.items.is_empty() && !page.has_next_page);
    let query = RecordsQuery {
        review_status: Some(ReviewStatus::ReadyForExport),
        source_type: Some(SourceType::Card),
        updated_after: Some("2026-06-01T00:00:00Z".parse().unwrap()),
        updated_before: Some("2026-07-01T00:00:00Z".parse().unwrap()),
        limit: Some(50),
        cursor: Some("c+1".to_owned()),
        ids: vec!["accr_1".to_owned(), "accr_2".to_owned()],
    };
    client.list_records(&query).await.unwrap();
    let [first, second]: [Seen; 2] = server.seen().try_into().unwrap();
    assert_eq!(first.uri.path(), "/v3/accounting/records");
    assert_eq!(first.header("authorization"), Some("Bearer bxt_secret"));
    assert_eq!(values(&first, "updated_at[gte]"), ["1970-01-01T00:00:00Z"]);
    assert_eq!(values(&second, "updated_at[gte]"), ["2026-06-01T00:00:00Z"]);
    assert_eq!(values(&second, "updated_at[lt]"), ["2026-07-01T00:00:00Z"]);
    assert_eq!(values(&second, "ids"), ["accr_1", "accr_2"]);
    assert_eq!(values(&second, "review_status"), ["READY_FOR_EXPORT"]);
    assert_eq!((values(&second, "limit"), values(&second, "cursor")), (vec!["50".to_owned()], vec!["c+1".to_owned()]));
}

#[tokio::test]
async fn where_a_large_page_is_refused_pages_are_small_from_then_on() {
    let server = Server::start(|_, seen| {
        if values(seen, "limit") == ["100"] {
            json(200, &page(&[record("accr_1")], None))
        } else {
            json(400, r#"{"message":"limit is invalid"}"#)
        }
    })
    .await;
    let client = server.brex();
    for _ in 0..2 {
        assert_eq!(client.list_records(&RecordsQuery::default()).await.unwrap().items.len(), 1);
    }
    let limits: Vec<String> = server.seen().iter().flat_map(|seen| values(seen, "limit")).collect();
    assert_eq!(limits, ["1000", "100", "100"]);
}

#[tokio::test]
async fn what_is_refused_for_another_reason_is_refused_and_the_pages_stay_large() {
    let server = Server::start(|place, _| match place {
        0 | 1 => json(400, r#"{"message":"cursor is invalid"}"#),
        _ => json(200, &page(&[record("accr_1")], None)),
    })
    .await;
    let client = server.brex();
    assert_eq!(client.list_records(&RecordsQuery::default()).await.unwrap_err().kind(), Kind::Refused);
    client.list_records(&RecordsQuery::default()).await.unwrap();
    let limits: Vec<String> = server.seen().iter().flat_map(|seen| values(seen, "limit")).collect();
    assert_eq!(limits, ["1000", "100", "1000"]);
}

#[tokio::test]
async fn one_unreadable_record_does_not_fail_its_page() {
    let server = Server::start(|_, _| {
        json(200, &page(&[r#"{"id":"accr_odd","amount":"?"}"#.to_owned(), record("accr_2")], None))
    })
    .await;
    let items = server.brex().list_records(&RecordsQuery::default()).await.unwrap().items;
    assert_eq!(AccountingRecord::from_json(items[0].get()).unwrap_err().id.as_deref(), Some("accr_odd"));
    let second = AccountingRecord::from_json(items[1].get()).unwrap();
    assert_eq!((second.id.as_str(), second.amount.amount.to_string().as_str()), ("accr_2", "248.37"));
    assert!(items[1].get().contains("200.00"), "the text is kept as it came");
}

#[tokio::test]
async fn pages_are_walked_by_cursor_to_the_end() {
    let server = Server::start(|place, _| {
        json(
            200,
            &match place {
                0 => page(&[record("accr_1")], Some("a")),
                1 => page(&[], Some("b")),
                _ => page(&[record("accr_2")], None),
            },
        )
    })
    .await;
    let mut pages = server.brex().records(RecordsQuery::default());
    let mut count = 0;
    while let Some(items) = pages.next_page().await.unwrap() {
        count += items.len();
    }
    assert_eq!((count, server.seen().len()), (2, 3));
    assert_eq!(values(&server.seen()[2], "cursor"), ["b"]);
}

#[tokio::test]
async fn a_cursor_that_repeats_or_is_missing_is_an_error() {
    let server = Server::start(|_, _| json(200, &page(&[], Some("a")))).await;
    let mut pages = server.brex().records(RecordsQuery::default());
    assert!(pages.next_page().await.is_ok());
    assert_eq!(pages.next_page().await.unwrap_err().kind(), Kind::Unreadable);

    let server = Server::start(|_, _| json(200, r#"{"items":[],"next_cursor":null,"has_next_page":true}"#)).await;
    assert_eq!(server.brex().list_records(&RecordsQuery::default()).await.unwrap_err().kind(), Kind::Unreadable);
}

#[tokio::test]
async fn an_id_that_the_list_leaves_out_is_asked_for_alone() {
    let server = Server::start(|_, seen| match seen.uri.path() {
        "/v3/accounting/records" => json(200, &page(&[record("accr_1")], None)),
        "/v3/accounting/records/accr_2" => json(200, &record("accr_2")),
        _ => json(404, include_str!("../fixtures/brex/error_records_not_found.json")),
    })
    .await;
    let found = server.brex().list_records_by_ids(&["accr_1", "accr_2", "accr_3", "accr_1"]).await.unwrap();
    let ids: Vec<_> = found.items.iter().map(|item| AccountingRecord::from_json(item.get()).unwrap().id).collect();
    assert_eq!((ids, found.missing), (vec!["accr_1".to_owned(), "accr_2".to_owned()], vec!["accr_3".to_owned()]));
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn many_ids_are_split_so_that_the_address_stays_short() {
    let server = Server::start(|_, seen| {
        let items: Vec<_> = values(seen, "ids").iter().map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
        json(200, &page(&items, None))
    })
    .await;
    let ids: Vec<_> = (0..700).map(|number| format!("accr_cm9x1card{number:014}")).collect();
    let found = server.brex().list_records_by_ids(&ids).await.unwrap();
    assert_eq!((found.items.len(), found.missing.len()), (700, 0));
    assert!(server.seen().iter().all(|seen| seen.uri.to_string().len() < 8000));
}

fn results() -> Vec<ExportResult> {
    vec![
        ExportResult::Success {
            record_id: "accr_cm9x1card00000000000001".to_owned(),
            reference_id: Some("PINV-103021".to_owned()),
            deep_link_url: Some(
                "https://businesscentral.dynamics.com/tenant/production?company=CRONUS&page=138&bookmark=x"
                    .parse()
                    .unwrap(),
            ),
        },
        ExportResult::Failure {
            record_id: "accr_cm9x1reim00000000000001".to_owned(),
            error_message: "G/L account 64200 is blocked in Business Central".to_owned(),
        },
    ]
}

#[tokio::test]
async fn export_results_are_sent_as_published() {
    let server = Server::start(|_, _| json(200, include_str!("../fixtures/brex/export_results_answer.json"))).await;
    let client = server.brex();
    let answer = client.report_export_results(&results()).await.unwrap();
    assert!(matches!(answer, ExportAnswer::Accepted { ids } if ids.len() == 2));
    let bare = ExportResult::Success { record_id: "accr_1".to_owned(), reference_id: None, deep_link_url: None };
    client.report_export_results(&[bare]).await.unwrap();
    let [full, bare]: [Seen; 2] = server.seen().try_into().unwrap();
    let sent: serde_json::Value = serde_json::from_str(&full.body).unwrap();
    let example: serde_json::Value =
        serde_json::from_str(include_str!("../fixtures/brex/export_results_request.json")).unwrap();
    assert_eq!(sent, example);
    assert_eq!(bare.body, r#"{"results":[{"accounting_record_id":"accr_1","success":{}}]}"#);
}

#[tokio::test]
async fn a_refusal_names_the_ids_it_is_about() {
    let ids = |id: &str| vec![id.to_owned()];
    for (status, body, expected) in [
        (
            404,
            include_str!("../fixtures/brex/error_records_not_found.json"),
            ExportAnswer::NotFound { ids: ids("accr_ghi789") },
        ),
        (
            422,
            include_str!("../fixtures/brex/error_not_ready.json"),
            ExportAnswer::NotReady { ids: ids("accr_ghi789") },
        ),
        (
            422,
            include_str!("../fixtures/brex/error_duplicate_ids.json"),
            ExportAnswer::Duplicate { ids: ids("accr_abc123") },
        ),
    ] {
        let server = Server::start(move |_, _| json(status, body)).await;
        assert_eq!(server.brex().report_export_results(&results()).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_refusal_without_ids_is_an_error() {
    for (status, body, code) in [
        (404, r#"{"error_code":"NOT_FOUND","message":"m"}"#, Some("NOT_FOUND")),
        (
            422,
            r#"{"error_code":"ACCOUNTING_RECORD_NOT_READY_FOR_EXPORT","message":"m","details":{}}"#,
            Some("ACCOUNTING_RECORD_NOT_READY_FOR_EXPORT"),
        ),
        (422, "", None),
    ] {
        let server = Server::start(move |_, _| json(status, body)).await;
        let error = server.brex().report_export_results(&results()).await.unwrap_err();
        assert_eq!((error.status(), error.code(), error.effect()), (Some(status), code, Effect::None));
    }
    let server = Server::start(|_, _| json(500, include_str!("../fixtures/brex/error_internal.json"))).await;
    let error = server.brex().report_export_results(&results()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry(), error.effect()), (Kind::ServerError, Retry::Soon, Effect::Unknown));
    assert_eq!(error.code(), Some("INTERNAL_ERROR"));
}

#[tokio::test]
async fn the_integration_is_read_under_both_names_of_its_id() {
    for name in ["integration_id", "id"] {
        let body = format!(
            r#"{{"{name}":"int_abc123","vendor":"ERP_A","vendor_account_id":"a","status":"ACTIVE","created_at":"2026-01-01T00:00:00Z"}}"#
        );
        let server = Server::start(move |_, _| json(200, &body)).await;
        let client = server.brex();
        for answer in [
            client.create_integration("ERP_A", "a").await.unwrap(),
            client.disconnect_integration("int_abc123").await.unwrap(),
            client.reactivate_integration("int_abc123").await.unwrap(),
        ] {
            assert!(
                matches!(answer, IntegrationAnswer::Integration(integration) if integration.integration_id == "int_abc123")
            );
        }
        let paths: Vec<_> = server.seen().iter().map(|seen| seen.uri.path().to_owned()).collect();
        assert_eq!(paths[0], "/v3/accounting/integration");
        assert_eq!(paths[1], "/v3/accounting/integration/int_abc123/disconnect");
        assert_eq!(paths[2], "/v3/accounting/integration/int_abc123/reactivate");
    }
}

#[tokio::test]
async fn conflicts_of_the_integration_are_answers_that_name_what_is_in_the_way() {
    let id = Some("int_xyz789".to_owned());
    for (body, expected) in [
        (
            include_str!("../fixtures/brex/error_active_integration_exists.json"),
            IntegrationAnswer::OtherVendorActive { integration_id: id.clone(), vendor: Some("ERP_A".to_owned()) },
        ),
        (
            include_str!("../fixtures/brex/error_vendor_account_id_mismatch.json"),
            IntegrationAnswer::OtherAccountActive {
                integration_id: id.clone(),
                vendor_account_id: Some("a".to_owned()),
            },
        ),
        (
            include_str!("../fixtures/brex/error_integration_not_active.json"),
            IntegrationAnswer::NotActive { status: Some("DISABLED".to_owned()) },
        ),
        (
            r#"{"error_code":"ACTIVE_INTEGRATION_EXISTS","message":"m"}"#,
            IntegrationAnswer::OtherVendorActive { integration_id: None, vendor: None },
        ),
    ] {
        let server = Server::start(move |_, _| json(409, body)).await;
        assert_eq!(server.brex().create_integration("ERP_B", "b").await.unwrap(), expected);
    }
    let server = Server::start(|_, _| json(409, "")).await;
    let error = server.brex().create_integration("ERP_B", "b").await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (Kind::Conflict, Effect::Unknown));
}

#[tokio::test]
async fn errors_of_both_shapes_keep_code_text_and_trace_id() {
    for (body, code) in [
        (include_str!("../fixtures/brex/error_unauthorized.json"), "UNAUTHORIZED"),
        (include_str!("../fixtures/brex/error_revoked_token.json"), "UNAUTHORIZED"),
        (include_str!("../fixtures/brex/error_user_not_found.json"), "USER_NOT_FOUND"),
    ] {
        let server = Server::start(move |_, _| {
            let mut answer = json(401, body);
            answer.headers_mut().insert("X-Brex-Trace-Id", "trace-1".parse().unwrap());
            answer
        })
        .await;
        let error = server.brex().get_company().await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Unauthorized, Some(code)));
        assert_eq!(error.request_id(), Some("trace-1"));
        assert!(error.api_message().is_some());
    }
}

#[tokio::test]
async fn the_expense_behind_a_record_is_read_or_absent() {
    let body = r#"{"id":"expense_1","updated_at":"2026-06-01T00:00:00Z","purchased_at":"2026-05-30T10:00:00Z",
        "merchant":{"raw_descriptor":"MESSE BERLIN","mcc":"7399","country":"DEU"},
        "original_amount":{"amount":22997,"currency":"EUR"},"spending_entity":{"id":"le_1","display_name":"Contoso Inc"}}"#;
    let server = Server::start(move |place, _| match place {
        0 => json(200, body),
        _ => json(404, include_str!("../fixtures/brex/error_user_not_found.json")),
    })
    .await;
    let client = server.brex();
    let expense = client.get_expense("expense_1").await.unwrap().unwrap();
    assert_eq!(expense.merchant.unwrap().raw_descriptor.as_deref(), Some("MESSE BERLIN"));
    assert_eq!(expense.original_amount.unwrap().amount, 22_997);
    assert!(client.get_expense("expense/../2").await.unwrap().is_none());
    assert_eq!(server.seen()[0].option("expand[]").as_deref(), Some("merchant"));
    assert_eq!(server.seen()[1].uri.path(), "/v1/expenses/expense%2F..%2F2");
}
