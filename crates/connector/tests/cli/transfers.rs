//! `transfers …` of the real binary, on the demo's data and on a payment of a test.

use std::process::Stdio;
use std::time::Duration;

use sandbox::Options;
use sandbox::meter::Side;
use serde_json::{Value, json};

use crate::setting::{Setting, said};

/// What stands, without the moments at which it was seen.
fn standing(shown: &Value) -> Value {
    let one = &shown["connections"][0];
    json!([
        one["counts"],
        one["documents"],
        one["transfers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|seen| {
                json!([seen["transfer"], seen["verdict"], seen["reason"], seen["match"], seen["suggestion"]])
            })
            .collect::<Vec<_>>()
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demos_transfers_are_compared_and_comparing_again_changes_nothing() {
    let setting = Setting::make(Options { records: 120, ..Options::default() }).await;
    let ledger = setting.sandbox.world().bc.ledger();
    let first = setting.run_json(&["transfers", "reconcile", "--json"]).await;
    let transfers = first["connections"][0]["transfers"].as_array().unwrap();
    assert!(transfers.len() > 5, "{first}");
    assert!(transfers.iter().all(|seen| seen["verdict"].is_string()), "each stands somehow");
    assert!(transfers.iter().any(|seen| seen["reason"] == "incoming"));
    let second = setting.run_json(&["transfers", "reconcile", "--json"]).await;
    assert_eq!(standing(&first), standing(&second));
    assert_eq!(standing(&setting.run_json(&["transfers", "list", "--json"]).await), standing(&first));
    assert_eq!(setting.sandbox.world().bc.ledger(), ledger, "nothing was written to Business Central");
    let csv = setting.run(&["transfers", "list", "--csv"]).await;
    let text = String::from_utf8(csv.stdout).unwrap();
    assert!(text.starts_with("connection,side,id,number,party,date,amount,"), "{text}");
    assert_eq!(
        text.lines().count(),
        1 + transfers.len() + first["connections"][0]["documents"].as_array().unwrap().len()
    );
    let id = transfers[0]["transfer"].as_str().unwrap();
    let shown = setting.run_json(&["transfers", "show", id, "--json"]).await;
    assert_eq!(shown["transfers"][0]["steps"][0]["action"], "transfer_imported");
}

/// `transfers reconcile` killed with SIGKILL after every second of its requests; the next one comes to the same end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comparison_that_is_killed_at_any_request_ends_the_same_the_next_time() {
    let options = || Options { records: 120, bc_latency_ms: 20, ..Options::default() };
    let calm = Setting::make(options()).await;
    let before = asked(&calm);
    let wanted = standing(&calm.run_json(&["transfers", "reconcile", "--json"]).await);
    let needed = asked(&calm) - before;
    let mut killed = 0;
    for requests in (1..=needed).step_by(2) {
        let setting = Setting::make(options()).await;
        let end = asked(&setting) + requests;
        let mut child = tokio::process::Command::from(setting.command(&["transfers", "reconcile"]));
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // It may end by itself with its last request.
        while asked(&setting) < end && tokio::time::timeout(Duration::from_millis(1), child.wait()).await.is_err() {}
        killed += u64::from(child.try_wait().unwrap().is_none());
        child.kill().await.unwrap();
        let again = standing(&setting.run_json(&["transfers", "reconcile", "--json"]).await);
        assert_eq!(again, wanted, "killed after {requests} of {needed} requests");
    }
    assert!(killed >= needed / 4, "only {killed} of {needed} were killed");
}

/// Requests that came to either side.
fn asked(setting: &Setting) -> u64 {
    let meter = &setting.sandbox.world().meter;
    [Side::Brex, Side::Bc].into_iter().map(|side| meter.tally(side).requests).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_match_needs_a_reason_a_name_and_something_to_match() {
    let setting = Setting::make(Options { records: 20, ..Options::default() }).await;
    let unsigned = setting.run(&["transfers", "match", "dptx_none", "--reason", "x"]).await;
    assert_eq!(unsigned.status.code(), Some(2), "--by is required");
    let unknown = setting.run(&["transfers", "unmatch", "dptx_none", "--reason", "x", "--by", "kim"]).await;
    assert_eq!(unknown.status.code(), Some(7), "{}", said(&unknown));
    let amount =
        setting.run(&["transfers", "match", "dptx_none", "--document", "A=x", "--reason", "x", "--by", "kim"]).await;
    assert_eq!(amount.status.code(), Some(2), "{}", said(&amount));
    let shown = setting.run(&["transfers", "show", "dptx_none"]).await;
    assert_eq!(shown.status.code(), Some(7));
}
