//! `transfers create | orders | approve | decline` of the real binary: planned, refused, ordered, sent and followed.

use std::sync::Arc;

use clients::bc::{DocumentKind, NewDocument, NewLine};
use connector::alone::Alone;
use connector::app::App;
use connector::clock::{Chance, SystemClock};
use connector::config::Config;
use connector::identity;
use rust_decimal::Decimal;
use sandbox::Options;
use sandbox::bc::VendorChange;
use serde_json::{Value, json};
use store::Store;

use crate::setting::{Setting, said};

const VENDOR: &str = "V99003";
const NAME: &str = "Zelkova Coffee Roasters LLC";

/// A company that pays through Brex, with a vendor that is linked and two open invoices of it.
async fn ready(pay: &str) -> Setting {
    let setting = Setting::make(Options { records: 5, ..Options::default() }).await;
    let world = setting.sandbox.world();
    world
        .bc
        .change_vendor(
            VENDOR,
            VendorChange { name: Some(NAME.to_owned()), ..VendorChange::default() },
            world.clock.now(),
        )
        .unwrap();
    let details = json!({ "type": "ACH", "routing_number": "021000021", "account_number": "1",
        "account_type": "CHECKING", "account_class": "BUSINESS" });
    world.brex.add_vendor(&json!({ "company_name": NAME, "payment_accounts": [{ "details": details }] })).unwrap();
    setting.edit(
        "[connection.brex]",
        &format!(
            "[connection.directory]\nenabled = true\nnumbers = [{VENDOR:?}]\n[connection.transfers]\nenabled = true\n\
             [connection.transfers.pay]\nenabled = true\n{pay}\n[connection.brex]"
        ),
    );
    let output = setting.run(&["run", "--once", "--log", "error"]).await;
    assert!(output.status.success(), "{}", said(&output));
    owes(&setting, "INV-7001", 120_000).await;
    owes(&setting, "INV-7002", 40_000).await;
    for (name, role) in [("ann", "approver"), ("lee", "approver"), ("kim", "bookkeeper")] {
        assert!(setting.run(&["users", "add", name, "--role", role, "--by", "test"]).await.status.success());
    }
    setting
}

/// A posted invoice.
async fn owes(setting: &Setting, number: &str, cents: i64) {
    let config = Config::load(&setting.config()).unwrap();
    let store = Store::open(&config.database_url()).await.unwrap();
    let app = App::build(&config, store, Arc::new(SystemClock), Chance::real(), Alone::Shared).await.unwrap();
    let connection = &app.connections[0];
    identity::recall(&app, connection).await.unwrap();
    let company = connection.bc.company(connection.identity().unwrap().bc_company);
    let today = setting.sandbox.world().clock.now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    let line = NewLine::Account {
        account_number: "64100".to_owned(),
        description: "beans".to_owned(),
        quantity: Decimal::ONE,
        unit_cost: Decimal::new(cents, 2),
        tax_code: None,
        dimensions: Vec::new(),
    };
    let new = NewDocument {
        vendor_number: VENDOR.to_owned(),
        posting_date: today,
        document_date: today,
        due_date: None,
        number: number.to_owned(),
        currency_code: None,
        prices_include_tax: None,
        dimensions: Vec::new(),
        lines: vec![line],
        applies_to_invoice_id: None,
    };
    let draft = company.create_document(DocumentKind::Invoice, &new).await.unwrap();
    company.post_document(DocumentKind::Invoice, draft.id).await.unwrap();
    app.store.close().await;
}

/// What stands against each invoice of a plan, by code.
fn against(plan: &Value) -> Vec<&str> {
    let lines = plan["invoices"].as_array().unwrap().iter();
    lines.flat_map(|line| line["against"].as_array().unwrap()).map(|one| one["code"].as_str().unwrap()).collect()
}

fn exit(output: &std::process::Output) -> Option<i32> {
    output.status.code()
}

#[tokio::test(flavor = "multi_thread")]
async fn invoices_of_a_file_are_planned_ordered_once_and_followed() {
    let setting = ready("").await;
    let file = setting.folder.path().join("pay.csv");
    std::fs::write(&file, "invoice,instrument\n# this week\nINV-7001\ninv-7002,\n").unwrap();
    let file = file.to_str().unwrap();
    let plan = setting.run_json(&["transfers", "create", "--file", file, "--json"]).await;
    assert_eq!((against(&plan), &plan["total"]), (vec![], &json!("1600.00 USD")), "{plan}");
    assert_eq!(plan["ordered"], json!(null));
    let shown = setting.run(&["transfers", "create", "--file", file]).await;
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(text.contains("INV-7001") && text.contains("add --yes --by PERSON"), "{text}");
    assert_eq!(setting.run_json(&["transfers", "orders", "--all", "--json"]).await["orders"], json!([]));

    let unsigned = setting.run(&["transfers", "create", "--file", file, "--yes"]).await;
    assert_eq!(exit(&unsigned), Some(2), "--by is required");
    let kim = setting.run(&["transfers", "create", "--file", file, "--yes", "--by", "kim"]).await;
    assert_eq!(exit(&kim), Some(9));
    assert!(said(&kim).contains("kim is a bookkeeper, and this needs an approver"), "{}", said(&kim));
    let nobody = setting.run(&["transfers", "create", "--file", file, "--yes", "--by", "zoe"]).await;
    assert_eq!(exit(&nobody), Some(7), "{}", said(&nobody));

    let ordered = setting.run_json(&["transfers", "create", "--file", file, "--yes", "--by", "ann", "--json"]).await;
    assert_eq!(ordered["ordered"].as_array().unwrap().len(), 2, "{ordered}");
    let again = setting.run(&["transfers", "create", "--file", file, "--yes", "--by", "ann", "--json"]).await;
    assert_eq!(exit(&again), Some(9));
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(against(&again), ["ordered", "ordered"]);

    assert!(setting.run(&["run", "--once", "--log", "error"]).await.status.success());
    let orders = setting.run_json(&["transfers", "orders", "--json"]).await;
    let first = &orders["orders"][0];
    assert_eq!(
        (&first["state"], &first["transfer_status"]),
        (&json!("created"), &json!("PENDING_APPROVAL")),
        "{orders}"
    );
    let transfer = first["transfer"].as_str().unwrap();
    let told = setting.run_json(&["transfers", "show", transfer, "--json"]).await;
    let steps = told["transfers"][0]["steps"].as_array().unwrap();
    let sentence = steps[0]["sentence"].as_str().unwrap();
    assert_eq!(
        sentence,
        "person:ann ordered to pay INV-7001 of V99003 Zelkova Coffee Roasters LLC: 1200.00 USD by ACH"
    );
    assert_eq!(told["transfers"][0]["transfer"]["order"], json!(1));
    let table = setting.run(&["transfers", "orders"]).await;
    assert!(String::from_utf8_lossy(&table.stdout).contains("PENDING_APPROVAL"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_against_paying_is_said_and_nothing_is_ordered() {
    let setting = ready("vendor_daily_most = 1300").await;
    let refused = async |args: &[&str]| {
        let mut all = vec!["transfers", "create", "--yes", "--by", "ann", "--json"];
        all.extend(args);
        let output = setting.run(&all).await;
        assert_eq!(exit(&output), Some(9), "{}", said(&output));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let unknown = refused(&["--invoice", "INV-1", "--invoice", "INV-7001"]).await;
    assert_eq!((against(&unknown), &unknown["ordered"]), (vec!["unknown_invoice"], &json!(null)));
    let limit = refused(&["--invoice", "INV-7001", "--invoice", "INV-7002"]).await;
    assert_eq!(against(&limit), ["limit"]);
    let instrument = refused(&["--invoice", "INV-7001", "--instrument", "pdinstl_none"]).await;
    assert_eq!(against(&instrument), ["unknown_instrument"]);
    assert_eq!(setting.run_json(&["transfers", "orders", "--all", "--json"]).await["orders"], json!([]));
    let none = setting.run(&["transfers", "create", "--yes", "--by", "ann"]).await;
    assert_eq!(exit(&none), Some(2), "an invoice or a file is required");
    let file = setting.folder.path().join("wrong.csv");
    std::fs::write(&file, "INV-7001,pdinstl_1,more\n").unwrap();
    let wrong = setting.run(&["transfers", "create", "--file", file.to_str().unwrap()]).await;
    assert_eq!(exit(&wrong), Some(2));
    assert!(said(&wrong).contains("line 1 must be an invoice"), "{}", said(&wrong));
    setting.edit("[connection.transfers.pay]\nenabled = true", "[connection.transfers.pay]\nenabled = false");
    let off = setting.run(&["transfers", "create", "--invoice", "INV-7001"]).await;
    assert_eq!(exit(&off), Some(9));
    assert!(said(&off).contains("transfers.pay.enabled"), "{}", said(&off));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_four_eyes_another_person_approves_or_declines() {
    let setting = ready("four_eyes = true").await;
    let args = ["transfers", "create", "--invoice", "INV-7001", "--invoice", "INV-7002", "--yes", "--by", "ann"];
    let output = setting.run(&args).await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("another person agrees with: transfers approve 1 | 2 --by PERSON"), "{text}");
    let same = setting.run(&["transfers", "approve", "1", "--by", "ann"]).await;
    assert_eq!(exit(&same), Some(9));
    let unknown = setting.run(&["transfers", "approve", "9", "--by", "lee"]).await;
    assert_eq!(exit(&unknown), Some(7));
    let approved = setting.run_json(&["transfers", "approve", "1", "--by", "lee", "--json"]).await;
    assert_eq!(approved["state"], json!("approved"));
    let unreasoned = setting.run(&["transfers", "decline", "2", "--by", "kim", "--reason", " "]).await;
    assert_eq!(exit(&unreasoned), Some(2));
    let declined = setting.run(&["transfers", "decline", "2", "--by", "kim", "--reason", "wrong price"]).await;
    assert!(String::from_utf8_lossy(&declined.stdout).contains("declined"), "{}", said(&declined));
    assert!(setting.run(&["run", "--once", "--log", "error"]).await.status.success());
    let orders = setting.run_json(&["transfers", "orders", "--all", "--json"]).await;
    let states: Vec<&Value> = orders["orders"].as_array().unwrap().iter().map(|row| &row["state"]).collect();
    assert_eq!(states, [&json!("created"), &json!("declined")]);
}
