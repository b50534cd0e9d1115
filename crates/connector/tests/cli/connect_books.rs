//! What `connect` finds on both sides: another accounting integration in Brex, and what an older connector booked.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use clients::bc::{self, DocumentKind, NewDocument, NewLine};
use clients::entra::{ClientSecret, TokenSource};
use clients::{Http, Pace};
use sandbox::Options;
use sandbox::brex::{Expectation, Integration, IntegrationStatus};
use sandbox::company::Blocked;
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::connect::{answers, unconnected};
use crate::setting::{Setting, said};

fn snapshots(setting: &Setting) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(setting.folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries.filter(|path| path.to_string_lossy().contains("joined-brex-")).collect();
    found.sort();
    found
}

fn active(setting: &Setting) -> Vec<Integration> {
    let all = setting.sandbox.world().brex.integrations();
    all.into_iter().filter(|integration| integration.status == IntegrationStatus::Active).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_integration_stays_until_a_flag_says_otherwise_and_what_it_left_is_saved_first() {
    let setting = unconnected().await;
    let world = setting.sandbox.world();
    let file = setting.folder.path().join("answers.toml");
    let other = world.brex.connect_other("NETSUITE", "acct_1", world.clock.now());
    let args = ["connect", "--json", "--from", file.to_str().unwrap(), "--integration-vendor", "ERP_A"];
    let replace = [args.as_slice(), &["--replace-integration"]].concat();

    let refused = setting.run(&args).await;
    assert_eq!(refused.status.code(), Some(9), "{}", said(&refused));
    assert!(said(&refused).contains("the accounting integration of NETSUITE is active in Brex"), "{}", said(&refused));
    assert!(said(&refused).contains("--replace-integration"), "{}", said(&refused));
    assert!(!setting.config().exists() && snapshots(&setting).is_empty());
    assert_eq!(active(&setting), std::slice::from_ref(&other));

    // The answer to the disconnecting is lost: the next run needs no flag, since nothing is in the way any more.
    let lost = Fault::new(Side::Brex, FaultKind::DropAfter).method("POST").path_contains("/disconnect");
    world.faults.add(lost);
    let unclear = setting.run(&replace).await;
    assert_eq!(unclear.status.code(), Some(6), "{}", said(&unclear));
    assert!(said(&unclear).contains("run connect again, which finds out"), "{}", said(&unclear));
    assert!(active(&setting).is_empty() && !setting.config().exists());
    let [first] = &snapshots(&setting)[..] else { panic!("one snapshot") };
    assert_eq!(std::fs::metadata(first).unwrap().permissions().mode() & 0o777, 0o600);
    let kept = std::fs::read(first).unwrap();
    let saved: Value = serde_json::from_slice(&kept).unwrap();
    assert_eq!(saved["replaced"]["integration_id"], json!(other.integration_id));
    assert!(saved["fields"].is_array() && saved["vendors"].is_array() && saved["not_read"] == json!([]), "{saved}");
    let joined = setting.run_json(&args).await;
    let [ours] = &active(&setting)[..] else { panic!("one is active") };
    assert_eq!((ours.vendor.as_str(), &ours.vendor_account_id), ("ERP_A", &world.company.id.to_string()));
    assert_eq!(joined["integration"]["integration_id"], json!(ours.integration_id));
    assert!(std::fs::read_to_string(setting.config()).unwrap().contains("integration_vendor = \"ERP_A\""));

    // Ours for another company is in the way, too; a snapshot never takes the place of another.
    world.brex.connect_other("ERP_A", "acct_2", world.clock.now());
    world.brex.set_scopes(&[
        "accounting.integration.write",
        "accounting.record.read",
        "companies.readonly",
        "fields.write",
    ]);
    let refused = setting.run(&args).await;
    assert!(said(&refused).contains("of ERP_A for the company acct_2"), "{}", said(&refused));
    let replaced = setting.run_json(&replace).await;
    assert_eq!(replaced["integration"]["replaced"]["vendor_account_id"], json!("acct_2"));
    assert_eq!((&replaced["configuration_changed"], &replaced["secrets_sealed"]), (&json!(false), &json!(0)));
    let [second, again] = &snapshots(&setting)[..] else { panic!("two snapshots") };
    let (old, new) = if std::fs::read(second).unwrap() == kept { (second, again) } else { (again, second) };
    assert_eq!(std::fs::read(old).unwrap(), kept);
    let saved: Value = serde_json::from_slice(&std::fs::read(new).unwrap()).unwrap();
    assert!(saved["vendors"].is_null() && saved["not_read"].to_string().contains("vendors: "), "{saved}");
    assert_eq!(active(&setting)[0].vendor_account_id, world.company.id.to_string());
}

/// A company of the sandbox, as another program writes to it.
fn company(setting: &Setting) -> bc::Company {
    let ready = setting.sandbox.ready();
    let http = || Http::new(Pace::BUSINESS_CENTRAL).unwrap();
    let secret = ClientSecret::new(SecretString::from(ready.entra.client_secret.clone()));
    let tenant = ready.entra.tenant_id.to_string();
    let client_id = ready.entra.client_id.to_string();
    let tokens = TokenSource::new(http(), ready.entra.base_url.parse().unwrap(), tenant.clone(), client_id, secret);
    let base_url = ready.bc.base_url.parse().unwrap();
    bc::Client::new(http(), base_url, tenant, ready.bc.environment.clone(), tokens).company(ready.bc.company_id)
}

fn document(setting: &Setting, number: &str, amount: &str, comment: &str) -> NewDocument {
    let world = setting.sandbox.world();
    let usable = |vendor: &&sandbox::company::Vendor| vendor.blocked == Blocked::No && vendor.currency.is_empty();
    let vendor = world.company.vendors.iter().find(usable).unwrap();
    NewDocument {
        vendor_number: vendor.number.clone(),
        posting_date: "2026-06-24".parse().unwrap(),
        document_date: "2026-06-22".parse().unwrap(),
        due_date: None,
        number: number.to_owned(),
        currency_code: None,
        prices_include_tax: None,
        dimensions: Vec::new(),
        lines: vec![
            NewLine::Account {
                account_number: "60500".to_owned(),
                description: "Office".to_owned(),
                quantity: 1.into(),
                unit_cost: amount.parse().unwrap(),
                tax_code: None,
                dimensions: Vec::new(),
            },
            NewLine::Comment { description: comment.to_owned() },
        ],
        applies_to_invoice_id: None,
    }
}

fn record(id: &str, status: &str, amount: f64) -> String {
    let money = json!({ "amount": amount, "currency": "USD" });
    let line = |side: &str| json!({ "id": format!("accrli_{id}_{side}"), "type": side, "amount": money, "accounting_field_values": [] });
    json!({
        "id": id, "type": "CARD_EXPENSE_POST", "review_status": status, "source_type": "CARD", "source_id": format!("expense_{id}"),
        "amount": money, "erp_posting_date": "2026-06-20T15:00:00Z", "posted_at": "2026-06-20T15:00:00Z",
        "updated_at": "2026-06-21T15:00:00Z", "version": 1, "vendor": { "id": "pmch_1", "name": "Office" }, "receipts": [],
        "line_items": [line("DEBIT"), line("CREDIT")],
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_older_connector_booked_is_told_and_our_own_documents_are_not_among_it() {
    let setting = Setting::make(Options { records: 1, ..Options::default() }).await;
    std::fs::remove_file(setting.config()).unwrap();
    setting.write_secret("answers.toml", &answers(&setting, ""));
    let (world, company) = (setting.sandbox.world(), company(&setting));
    for (id, status, amount) in [
        ("accr_ready", "READY_FOR_EXPORT", 4711.17),
        ("accr_done", "EXPORTED", 4712.18),
        ("accr_new", "READY_FOR_EXPORT", 4713.19),
        ("accr_ours", "READY_FOR_EXPORT", 4714.2),
    ] {
        world.brex.insert(&record(id, status, amount), Expectation::Held, "").unwrap();
    }
    let mut numbers = Vec::new();
    for (number, amount, comment) in [
        ("OLD-1", "4711.17", "an older connector"),
        ("OLD-2", "4712.18", ""),
        ("INV-4", "4714.20", "Brex job 4dc4cb9d-0000-5000-8000-000000000000 record accr_ours"),
        ("BRX-AAAAAAAAAAAAAAAA", "4713.19", "whatever"),
    ] {
        let new = document(&setting, number, amount, comment);
        numbers.push(company.create_document(DocumentKind::Invoice, &new).await.unwrap().number);
    }
    let file = setting.folder.path().join("answers.toml");
    let joined = setting.run_json(&["connect", "--json", "--from", file.to_str().unwrap()]).await;
    let older = &joined["older"];
    let pair = |record: &str, number: &str, amount: &str, exported: bool| {
        json!({
            "record": record, "document": number, "amount": amount, "currency": "USD", "date": "2026-06-20", "exported": exported,
        })
    };
    let pairs = [pair("accr_ready", &numbers[0], "4711.17", false), pair("accr_done", &numbers[1], "4712.18", true)];
    assert_eq!(older["pairs"], json!(pairs), "{older}");
    let counts = (&older["looks_booked"], &older["would_be_booked_again"], &older["exported"], &older["complete"]);
    assert_eq!(counts, (&json!(2), &json!(1), &json!(1), &json!(true)));

    let told = setting.run(&["connect", "--from", file.to_str().unwrap(), "--log", "error"]).await;
    assert!(told.status.success(), "a warning is no refusal");
    for words in
        ["1 of them exported already; 2 look booked", "1 of them are ready for export", "choose a later start date"]
    {
        assert!(said(&told).contains(words), "{words}: {}", said(&told));
    }
    assert!(String::from_utf8_lossy(&told.stdout).contains("was not asked: only an integration with a name from Brex"));
}
