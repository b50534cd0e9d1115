//! `coding-lists` on the command line.

use sandbox::Options;
use serde_json::json;

use crate::setting::Setting;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coding_lists_are_planned_made_and_shown() {
    let setting = Setting::make(Options { records: 1, ..Options::default() }).await;
    let off = setting.run(&["coding-lists", "status"]).await;
    assert_eq!(off.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&off.stderr).contains("set enabled = true in [connection.coding_lists]"));

    let section = "[connection.coding_lists]\nenabled = true\ndimensions = [\"DEPARTMENT\"]\n\
        integration_vendor = \"ERP_A\"\n[connection.brex]";
    setting.edit("[connection.brex]", section);
    let plan = setting.run_json(&["coding-lists", "plan", "--json"]).await;
    let accounts = &plan["plans"][0]["lists"][0];
    assert_eq!((&accounts["field"], &accounts["makes_field"]), (&json!("GL_ACCOUNT"), &json!(true)));
    let shown = String::from_utf8(setting.run(&["coding-lists", "plan"]).await.stdout).unwrap();
    assert!(shown.contains("the field is made first") && shown.contains("    + 60500 "), "{shown}");

    assert_eq!(setting.run(&["run", "--once", "--log", "warn"]).await.status.code(), Some(0));
    let status = setting.run_json(&["coding-lists", "status", "--json"]).await;
    for list in status["coding_lists"][0]["lists"].as_array().unwrap() {
        assert_eq!((&list["in_bc"], &list["problems"]), (&list["in_brex"], &json!([])));
        assert!(list["in_bc"].as_u64().unwrap() > 0);
    }
    let shown = String::from_utf8(setting.run(&["coding-lists", "status"]).await.stdout).unwrap();
    assert!(shown.contains("DIM_DEPARTMENT: "), "{shown}");
    let plan = setting.run_json(&["coding-lists", "plan", "--json"]).await;
    assert_eq!(plan["plans"][0]["lists"][0]["create"], json!([]));
    assert_eq!(setting.run_json(&["coding-lists", "sync", "--json"]).await, json!({ "asked": ["main"] }));

    setting.edit("enabled = true\n", "enabled = true\nseconds = 0\n");
    let wrong = setting.run(&["config", "check"]).await;
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("coding_lists.seconds must be at least 1"));
}
