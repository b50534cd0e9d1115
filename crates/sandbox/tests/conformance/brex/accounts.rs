//! The accounts of the Transactions API: scopes, balances, what was posted to them.

use serde_json::{Value, json};

use super::caller::Caller;
use super::transfers::{Scene, TRANSFERS};

#[tokio::test]
async fn each_part_of_payments_needs_its_own_scope() {
    let scene = Scene::start().await;
    let cash = scene.account["id"].as_str().unwrap();
    for (path, scope) in [
        (TRANSFERS, "transfers.readonly"),
        (TRANSFERS, "incoming_transfers"),
        ("/v1/linked_accounts", "linked_accounts.readonly"),
        ("/v2/accounts/cash", "accounts.cash.readonly"),
        ("/v2/accounts/card", "accounts.card.readonly"),
        ("/v2/transactions/card/primary", "transactions.card.readonly"),
        ("/v2/accounts/card/primary/statements", "statements.card.readonly"),
        (&format!("/v2/transactions/cash/{cash}"), "transactions.cash.readonly"),
        (&format!("/v2/accounts/cash/{cash}/statements"), "statements.cash.readonly"),
    ] {
        scene.caller.world().brex.set_scopes(&[scope]);
        assert_eq!(scene.caller.get(path).await.0, 200, "{path}");
        scene.caller.world().brex.set_scopes(&["transfers", "vendors", "openid"]);
        let (status, body) = scene.caller.get(path).await;
        assert_eq!((status, &body["type"]), (403, &json!("FORBIDDEN")), "{path}");
    }
}

#[tokio::test]
async fn without_a_business_account_there_is_nothing_to_pay_from() {
    let scene = Scene::start().await;
    scene.caller.world().brex.configure(|settings| settings.payments.cash_account = false);
    for path in [TRANSFERS, "/v2/accounts/cash", "/v2/accounts/cash/primary", "/v1/linked_accounts"] {
        assert_eq!(scene.caller.get(path).await.0, 401, "{path}");
    }
}

#[tokio::test]
async fn a_new_world_has_payments_to_reconcile_and_its_books_agree() {
    let caller = Caller::start().await;
    let (_, page) = caller.get("/v1/transfers?limit=1000").await;
    let transfers = page["items"].as_array().unwrap();
    let invoices: Vec<Value> =
        caller.world().brex.records().into_iter().map(|report| report.record["invoice_number"].clone()).collect();
    assert!(
        transfers
            .iter()
            .any(|transfer| !transfer["external_memo"].is_null() && invoices.contains(&transfer["external_memo"]))
    );
    assert!(transfers.iter().any(|transfer| transfer["amount"]["amount"].as_i64().unwrap() < 0));
    let (_, account) = caller.get("/v2/accounts/cash/primary").await;
    let id = account["id"].as_str().unwrap();
    let (_, posted) = caller.get(&format!("/v2/transactions/cash/{id}?limit=1000")).await;
    let posted = posted["items"].as_array().unwrap();
    let (_, statements) = caller.get(&format!("/v2/accounts/cash/{id}/statements")).await;
    let opening = statements["items"][0]["start_balance"]["amount"].as_i64().unwrap();
    let moved: i64 = posted.iter().map(|posted| posted["amount"]["amount"].as_i64().unwrap()).sum();
    assert_eq!(account["current_balance"]["amount"], opening + moved);
    for posted in posted.iter().filter(|posted| !posted["transfer_id"].is_null()) {
        let transfer = transfers.iter().find(|transfer| transfer["id"] == posted["transfer_id"]).unwrap();
        assert_eq!(transfer["status"], "PROCESSED");
        assert_eq!(transfer["amount"]["amount"].as_i64().map(|cents| -cents), posted["amount"]["amount"].as_i64());
    }
    let (_, first) = caller.get("/v1/transfers?limit=2").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let (_, second) = caller.get(&format!("/v1/transfers?limit=2&cursor={cursor}")).await;
    assert_eq!(second["items"].as_array().unwrap()[..], transfers[2..4]);
    assert_eq!(caller.get("/v1/transfers?limit=1001").await.0, 400);
    assert_eq!(caller.get("/v2/accounts/cash/dpacc_x").await.0, 404);
}

#[tokio::test]
async fn card_transactions_are_what_the_records_tell_and_only_settled() {
    let caller = Caller::start().await;
    let (_, page) = caller.get("/v2/transactions/card/primary?limit=1000&expand[]=expense_id").await;
    let items = page["items"].as_array().unwrap();
    let records = caller.world().brex.records();
    let bought = records.iter().filter(|report| report.record_type == "CARD_EXPENSE_POST").count();
    assert_eq!(items.iter().filter(|item| item["type"] == "PURCHASE").count(), bought);
    let bought = items.iter().find(|item| item["type"] == "PURCHASE" && !item["merchant"].is_null()).unwrap();
    let record = records.iter().find(|report| report.record["source_id"] == bought["expense_id"]).unwrap();
    assert_eq!(bought["merchant"]["country"].as_str().unwrap().len(), 3);
    let (_, plain) = caller.get("/v2/transactions/card/primary?limit=1").await;
    assert_eq!(plain["items"][0]["expense_id"], Value::Null);
    let user = record.record["user"]["id"].as_str().unwrap();
    let (_, mine) = caller.get(&format!("/v2/transactions/card/primary?limit=1000&user_ids={user}")).await;
    let mine = mine["items"].as_array().unwrap().len();
    assert!(mine > 0 && mine < items.len());
    let (_, late) = caller.get("/v2/transactions/card/primary?posted_at_start=2026-06-20T12:00:00Z").await;
    assert_eq!(late["items"], json!([]));
    let refusal = json!({ "type": "BAD_REQUEST", "message": "Unsupported entity expansion" });
    assert_eq!(caller.get("/v2/transactions/card/primary?expand[]=merchant").await, (400, refusal));
    assert_eq!(caller.get("/v2/transactions/card/primary?posted_at_start=x").await.0, 400);
    let (_, accounts) = caller.get("/v2/accounts/card").await;
    let owed: i64 = items
        .iter()
        .filter(|item| item["amount"]["currency"] == "USD")
        .map(|item| item["amount"]["amount"].as_i64().unwrap())
        .sum();
    assert_eq!(accounts[0]["current_balance"]["amount"], owed);
    let (_, statements) = caller.get("/v2/accounts/card/primary/statements").await;
    let newest = statements["items"].as_array().unwrap().last().unwrap();
    assert_eq!(newest["period"]["end_date"], "2026-05-31");
}
