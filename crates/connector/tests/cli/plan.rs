//! `plan` and `apply`: what is shown is what is done, and nothing else.

use sandbox::Options;
use sandbox::bc::VendorChange;
use sandbox::company::Blocked;
use sandbox::meter::Side;
use serde_json::Value;

use crate::setting::{Setting, said};

async fn planned() -> (Setting, String, Value) {
    let setting = Setting::make(Options { records: 40, ..Options::default() }).await;
    let file = setting.folder.path().join("plan.json").display().to_string();
    let shown = setting.run_json(&["plan", "--json", "--out", &file]).await;
    (setting, file, shown)
}

fn entries(plans: &Value) -> Vec<&Value> {
    plans["plans"][0]["entries"].as_array().unwrap().iter().collect()
}

#[tokio::test]
async fn a_plan_writes_nothing_to_either_system_and_is_the_same_the_second_time() {
    let (setting, file, first) = planned().await;
    let world = setting.sandbox.world();
    assert_eq!(world.bc.ledger(), vec![]);
    let with_document = entries(&first).iter().filter(|entry| !entry["document"].is_null()).count();
    assert!(with_document > 15, "{with_document} documents");
    for entry in entries(&first) {
        assert_ne!(entry["document"].is_null(), entry["hold"].is_null(), "{entry}");
        assert_eq!(entry["document"].is_null(), entry["vendor"].is_null(), "{entry}");
    }
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(kept, first);
    assert_eq!(setting.run_json(&["plan", "--json"]).await, first);
    let table = setting.run(&["plan"]).await;
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(table.contains(first["plans"][0]["hash"].as_str().unwrap()), "{table}");
    assert!(world.meter.tally(Side::Bc).requests > 0);
    assert_eq!(world.bc.ledger(), vec![]);
}

#[tokio::test]
async fn a_plan_tells_where_each_part_of_a_document_comes_from() {
    let (setting, _, shown) = planned().await;
    let planned: Vec<&Value> = entries(&shown).into_iter().filter(|entry| !entry["document"].is_null()).collect();
    for entry in &planned {
        let (document, why) = (&entry["document"], &entry["why"]);
        for key in ["dates", "currency", "tax"] {
            assert!(why[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {why}");
        }
        assert_eq!(why["refund"].is_null(), document["kind"] == "invoice", "{why}");
        let (lines, of_lines) = (document["lines"].as_array().unwrap(), why["lines"].as_array().unwrap());
        assert_eq!(lines.len(), of_lines.len());
        for (line, why) in lines.iter().zip(of_lines) {
            assert!(why["account"]["coded"]["field"].is_string(), "{why}");
            let keys =
                |value: &Value| value.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect::<Vec<_>>();
            assert_eq!(keys(&line["dimensions"]), keys(&why["dimensions"]), "{line} {why}");
        }
    }
    let output = setting.run(&["plan"]).await;
    let words: String = String::from_utf8_lossy(&output.stdout).replace(['│', '┆', '\n'], " ");
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["account coded in", "by number", "the billed amount;", "no tax code;", "not linked to an invoice:"] {
        let all = part.split(' ').all(|word| words.contains(word));
        assert!(all, "{part} is not in {words}");
    }
}

#[tokio::test]
async fn apply_does_exactly_the_plan_and_refuses_the_record_whose_vendor_was_blocked_since() {
    let (setting, file, shown) = planned().await;
    let world = setting.sandbox.world();
    let planned: Vec<&Value> = entries(&shown).into_iter().filter(|entry| !entry["document"].is_null()).collect();
    let vendor = planned[0]["vendor"]["number"].as_str().unwrap();
    let is_blocked = |entry: &&&Value| entry["vendor"]["number"] == vendor;
    let refused = planned.iter().filter(is_blocked).count();
    let block = VendorChange { blocked: Some(Blocked::All), ..VendorChange::default() };
    world.bc.change_vendor(vendor, block, world.clock.now()).unwrap();

    let output = setting.run(&["apply", "--json", &file]).await;
    assert_eq!(output.status.code(), Some(9), "{}", said(&output));
    let done: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(done["refused"], refused);
    for one in done["records"].as_array().unwrap() {
        let entry = planned.iter().find(|entry| entry["record"] == one["record"]).unwrap();
        if is_blocked(&entry) {
            assert_eq!(one["outcome"], "refused");
            assert!(one["detail"].as_str().unwrap().starts_with("vendor_blocked: "), "{one}");
        } else {
            assert_eq!(one["outcome"], "done", "{one}");
            let documents = world.bc.documents_by_marker(entry["record"].as_str().unwrap());
            assert_eq!(documents[0].external_number, entry["document"]["number"].as_str().unwrap());
        }
    }
    assert_eq!(world.bc.ledger().len(), planned.len() - refused, "nothing that was not planned");
}

#[tokio::test]
async fn a_plan_that_was_edited_is_refused_as_a_whole() {
    let (setting, file, _) = planned().await;
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("\"vendor_number\": \"V", "\"vendor_number\": \"X", 1)).unwrap();
    let output = setting.run(&["apply", &file]).await;
    assert_eq!(output.status.code(), Some(9));
    assert!(said(&output).contains("was edited since it was made"), "{}", said(&output));
    assert_eq!(setting.sandbox.world().bc.ledger(), vec![]);
}

#[tokio::test]
async fn what_is_not_a_plan_is_refused_in_one_sentence() {
    let setting = Setting::make(Options { records: 1, ..Options::default() }).await;
    let file = setting.folder.path().join("other.json");
    std::fs::write(&file, "{}").unwrap();
    let output = setting.run(&["apply", &file.display().to_string()]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("is not a plan"), "{}", said(&output));
    let output = setting.run(&["apply", "nowhere.json"]).await;
    assert_eq!(output.status.code(), Some(7), "{}", said(&output));
}
