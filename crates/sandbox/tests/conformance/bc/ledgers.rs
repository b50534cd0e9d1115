//! Journals, vendor payments and the ledgers that posting writes.

use crate::bc::caller::{Caller, answer, error};
use reqwest::Method;
use sandbox::bc::{Payment, SumBy};
use serde_json::{Value, json};

const ZERO: &str = "00000000-0000-0000-0000-000000000000";

/// The id of the payment batch and of a posted invoice over 125.40.
async fn payable(caller: &Caller) -> (String, Value) {
    let (status, journal) = caller.post("vendorPaymentJournals", json!({"code": "brex", "displayName": "Brex"})).await;
    assert_eq!(status, 201, "{journal}");
    assert_eq!(journal["code"], "BREX");
    let account = caller.id_of("accounts", "10110").await;
    let id = journal["id"].as_str().unwrap().to_owned();
    let body = json!({"balancingAccountId": account});
    let (status, changed) = caller.patch(&format!("vendorPaymentJournals({id})"), "*", body).await;
    assert_eq!((status.as_u16(), &changed["balancingAccountNumber"]), (200, &json!("10110")));
    (id, posted(caller, "A-1").await)
}

async fn posted(caller: &Caller, number: &str) -> Value {
    let draft = caller.draft(number).await;
    let id = draft["id"].as_str().unwrap();
    assert_eq!(caller.post_document("purchaseInvoices", id).await.0, 204);
    caller.get(&format!("purchaseInvoices({id})")).await.1
}

async fn pay(caller: &Caller, journal: &str, body: Value) -> Value {
    let (status, line) = caller.post(&format!("vendorPaymentJournals({journal})/vendorPayments"), body).await;
    assert_eq!(status, 201, "{line}");
    line
}

async fn status(caller: &Caller, invoice: &Value) -> Value {
    caller.get(&format!("purchaseInvoices({})", invoice["id"].as_str().unwrap())).await.1["status"].take()
}

fn balanced(caller: &Caller) {
    let sum: rust_decimal::Decimal = caller.sandbox.world().bc.entry_sums(SumBy::Account).into_values().sum();
    assert!(sum.is_zero(), "{sum}");
}

#[tokio::test]
async fn a_payment_of_the_whole_amount_closes_the_invoice() {
    let caller = Caller::start().await;
    let (journal, invoice) = payable(&caller).await;
    let line = pay(
        &caller,
        &journal,
        json!({"postingDate": "2026-03-01", "externalDocumentNumber": "brex-pay-1", "amount": 125.40,
               "appliesToInvoiceId": invoice["id"], "description": "Brex payment"}),
    )
    .await;
    assert_eq!((&line["lineNumber"], &line["documentNumber"]), (&json!(10000), &json!("G00001")));
    assert_eq!(line["appliesToInvoiceNumber"], invoice["number"]);
    assert_eq!((&line["vendorNumber"], &line["externalDocumentNumber"]), (&json!("V00001"), &json!("BREX-PAY-1")));
    assert_eq!(caller.post_document("journals", &journal).await.0, 204);
    assert_eq!(status(&caller, &invoice).await, "Paid");
    let (code, body) = caller.post_document("journals", &journal).await;
    assert_eq!((code.as_u16(), error(&body).1.as_str()), (400, "There is nothing to post."));
    let vendor = &caller.rows("vendors?$filter=number eq 'V00001'").await[0];
    assert_eq!(vendor["balance"].to_string(), "0");
    let account = &caller.rows("accounts?$filter=number eq '10110'").await[0];
    assert_eq!(account["netChange"].to_string(), "-125.4");
    assert_eq!(caller.sandbox.world().bc.payments_by_external_number("brex-pay-1").len(), 1);
    balanced(&caller);
}

#[tokio::test]
async fn a_part_leaves_the_invoice_open_and_the_same_external_number_may_pay_again() {
    let caller = Caller::start().await;
    let (journal, invoice) = payable(&caller).await;
    for (amount, expected) in [(25.40, "Open"), (100.0, "Paid")] {
        let body =
            json!({"amount": amount, "externalDocumentNumber": "P-1", "appliesToInvoiceNumber": invoice["number"]});
        pay(&caller, &journal, body).await;
        assert_eq!(caller.post_document("journals", &journal).await.0, 204);
        assert_eq!(status(&caller, &invoice).await, expected);
    }
    assert_eq!(caller.sandbox.world().bc.payments_by_external_number("P-1").len(), 2);
    balanced(&caller);
}

#[tokio::test]
async fn the_applied_invoice_and_the_vendor_stay_in_step_by_id_and_number() {
    let caller = Caller::start().await;
    let (journal, invoice) = payable(&caller).await;
    let other = posted(&caller, "A-2").await;
    let draft = caller.draft("A-3").await;
    let second = caller.id_of("vendors", "V00002").await;
    let path = format!("vendorPaymentJournals({journal})/vendorPayments");
    let open = "The \"appliesToInvoiceId\" should be the ID of an Open, Paid, Corrective, or Canceled Invoice.";
    for (body, text) in [
        (json!({"appliesToInvoiceId": draft["id"]}), open),
        (json!({"appliesToInvoiceId": second}), open),
        (
            json!({"appliesToInvoiceId": invoice["id"], "appliesToInvoiceNumber": other["number"]}),
            "The Applies To Invoice values do not match to the same Invoice.",
        ),
        (json!({"vendorId": invoice["id"]}), "The \"vendorId\" does not match to a Vendor."),
        (json!({"vendorNumber": "NOBODY"}), "The \"vendorNumber\" does not match to a Vendor."),
        (json!({"vendorId": second, "vendorNumber": "V00001"}), "The vendor values do not match to a specific Vendor."),
        (json!({"journalDisplayName": "OTHER"}), "The Journal Id and Journal Display Name do not match."),
    ] {
        let (status, answered) = caller.post(&path, body).await;
        assert_eq!((status.as_u16(), error(&answered).1.as_str()), (400, text));
    }
    let (_, answered) = caller.post("vendorPayments", json!({"amount": 1})).await;
    let text = "You must specify a journal batch ID or a journal ID to get a journal line.";
    assert_eq!(error(&answered).1, text);
    let line =
        pay(&caller, &journal, json!({"vendorNumber": "V00002", "appliesToInvoiceNumber": invoice["number"]})).await;
    assert_eq!((&line["vendorNumber"], &line["appliesToInvoiceId"]), (&json!("V00002"), &invoice["id"]));
    let path = format!("vendorPayments({})", line["id"].as_str().unwrap());
    let (_, line) = caller.patch(&path, "*", json!({"appliesToInvoiceNumber": "RANDOM"})).await;
    assert_eq!((&line["appliesToInvoiceNumber"], &line["appliesToInvoiceId"]), (&json!("RANDOM"), &json!(ZERO)));
    let (_, line) = caller.patch(&path, "*", json!({"appliesToInvoiceId": other["id"]})).await;
    assert_eq!(line["appliesToInvoiceNumber"], other["number"]);
    let (_, body) = caller.patch(&path, "*", json!({"journalDisplayName": "OTHER"})).await;
    assert_eq!(error(&body).1, "The Journal Batch Display Name cannot be changed.");
    let (_, body) = caller.patch(&path, "*", json!({"journalId": second})).await;
    assert_eq!(error(&body).1, "The Journal Id cannot be changed.");
}

#[tokio::test]
async fn several_entries_can_be_marked_for_one_payment() {
    let caller = Caller::start().await;
    let (journal, first) = payable(&caller).await;
    let second = posted(&caller, "A-2").await;
    let blank = pay(&caller, &journal, json!({"amount": 1})).await;
    let entries = |line: &Value| format!("vendorPayments({})/applyVendorEntries", line["id"].as_str().unwrap());
    let (_, body) = caller.get(&entries(&blank)).await;
    assert_eq!(error(&body).1, "You must specify a vendor payment to get apply vendor entries.");
    caller.delete(&format!("vendorPayments({})", blank["id"].as_str().unwrap())).await;
    let line = pay(&caller, &journal, json!({"vendorNumber": "V00001", "amount": 250.80})).await;
    let open = caller.rows(&entries(&line)).await;
    assert_eq!(open.len(), 2);
    assert_eq!(
        (&open[0]["documentType"], open[0]["remainingAmount"].to_string()),
        (&json!("Invoice"), "-125.4".to_owned())
    );
    for entry in &open {
        let path = format!("{}({})", entries(&line), entry["id"].as_str().unwrap());
        let (status, marked) = caller.patch(&path, "*", json!({"applied": true})).await;
        assert_eq!((status.as_u16(), &marked["applied"]), (200, &json!(true)), "{marked}");
    }
    assert_eq!(caller.post_document("journals", &journal).await.0, 204);
    assert_eq!((status(&caller, &first).await, status(&caller, &second).await), (json!("Paid"), json!("Paid")));
}

#[tokio::test]
async fn journals_show_the_general_template_unless_another_one_is_asked_for() {
    let caller = Caller::start().await;
    let (payments, _) = payable(&caller).await;
    let codes = |rows: Vec<Value>| rows.into_iter().map(|row| row["code"].clone()).collect::<Vec<_>>();
    assert_eq!(codes(caller.rows("journals").await), [json!("DEFAULT")]);
    let rows = caller.rows("journals?$filter=templateDisplayName eq 'PAYMENT'").await;
    assert_eq!(rows.len(), 2);
    assert_eq!(caller.get(&format!("journals({payments})")).await.0, 200);
    let (_, body) = caller.post("journals", json!({"code": "default"})).await;
    assert_eq!(error(&body).0, "Internal_EntityWithSameKeyExists");
    let (status, journal) = caller.post("journals", json!({"code": "MINE"})).await;
    assert_eq!((status.as_u16(), &journal["templateDisplayName"]), (201, &json!("GENERAL")));
    let path = format!("journals({})", journal["id"].as_str().unwrap());
    let (status, journal) = caller.patch(&path, "*", json!({"displayName": "Ours"})).await;
    assert_eq!((status.as_u16(), &journal["displayName"]), (200, &json!("Ours")));
    assert_eq!(caller.delete(&path).await.0, 204);
    assert_eq!(caller.get(&path).await.0, 404);
    let (_, body) = caller.post_document("journals", ZERO).await;
    assert_eq!(error(&body).1, format!("The General Journal Batch with ID {ZERO} cannot be found."));
}

#[tokio::test]
async fn a_journal_is_posted_per_document_number_and_must_balance() {
    let caller = Caller::start().await;
    let journal = caller.rows("journals").await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("journals({journal})/journalLines");
    let (_, body) = caller.get("journalLines").await;
    let text = "You must specify a journal batch ID or a journal ID to get a journal line.";
    assert_eq!(error(&body).1, text);
    let dimension = json!([{"code": "PROJECT", "valueCode": "P-14"}]);
    let body = json!({"accountNumber": "60500", "amount": 10.5, "dimensionSetLines": dimension});
    let (status, first) = caller.post(&path, body).await;
    assert_eq!(status, 201, "{first}");
    let (_, second) = caller.post(&path, json!({"accountNumber": "20500", "amount": -10})).await;
    assert_eq!(second["documentNumber"], first["documentNumber"]);
    let (status, body) = caller.post_document("journals", &journal).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (400, "Application_DialogException"));
    assert!(error(&body).1.starts_with("Document No. G00001 is out of balance by 0.5."), "{body}");
    assert!(caller.rows("generalLedgerEntries").await.is_empty());
    let line = format!("journalLines({})", second["id"].as_str().unwrap());
    caller.patch(&line, "*", json!({"amount": -10.5})).await;
    assert_eq!(caller.post_document("journals", &journal).await.0, 204);
    let entries = caller.rows("generalLedgerEntries?$expand=dimensionSetLines").await;
    assert_eq!(entries.len(), 2);
    assert_eq!(
        (entries[0]["debitAmount"].to_string(), &entries[0]["accountNumber"]),
        ("10.5".to_owned(), &json!("60500"))
    );
    assert_eq!(entries[0]["dimensionSetLines"][0]["valueCode"], "P-14");
    let below = format!("generalLedgerEntries({})/dimensionSetLines", entries[0]["id"].as_str().unwrap());
    let (_, body) = caller.post(&below, json!({"code": "REGION", "valueCode": "EAST"})).await;
    assert!(error(&body).1.ends_with("read only for parent type General Ledger Entry."), "{body}");
    assert!(caller.rows(&path).await.is_empty());
    balanced(&caller);
}

#[tokio::test]
async fn journal_lines_refuse_accounts_that_do_not_fit_and_hide_employees() {
    let caller = Caller::start().await;
    let journal = caller.rows("journals").await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("journals({journal})/journalLines");
    let account = caller.id_of("accounts", "60500").await;
    for (body, text) in [
        (json!({"accountId": journal}), "The \"accountId\" does not match to an Account."),
        (json!({"accountNumber": "99999"}), "The \"accountNumber\" does not match to an Account."),
        (json!({"balancingAccountId": journal}), "The \"balancingAccountId\" does not match to an Account."),
        (
            json!({"accountId": account, "accountNumber": "20500"}),
            "The account values do not match to a specific Account.",
        ),
    ] {
        let (status, answered) = caller.post(&path, body).await;
        assert_eq!((status.as_u16(), error(&answered).1.as_str()), (400, text));
    }
    let (status, line) = caller.post(&path, json!({"accountType": "Employee", "amount": 5})).await;
    assert_eq!((status.as_u16(), &line["accountType"]), (201, &json!("Employee")));
    assert!(caller.rows(&path).await.is_empty());
    let (_, line) = caller.post(&path, json!({"accountNumber": "60500", "amount": 5})).await;
    let path = format!("journalLines({})", line["id"].as_str().unwrap());
    let (_, body) = caller.patch(&path, "*", json!({"journalDisplayName": "X"})).await;
    assert_eq!(error(&body).1, "The Journal Batch Display Name isn't editable.");
    let (_, body) = caller.patch(&path, "*", json!({"journalId": account})).await;
    assert_eq!(error(&body).1, "The Journal Batch Id isn't editable.");
}

#[tokio::test]
async fn reports_of_finance_show_entries_without_a_remaining_amount() {
    let caller = Caller::start().await;
    let invoice = posted(&caller, "A-1").await;
    let url = |set: &str| caller.url(set).replace("/api/v2.0/", "/api/microsoft/reportsFinance/beta/");
    let (status, body) = answer(caller.request(Method::GET, &url("vendorLedgerEntries"))).await;
    assert_eq!(status, 200, "{body}");
    let entry = &body["value"][0];
    assert_eq!((entry["amount"].to_string(), &entry["open"]), ("-125.4".to_owned(), &json!(true)));
    assert_eq!((&entry["documentNumber"], &entry["externalDocumentNumber"]), (&invoice["number"], &json!("A-1")));
    assert!(entry.get("remainingAmount").is_none() && entry.get("id").is_none());
    let (_, body) = answer(caller.request(Method::GET, &url("generalLedgerEntries"))).await;
    assert_eq!(body["value"].as_array().unwrap().len(), 2);
    assert_eq!(body["value"][0]["reveresd"], false);
    let (_, body) = answer(caller.request(Method::GET, &url("detailedVendorLedgerEntries"))).await;
    assert_eq!(body["value"][0]["entryType"], "Initial_x0020_Entry");
    let (status, _) = caller.get("vendorLedgerEntries").await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_payment_by_hand_can_be_reversed_and_the_invoice_is_open_again() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    let invoice = posted(&caller, "A-1").await;
    let id = invoice["id"].as_str().unwrap().parse().unwrap();
    let payment = Payment { external_number: "check-1".to_owned(), ..Payment::default() };
    let paid = world.bc.pay_document(id, &payment, world.clock.now()).unwrap();
    assert_eq!(status(&caller, &invoice).await, "Paid");
    assert!(world.bc.pay_document(id, &payment, world.clock.now()).is_err());
    world.bc.reverse_entry(paid.number, world.clock.now()).unwrap();
    assert_eq!(status(&caller, &invoice).await, "Open");
    assert!(world.bc.payments_by_external_number("CHECK-1").iter().all(|entry| entry.reversed));
    assert_eq!(world.bc.entry_sums(SumBy::Vendor)["V00001"].to_string(), "-125.40");
    balanced(&caller);
}
