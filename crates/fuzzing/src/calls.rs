//! Every call whose answer is read, so that each wire model is. Where the connector reads on, it is read on: a record and an expense
//! kept as they came, a document as the domain compares it.

use clients::Error;
use clients::bc::{self, BatchMode, DocumentKind, DocumentStatus};
use clients::brex::{self, AccountingRecord, Expense, ExpensesQuery, RecordsQuery};
use connector::flow::{found_document, read_record};
use domain::document::DocumentKind as Kind;
use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::peer::{COMPANY, Peer};
use crate::plan::plan;

/// A call by its name.
type Call = (&'static str, for<'a> fn(&'a Peer) -> LocalBoxFuture<'a, Result<(), Error>>);

/// What is asked for by id.
pub(crate) const IDS: [&str; 3] = ["accr_1", "accr_2", "expense_3"];

const ID: Uuid = uuid::uuid!("5d115c9c-44e3-ea11-bb43-000d3a2feca1");
const INVOICE: DocumentKind = DocumentKind::Invoice;

macro_rules! calls {
    ($($name:literal: |$peer:ident| $call:expr;)+) => {
        /// All of them. New ones come at the end: kept inputs choose by number.
        pub(crate) const CALLS: &[Call] = &[
            $(($name, |$peer| async move { $call.await.map(drop) }.boxed_local()),)+
        ];
    };
}

calls! {
    "brex records": |peer| records(peer);
    "brex list_records_by_ids": |peer| peer.brex.list_records_by_ids(&IDS);
    "brex get_record": |peer| async { peer.brex.get_record(IDS[0]).await.map(|found| read_raw(found.iter())) };
    "brex expenses": |peer| expenses(peer);
    "brex list_expenses_by_ids": |peer| peer.brex.list_expenses_by_ids(&IDS);
    "brex get_expense": |peer| peer.brex.get_expense(IDS[0]);
    "brex list_expense_receipts": |peer| peer.brex.list_expense_receipts(IDS[0]);
    "brex list_vendors": |peer| peer.brex.list_vendors(None);
    "brex find_vendors_by_name": |peer| peer.brex.find_vendors_by_name("Zelkova");
    "brex get_vendor": |peer| peer.brex.get_vendor("vendor_1");
    "brex list_transfers": |peer| peer.brex.list_transfers(Some("cursor"));
    "brex get_transfer": |peer| peer.brex.get_transfer("dptx_1");
    "brex list_instruments": |peer| peer.brex.list_instruments("vendor_1");
    "brex list_cash_accounts": |peer| peer.brex.list_cash_accounts();
    "brex list_cash_transactions": |peer| peer.brex.list_cash_transactions("dpacc_1", Timestamp::UNIX_EPOCH);
    "brex list_fields": |peer| peer.brex.list_fields();
    "brex find_field_values": |peer| async { peer.brex.find_field_values("field_1", &IDS.map(str::to_owned)).await };
    "brex list_legal_entities": |peer| peer.brex.list_legal_entities();
    "brex get_company": |peer| peer.brex.get_company();
    "brex list_subscriptions": |peer| peer.brex.list_subscriptions();
    "brex list_webhook_secrets": |peer| peer.brex.list_webhook_secrets();
    "brex create_integration": |peer| peer.brex.create_integration("ERP_A", "main");
    "brex report_export_results": |peer| async { peer.brex.report_export_results(&[exported()]).await };
    "bc list_environments": |peer| peer.bc.list_environments();
    "bc list_companies": |peer| peer.bc.list_companies();
    "bc list_subscriptions": |peer| peer.bc.list_subscriptions();
    "bc list_webhook_resources": |peer| async { company(peer).list_webhook_resources().await };
    "bc create_subscription": |peer| async { company(peer).create_subscription(&subscription()).await };
    "bc list_vendors": |peer| async { company(peer).list_vendors(None)?.all().await };
    "bc get_vendor": |peer| async { company(peer).get_vendor(ID).await };
    "bc find_vendors_named": |peer| async { company(peer).find_vendors_named("Zelkova").await };
    "bc list_accounts": |peer| async { company(peer).list_accounts(None)?.all().await };
    "bc list_dimensions": |peer| async { company(peer).list_dimensions()?.all().await };
    "bc list_dimension_values": |peer| async { company(peer).list_dimension_values(None)?.all().await };
    "bc list_attachments": |peer| async { company(peer).list_attachments(INVOICE, ID)?.all().await };
    "bc find_documents_by_numbers": |peer| documents(peer);
    "bc list_changed_documents": |peer| async {
        company(peer).list_changed_documents(INVOICE, Timestamp::UNIX_EPOCH)?.all().await
    };
    "bc list_invoice_vendors": |peer| async { company(peer).list_invoice_vendors()?.all().await };
    "bc get_document": |peer| async { company(peer).get_document(DocumentKind::CreditMemo, ID).await };
    "bc list_posted": |peer| async { company(peer).list_posted(INVOICE, &DocumentStatus::Open, None)?.all().await };
    "bc list_vendor_entries": |peer| async { company(peer).list_vendor_entries().await };
    "bc list_due": |peer| async { company(peer).list_due().await };
    "bc find_payment_journal": |peer| async { company(peer).find_payment_journal("PAY").await };
    "bc list_vendor_payments": |peer| async { company(peer).list_vendor_payments(ID).await };
    "bc list_apply_entries": |peer| async { company(peer).list_apply_entries(ID, ID).await };
    "bc list_tax_groups": |peer| async { company(peer).list_tax_groups().await };
    "bc get_general_ledger_setup": |peer| async { company(peer).get_general_ledger_setup().await };
    "bc get_company_information": |peer| async { company(peer).get_company_information().await };
    "bc list_accounting_periods": |peer| async { company(peer).list_accounting_periods().await };
    "bc list_currencies": |peer| async { company(peer).list_currencies().await };
    "bc batch": |peer| batch(peer);
    "bc remove_dimension": |peer| async { company(peer).remove_dimension(header(), ID).await };
}

fn company(peer: &Peer) -> bc::Company {
    peer.bc.company(COMPANY)
}

fn exported() -> brex::ExportResult {
    brex::ExportResult::Success { record_id: IDS[0].to_owned(), reference_id: None, deep_link_url: None }
}

fn subscription() -> bc::NewSubscription {
    bc::NewSubscription {
        notification_url: url::Url::parse("https://connector.example/bc/1").expect("an address"),
        set: "vendors",
        client_state: SecretString::from("a state"),
    }
}

fn header() -> bc::DimensionsOf {
    bc::DimensionsOf { kind: INVOICE, document: ID, line: None }
}

async fn records(peer: &Peer) -> Result<(), Error> {
    let mut pages = peer.brex.records(RecordsQuery::default());
    while let Some(items) = pages.next_page().await? {
        read_raw(items.iter());
    }
    Ok(())
}

async fn expenses(peer: &Peer) -> Result<(), Error> {
    let mut pages = peer.brex.expenses(ExpensesQuery { statuses: vec!["APPROVED"], updated_after: None });
    while let Some(items) = pages.next_page().await? {
        read_raw(items.iter());
    }
    Ok(())
}

/// As the flow reads what it kept. What cannot be read says so, with the id if that can be.
fn read_raw<'a>(items: impl Iterator<Item = &'a Box<RawValue>>) {
    for item in items {
        if let Err(error) = AccountingRecord::from_json(item.get()) {
            assert!(error.to_string().ends_with("cannot be read"), "{error}");
        }
        if let Ok(record) = read_record(item.get()) {
            plan(&record);
        }
        if let Ok(expense) = Expense::from_json(item.get()) {
            expense.custom_fields.iter().for_each(|field| drop(field.choices()));
        }
    }
}

async fn documents(peer: &Peer) -> Result<(), Error> {
    let found = company(peer).find_documents_by_numbers(INVOICE, &["BRX-1", "o'hara"]).await?;
    for document in &found {
        let found = found_document(Kind::Invoice, document);
        assert_eq!(found.status == "Draft", document.is_draft(), "{found:?}");
    }
    Ok(())
}

async fn batch(peer: &Peer) -> Result<(), Error> {
    let mut batch = company(peer).batch(BatchMode::ContinueOnError);
    let places = [batch.get_document(INVOICE, ID), batch.get_document(INVOICE, ID)];
    let answer = batch.send().await?;
    answer.document(places[0])?;
    answer.found_document(places[1]).map(drop)
}
