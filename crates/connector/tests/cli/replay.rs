//! `replay --against sandbox`: what is recorded of a record runs again without a call to either system.

use sandbox::Options;
use serde_json::Value;

use crate::setting::{Setting, said};

fn calls(setting: &Setting) -> u64 {
    use sandbox::meter::Side;
    let world = setting.sandbox.world();
    [Side::Bc, Side::Brex, Side::Entra].into_iter().map(|side| world.meter.tally(side).requests).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_runs_again_on_a_sandbox_comes_out_as_it_did_until_the_rules_change() {
    let setting = Setting::make(Options { records: 40, ..Options::default() }).await;
    assert!(setting.run(&["run", "--once", "--log", "error"]).await.status.success());
    let entries = setting.run(&["audit", "export"]).await.stdout;
    let before = calls(&setting);
    let (mut invoices, mut held, mut others) = (0, 0, 0);
    for record in records(&entries).into_iter().step_by(3) {
        let output = setting.run(&["replay", &record, "--against", "sandbox", "--json"]).await;
        let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
        assert_eq!(told["differences"].as_array().map(Vec::len), Some(0), "{record}: {told}");
        assert_eq!(output.status.code(), Some(0));
        match (told["recorded"]["document"].is_object(), told["recorded"]["hold"].is_string()) {
            (_, true) => held += 1,
            (true, false) => invoices += 1,
            (false, false) => others += 1,
        }
    }
    assert!(invoices > 3 && held > 0 && others > 0, "{invoices} documents, {held} held, {others} others");

    let text = std::fs::read_to_string(setting.config()).unwrap();
    std::fs::write(setting.config(), text.replace("poll_seconds = 1", "poll_seconds = 1\nheader_dimensions = false"))
        .unwrap();
    let mut changed = 0;
    for record in records(&entries).into_iter().take(6) {
        let output = setting.run(&["replay", &record, "--against", "sandbox"]).await;
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.code() == Some(8) || !told.contains(" was "), "{told}");
        changed += u32::from(told.contains("dimensions was"));
    }
    assert!(changed > 0);
    assert_eq!(calls(&setting), before, "neither system is called");
    assert_eq!(setting.run(&["audit", "export"]).await.stdout, entries, "nothing is written");

    let unknown = setting.run(&["replay", "accr_nobody", "--against", "sandbox"]).await;
    assert!(said(&unknown).contains("accr_nobody is not known here"));
    let without = setting.run(&["replay", "accr_nobody"]).await;
    assert!(said(&without).contains("--reason"), "{}", said(&without));
    let wrong = setting.run(&["replay", "accr_nobody", "--reason", "so", "--from", "waiting"]).await;
    assert!(said(&wrong).contains("possible values: resolve_vendor, map, draft, verify, attach, mark_exported"));
}

/// The records that the trail tells of.
fn records(entries: &[u8]) -> Vec<String> {
    let lines = entries.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let subjects =
        lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok()?["subject"].as_str().map(str::to_owned));
    let all: std::collections::BTreeSet<String> = subjects.filter(|subject| subject.starts_with("accr_")).collect();
    all.into_iter().collect()
}
