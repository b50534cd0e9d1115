//! Purchase documents: what is sent, what is read back, and what each refusal means.

use clients::bc::{DimensionsOf, DocumentKind, DocumentStatus, LineType, NewDocument, NewLine};
use clients::{Effect, Kind, Retry};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::server::{Seen, Server, empty, json};

const INVOICE: Uuid = uuid::uuid!("5d115c9c-44e3-ea11-bb43-000d3a2feca1");

pub(crate) fn new_document(number: &str) -> NewDocument {
    NewDocument {
        vendor_number: "20000".to_owned(),
        posting_date: "2026-03-01".parse().unwrap(),
        document_date: "2026-03-01".parse().unwrap(),
        due_date: Some("2026-03-31".parse().unwrap()),
        number: number.to_owned(),
        currency_code: None,
        prices_include_tax: None,
        dimensions: vec![("DEPARTMENT".to_owned(), "ADM".to_owned())],
        lines: vec![
            NewLine::Account {
                account_number: "60500".to_owned(),
                description: "SaaS subscription".to_owned(),
                quantity: Decimal::ONE,
                unit_cost: "125.40".parse().unwrap(),
                tax_code: None,
                dimensions: vec![("PROJECT".to_owned(), "P-14".to_owned())],
            },
            NewLine::Comment { description: "Brex expense expenses_123".to_owned() },
        ],
        applies_to_invoice_id: None,
    }
}

fn read_back() -> String {
    let line = include_str!("../fixtures/bc/line_created.json").trim_end().trim_end_matches('}').to_owned();
    let dimension = r#"{"id":"4a0db8ab-8014-ee11-8f6e-6045bd9dec5b","code":"PROJECT","valueCode":"P-14"}"#;
    let comment =
        r#"{"id":"dd8db9c0-44e3-ea11-bb43-000d3a2feca2","sequence":10000,"lineType":"Comment","description":"marker"}"#;
    let header = include_str!("../fixtures/bc/invoice_created.json").trim_end().trim_end_matches('}').to_owned();
    format!(
        r#"{header},"purchaseInvoiceLines":[{line},"dimensionSetLines":[{dimension}]}},{comment}],"dimensionSetLines":[]}}"#
    )
}

fn error_body(code: &str, message: &str) -> String {
    format!(r#"{{"error":{{"code":"{code}","message":"{message}  CorrelationId:  1b2c."}}}}"#)
}

#[tokio::test]
async fn a_draft_is_created_with_one_request() {
    let server = Server::start(|_, _| json(201, include_str!("../fixtures/bc/invoice_created.json"))).await;
    let document = server.company().create_document(DocumentKind::Invoice, &new_document("BRX-107001")).await.unwrap();
    assert_eq!((document.id, document.number.as_str()), (INVOICE, "108001"));
    assert_eq!((document.status, document.currency_code.as_str()), (DocumentStatus::Draft, "USD"));
    assert_eq!(document.vendor_document_number, "BRX-107001");
    assert_eq!(document.total_amount_including_tax, "125.4".parse().unwrap());
    assert!(document.lines.is_empty());
    let [seen]: [Seen; 1] = server.seen().try_into().unwrap();
    assert_eq!((seen.method.as_str(), seen.header("content-type")), ("POST", Some("application/json")));
    assert!(seen.uri.path().ends_with("/purchaseInvoices"));
    let sent: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
    let example: serde_json::Value = serde_json::from_str(include_str!("../fixtures/bc/invoice_request.json")).unwrap();
    assert_eq!(sent, example);
    let order: Vec<_> = sent.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(order[..5], ["vendorNumber", "postingDate", "invoiceDate", "dueDate", "vendorInvoiceNumber"]);
}

#[tokio::test]
async fn what_the_answer_to_a_create_means() {
    for (status, body, kind, effect, refusal) in [
        (400, error_body("Application_DialogException", "Account does not exist."), Kind::Refused, Effect::None, true),
        (400, include_str!("../fixtures/bc/error_permission.json").to_owned(), Kind::Forbidden, Effect::None, true),
        (
            400,
            error_body(
                "Application_DialogException",
                "Your activity was deadlocked with another user who was modifying the Item table. Please retry",
            ),
            Kind::Conflict,
            Effect::Unknown,
            true,
        ),
        (403, String::new(), Kind::Forbidden, Effect::None, false),
        (
            404,
            include_str!("../fixtures/bc/error_unknown_segment.json").to_owned(),
            Kind::NotFound,
            Effect::None,
            false,
        ),
        (409, include_str!("../fixtures/bc/error_stale_etag.json").to_owned(), Kind::Conflict, Effect::Unknown, false),
        (429, include_str!("../fixtures/bc/error_throttled.json").to_owned(), Kind::Throttled, Effect::None, false),
        (408, String::new(), Kind::TimedOut, Effect::Unknown, false),
        (500, "<html>".to_owned(), Kind::ServerError, Effect::Unknown, false),
        (503, String::new(), Kind::ServerError, Effect::Unknown, false),
        (504, String::new(), Kind::ServerError, Effect::Unknown, false),
        (201, "{}".to_owned(), Kind::Unreadable, Effect::Unknown, false),
    ] {
        let server = Server::start(move |_, _| json(status, &body)).await;
        let error = server.company().create_document(DocumentKind::Invoice, &new_document("X")).await.unwrap_err();
        assert_eq!((error.kind(), error.effect(), error.is_refusal()), (kind, effect, refusal), "{status} {error}");
        assert_eq!(error.status(), Some(status));
        assert_eq!(server.seen().len(), 1, "a write is never repeated");
    }
}

#[tokio::test]
async fn a_create_with_a_refused_token_is_sent_again_with_a_new_one() {
    let server = Server::start(|place, _| match place {
        0 => json(401, include_str!("../fixtures/bc/error_credentials.json")),
        _ => json(201, include_str!("../fixtures/bc/invoice_created.json")),
    })
    .await;
    server.company().create_document(DocumentKind::Invoice, &new_document("X")).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].body, seen[1].body);
}

#[tokio::test]
async fn a_probe_reads_drafts_and_posted_documents_from_the_primary_database() {
    let body = format!(r#"{{"value":[{}]}}"#, read_back());
    let server = Server::start(move |_, _| json(200, &body)).await;
    let company = server.company().with_fresh_reads();
    let found = company.find_documents_by_numbers(DocumentKind::Invoice, &[" brx-1 ", "O'X"]).await.unwrap();
    let [seen]: [Seen; 1] = server.seen().try_into().unwrap();
    assert_eq!(seen.header("data-access-intent"), Some("ReadWrite"));
    assert_eq!(
        seen.option("$filter").as_deref(),
        Some("vendorInvoiceNumber eq 'BRX-1' or vendorInvoiceNumber eq 'O''X'")
    );
    assert_eq!(
        seen.option("$expand").as_deref(),
        Some("purchaseInvoiceLines($expand=dimensionSetLines),dimensionSetLines")
    );
    let [marker, line] = found[0].lines.as_slice() else { panic!("two lines") };
    assert_eq!((&marker.line_type, marker.description.as_str()), (&LineType::Comment, "marker"));
    assert_eq!((&line.line_type, line.account_number.as_str()), (&LineType::Account, "60500"));
    assert_eq!((line.quantity, line.unit_cost), (Decimal::ONE, "88.1".parse().unwrap()));
    assert_eq!((line.dimensions[0].code.as_str(), line.dimensions[0].value_code.as_str()), ("PROJECT", "P-14"));
}

#[tokio::test]
async fn many_numbers_are_looked_up_fifty_at_a_time_and_none_not_at_all() {
    let server = Server::start(|_, _| json(200, r#"{"value":[]}"#)).await;
    let company = server.company();
    let numbers: Vec<_> = (0..120).map(|number| format!("BRX-{number:016}")).collect();
    company.find_documents_by_numbers(DocumentKind::CreditMemo, &numbers).await.unwrap();
    let asked: Vec<_> =
        server.seen().iter().map(|seen| seen.option("$filter").unwrap().matches(" eq ").count()).collect();
    assert_eq!(asked, [50, 50, 20]);
    assert!(server.seen()[0].option("$expand").unwrap().starts_with("purchaseCreditMemoLines("));
    assert!(server.seen()[0].option("$filter").unwrap().starts_with("vendorCreditMemoNumber eq "));
    company.find_documents_by_numbers::<&str>(DocumentKind::Invoice, &[]).await.unwrap();
    company.get_documents(DocumentKind::Invoice, &[]).await.unwrap();
    assert_eq!(server.seen().len(), 3);
    company.get_documents(DocumentKind::Invoice, &[INVOICE]).await.unwrap();
    assert_eq!(server.seen()[3].option("$filter"), Some(format!("id eq {INVOICE}")));
}

#[tokio::test]
async fn a_document_is_read_by_its_id() {
    let body = read_back();
    let server = Server::start(move |place, _| match place {
        0 => json(200, &body),
        _ => json(404, include_str!("../fixtures/bc/error_unknown_segment.json")),
    })
    .await;
    let company = server.company();
    let document = company.get_document(DocumentKind::Invoice, INVOICE).await.unwrap().unwrap();
    assert_eq!((document.id, document.lines.len(), document.is_draft()), (INVOICE, 2, true));
    assert!(company.get_document(DocumentKind::Invoice, INVOICE).await.unwrap().is_none());
    assert!(server.seen()[0].uri.path().ends_with(&format!("/purchaseInvoices({INVOICE})")));
}

#[tokio::test]
async fn posting_and_deleting_name_the_document_and_its_version() {
    let server = Server::start(|_, _| empty(204)).await;
    let company = server.company();
    company.post_document(DocumentKind::Invoice, INVOICE).await.unwrap();
    company.delete_document(DocumentKind::CreditMemo, INVOICE, "W/\"JzE5Ow==\"").await.unwrap();
    let [posted, deleted]: [Seen; 2] = server.seen().try_into().unwrap();
    assert!(posted.uri.path().ends_with(&format!("/purchaseInvoices({INVOICE})/Microsoft.NAV.post")));
    assert_eq!((posted.method.as_str(), posted.body.as_str()), ("POST", ""));
    assert_eq!(deleted.method.as_str(), "DELETE");
    assert_eq!(deleted.header("if-match"), Some("W/\"JzE5Ow==\""));
}

#[tokio::test]
async fn a_refused_posting_keeps_the_text_for_the_bookkeeper() {
    let server = Server::start(|_, _| json(400, include_str!("../fixtures/bc/error_duplicate_number.json"))).await;
    let error = server.company().post_document(DocumentKind::Invoice, INVOICE).await.unwrap_err();
    assert_eq!(error.api_message(), Some("Purchase Invoice BRX-107001 already exists for this vendor."));
    assert_eq!((error.kind(), error.retry(), error.is_refusal()), (Kind::Refused, Retry::Never, true));
    assert_eq!(
        error.to_string(),
        "business central refused the request on post_document (status 400, Application_DialogException)"
    );
}

#[tokio::test]
async fn deleting_what_is_gone_succeeds_but_not_what_was_changed() {
    let server = Server::start(|place, _| match place {
        0 => json(404, include_str!("../fixtures/bc/error_unknown_segment.json")),
        1 => json(409, include_str!("../fixtures/bc/error_stale_etag.json")),
        _ => json(400, include_str!("../fixtures/bc/error_no_if_match.json")),
    })
    .await;
    let company = server.company();
    company.delete_document(DocumentKind::Invoice, INVOICE, "W/\"a\"").await.unwrap();
    let error = company.delete_document(DocumentKind::Invoice, INVOICE, "W/\"a\"").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Conflict, Some("Request_EntityChanged")));
    let error = company.delete_document(DocumentKind::Invoice, INVOICE, "W/\"a\"").await.unwrap_err();
    assert_eq!(error.code(), Some("BadRequest_InvalidToken"));
}

#[tokio::test]
async fn a_file_is_attached_in_two_steps() {
    let attachment = uuid::uuid!("7a2c5c9c-44e3-ea11-bb43-000d3a2feca1");
    let server = Server::start(move |place, _| match place {
        0 => json(
            201,
            &format!(r#"{{"@odata.etag":"W/\"a\"","id":"{attachment}","fileName":"receipt.pdf","byteSize":0}}"#),
        ),
        1 => empty(204),
        _ => json(200, &format!(r#"{{"value":[{{"id":"{attachment}","fileName":"receipt.pdf","byteSize":5}}]}}"#)),
    })
    .await;
    let company = server.company();
    let made = company.create_attachment(DocumentKind::Invoice, INVOICE, "receipt.pdf").await.unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, b"bytes").unwrap();
    company.set_attachment_content(made.id, file.path(), 5).await.unwrap();
    let files = company.list_attachments(DocumentKind::Invoice, INVOICE).unwrap().all().await.unwrap();
    assert_eq!((files[0].file_name.as_str(), files[0].byte_size), ("receipt.pdf", 5));
    let [entry, content, list]: [Seen; 3] = server.seen().try_into().unwrap();
    assert_eq!(
        entry.body,
        format!(r#"{{"fileName":"receipt.pdf","parentType":"Purchase_x0020_Invoice","parentId":"{INVOICE}"}}"#)
    );
    assert_eq!((content.method.as_str(), content.header("if-match")), ("PATCH", Some("*")));
    assert_eq!((content.body.as_str(), content.header("content-type")), ("bytes", Some("application/octet-stream")));
    assert_eq!((content.header("content-length"), content.header("transfer-encoding")), (Some("5"), None));
    assert_eq!(
        list.option("$filter"),
        Some(format!("(parentId eq {INVOICE}) and (parentType eq 'Purchase_x0020_Invoice')"))
    );
}

#[tokio::test]
async fn a_dimension_is_added_changed_or_removed_below_its_line_or_header() {
    let server = Server::start(|_, _| json(201, "{}")).await;
    let (line, dimension) = (Uuid::from_u128(7), Uuid::from_u128(8));
    let place = DimensionsOf { kind: DocumentKind::Invoice, document: INVOICE, line: Some(line) };
    server.company().add_dimension(place, "PROJECT", "P-14").await.unwrap();
    server.company().change_dimension(place, dimension, "P-15").await.unwrap();
    server.company().remove_dimension(DimensionsOf { line: None, ..place }, dimension).await.unwrap();
    let [add, change, remove]: [Seen; 3] = server.seen().try_into().unwrap();
    let below = format!("/purchaseInvoices({INVOICE})/purchaseInvoiceLines({line})/dimensionSetLines");
    assert!(add.method == "POST" && add.uri.path().ends_with(&below), "{add:?}");
    assert_eq!(add.body, r#"{"code":"PROJECT","valueCode":"P-14"}"#);
    assert!(change.method == "PATCH" && change.uri.path().ends_with(&format!("{below}({dimension})")), "{change:?}");
    assert_eq!((change.header("if-match"), change.body.as_str()), (Some("*"), r#"{"valueCode":"P-15"}"#));
    let of_header = format!("/purchaseInvoices({INVOICE})/dimensionSetLines({dimension})");
    assert!(remove.method == "DELETE" && remove.uri.path().ends_with(&of_header), "{remove:?}");
}

#[tokio::test]
async fn documents_since_a_day_are_asked_for_by_their_totals_alone() {
    let server = Server::start(move |_, _| json(200, r#"{"value":[]}"#)).await;
    let company = server.company();
    for kind in [DocumentKind::Invoice, DocumentKind::CreditMemo] {
        assert!(
            company.list_documents_since(kind, "2026-03-01".parse().unwrap()).unwrap().all().await.unwrap().is_empty()
        );
    }
    let [invoices, memos]: [Seen; 2] = server.seen().try_into().unwrap();
    for (seen, number, date) in
        [(invoices, "vendorInvoiceNumber", "invoiceDate"), (memos, "vendorCreditMemoNumber", "creditMemoDate")]
    {
        assert_eq!(seen.option("$filter").as_deref(), Some("postingDate ge 2026-03-01"));
        let fields = format!("id,number,{number},{date},postingDate,currencyCode,totalAmountIncludingTax,status");
        assert_eq!(seen.option("$select"), Some(fields));
        assert_eq!(seen.option("$expand"), None);
    }
}
