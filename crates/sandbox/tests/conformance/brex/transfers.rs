//! Transfers of the Payments API, and the events about them.

use crate::brex::caller::Caller;
use jiff::SignedDuration;
use sandbox::Options;
use sandbox::brex::{CashSign, CreatedAt, Returns, TransferAction};
use serde_json::{Value, json};

pub(super) const TRANSFERS: &str = "/v1/transfers";

/// A payee with one instrument, on a working Saturday noon (2026-06-20), and the primary cash account.
pub(super) struct Scene {
    pub(super) caller: Caller,
    pub(super) account: Value,
}

impl Scene {
    pub(super) async fn start() -> Self {
        let caller = Caller::start_with(Options { records: 0, ..Options::default() }).await;
        let (status, account) = caller.get("/v2/accounts/cash/primary").await;
        assert_eq!(status, 200, "{account}");
        Self { caller, account }
    }

    fn payee(&self, name: &str, details: &Value) -> String {
        let body = json!({ "company_name": name, "payment_accounts": [{ "details": details }] });
        let made = self.caller.world().brex.add_vendor(&body).unwrap();
        made["payment_accounts"][0]["details"]["payment_instrument_id"].as_str().unwrap().to_owned()
    }

    fn ach(&self) -> String {
        self.payee(
            "Schrute Farms",
            &json!({ "type": "ACH", "routing_number": "021000021", "account_number": "1",
            "account_type": "CHECKING", "account_class": "BUSINESS" }),
        )
    }

    fn body(&self, instrument: &str, cents: i64) -> Value {
        json!({
            "counterparty": { "type": "VENDOR", "payment_instrument_id": instrument },
            "amount": { "amount": cents, "currency": "USD" },
            "description": "BC payment 2026-000123",
            "external_memo": "INV-2026-0612",
            "originating_account": { "type": "BREX_CASH", "id": self.account["id"] },
        })
    }

    async fn send(&self, key: &str, body: &Value) -> (u16, Value) {
        self.caller.send(self.caller.request("POST", TRANSFERS).header("Idempotency-Key", key).json(body)).await
    }

    async fn made(&self, key: &str, body: &Value) -> Value {
        let (status, transfer) = self.send(key, body).await;
        assert_eq!(status, 200, "{transfer}");
        transfer
    }

    async fn read(&self, transfer: &Value) -> Value {
        self.caller.get(&format!("{TRANSFERS}/{}", transfer["id"].as_str().unwrap())).await.1
    }

    fn act(&self, transfer: &Value, action: TransferAction) -> Result<String, String> {
        let world = self.caller.world();
        world.brex.act_on_transfer(transfer["id"].as_str().unwrap(), action, world.clock.now())
    }

    pub(super) fn wait(&self, hours: i64) {
        self.caller.world().clock.advance(SignedDuration::from_hours(hours));
    }

    /// Current and available cents of the primary account.
    async fn balances(&self) -> (i64, i64) {
        let (_, account) = self.caller.get("/v2/accounts/cash/primary").await;
        let cents = |name: &str| account[name]["amount"].as_i64().unwrap();
        (cents("current_balance"), cents("available_balance"))
    }

    async fn posted(&self) -> Vec<Value> {
        let path = format!("/v2/transactions/cash/{}", self.account["id"].as_str().unwrap());
        self.caller.get(&path).await.1["items"].as_array().unwrap().clone()
    }

    /// The bodies of all events that were queued.
    fn events(&self) -> Vec<Value> {
        let deliveries = self.caller.world().brex.deliveries();
        deliveries.iter().map(|delivery| serde_json::from_str(&delivery.body).unwrap()).collect()
    }

    /// Nobody listens there; the sender is paused, so nothing goes out.
    async fn subscribe(&self, kinds: &[&str]) {
        self.caller.world().brex.pause_deliveries(true);
        let body = json!({ "url": "https://example.com/hook", "event_types": kinds });
        let request = self.caller.request("POST", "/v1/webhooks").header("Idempotency-Key", "w").json(&body);
        assert_eq!(self.caller.send(request).await.0, 200);
    }
}

#[tokio::test]
async fn a_transfer_is_scheduled_processed_and_arrives_by_the_clock_and_the_money_moves_with_it() {
    let scene = Scene::start().await;
    let before = scene.balances().await.0;
    let transfer = scene.made("a", &scene.body(&scene.ach(), 100_000)).await;
    assert!(transfer["id"].as_str().unwrap().starts_with("dptx_"));
    assert_eq!((&transfer["status"], &transfer["process_date"]), (&json!("SCHEDULED"), &json!("2026-06-22")));
    assert_eq!((&transfer["payment_type"], &transfer["created_at"]), (&json!("ACH"), &json!("2026-06-20")));
    assert_eq!(transfer["description"], "Schrute Farms - INV-2026-0612");
    assert_eq!(transfer["display_name"], "Schrute Farms");
    scene.wait(36);
    let under_way = scene.read(&transfer).await;
    assert_eq!(
        (&under_way["status"], &under_way["estimated_delivery_date"]),
        (&json!("PROCESSING"), &json!("2026-06-24"))
    );
    assert_eq!(scene.balances().await, (before, before - 100_000));
    assert!(scene.posted().await.is_empty());
    scene.wait(72);
    assert_eq!(scene.read(&transfer).await["status"], "PROCESSED");
    assert_eq!(scene.balances().await, (before - 100_000, before - 100_000));
    let posted = scene.posted().await;
    assert_eq!((&posted[0]["transfer_id"], &posted[0]["amount"]["amount"]), (&transfer["id"], &json!(-100_000)));
    scene.caller.world().brex.configure(|settings| {
        settings.payments.cash_sign = CashSign::Transfer;
        settings.payments.created_at = CreatedAt::DateTime;
    });
    assert_eq!(scene.posted().await[0]["amount"]["amount"], 100_000);
    assert_eq!(scene.read(&transfer).await["created_at"], "2026-06-20T12:00:00.000Z");
}

#[tokio::test]
async fn a_transfer_that_is_not_as_documented_is_refused() {
    let scene = Scene::start().await;
    let good = scene.body(&scene.ach(), 5);
    let book = json!({ "type": "BOOK_TRANSFER", "recipient": { "type": "ACCOUNT_ID", "id": scene.account["id"] } });
    for (pointer, value, field) in [
        ("/amount/amount", json!(0), "amount"),
        ("/amount/amount", json!(-5), "amount"),
        ("/amount/amount", json!(10.5), "amount"),
        ("/amount/amount", json!("5"), "amount"),
        ("/amount", json!(5), "amount"),
        ("/amount/currency", json!("EUR"), "currency"),
        ("/counterparty", book, "type"),
        ("/counterparty/payment_instrument_id", json!("pdinstl_x"), "payment_instrument_id"),
        ("/originating_account/id", json!("dpacc_x"), "originating_account"),
        ("/originating_account/type", json!("CARD"), "originating_account"),
        ("/description", Value::Null, "description"),
        ("/description", json!("für"), "description"),
        ("/external_memo", Value::Null, "external_memo"),
        ("/external_memo", json!("m".repeat(91)), "external_memo"),
    ] {
        let mut body = good.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        let refusal = json!({ "type": "BAD_REQUEST", "message": format!("{field} is invalid") });
        assert_eq!(scene.send("k", &body).await, (400, refusal), "{body}");
    }
    for (name, value) in [("approval_type", json!("AUTO")), ("is_ppro_enabled", json!(true))] {
        let mut body = good.clone();
        body[name] = value;
        assert_eq!(scene.send("k", &body).await.0, 400, "{name}");
    }
    assert_eq!(scene.caller.post(TRANSFERS, &good).await.0, 400);
    let mut longest = good.clone();
    longest["external_memo"] = json!("m".repeat(90));
    longest["amount"]["currency"] = Value::Null;
    assert_eq!(scene.send("k", &longest).await.0, 200);
}

#[tokio::test]
async fn a_cheque_has_a_shorter_memo_and_a_number_in_its_description() {
    let scene = Scene::start().await;
    let details = json!({ "type": "CHEQUE", "mailing_address": {}, "recipient_name": "Dwight Schrute" });
    let mut body = scene.body(&scene.payee("Schrute Farms", &details), 5);
    body["external_memo"] = json!("m".repeat(41));
    assert_eq!(scene.send("k", &body).await.0, 400);
    body["external_memo"] = json!("INV-1");
    let cheque = scene.made("k", &body).await;
    assert_eq!(
        (&cheque["payment_type"], &cheque["description"]),
        (&json!("CHEQUE"), &json!("Check #1001 to Dwight Schrute - INV-1"))
    );
}

#[tokio::test]
async fn a_repeated_key_pays_once() {
    let scene = Scene::start().await;
    let body = scene.body(&scene.ach(), 5);
    let first = scene.send("k", &body).await;
    assert_eq!(scene.send("k", &body).await, first);
    assert_ne!(scene.send("l", &body).await.1["id"], first.1["id"]);
    assert_eq!(scene.caller.get(TRANSFERS).await.1["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_manual_transfer_waits_for_a_cash_admin() {
    let scene = Scene::start().await;
    let mut body = scene.body(&scene.ach(), 5);
    body["approval_type"] = json!("MANUAL");
    let [first, second] = [scene.made("a", &body).await, scene.made("b", &body).await];
    scene.wait(24 * 30);
    assert_eq!(
        (&scene.read(&first).await["status"], &first["process_date"]),
        (&json!("PENDING_APPROVAL"), &Value::Null)
    );
    scene.act(&first, TransferAction::Approve).unwrap();
    assert_eq!(scene.read(&first).await["status"], "PROCESSING");
    scene.act(&second, TransferAction::Deny).unwrap();
    let denied = scene.read(&second).await;
    assert_eq!((&denied["status"], &denied["cancellation_reason"]), (&json!("FAILED"), &json!("APPROVAL_DENIED")));
    assert!(scene.act(&second, TransferAction::Approve).is_err());
    scene.caller.world().brex.configure(|settings| settings.payments.approval_by_default = true);
    body["approval_type"] = Value::Null;
    assert_eq!(scene.made("c", &body).await["status"], "PENDING_APPROVAL");
}

#[tokio::test]
async fn a_transfer_fails_for_every_documented_reason_and_the_money_stays() {
    let scene = Scene::start().await;
    let instrument = scene.ach();
    let before = scene.balances().await;
    let dear = scene.made("dear", &scene.body(&instrument, before.1 + 1)).await;
    scene.wait(48);
    assert_eq!(scene.read(&dear).await["cancellation_reason"], "INSUFFICIENT_FUNDS");
    let client = crate::brex::caller::client();
    for reason in [json!("USER_CANCELLED"), json!("BLOCKED_BY_POSITIVE_PAY"), json!("APPROVAL_DENIED"), Value::Null] {
        let transfer = scene.made(&reason.to_string(), &scene.body(&instrument, 5)).await;
        assert_eq!(scene.balances().await.1, before.1 - 5);
        let url = scene.caller.control(&format!("/_sandbox/brex/transfers/{}", transfer["id"].as_str().unwrap()));
        let order = json!({ "do": "fail", "reason": reason });
        assert_eq!(scene.caller.send(client.post(&url).json(&order)).await.0, 200);
        assert_eq!(scene.caller.send(client.post(&url).json(&order)).await.0, 409);
        let failed = scene.read(&transfer).await;
        assert_eq!((&failed["status"], &failed["cancellation_reason"]), (&json!("FAILED"), &reason));
    }
    assert_eq!(scene.balances().await, before);
}

#[tokio::test]
async fn a_return_is_a_movement_of_its_own_that_only_the_event_and_the_account_tell() {
    let scene = Scene::start().await;
    scene.subscribe(&["TRANSFER_PROCESSED", "TRANSFER_FAILED"]).await;
    let before = scene.balances().await;
    let transfer = scene.made("a", &scene.body(&scene.ach(), 500)).await;
    assert!(scene.act(&transfer, TransferAction::Return).is_err());
    scene.wait(48);
    scene.read(&transfer).await;
    scene.act(&transfer, TransferAction::Process).unwrap();
    let back = scene.act(&transfer, TransferAction::Return).unwrap();
    let company = scene.caller.world().brex.company_id();
    assert_eq!(
        scene.events(),
        [
            json!({ "event_type": "TRANSFER_PROCESSED", "transfer_id": transfer["id"], "payment_type": "ACH",
                "return_for_id": null, "company_id": company }),
            json!({ "event_type": "TRANSFER_FAILED", "transfer_id": back, "payment_type": "ACH_RETURN",
                "return_for_id": transfer["id"], "company_id": company }),
        ]
    );
    assert_eq!(scene.balances().await, before);
    assert_eq!(scene.read(&transfer).await["status"], "PROCESSED");
    assert_eq!(scene.read(&json!({ "id": back })).await["type"], "NOT_FOUND");
    scene.caller.world().brex.configure(|settings| settings.payments.returns = Returns::Readable);
    assert_eq!(scene.read(&json!({ "id": back })).await["amount"]["amount"], -500);
}

#[tokio::test]
async fn events_go_to_those_who_want_their_type_only() {
    let scene = Scene::start().await;
    scene.subscribe(&["TRANSFER_FAILED", "ACCOUNTING_RECORD_READY_FOR_EXPORT"]).await;
    let instrument = scene.ach();
    scene.made("a", &scene.body(&instrument, 5)).await;
    scene.made("b", &scene.body(&instrument, 900_000_000)).await;
    scene.wait(24 * 9);
    scene.balances().await;
    let events = scene.events();
    assert_eq!((events.len(), &events[0]["event_type"]), (1, &json!("TRANSFER_FAILED")));
}

#[tokio::test]
async fn incoming_money_has_a_negative_amount_and_raises_the_balance() {
    let scene = Scene::start().await;
    let before = scene.balances().await.0;
    let (_, linked) = scene.caller.get("/v1/linked_accounts").await;
    let mut body = json!({
        "counterparty": { "type": "BANK", "id": linked["items"][0]["id"] },
        "receiving_account": { "type": "BREX_CASH", "id": scene.account["id"] },
        "amount": { "amount": 700 },
        "description": "Top up",
    });
    let send = |key: &'static str, body: &Value| {
        let request = scene.caller.request("POST", "/v1/incoming_transfers").header("Idempotency-Key", key).json(body);
        scene.caller.send(request)
    };
    let (status, transfer) = send("a", &body).await;
    assert_eq!((status, &transfer["amount"]["amount"]), (200, &json!(-700)));
    assert_eq!(transfer["counterparty"]["type"], "BANK_ACCOUNT");
    body["counterparty"]["id"] = json!("x");
    assert_eq!(send("b", &body).await.0, 400);
    let client = crate::brex::caller::client();
    let wire = json!({ "sender": "Contoso", "memo": "Invoice 7", "cents": 50, "payment_type": "DOMESTIC_WIRE" });
    let request = client.post(scene.caller.control("/_sandbox/brex/transfers/incoming")).json(&wire);
    assert_eq!(scene.caller.send(request).await.0, 200);
    scene.wait(24 * 9);
    assert_eq!(scene.balances().await.0, before + 750);
    assert_eq!(scene.read(&transfer).await["status"], "PROCESSED");
}

#[tokio::test]
async fn too_many_transfers_or_international_wires_of_a_day_are_refused() {
    let scene = Scene::start().await;
    let details = json!({ "type": "INTERNATIONAL_WIRE", "swift_code": "DEUTDEFF", "iban": "DE89", "address": {} });
    let abroad = scene.body(&scene.payee("Abroad", &details), 5);
    let home = scene.body(&scene.ach(), 5);
    let defaults = scene.caller.world().brex.settings().payments;
    assert_eq!((defaults.transfers_per_day, defaults.international_wires_per_day), (1000, 100));
    scene.caller.world().brex.configure(|settings| {
        settings.payments.transfers_per_day = 2;
        settings.payments.international_wires_per_day = 1;
    });
    assert_eq!(scene.send("a", &abroad).await.0, 200);
    assert_eq!(scene.send("b", &abroad).await, (429, Value::Null));
    assert_eq!(scene.send("c", &home).await.0, 200);
    assert_eq!(scene.send("d", &home).await.0, 429);
    scene.wait(24);
    assert_eq!(scene.send("d", &home).await.0, 200);
}

#[tokio::test]
async fn transfers_and_balances_survive_a_restart() {
    let scene = Scene::start().await;
    let transfer = scene.made("a", &scene.body(&scene.ach(), 500)).await;
    let before = scene.balances().await.0;
    let other = Scene::start().await;
    other.caller.world().brex.restore(scene.caller.world().brex.snapshot()).unwrap();
    other.wait(24 * 9);
    assert_eq!(other.read(&transfer).await["status"], "PROCESSED");
    assert_eq!(other.balances().await.0, before - 500);
}
