//! `tieout`: what it prints and writes, and how it exits.

use sandbox::Options;
use sandbox::bc::{DocumentAction, DocumentChange};
use serde_json::Value;

use crate::setting::{Setting, said};

const ALWAYS: [&str; 5] = ["tieout", "--from", "2020-01-01", "--to", "2030-12-31"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    ALWAYS.into_iter().chain(more.iter().copied()).collect()
}

#[tokio::test]
async fn a_run_ties_out_and_a_document_deleted_by_hand_does_not() {
    let setting = Setting::make(Options { records: 40, ..Options::default() }).await;
    assert!(setting.run(&["run", "--once"]).await.status.success());
    let csv = setting.folder.path().join("records.csv").display().to_string();
    let page = setting.folder.path().join("page.html").display().to_string();
    let output = setting.run(&with(&["--json", "--csv", &csv, "--page", &page])).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    let tied = &shown["tieouts"][0];
    assert_eq!((&tied["holds"], &tied["closed"], &tied["connection"]), (&true.into(), &false.into(), &"main".into()));
    let items = tied["items"].as_array().unwrap();
    assert_eq!(std::fs::read_to_string(&csv).unwrap().lines().count(), items.len() + 1);
    let page = std::fs::read_to_string(&page).unwrap();
    assert!(page.contains("Everything is explained") && page.contains("Signature"));
    assert_eq!(setting.run(&with(&["--closed"])).await.status.code(), Some(8), "held records keep it open");

    let world = setting.sandbox.world();
    let exported = items.iter().find(|item| item["end"] == "document").unwrap();
    let record = exported["record"].as_str().unwrap();
    let document = world.bc.documents_by_marker(record)[0].id;
    let delete = DocumentChange { action: Some(DocumentAction::Delete), ..DocumentChange::default() };
    world.bc.change_document(document, delete, world.clock.now()).unwrap();
    let before = world.bc.ledger();
    let output = setting.run(&with(&[])).await;
    assert_eq!(output.status.code(), Some(8));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("document_missing") && text.contains(record), "{text}");
    assert_eq!(world.bc.ledger(), before, "it only reads");
}

#[tokio::test]
async fn a_period_the_wrong_way_round_is_told() {
    let setting = Setting::make(Options { records: 1, ..Options::default() }).await;
    let output = setting.run(&["tieout", "--from", "2026-06-30", "--to", "2026-06-01"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("--from 2026-06-30 comes after --to 2026-06-01"), "{}", said(&output));
}
