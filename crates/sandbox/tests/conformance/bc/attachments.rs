//! Files on documents, and BC's own rendering of them.

use crate::bc::caller::{Caller, answer, error};
use reqwest::Method;
use sandbox::bc::{DocumentAction, DocumentChange, Rules};
use serde_json::{Value, json};

const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

async fn send(caller: &Caller, path: &str, bytes: Vec<u8>) -> u16 {
    let request = caller.request(Method::PATCH, &caller.url(path)).header("If-Match", "*").body(bytes);
    answer(request).await.0.as_u16()
}

#[tokio::test]
async fn a_receipt_is_attached_in_two_steps_and_stays_through_posting() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let id = draft["id"].as_str().unwrap();
    let body = json!({"fileName": "receipt.pdf", "parentType": "Purchase Invoice", "parentId": id});
    let (status, row) = caller.post("documentAttachments", body).await;
    assert_eq!(status, 201, "{row}");
    assert_eq!((&row["byteSize"], &row["parentType"]), (&json!(0), &json!("Purchase_x0020_Invoice")));
    let path = format!("documentAttachments({})", row["id"].as_str().unwrap());
    let content = format!("{path}/attachmentContent");
    for link in ["attachmentContent@odata.mediaEditLink", "attachmentContent@odata.mediaReadLink"] {
        assert_eq!(row[link], caller.url(&content));
    }
    let world = caller.sandbox.world();
    assert_eq!(world.bc.attachments_of(id.parse().unwrap())[0].sha256, EMPTY);
    let (status, refused) = answer(caller.request(Method::PATCH, &caller.url(&content)).body("x")).await;
    assert_eq!((status.as_u16(), error(&refused).0.as_str()), (400, "BadRequest_InvalidToken"));
    assert_eq!(send(&caller, &content, b"%PDF receipt".to_vec()).await, 204);
    assert_eq!(caller.post_document("purchaseInvoices", id).await.0, 204);
    let (status, late) =
        caller.post(&format!("purchaseInvoices({id})/documentAttachments"), json!({"fileName": "late.txt"})).await;
    assert_eq!(status, 201);
    assert_eq!(caller.delete(&format!("documentAttachments({})", late["id"].as_str().unwrap())).await.0, 204);
    let rows = caller.rows(&format!("purchaseInvoices({id})/documentAttachments")).await;
    assert_eq!((rows.len(), &rows[0]["byteSize"]), (1, &json!(12)));
    let filter = format!("documentAttachments?$filter=parentId eq {id} and parentType eq 'Purchase_x0020_Invoice'");
    assert_eq!(caller.rows(&filter).await.len(), 1);
    let read = caller.request(Method::GET, &caller.url(&content)).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(&read[..], b"%PDF receipt");
    assert_eq!(caller.delete(&path).await.0, 204);
    assert!(caller.rows("documentAttachments").await.is_empty());
}

#[tokio::test]
async fn attachments_refuse_what_does_not_belong_together() {
    let caller = Caller::start().await;
    let (first, second) = (caller.draft("A-1").await, caller.draft("A-2").await);
    let (first, second) = (first["id"].as_str().unwrap(), second["id"].as_str().unwrap());
    let vendor = caller.id_of("vendors", "V00001").await;
    for (set, body, text) in [
        ("documentAttachments", json!({"fileName": "a.txt"}), "Document type is not valid."),
        (
            "documentAttachments",
            json!({"parentType": "Sales Quote", "parentId": first}),
            "The selected Document type Sales Quote is not supported.",
        ),
        (
            "attachments",
            json!({"parentType": "Vendor", "parentId": vendor}),
            "Parent type Vendor is not supported. Use documentAttachments API instead.",
        ),
    ] {
        let (status, answered) = caller.post(set, body).await;
        assert_eq!((status.as_u16(), error(&answered).1.as_str()), (400, text));
    }
    let (_, row) =
        caller.post(&format!("purchaseInvoices({first})/documentAttachments"), json!({"fileName": "a/b"})).await;
    assert_eq!((&row["fileName"], &row["parentId"]), (&json!("filename.txt"), &json!(first)));
    let path = format!("documentAttachments({})", row["id"].as_str().unwrap());
    let (_, body) = caller.get(&format!("purchaseInvoices({second})/{path}")).await;
    assert_eq!(error(&body).1, "The attachment is linked to another document than you specified.");
    let (_, body) = caller.patch(&path, "*", json!({"parentId": second})).await;
    assert_eq!(error(&body).1, "You cannot change the value of the key field parentId.");
    let (_, row) = caller.patch(&path, "*", json!({"fileName": "b.txt"})).await;
    assert_eq!((&row["fileName"], &row["parentId"]), (&json!("b.txt"), &json!(first)));
    caller.delete(&format!("purchaseInvoices({first})")).await;
    assert!(caller.rows("documentAttachments").await.is_empty());
    let (status, _) =
        caller.post(&format!("vendors({vendor})/documentAttachments"), json!({"fileName": "w9.pdf"})).await;
    assert_eq!(status, 201);
}

#[tokio::test]
async fn an_incoming_document_goes_from_the_journal_line_to_the_entry() {
    let caller = Caller::start().await;
    let journal = caller.rows("journals").await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("journals({journal})/journalLines");
    let body = json!({"accountNumber": "60500", "amount": 5, "balancingAccountNumber": "20500"});
    let (_, line) = caller.post(&path, body).await;
    let line = line["id"].as_str().unwrap();
    let (status, row) = caller.post(&format!("journalLines({line})/attachments"), json!({"fileName": "a.txt"})).await;
    assert_eq!((status.as_u16(), &row["parentType"]), (201, &json!("Journal")));
    let content = format!("attachments({})/attachmentContent", row["id"].as_str().unwrap());
    assert_eq!(send(&caller, &content, b"abc".to_vec()).await, 204);
    assert_eq!(caller.post_document("journals", &journal).await.0, 204);
    let entry = &caller.rows("generalLedgerEntries").await[0];
    let rows = caller.rows(&format!("generalLedgerEntries({})/attachments", entry["id"].as_str().unwrap())).await;
    assert_eq!((rows.len(), &rows[0]["byteSize"]), (1, &json!(3)));
    assert!(caller.rows("documentAttachments").await.is_empty());
}

#[tokio::test]
async fn large_contents_keep_size_and_hash_only() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let id = draft["id"].as_str().unwrap();
    let (_, row) = caller.post(&format!("purchaseInvoices({id})/documentAttachments"), json!({"fileName": "a"})).await;
    let content = format!("documentAttachments({})/attachmentContent", row["id"].as_str().unwrap());
    assert_eq!(send(&caller, &content, vec![0; 1024 * 1024 + 1]).await, 204);
    let found = caller.sandbox.world().bc.attachments_of(id.parse().unwrap());
    assert_eq!(found[0].size, 1_048_577);
    assert_ne!(found[0].sha256, EMPTY);
    assert_eq!(caller.get(&content).await.0, 500);
}

#[tokio::test]
async fn a_document_has_a_pdf_as_draft_and_posted() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let id = draft["id"].as_str().unwrap();
    let path = format!("purchaseInvoices({id})/pdfDocument");
    for posted in [false, true] {
        if posted {
            caller.post_document("purchaseInvoices", id).await;
        }
        let (status, row) = caller.get(&path).await;
        assert_eq!((status.as_u16(), &row["parentId"]), (200, &json!(id)), "{row}");
        let url = caller.url(&format!("{path}/pdfDocumentContent"));
        let read = caller.request(Method::GET, &url).send().await.unwrap();
        assert_eq!(read.headers()["content-type"], "application/pdf");
        let text = String::from_utf8(read.bytes().await.unwrap().to_vec()).unwrap();
        assert!(text.starts_with("%PDF-1.4") && text.ends_with("%%EOF\n") && text.contains("125.4"), "{text}");
    }
}

#[tokio::test]
async fn incoming_documents_hang_below_drafts_and_posted_invoices_and_go_along_when_posting() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let id = draft["id"].as_str().unwrap();
    let set = format!("purchaseInvoices({id})/attachments");
    let (status, early) = caller.post(&set, json!({"fileName": "early.txt"})).await;
    assert_eq!((status.as_u16(), &early["parentType"]), (201, &json!("Purchase_x0020_Invoice")));
    let content = format!("attachments({})/attachmentContent", early["id"].as_str().unwrap());
    assert_eq!(send(&caller, &content, b"early".to_vec()).await, 204);
    assert_eq!(caller.post_document("purchaseInvoices", id).await.0, 204);
    let body = json!({"fileName": "late.txt", "parentType": "Purchase Invoice", "parentId": id});
    let (status, late) = caller.post("attachments", body).await;
    assert_eq!(status, 201, "{late}");
    let names = |rows: Vec<Value>| {
        let mut names: Vec<Value> = rows.into_iter().map(|mut row| row["fileName"].take()).collect();
        names.sort_by_key(ToString::to_string);
        names
    };
    assert_eq!(names(caller.rows(&set).await), ["early.txt", "late.txt"]);
    let read = caller.request(Method::GET, &caller.url(&content)).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(&read[..], b"early");
    assert_eq!(caller.delete(&format!("attachments({})", late["id"].as_str().unwrap())).await.0, 204);
    assert_eq!(names(caller.rows(&set).await), ["early.txt"]);
}

#[tokio::test]
async fn a_new_name_or_content_leaves_the_rest_of_an_attachment_as_it_is() {
    let caller = Caller::start().await;
    let vendor = caller.id_of("vendors", "V00001").await;
    let draft = caller.draft("A-1").await;
    let other = caller.draft("A-2").await;
    for (set, parent) in [
        ("documentAttachments", format!("vendors({vendor})")),
        ("attachments", format!("purchaseInvoices({})", draft["id"].as_str().unwrap())),
    ] {
        let (status, row) = caller.post(&format!("{parent}/{set}"), json!({"fileName": "a.txt"})).await;
        assert_eq!(status, 201, "{row}");
        let one = format!("{set}({})", row["id"].as_str().unwrap());
        assert_eq!(send(&caller, &format!("{one}/attachmentContent"), b"first".to_vec()).await, 204);
        let (_, renamed) = caller.patch(&one, "*", json!({"fileName": "b.txt"})).await;
        assert_eq!((&renamed["fileName"], &renamed["byteSize"]), (&json!("b.txt"), &json!(5)));
        assert_eq!(send(&caller, &format!("{one}/attachmentContent"), b"second".to_vec()).await, 204);
        let (_, changed) = caller.get(&one).await;
        assert_eq!((&changed["fileName"], &changed["byteSize"]), (&json!("b.txt"), &json!(6)));
        for name in ["id", "parentId", "parentType"] {
            assert_eq!(changed[name], row[name], "{name}");
        }
        for (body, text) in [
            (json!({"parentId": other["id"]}), "You cannot change the value of the key field parentId."),
            (json!({"parentType": "Purchase Credit Memo"}), "You cannot change the value of the key field parentType."),
        ] {
            let (status, refused) = caller.patch(&one, "*", body).await;
            assert_eq!((status.as_u16(), error(&refused).1.as_str()), (400, text));
        }
        assert_eq!(caller.delete(&one).await.0, 204);
        assert_eq!(caller.get(&one).await.0, 404);
    }
}

#[tokio::test]
async fn attachments_go_with_the_row_they_hang_below() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    let (_, vendor) = caller.post("vendors", json!({"displayName": "Zebra"})).await;
    let (draft, by_hand, posted) = (caller.draft("A-1").await, caller.draft("A-2").await, caller.draft("A-3").await);
    let path = |set: &str, row: &Value| format!("{set}({})", row["id"].as_str().unwrap());
    for parent in [
        path("vendors", &vendor),
        path("purchaseInvoices", &draft),
        path("purchaseInvoices", &by_hand),
        path("purchaseInvoices", &posted),
    ] {
        let (status, _) = caller.post(&format!("{parent}/documentAttachments"), json!({"fileName": "a.txt"})).await;
        assert_eq!(status, 201);
    }
    let left = || async { caller.rows("documentAttachments").await.len() };
    assert_eq!(caller.delete(&path("vendors", &vendor)).await.0, 204);
    assert_eq!(left().await, 3);
    assert_eq!(caller.delete(&path("purchaseInvoices", &draft)).await.0, 204);
    assert_eq!(left().await, 2);
    let delete = DocumentChange { action: Some(DocumentAction::Delete), ..DocumentChange::default() };
    world.bc.change_document(by_hand["id"].as_str().unwrap().parse().unwrap(), delete, world.clock.now()).unwrap();
    assert_eq!(left().await, 1);
    assert_eq!(caller.post_document("purchaseInvoices", posted["id"].as_str().unwrap()).await.0, 204);
    world.bc.set_rules(Rules { deletion_before: "2027-01-01".parse().ok(), ..Rules::default() });
    assert_eq!(caller.delete(&path("purchaseInvoices", &posted)).await.0, 204);
    assert_eq!(left().await, 0);
}
