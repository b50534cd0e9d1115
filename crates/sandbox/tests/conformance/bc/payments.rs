//! The rows of the AL tests about vendor payments, and what users do in journals that the API does not show.

use crate::bc::caller::{Caller, error};
use rust_decimal::Decimal;
use sandbox::Options;
use sandbox::bc::{EntryType, NewJournal, NewJournalLine, SetupChange};
use serde_json::{Value, json};

const ZERO: &str = "00000000-0000-0000-0000-000000000000";

async fn posted(caller: &Caller, number: &str) -> Value {
    let draft = caller.draft(number).await;
    let id = draft["id"].as_str().unwrap();
    assert_eq!(caller.post_document("purchaseInvoices", id).await.0, 204);
    caller.get(&format!("purchaseInvoices({id})")).await.1
}

async fn payments(caller: &Caller) -> String {
    let journal = caller.rows("vendorPaymentJournals").await[0]["id"].as_str().unwrap().to_owned();
    format!("vendorPaymentJournals({journal})/vendorPayments")
}

/// A batch of a template, balanced by the bank account if it says so.
fn journal(caller: &Caller, template: &str, bank: &str) -> uuid::Uuid {
    let world = caller.sandbox.world();
    let new = NewJournal { code: "hand".to_owned(), template: template.to_owned(), bank_account: bank.to_owned() };
    world.bc.add_journal(&new, world.clock.now()).unwrap()
}

fn vendor_line(kind: EntryType, amount: i64, external: &str) -> NewJournalLine {
    NewJournalLine {
        document_type: kind,
        account_type: Some("Vendor".to_owned()),
        account_number: "V00001".to_owned(),
        amount: Decimal::from(amount),
        external_number: external.to_owned(),
        posting_date: None,
        applies_to: (EntryType::Blank, String::new()),
    }
}

#[tokio::test]
async fn the_vendor_of_a_payment_comes_from_the_invoice_number_and_keeps_in_step() {
    let caller = Caller::start().await;
    let invoice = posted(&caller, "A-1").await;
    let path = payments(&caller).await;
    let (status, line) = caller.post(&path, json!({"appliesToInvoiceNumber": invoice["number"], "amount": 1})).await;
    assert_eq!(status, 201, "{line}");
    assert_eq!((&line["vendorId"], &line["vendorNumber"]), (&invoice["vendorId"], &json!("V00001")));
    assert_eq!(line["appliesToInvoiceId"], invoice["id"]);
    let second = caller.id_of("vendors", "V00002").await;
    let one = format!("vendorPayments({})", line["id"].as_str().unwrap());
    let (_, line) = caller.patch(&one, "*", json!({"vendorId": second})).await;
    assert_eq!(line["vendorNumber"], "V00002");
    let (_, line) = caller.patch(&one, "*", json!({"vendorNumber": "v00001"})).await;
    assert_eq!((&line["vendorId"], &line["vendorNumber"]), (&invoice["vendorId"], &json!("V00001")));
    for (body, text) in [
        (json!({"vendorId": second, "vendorNumber": "V00001"}), "The vendor values do not match to a specific Vendor."),
        (json!({"vendorId": invoice["id"]}), "The \"vendorId\" does not match to a Vendor."),
        (
            json!({"appliesToInvoiceId": invoice["id"], "appliesToInvoiceNumber": "OTHER"}),
            "The Applies To Invoice values do not match to the same Invoice.",
        ),
        (
            json!({"appliesToInvoiceId": second}),
            "The \"appliesToInvoiceId\" should be the ID of an Open, Paid, Corrective, or Canceled Invoice.",
        ),
    ] {
        let (status, refused) = caller.patch(&one, "*", body).await;
        assert_eq!((status.as_u16(), error(&refused).1.as_str()), (400, text));
    }
}

#[tokio::test]
async fn a_payment_without_an_invoice_is_listed_and_one_for_a_credit_memo_shows_no_invoice_number() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    let batch = journal(&caller, "PAYMENT", "checking");
    let path = format!("vendorPaymentJournals({batch})/vendorPayments");
    let (_, plain) = caller.post(&path, json!({"vendorNumber": "V00001", "amount": 5})).await;
    let mut line = vendor_line(EntryType::Payment, 7, "P-1");
    line.applies_to = (EntryType::CreditMemo, "109001".to_owned());
    world.bc.add_journal_line(batch, &line, world.clock.now()).unwrap();
    let rows = caller.rows(&path).await;
    assert_eq!((rows.len(), &rows[0]["id"]), (2, &plain["id"]));
    for row in &rows {
        assert_eq!((&row["appliesToInvoiceNumber"], &row["appliesToInvoiceId"]), (&json!(""), &json!(ZERO)));
    }
    let journal = &caller.get(&format!("vendorPaymentJournals({batch})")).await.1;
    assert_eq!(
        (&journal["balancingAccountId"], &journal["balancingAccountNumber"]),
        (&json!(ZERO), &json!("CHECKING"))
    );
}

#[tokio::test]
async fn an_invoice_in_a_journal_needs_a_document_number_that_is_not_used() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    posted(&caller, "A-1").await;
    let batch = journal(&caller, "GENERAL", "");
    let line = vendor_line(EntryType::Invoice, -5, "a-1");
    world.bc.add_journal_line(batch, &line, world.clock.now()).unwrap();
    let path = format!("journals({batch})/journalLines");
    assert!(caller.rows(&path).await.is_empty(), "the page shows lines without a document type only");
    let (_, body) =
        caller.post(&path, json!({"accountNumber": "60500", "amount": 5, "postingDate": "2020-01-01"})).await;
    let other = format!("journalLines({})", body["id"].as_str().unwrap());
    let (_, refused) = caller.post_document("journals", &batch.to_string()).await;
    assert_eq!(error(&refused).1, "Purchase Invoice A-1 already exists.");
    let early = Some("2010-01-01".parse().unwrap());
    world.bc.change_setup(&SetupChange { allow_posting_from: early, ..SetupChange::default() }, world.clock.now());
    let (_, refused) = caller.post_document("journals", &batch.to_string()).await;
    assert_eq!(error(&refused).1, "Purchase Invoice A-1 already exists.");
    assert_eq!(caller.delete(&other).await.0, 204);
}

#[tokio::test]
async fn a_journal_refuses_dates_vendors_and_dimensions_at_posting_with_the_key_of_the_line() {
    let caller = Caller::start().await;
    let batch = caller.rows("journals").await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("journals({batch})/journalLines");
    for (body, text) in [
        (
            json!({"accountNumber": "60500", "postingDate": "2020-01-01"}),
            "Posting Date is not within your range of allowed posting dates in Gen. Journal Line Journal Template Name='GENERAL',Journal Batch Name='DEFAULT',Line No.='10000'.",
        ),
        (
            json!({"accountNumber": "65400"}),
            "A dimension used in Gen. Journal Line GENERAL, DEFAULT, 10000 has caused an error. Select a Dimension Value Code for the Dimension Code DEPARTMENT for G/L Account 65400.",
        ),
    ] {
        let mut body = body;
        body["amount"] = json!(5);
        body["balancingAccountNumber"] = json!("20500");
        let (status, line) = caller.post(&path, body).await;
        assert_eq!(status, 201, "{line}");
        let (status, refused) = caller.post_document("journals", &batch).await;
        assert_eq!(
            (status.as_u16(), error(&refused)),
            (400, ("Application_DialogException".to_owned(), text.to_owned()))
        );
        assert_eq!(caller.delete(&format!("journalLines({})", line["id"].as_str().unwrap())).await.0, 204);
    }
}

#[tokio::test]
async fn journal_lines_use_any_bank_account_unless_it_is_blocked() {
    let caller = Caller::start().await;
    let (_, bank) = caller.post("bankAccounts", json!({"number": "savings", "displayName": "Savings"})).await;
    let batch = caller.rows("journals").await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("journals({batch})/journalLines");
    let body = json!({"accountType": "Bank_x0020_Account", "accountNumber": "SAVINGS", "amount": 5, "balancingAccountNumber": "20500"});
    let (status, line) = caller.post(&path, body.clone()).await;
    assert_eq!(status, 201, "{line}");
    assert_eq!((&line["accountId"], &line["description"]), (&bank["id"], &json!("Savings")));
    assert_eq!(caller.post_document("journals", &batch).await.0, 204);
    let account = &caller.rows("accounts?$filter=number eq '10200'").await[0];
    assert_eq!(account["netChange"].to_string(), "5");
    let one = format!("bankAccounts({})", bank["id"].as_str().unwrap());
    assert_eq!(caller.patch(&one, "*", json!({"blocked": true})).await.0, 200);
    let (_, refused) = caller.post(&path, body).await;
    let text = "Blocked must be equal to 'No'  in Bank Account: No.=SAVINGS. Current value is 'Yes'.";
    assert_eq!(error(&refused), ("Application_FieldValidationException".to_owned(), text.to_owned()));
    assert_eq!(caller.delete(&one).await.0, 204);
    let (_, refused) = caller.post(&path, json!({"accountType": "Bank Account", "accountNumber": "SAVINGS"})).await;
    assert_eq!(error(&refused).1, "The \"accountNumber\" does not match to an Account.");
}

#[tokio::test]
async fn a_vendor_is_not_deleted_while_entries_or_drafts_exist_and_each_reason_has_its_text() {
    // In the second quarter, when last year is closed.
    let start = Some("2026-05-04T10:00:00Z".parse().unwrap());
    let caller = Caller::start_with(Options { records: 1, start, ..Options::default() }).await;
    let world = caller.sandbox.world();
    let delete = |id: String| {
        let caller = &caller;
        async move {
            let (status, body) = caller.delete(&format!("vendors({id})")).await;
            (status.as_u16(), error(&body).1)
        }
    };
    let draft = caller.draft("A-1").await;
    let first = caller.id_of("vendors", "V00001").await;
    let text =
        "You cannot delete Vendor V00001 because there is at least one outstanding Purchase Invoice for this vendor.";
    assert_eq!(delete(first.clone()).await, (400, text.to_owned()));
    assert_eq!(caller.post_document("purchaseInvoices", draft["id"].as_str().unwrap()).await.0, 204);
    let text =
        "You cannot delete Vendor V00001 because it has ledger entries in a fiscal year that has not been closed yet.";
    assert_eq!(delete(first).await, (400, text.to_owned()));
    let early = Some("2020-01-01".parse().unwrap());
    world.bc.change_setup(&SetupChange { allow_posting_from: early, ..SetupChange::default() }, world.clock.now());
    let batch = journal(&caller, "GENERAL", "CHECKING");
    let mut line = vendor_line(EntryType::Blank, -5, "");
    line.account_number = "V00002".to_owned();
    line.posting_date = Some("2025-06-01".parse().unwrap());
    world.bc.add_journal_line(batch, &line, world.clock.now()).unwrap();
    assert_eq!(caller.post_document("journals", &batch.to_string()).await.0, 204);
    let text = "You cannot delete Vendor V00002 because there are one or more open ledger entries.";
    assert_eq!(delete(caller.id_of("vendors", "V00002").await).await, (400, text.to_owned()));
    assert_eq!(delete(caller.id_of("vendors", "V00003").await).await.0, 204);
}

#[tokio::test]
async fn a_vendor_blocked_for_payments_gets_invoices_but_is_not_paid() {
    let caller = Caller::start().await;
    posted(&caller, "A-1").await;
    let one = format!("vendors({})", caller.id_of("vendors", "V00001").await);
    assert_eq!(caller.patch(&one, "*", json!({"blocked": "Payment"})).await.0, 200);
    posted(&caller, "A-2").await;
    let (_, refused) = caller.post(&payments(&caller).await, json!({"vendorNumber": "V00001", "amount": 5})).await;
    let text = "You cannot create this type of document when Vendor V00001 is blocked with type Payment";
    assert_eq!(error(&refused).1, text);
}
