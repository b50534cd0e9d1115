//! `audit`: an untouched trail verifies, and whatever is done to it in the database is found, also when every hash was
//! computed anew.

use domain::audit::{Entry, Seal, genesis};
use rstest::rstest;
use sandbox::Options;
use serde_json::Value;
use sqlx::{AnyConnection, Connection, Row};

use crate::setting::{Setting, said};

async fn after_a_run() -> Setting {
    let setting = Setting::make(Options { records: 10, ..Options::default() }).await;
    let output = setting.run(&["run", "--once"]).await;
    assert!(output.status.success(), "{}", said(&output));
    setting
}

async fn verdict(setting: &Setting) -> (Option<i32>, Value) {
    let output = setting.run(&["audit", "verify", "--json"]).await;
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code(), shown["trails"][0].clone())
}

async fn database(setting: &Setting) -> AnyConnection {
    sqlx::any::install_default_drivers();
    let path = setting.folder.path().join("ml-connector.db");
    AnyConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap()
}

async fn tamper(setting: &Setting, statements: &[&'static str]) {
    let mut database = database(setting).await;
    for statement in statements {
        sqlx::query(*statement).execute(&mut database).await.unwrap();
    }
}

#[tokio::test]
async fn an_untouched_trail_verifies_against_the_checkpoint_of_the_run() {
    let setting = after_a_run().await;
    let (code, trail) = verdict(&setting).await;
    assert_eq!((code, &trail["problem"], &trail["checkpoints"]), (Some(0), &Value::Null, &1.into()));
    let key = setting.run_json(&["audit", "checkpoint", "--json"]).await;
    assert_eq!(key["added"], 0, "nothing grew since");
    let known = key["public_key"].as_str().unwrap();
    assert!(setting.run(&["audit", "verify", "--public-key", known]).await.status.success());
    let other = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    assert_eq!(setting.run(&["audit", "verify", "--public-key", other]).await.status.code(), Some(8));
}

#[rstest]
#[case::edit(&["UPDATE audit SET detail = '{}' WHERE seq = 3"], "entry 3 was changed")]
#[case::erase_by_hand(
    &["UPDATE audit SET detail = '{}', detail_salt = NULL WHERE seq = 3"],
    "the detail of entry 3 is gone, and no entry says that it was erased"
)]
#[case::take_the_salt(&["UPDATE audit SET detail_salt = NULL WHERE seq = 3"], "entry 3 was changed")]
#[case::take_the_seal(&["UPDATE audit SET detail_salt = NULL, detail_digest = NULL WHERE seq = 3"], "entry 3 was changed")]
#[case::other_seal(&["UPDATE audit SET detail_digest = hash WHERE seq = 3"], "entry 3 was changed")]
#[case::delete(&["DELETE FROM audit WHERE seq = 3"], "entry 3 is missing")]
#[case::insert(
    &["INSERT INTO audit SELECT connection, 0, at_ms, actor, action, subject, state_before, state_after, detail, \
       previous, hash, detail_salt, detail_digest FROM audit WHERE seq = 3"],
    "entry 1 is missing"
)]
#[case::reorder(
    &["UPDATE audit SET seq = -1 WHERE seq = 3", "UPDATE audit SET seq = 3 WHERE seq = 4",
      "UPDATE audit SET seq = 4 WHERE seq = -1"],
    "entry 3 does not follow"
)]
#[case::cut(&["DELETE FROM audit WHERE seq > 5"], "the trail ends with entry 5")]
#[case::cut_with_its_head(
    &["DELETE FROM audit WHERE seq > 5",
      "UPDATE audit_heads SET seq = 5, hash = (SELECT hash FROM audit WHERE seq = 5)"],
    "entries are missing at the end"
)]
#[tokio::test]
async fn each_kind_of_change_is_found(#[case] statements: &[&'static str], #[case] told: &str) {
    let setting = after_a_run().await;
    tamper(&setting, statements).await;
    let (code, trail) = verdict(&setting).await;
    assert_eq!(code, Some(8));
    assert!(trail["problem"].as_str().unwrap().contains(told), "{trail}");
    let output = setting.run(&["audit", "checkpoint"]).await;
    assert_eq!(output.status.code(), Some(8), "a broken trail is not signed: {}", said(&output));
}

#[tokio::test]
async fn a_trail_written_anew_with_right_hashes_does_not_fit_the_checkpoint() {
    let setting = after_a_run().await;
    let exported = setting.run(&["audit", "export"]).await;
    let mut database = database(&setting).await;
    let mut previous = genesis();
    let mut last = 0;
    for line in String::from_utf8(exported.stdout).unwrap().lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        let seq = value["seq"].as_i64().unwrap();
        let mut entry = Entry {
            seq,
            at_ms: value["at_ms"].as_i64().unwrap(),
            actor: if seq == 3 { "person:eve".to_owned() } else { text("actor").unwrap() },
            action: text("action").unwrap(),
            subject: text("subject").unwrap(),
            before: text("before"),
            after: text("after"),
            detail: text("detail").unwrap(),
            seal: text("detail_digest").map(|digest| Seal { digest, salt: text("detail_salt") }),
            previous: previous.clone(),
            hash: String::new(),
        };
        entry.hash = entry.expected_hash("main");
        let statement = "UPDATE audit SET actor = $1, previous = $2, hash = $3 WHERE seq = $4";
        let query = sqlx::query(statement).bind(entry.actor.clone()).bind(previous).bind(entry.hash.clone()).bind(seq);
        assert_eq!(query.execute(&mut database).await.unwrap().rows_affected(), 1);
        (previous, last) = (entry.hash, seq);
    }
    let heads = sqlx::query("UPDATE audit_heads SET hash = $1 WHERE seq = $2").bind(previous).bind(last);
    assert_eq!(heads.execute(&mut database).await.unwrap().rows_affected(), 1);
    let (code, trail) = verdict(&setting).await;
    assert_eq!(code, Some(8));
    assert!(trail["problem"].as_str().unwrap().contains("was written anew after"), "{trail}");
}

#[tokio::test]
async fn a_forged_checkpoint_does_not_help() {
    let setting = after_a_run().await;
    let file = setting.folder.path().join("audit-checkpoints.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut line: Value = serde_json::from_str(text.trim()).unwrap();
    line["seq"] = 5.into();
    std::fs::write(&file, format!("{line}\n")).unwrap();
    let (code, trail) = verdict(&setting).await;
    assert_eq!(code, Some(8));
    assert!(trail["problem"].as_str().unwrap().contains("is not signed with this key"), "{trail}");
    std::fs::write(&file, "nonsense\n").unwrap();
    let output = setting.run(&["audit", "verify"]).await;
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).contains("line 1 of"), "{}", said(&output));
}

#[tokio::test]
async fn the_signing_key_is_private_and_an_open_one_is_refused() {
    use std::os::unix::fs::PermissionsExt;

    let setting = after_a_run().await;
    let key = setting.folder.path().join("audit.key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = setting.run(&["run", "--once"]).await;
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).contains("chmod 600"), "{}", said(&output));
}

#[tokio::test]
async fn the_export_holds_every_entry_in_both_forms() {
    let setting = after_a_run().await;
    let mut database = database(&setting).await;
    let row = sqlx::query("SELECT COUNT(*) AS entries FROM audit").fetch_one(&mut database).await.unwrap();
    let entries = usize::try_from(row.get::<i64, _>("entries")).unwrap();
    let lines = setting.run(&["audit", "export"]).await;
    assert_eq!(String::from_utf8(lines.stdout).unwrap().lines().count(), entries);
    let file = setting.folder.path().join("audit.csv");
    let output = setting.run(&["audit", "export", "--form", "csv", "--out", &file.display().to_string()]).await;
    assert!(output.status.success(), "{}", said(&output));
    let mut rows = csv::Reader::from_path(&file).unwrap();
    assert_eq!(rows.records().map(Result::unwrap).count(), entries);
    let rest = setting.run(&["audit", "export", "--after", &(entries - 2).to_string()]).await;
    assert_eq!(String::from_utf8(rest.stdout).unwrap().lines().count(), 2);
}

#[tokio::test]
async fn what_is_kept_of_a_person_is_erased_and_the_proof_stays() {
    let setting = after_a_run().await;
    let world = setting.sandbox.world();
    let document = world.bc.ledger().into_iter().next().unwrap();
    let record =
        world.brex.records().into_iter().find(|report| !world.bc.documents_by_marker(&report.id).is_empty()).unwrap();
    let merchant = record.record["vendor"]["name"].as_str().map(str::to_owned).unwrap();
    let kept = async || {
        let mut database = database(&setting).await;
        let rows = sqlx::query(
            "SELECT detail FROM audit WHERE subject = $1 UNION ALL SELECT payload FROM payloads WHERE record_id = $1",
        )
        .bind(record.id.clone())
        .fetch_all(&mut database)
        .await
        .unwrap();
        rows.iter().filter(|row| row.get::<String, _>(0).contains(&merchant)).count()
    };
    assert!(kept().await > 0);

    let unsure = setting.run(&["audit", "erase", &record.id, "--reason", "asked to"]).await;
    assert!(said(&unsure).contains("--yes"), "{}", said(&unsure));
    let asked = ["audit", "erase", &record.id, "--reason", "asked to", "--person", "kim", "--yes", "--json"];
    let erased = setting.run_json(&asked).await;
    assert!(erased["entries"].as_i64().unwrap() > 3 && erased["older"] == 0, "{erased}");
    assert_eq!(kept().await, 0, "{merchant} is in nothing that is kept of the record");

    let (code, trail) = verdict(&setting).await;
    assert_eq!((code, &trail["problem"]), (Some(0), &Value::Null), "the chain still holds, and the checkpoint fits");
    let story = String::from_utf8(setting.run(&["explain", &record.id]).await.stdout).unwrap();
    assert!(story.contains("personal data erased by person:kim: asked to"), "{story}");
    assert!(!story.contains(&merchant), "{story}");

    let again = setting.run_json(&asked).await;
    assert_eq!(again["entries"], 0, "what says who erased stays");
    assert!(setting.run(&["run", "--once", "--log", "error"]).await.status.success());
    assert_eq!(kept().await, 0, "nothing comes back by itself");
    assert_eq!(verdict(&setting).await.0, Some(0));
    assert_eq!(world.bc.ledger().into_iter().next().unwrap(), document, "no document changed");

    tamper(&setting, &["DELETE FROM audit WHERE action = 'personal_data_erased'"]).await;
    assert_eq!(verdict(&setting).await.0, Some(8), "an erasure that nobody answers for is found");
}

#[tokio::test]
async fn a_record_that_is_not_over_is_not_erased() {
    let setting = after_a_run().await;
    let mut database = database(&setting).await;
    let row = sqlx::query("SELECT id FROM records WHERE hold_code IS NOT NULL LIMIT 1")
        .fetch_one(&mut database)
        .await
        .unwrap();
    let held: String = row.get("id");
    let output = setting.run(&["audit", "erase", &held, "--reason", "asked to", "--yes"]).await;
    assert!(said(&output).contains("is not over"), "{}", said(&output));
    assert_eq!(verdict(&setting).await.0, Some(0));
}
