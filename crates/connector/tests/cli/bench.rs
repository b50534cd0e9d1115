//! `bench`: the benchmark's own parts find each other, and what it prints is well formed. How fast anything is, is no test's matter.

use std::process::Command;

use serde_json::Value;

use crate::setting::said;

#[tokio::test]
async fn a_small_benchmark_answers_in_json_and_loses_and_doubles_nothing() {
    let output = Command::new(env!("CARGO_BIN_EXE_ml-connector"))
        .args(["bench", "--profile", "p0", "--records", "20", "--json"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (name, expected) in
        [("records", 20), ("documents", 20), ("right", 20), ("lost", 0), ("duplicates", 0), ("wrong", 0), ("manual", 0)]
    {
        assert_eq!(report[name], expected, "{name} of {report}");
    }
    for name in ["records_per_second", "cpu_ms_per_record", "of_floor"] {
        assert!(report[name].as_f64().is_some_and(|number| number > 0.0), "{name} of {report}");
    }
    assert!(report["peak_rss_mb"].as_u64().is_some_and(|megabytes| megabytes > 0), "{report}");
    assert!(report["requests_per_record"]["bc"].as_f64().is_some_and(|number| number >= 1.0), "{report}");
}
