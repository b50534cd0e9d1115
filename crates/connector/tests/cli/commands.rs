//! What the commands print.

use sandbox::Options;
use sandbox::brex::Expectation;
use serde_json::{Value, json};

use crate::setting::{Setting, said};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_attention_and_explain_tell_the_same_story_as_json_and_as_text() {
    let setting = Setting::make(Options::default()).await;
    assert_eq!(setting.run(&["config", "check"]).await.status.code(), Some(0));
    assert_eq!(setting.run(&["run", "--once", "--log", "warn"]).await.status.code(), Some(0));

    let status = setting.run_json(&["status", "--json"]).await;
    let connection = &status["connections"][0];
    assert_eq!(connection["problem"], Value::Null);
    assert!(connection["stages"]["exported"].as_i64().unwrap() > 60);
    let poll = connection["jobs"].as_array().unwrap().iter().find(|job| job["kind"] == "poll").unwrap();
    assert!(poll["last_run"].is_string() && poll["next_run"].is_string());

    let attention = setting.run_json(&["attention", "--json"]).await;
    let held = attention["records"].as_array().unwrap();
    let by_code: i64 = connection["held"].as_object().unwrap().values().filter_map(Value::as_i64).sum();
    assert_eq!(held.len(), usize::try_from(by_code).unwrap());
    for record in held {
        for key in ["code", "sentence", "who", "what_to_do", "since"] {
            assert!(record[key].as_str().is_some_and(|text| !text.is_empty()), "{key} of {record}");
        }
    }

    let exported = setting.sandbox.world().brex.records();
    let exported = exported.iter().find(|record| record.review_status == "EXPORTED").unwrap();
    let story = setting.run_json(&["explain", &exported.id, "--json"]).await;
    let steps = story["stories"][0]["steps"].as_array().unwrap();
    assert!(steps.iter().all(|step| step["at"].as_str().is_some_and(|at| at.ends_with('Z'))));
    let actions: Vec<&str> = steps.iter().filter_map(|step| step["action"].as_str()).collect();
    assert_eq!(actions.first(), Some(&"received"));
    assert_eq!(actions.last(), Some(&"exported"));

    let text = setting.run(&["explain", &exported.id]).await;
    let text = String::from_utf8(text.stdout).unwrap();
    for words in [
        "received by poll",
        "vendor V",
        "mapped to a purchase",
        "rules ",
        "created in Business Central",
        "read back and compared",
        "exported to Brex with reference",
    ] {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
    let table = String::from_utf8(setting.run(&["attention"]).await.stdout).unwrap();
    assert!(table.contains("wait for a person"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_ends_quietly_when_nobody_reads_its_output_any_more() {
    let setting = Setting::make(Options { records: 5, ..Options::default() }).await;
    for format in ["text", "json"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = setting.command(&["status", "--log-format", format]);
        let ended = command.stdout(writer).stderr(std::process::Stdio::piped()).output().unwrap();
        assert_eq!((ended.status.code(), String::from_utf8(ended.stderr).unwrap().as_str()), (Some(0), ""), "{format}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backfill_takes_up_what_an_earlier_start_left_out_and_a_second_one_nothing() {
    let setting = Setting::make(Options { records: 60, ..Options::default() }).await;
    let tomorrow = setting.sandbox.world().clock.today().tomorrow().unwrap();
    setting.edit("start_date = \"2020-01-01\"", &format!("start_date = \"{tomorrow}\""));
    assert!(setting.run(&["run", "--once", "--log", "warn"]).await.status.success());
    assert!(setting.sandbox.world().bc.ledger().is_empty(), "the cut-over date holds");
    setting.edit(&format!("start_date = \"{tomorrow}\""), "start_date = \"2020-01-01\"");
    let first = setting.run_json(&["backfill", "--from", "2020-01-01", "--json"]).await;
    assert!(first["records_taken_up"].as_i64().unwrap() > 40, "{first}");
    let second = setting.run_json(&["backfill", "--from", "2020-01-01", "--json"]).await;
    assert_eq!(second["records_taken_up"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_ends_with_one_json_object_and_books_that_agree() {
    let setting = Setting::make(Options { records: 1, ..Options::default() }).await;
    let output = setting.run(&["demo", "--once", "--json", "--log", "warn"]).await;
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{summary}");
    assert_eq!((&summary["duplicates"], &summary["lost"]), (&Value::from(0), &Value::from(0)));
    let count = |key: &str| summary[key].as_i64().unwrap();
    let held: i64 = summary["held"].as_object().unwrap().values().filter_map(Value::as_i64).sum();
    assert_eq!(count("records"), count("exported") + held + count("not_spend") + count("not_ready"));
    assert_eq!(count("exported"), count("drafts") + count("credit_memos"));
    for system in ["brex", "entra", "bc"] {
        assert!(summary["requests"][system].as_i64().unwrap() > 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_merchant_is_called_moves_no_cursor_and_forges_no_line_of_a_terminal() {
    let setting = Setting::make(Options { records: 5, ..Options::default() }).await;
    let brex = &setting.sandbox.world().brex;
    let name = "\u{1b}[2J\u{9b}31m\rRED\u{202e}txt\nFORGED";
    let amount = json!({ "amount": 5.0, "currency": "USD" });
    let line = |side: &str| json!({ "id": format!("accrli_{side}"), "type": side, "amount": amount, "accounting_field_values": [] });
    let body = json!({
        "id": "accr_hostile", "type": "CARD_EXPENSE_POST", "review_status": "READY_FOR_EXPORT", "source_type": "CARD",
        "source_id": "expense_hostile", "amount": amount, "erp_posting_date": "2026-06-20T15:00:00Z",
        "posted_at": "2026-06-20T15:00:00Z", "updated_at": "2026-06-21T15:00:00Z", "version": 1, "memo": name,
        "vendor": { "id": "pmch_1", "name": name }, "receipts": [], "line_items": [line("DEBIT"), line("CREDIT")],
    });
    brex.insert(&body.to_string(), Expectation::Document, "made by a test").unwrap();
    assert!(setting.run(&["run", "--once", "--log", "trace"]).await.status.success());
    let mut shown = 0;
    for args in
        [&["attention"][..], &["explain", "accr_hostile"], &["plan"], &["status"], &["vendors", "review"], &["tieout"]]
    {
        for more in [&[][..], &["--json"]] {
            let output = setting.run(&[args, more].concat()).await;
            let text = format!("{}{}", said(&output), String::from_utf8_lossy(&output.stdout));
            let obeyed = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!text.contains(obeyed), "{args:?}: {text:?}");
            assert!(text.lines().all(|line| !line.starts_with("FORGED")), "{args:?}: {text}");
            shown += usize::from(text.contains("\\u001b[2J\\u009b31m\\u000dRED\\u202etxt"));
            shown += usize::from(text.contains("\\u001b[2J\\u009b31m\\rRED\\u202etxt"));
        }
    }
    assert!(shown >= 2, "it was shown {shown} times");
}
