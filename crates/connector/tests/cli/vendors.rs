//! `vendors …` and `match` on the real binary: what they print as text and as JSON, and how they refuse.

use std::process::Output;

use sandbox::Options;
use sandbox::bc::VendorChange;
use serde_json::{Value, json};

use crate::setting::{Setting, said};

const NAME: &str = "Zelkova Coffee Roasters LLC";

/// A company that was worked on once, with one vendor of a name that nothing else has.
async fn worked(settings: &str) -> Setting {
    let setting = Setting::make(Options { records: 120, ..Options::default() }).await;
    let world = setting.sandbox.world();
    let name = VendorChange { name: Some(NAME.to_owned()), ..VendorChange::default() };
    world.bc.change_vendor("V00001", name, world.clock.now()).unwrap();
    if !settings.is_empty() {
        setting.edit("poll_seconds = 1\n", &format!("poll_seconds = 1\n{settings}\n"));
    }
    assert!(setting.run(&["run", "--once", "--log", "error"]).await.status.success());
    setting
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Expects this exit code and these words in the one sentence on stderr.
async fn refused(setting: &Setting, args: &[&str], code: i32, words: &str) {
    let output = setting.run(args).await;
    assert_eq!(output.status.code(), Some(code), "{args:?}: {}", said(&output));
    assert!(said(&output).contains(words), "{args:?}: {words:?} is not in {}", said(&output));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn review_shows_what_waits_and_a_confirmation_lets_it_go_on() {
    let setting = worked("").await;
    let waiting = setting.run_json(&["vendors", "review", "--json"]).await;
    let waiting = waiting["records"].as_array().unwrap();
    let suggested = waiting.iter().find(|record| record["suggestions"][0]["vendor"].is_string());
    let record = suggested.unwrap_or_else(|| panic!("nothing is suggested: {waiting:?}"));
    let (id, number) = (record["record"].as_str().unwrap(), record["suggestions"][0]["vendor"].as_str().unwrap());
    assert!(record["suggestions"][0]["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
    let table = printed(&setting.run(&["vendors", "review"]).await);
    assert!(table.contains(id) && table.contains("vendors confirm RECORD"), "{table}");
    let reason = printed(&setting.run(&["explain", id]).await);
    assert!(
        reason.contains(record["suggestions"][0]["reason"].as_str().unwrap()),
        "the story gives the reason: {reason}"
    );

    let answer = setting.run_json(&["vendors", "confirm", id, "--by", "kim", "--json"]).await;
    assert_eq!((&answer["verdict"], &answer["by"]), (&json!("confirmed"), &json!("kim")));
    assert!(setting.run(&["run", "--once", "--log", "error"]).await.status.success());
    let story = setting.run_json(&["explain", id, "--json"]).await;
    let steps = story["stories"][0]["steps"].as_array().unwrap();
    let resolved = steps.iter().any(|step| step["action"] == "vendor_resolved" && step["detail"]["number"] == number);
    assert!(resolved, "{story}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_go_in_out_and_back_in_and_are_evaluated() {
    let setting = worked("").await;
    let linked =
        printed(&setting.run(&["vendors", "link", "SQ *BEAN TRUCK 12", "--vendor", "v00001", "--by", "kim"]).await);
    assert!(linked.contains(&format!("SQ *BEAN TRUCK 12 set by hand: {NAME}")), "{linked}");
    refused(
        &setting,
        &["vendors", "confirm", "SQ *BEAN TRUCK 12", "--vendor", "V00002"],
        9,
        "kim set this merchant's link by hand",
    )
    .await;
    let none = printed(&setting.run(&["vendors", "reject", "MOONQUAKE ROOMS", "--none", "--by", "kim"]).await);
    assert!(none.contains("it counts as none of our vendors: its records are held (vendor_not_found)"), "{none}");

    let file = setting.folder.path().join("links.csv");
    let file = file.to_str().unwrap();
    let exported = setting.run_json(&["vendors", "export", file, "--json"]).await;
    let csv = std::fs::read_to_string(file).unwrap();
    assert_eq!(exported["lines"].as_u64(), Some(csv.lines().count() as u64 - 1));
    assert!(
        csv.contains("SQ *BEAN TRUCK 12,,V00001,") && csv.contains("MOONQUAKE ROOMS,,,,none_of_ours,kim,"),
        "{csv}"
    );
    let same = setting.run_json(&["vendors", "import", file, "--json"]).await;
    assert_eq!((&same["taken"], &same["kept"]), (&json!(0), &exported["lines"]));

    for verb in ["unlink", "forget"] {
        let answer = setting.run_json(&["vendors", verb, "SQ *BEAN TRUCK 12", "--json"]).await;
        assert_eq!(answer["vendor"], Value::Null);
    }
    let back = printed(&setting.run(&["vendors", "import", file, "--by", "lee"]).await);
    assert!(back.starts_with("1 answer taken; "), "{back}");

    let figures = setting.run_json(&["vendors", "eval", "--json"]).await;
    assert!(figures["figures"]["answers"].as_u64().is_some_and(|answers| answers >= 2), "{figures}");
    let curve = figures["curve"].as_array().unwrap();
    let sum = |key: &str| curve.iter().map(|stretch| stretch[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!(Some(sum("with_vendor")), figures["figures"]["with_vendor"].as_u64(), "{figures}");
    assert!(curve.windows(2).all(|two| two[0]["until_ms"].as_i64() <= two[1]["until_ms"].as_i64()), "{figures}");
    let text = printed(&setting.run(&["vendors", "eval"]).await);
    assert!(text.contains("precision") && text.contains("recall"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejection_says_that_the_default_vendor_is_booked_if_no_other_fits() {
    let setting = worked("default_vendor = \"V00002\"").await;
    let args = ["vendors", "reject", "SQ *ZELKOVA COFFEE ROA OMAHA NE", "--vendor", "V00001"];
    let told = printed(&setting.run(&args).await);
    let words = "if no other vendor is like it, it counts as none of our vendors: its records are booked on the default vendor V00002";
    assert!(told.contains(words), "{told}");
    let json = setting.run_json(&[&args[..], &["--json"]].concat()).await;
    assert_eq!(json["if_none_fits"], "its records are booked on the default vendor V00002");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_input_is_refused_in_one_sentence_and_nothing_is_taken() {
    let setting = Setting::make(Options { records: 5, ..Options::default() }).await;
    refused(&setting, &["vendors", "link", "ACME", "--vendor", "V00001"], 7, "were not read yet").await;
    assert!(setting.run(&["run", "--once", "--log", "error"]).await.status.success());
    assert_eq!(setting.run_json(&["vendors", "eval", "--json"]).await["connection"], "main");
    refused(&setting, &["vendors", "confirm", "accr_none"], 7, "the record accr_none is not known here").await;
    refused(&setting, &["vendors", "confirm", "ACME"], 2, "name one with --vendor").await;
    refused(&setting, &["vendors", "link", "ACME", "--vendor", "V0"], 9, "the vendor V0 is not in Business Central")
        .await;
    refused(&setting, &["vendors", "link", "***", "--vendor", "V00001"], 9, "no letters or digits").await;
    refused(&setting, &["vendors", "review", "--connection", "other"], 7, "other").await;
    refused(&setting, &["vendors", "reject", "ACME", "--none", "--vendor", "V00001"], 2, "cannot be used with").await;
    let file = setting.folder.path().join("links.csv");
    let path = file.to_str().unwrap();
    refused(&setting, &["vendors", "import", path], 7, "links.csv").await;
    for (text, words) in [
        ("descriptor,verdict\nACME,confirmed\n", "the file has no column vendor_number"),
        ("descriptor,vendor_number,verdict\nACME,V00001,confirmed\nBOLT,V0,confirmed\n", "line 3: the vendor V0"),
        ("descriptor,vendor_number,verdict\nACME,V00001,maybe\n", "line 2: no verdict \"maybe\""),
        ("descriptor,vendor_number,verdict\nACME,V00001,none_of_ours\n", "line 2: vendor_number must be given"),
    ] {
        std::fs::write(&file, text).unwrap();
        refused(&setting, &["vendors", "import", path], 2, words).await;
    }
    let exported = printed(&setting.run(&["vendors", "export"]).await);
    assert!(!exported.contains("ACME"), "a bad line takes nothing: {exported}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_vendor_is_suggested_proposed_listed_approved_by_another_and_created() {
    let setting = worked("propose_vendors = true").await;
    let waiting = setting.run_json(&["vendors", "review", "--json"]).await;
    let record =
        waiting["records"].as_array().unwrap().iter().find(|record| record["code"] != "vendor_ambiguous").unwrap();
    let (id, merchant) = (record["record"].as_str().unwrap(), record["merchant"].as_str().unwrap());
    let line = format!("vendors propose {id} --name '{}' --reason TEXT", merchant.replace('\'', "'\\''"));
    assert_eq!(record["if_new"], line);
    let table = printed(&setting.run(&["vendors", "review"]).await);
    assert!(table.contains("if it is a new vendor, which another person then approves:\n") && table.contains(&line));

    assert_eq!(printed(&setting.run(&["vendors", "proposals"]).await), "no proposal waits\n");
    let new = "Quokka & Sons Ltd";
    let propose = ["vendors", "propose", id, "--name", new, "--country", "us", "--reason", "first order", "--by"];
    let said = printed(&setting.run(&[&propose[..], &["kim"]].concat()).await);
    assert!(said.starts_with(&format!("proposal 1 ({new} for ")) && said.contains("vendors approve 1 --by"), "{said}");
    refused(&setting, &[&propose[..], &["lee"]].concat(), 9, "proposal 1 for \"Quokka & Sons Ltd\" is proposed").await;
    let listed = printed(&setting.run(&["vendors", "proposals"]).await);
    for words in [new, "kim, 20", "first order", "proposed", "vendors approve ID --by PERSON"] {
        assert!(listed.contains(words), "{words}: {listed}");
    }
    refused(&setting, &["vendors", "approve", "1"], 2, "--by").await;
    refused(&setting, &["vendors", "approve", "1", "--by", "Kim"], 9, "kim proposed this vendor: another person").await;
    refused(&setting, &["vendors", "approve", "7", "--by", "lee"], 7, "there is no proposal 7").await;
    let approved = setting.run_json(&["vendors", "approve", "1", "--by", "lee", "--json"]).await;
    assert_eq!(
        (&approved["state"], &approved["proposed_by"], &approved["decided_by"]),
        (&json!("approved"), &json!("kim"), &json!("lee"))
    );
    assert!(setting.run(&["run", "--once", "--log", "error"]).await.status.success());

    let listed = setting.run_json(&["vendors", "proposals", "--all", "--json"]).await;
    let row = &listed["proposals"][0];
    assert_eq!(
        (&row["state"], &row["country"], &row["reason"]),
        (&json!("created"), &json!("US"), &json!("first order"))
    );
    let story = setting.run_json(&["explain", id, "--json"]).await;
    let text = story.to_string();
    assert!(
        text.contains("vendor_blocked") && text.contains("created from proposal 1 by kim, approved by lee"),
        "{text}"
    );

    let other =
        ["vendors", "propose", "MOONQUAKE ROOMS", "--name", "Moonquake", "--reason", "asked by mail", "--by", "ann"];
    assert!(setting.run(&other).await.status.success());
    let declined = printed(&setting.run(&["vendors", "decline", "2", "--reason", "no need", "--by", "lee"]).await);
    assert!(declined.contains(": declined\nno vendor is created"), "{declined}");
    refused(&setting, &["vendors", "approve", "2", "--by", "lee"], 9, "proposal 2 is declined").await;
    refused(
        &setting,
        &[&["vendors", "propose", id], &propose[3..], &["kim"]].concat(),
        9,
        "does not wait for its vendor",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn match_works_from_file_to_file_and_says_which_file_is_wrong() {
    let setting = Setting::make(Options { records: 1, ..Options::default() }).await;
    let path = |name: &str| setting.folder.path().join(name).to_str().unwrap().to_owned();
    let (vendors, merchants, out) = (path("vendors.csv"), path("merchants.csv"), path("out.csv"));
    refused(&setting, &["match", &vendors, &merchants, &out], 7, "vendors.csv").await;
    std::fs::write(&vendors, format!("vendor_id,name\nV1,{NAME}\n")).unwrap();
    std::fs::write(&merchants, "descriptor\nSQ *ZELKOVA COFFEE ROA OMAHA NE\nMOONQUAKE ROOMS\n").unwrap();
    let json = setting.run_json(&["match", &vendors, &merchants, &out, "--json"]).await;
    assert_eq!(json["out"], json!(out));
    let decisions = std::fs::read_to_string(&out).unwrap();
    let lines: Vec<&str> = decisions.lines().collect();
    assert!(lines[1].starts_with("SQ *ZELKOVA COFFEE ROA OMAHA NE,auto,V1,"), "{decisions}");
    assert!(lines[2].starts_with("MOONQUAKE ROOMS,none,"), "{decisions}");
    std::fs::write(&merchants, "name\nX\n").unwrap();
    refused(&setting, &["match", &vendors, &merchants, &out], 2, "descriptor").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_directory_is_planned_asked_for_and_told() {
    let setting = Setting::make(Options { records: 5, ..Options::default() }).await;
    refused(&setting, &["vendors", "directory", "sync"], 3, "the vendor directory is off for main").await;
    let config = std::fs::read_to_string(setting.config()).unwrap();
    std::fs::write(
        setting.config(),
        format!("{config}[connection.directory]\nenabled = true\nnumbers = [\"V00002\"]\n"),
    )
    .unwrap();
    let plan = setting.run_json(&["vendors", "directory", "plan", "--json"]).await;
    let steps = plan["plans"][0]["steps"].as_array().unwrap();
    assert_eq!((steps.len(), &steps[0]["do"], &steps[0]["vendor"]["number"]), (1, &json!("create"), &json!("V00002")));
    let text = printed(&setting.run(&["vendors", "directory", "plan"]).await);
    assert!(text.contains("1 step; nothing was written"), "{text}");
    refused(&setting, &["vendors", "directory", "history", "V00002"], 7, "no vendor V00002 is known").await;
    let asked = printed(&setting.run(&["vendors", "directory", "sync"]).await);
    assert!(asked.starts_with("asked for main"), "{asked}");
    assert!(setting.run(&["run", "--once", "--log", "error"]).await.status.success());
    let status = setting.run_json(&["vendors", "directory", "status", "--json"]).await;
    assert_eq!(status["directories"][0]["vendors"][0]["in_brex"], "here", "{status}");
    assert!(printed(&setting.run(&["vendors", "directory", "status"]).await).contains("here"));
    let history = setting.run_json(&["vendors", "directory", "history", "V00002", "--json"]).await;
    let steps = history["stories"][0]["steps"].as_array().unwrap();
    assert_eq!(steps.last().unwrap()["action"], "brex_vendor_created", "{history}");
    assert!(printed(&setting.run(&["vendors", "directory", "history", "V00002"]).await).contains("is here in Brex"));
}
