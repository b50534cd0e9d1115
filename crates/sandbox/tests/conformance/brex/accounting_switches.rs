//! Points of the Accounting API that no source settles, each way.

use sandbox::brex::{
    AccountingSettings, AfterFailure, BillEvents, BillResults, BillStatus, RefundTotal, SingleEntry, Splits,
};
use serde_json::{Value, json};

use super::caller::Caller;

fn switch(caller: &Caller, accounting: AccountingSettings) {
    caller.world().brex.configure(|settings| settings.accounting = accounting);
}

async fn read(caller: &Caller, id: &str) -> Value {
    caller.get(&format!("/v3/accounting/records/{id}")).await.1
}

fn lines<'a>(record: &'a Value, side: &str) -> Vec<&'a Value> {
    record["line_items"].as_array().unwrap().iter().filter(|line| line["type"] == side).collect()
}

#[tokio::test]
async fn the_total_of_a_refund_has_either_sign_and_its_lines_are_positive() {
    let caller = Caller::start().await;
    let refunds = async || {
        let all = caller.all("updated_at[gt]=2000-01-01").await;
        let refunds = all.into_iter().filter(|record| record["type"] == "CARD_EXPENSE_REFUND");
        refunds.map(|record| record["amount"]["amount"].to_string().starts_with('-')).collect::<Vec<_>>()
    };
    assert!(refunds().await.contains(&true) && refunds().await.contains(&false));
    for (refund_total, negative) in [(RefundTotal::Positive, false), (RefundTotal::Negative, true)] {
        switch(&caller, AccountingSettings { refund_total, ..AccountingSettings::default() });
        assert!(refunds().await.iter().all(|sign| *sign == negative));
    }
    let id = caller.first(|record| record["type"] == "CARD_EXPENSE_REFUND");
    let record = read(&caller, &id).await;
    let line = &lines(&record, "CREDIT")[0];
    assert_eq!(format!("-{}", line["amount"]["amount"]), record["amount"]["amount"].to_string());
}

#[tokio::test]
async fn a_bill_shows_the_status_that_is_asked_for_until_it_is_exported() {
    let caller = Caller::start().await;
    let statuses = async || {
        let bills = caller.all("source_type=BILL&updated_at[gt]=2000-01-01").await;
        let bills = bills.into_iter().filter(|bill| bill["type"] == "BILL_EXPENSE");
        bills.map(|bill| bill["review_status"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(
        statuses().await.contains(&"REVIEW".to_owned()) && statuses().await.contains(&"READY_FOR_EXPORT".to_owned())
    );
    for (bill_status, shown) in [
        (BillStatus::Prepare, "PREPARE"),
        (BillStatus::Review, "REVIEW"),
        (BillStatus::ReadyForExport, "READY_FOR_EXPORT"),
    ] {
        switch(&caller, AccountingSettings { bill_status, ..AccountingSettings::default() });
        assert!(statuses().await.iter().all(|status| status == shown));
    }
    let id = caller.first(|record| record["type"] == "BILL_EXPENSE" && record["review_status"] == "REVIEW");
    let booked = json!([{ "accounting_record_id": id, "success": {} }]);
    assert_eq!(caller.export(&booked).await.0, 200, "it shows READY_FOR_EXPORT");
    assert_eq!(read(&caller, &id).await["review_status"], "EXPORTED");
}

#[tokio::test]
async fn results_about_bills_are_taken_when_ready_or_always_or_never() {
    let caller = Caller::start().await;
    let bill =
        |status: &str| caller.first(|record| record["type"] == "BILL_EXPENSE" && record["review_status"] == status);
    let (waiting, ready) = (bill("REVIEW"), bill("READY_FOR_EXPORT"));
    for (bill_results, id, expected) in [
        (BillResults::WhenReady, &waiting, 422),
        (BillResults::Never, &ready, 422),
        (BillResults::WhenReady, &ready, 200),
        (BillResults::Always, &waiting, 200),
        (BillResults::Always, &waiting, 422),
    ] {
        switch(&caller, AccountingSettings { bill_results, ..AccountingSettings::default() });
        let booked = json!([{ "accounting_record_id": id, "success": {} }]);
        assert_eq!(caller.export(&booked).await.0, expected, "{bill_results:?}");
    }
}

#[tokio::test]
async fn an_event_tells_of_bills_or_not() {
    let caller = Caller::start().await;
    caller.world().brex.pause_deliveries(true);
    let body = json!({ "url": "https://example.com/", "event_types": ["ACCOUNTING_RECORD_READY_FOR_EXPORT"] });
    caller.send(caller.request("POST", "/v1/webhooks").header("Idempotency-Key", "w").json(&body)).await;
    let waits = |kind: &'static str| {
        let of_kind = move |record: &Value| record["review_status"] == "REVIEW" && record["source_type"] == kind;
        caller.first(of_kind)
    };
    let (bill, card) = (waits("BILL"), waits("CARD"));
    switch(&caller, AccountingSettings { bill_events: BillEvents::NotSent, ..AccountingSettings::default() });
    let now = caller.world().clock.now();
    caller.world().brex.make_ready(&[&bill, &card], now).unwrap();
    let told =
        |number: usize| -> Value { serde_json::from_str(&caller.world().brex.deliveries()[number].body).unwrap() };
    assert_eq!(told(0)["accountingRecordIds"], json!([card]));
    switch(&caller, AccountingSettings::default());
    let other = waits("BILL");
    caller.world().brex.make_ready(&[&other], now).unwrap();
    assert_eq!(told(1)["accountingRecordIds"], json!([other]));
}

#[tokio::test]
async fn after_a_failure_a_record_goes_to_review_or_to_prepare() {
    let caller = Caller::start().await;
    let [first, second] = caller.two_ready();
    let failed = |id: &str| json!([{ "accounting_record_id": id, "failure": { "error_message": "blocked" } }]);
    caller.export(&failed(&first)).await;
    assert_eq!(read(&caller, &first).await["review_status"], "REVIEW");
    switch(&caller, AccountingSettings { after_failure: AfterFailure::Prepare, ..AccountingSettings::default() });
    caller.export(&failed(&second)).await;
    assert_eq!(read(&caller, &second).await["review_status"], "PREPARE");
    assert_eq!(caller.export(&failed(&second)).await.0, 422, "it left READY_FOR_EXPORT");
    switch(
        &caller,
        AccountingSettings { after_failure: AfterFailure::ReadyForExport, ..AccountingSettings::default() },
    );
    caller.world().brex.make_ready(&[&second], caller.world().clock.now()).unwrap();
    caller.export(&failed(&second)).await;
    assert_eq!(read(&caller, &second).await["review_status"], "READY_FOR_EXPORT");
}

#[tokio::test]
async fn a_split_expense_is_one_record_with_lines_or_a_record_for_each_part() {
    let caller = Caller::start().await;
    let waits = |record: &Value| record["review_status"] == "REVIEW" && record["type"] == "CARD_EXPENSE_POST";
    let id = caller.first(waits);
    let total = &read(&caller, &id).await["amount"]["amount"].to_string().parse::<rust_decimal::Decimal>().unwrap();
    let parts = json!({ "amounts": [1.25, serde_json::from_str::<Value>(&(*total - rust_decimal::Decimal::new(125, 2)).to_string()).unwrap()] });
    let split = async |body: &Value| {
        let url = caller.control(&format!("/_sandbox/brex/records/{id}/split"));
        caller.send(super::caller::client().post(url).json(body)).await
    };
    assert_eq!(split(&json!({ "amounts": [1.25, 1] })).await.0, 400);
    assert_eq!(split(&parts).await, (200, json!({ "ids": [id] })));
    let record = read(&caller, &id).await;
    let shares: Vec<&Value> = lines(&record, "DEBIT").into_iter().map(|line| &line["amount"]["amount"]).collect();
    assert_eq!(json!(shares), parts["amounts"]);
    assert_eq!(lines(&record, "CREDIT")[0]["amount"], record["amount"]);
    switch(&caller, AccountingSettings { splits: Splits::Records, ..AccountingSettings::default() });
    assert_eq!(caller.get(&format!("/v3/accounting/records/{id}")).await.0, 404);
    let all = caller.all("updated_at[gt]=2000-01-01").await;
    let spend =
        |record: &Value| lines(record, if record["type"] == "CARD_EXPENSE_POST" { "DEBIT" } else { "CREDIT" }).len();
    assert!(all.iter().filter(|record| record["source_type"] == "CARD").all(|record| spend(record) <= 1));
    let mut parts_of_it = Vec::new();
    for part in all.iter().filter(|part| part["posted_at"] == record["posted_at"]) {
        assert_eq!(lines(part, "DEBIT")[0]["amount"], part["amount"]);
        assert_eq!(lines(part, "CREDIT")[0]["amount"], part["amount"]);
        assert_ne!(part["source_id"], record["source_id"]);
        parts_of_it.push(part["amount"]["amount"].clone());
    }
    assert_eq!(parts_of_it.len(), 2);
    assert!(parts["amounts"].as_array().unwrap().iter().all(|amount| parts_of_it.contains(amount)));
}

#[tokio::test]
async fn a_single_entry_keeps_the_side_of_the_spending_or_the_debit_side() {
    let caller = Caller::start().await;
    let id = caller.first(|record| record["type"] == "CARD_EXPENSE_REFUND");
    for (single_entry, side, coded) in [(SingleEntry::SpendSide, "CREDIT", true), (SingleEntry::Debit, "DEBIT", false)]
    {
        switch(&caller, AccountingSettings { single_entry, ..AccountingSettings::default() });
        let (_, record) = caller.get(&format!("/v3/accounting/records/{id}?single_entry=true")).await;
        let kept = record["line_items"].as_array().unwrap();
        assert!(kept.iter().all(|line| line["type"] == side));
        assert_eq!(!kept[0]["accounting_field_values"].as_array().unwrap().is_empty(), coded);
    }
}

#[tokio::test]
async fn the_balancing_line_is_coded_if_an_account_is_mapped() {
    let caller = Caller::start().await;
    let id = caller.first(|record| record["type"] == "CARD_EXPENSE_POST");
    assert_eq!(lines(&read(&caller, &id).await, "CREDIT")[0]["accounting_field_values"], json!([]));
    let balancing_account = Some("22100".to_owned());
    switch(&caller, AccountingSettings { balancing_account, ..AccountingSettings::default() });
    let record = read(&caller, &id).await;
    let coding = &lines(&record, "CREDIT")[0]["accounting_field_values"][0];
    assert_eq!((&coding["remote_field_id"], &coding["remote_field_value_id"]), (&json!("GL_ACCOUNT"), &json!("22100")));
    let (_, single) = caller.get(&format!("/v3/accounting/records/{id}?single_entry=true")).await;
    assert!(single["line_items"].as_array().unwrap().iter().all(|line| line["type"] == "DEBIT"));
}
