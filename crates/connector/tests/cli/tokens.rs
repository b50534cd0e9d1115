//! `tokens`: made, shown once, listed and revoked with the real binary.

use sandbox::Options;
use serde_json::Value;

use crate::setting::{Setting, said};

#[tokio::test]
async fn tokens_are_made_shown_once_listed_and_revoked() {
    let setting = Setting::make(Options { records: 1, ..Options::default() }).await;
    setting.edit("[[connection]]", "[console]\n\n[[connection]]");
    assert!(setting.run(&["users", "add", "ann", "--role", "approver"]).await.status.success());
    for (arguments, exit, text) in [
        (&["tokens", "create", "--role", "viewer"][..], 2, "--name"),
        (&["tokens", "create", "--name", "a b", "--role", "viewer"], 2, "cannot be a name"),
        (&["tokens", "create", "--name", "long", "--role", "viewer", "--expires", "367"], 2, "1 to 366 days"),
        (&["tokens", "create", "--name", "robot", "--role", "approver"], 2, "a service approves nothing"),
        (&["tokens", "create", "--user", "ann", "--role", "admin"], 9, "the user has the role approver"),
        (&["tokens", "create", "--user", "bob", "--role", "viewer"], 7, "there is no user of this name"),
        (&["tokens", "create", "--name", "x", "--role", "viewer", "--connection", "no"], 7, "there is no connection"),
        (&["tokens", "revoke", "robot"], 7, "there is no token of this name"),
    ] {
        let output = setting.run(arguments).await;
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(text), "{arguments:?}: {}", said(&output));
    }
    let output = setting.run(&["tokens", "create", "--user", "ann", "--name", "close", "--role", "approver"]).await;
    assert!(output.status.success(), "{}", said(&output));
    let secret = String::from_utf8(output.stdout.clone()).unwrap().trim().to_owned();
    assert!(secret.starts_with("mlc_") && secret.len() == 68, "{secret}");
    let made = ["tokens", "create", "--name", "robot", "--role", "bookkeeper", "--expires", "7", "--json"];
    let made = setting.run_json(&made).await;
    assert_eq!((&made["user"], made["secret"].as_str().unwrap().len()), (&Value::Null, 68));
    assert_eq!(setting.run(&["tokens", "create", "--name", "robot", "--role", "viewer"]).await.status.code(), Some(9));
    assert!(setting.run(&["tokens", "revoke", "robot", "--by", "kim"]).await.status.success());
    let shown = setting.run_json(&["tokens", "list", "--json"]).await;
    let tokens: Vec<_> = shown["tokens"].as_array().unwrap().iter().map(|t| (&t["name"], &t["stands"])).collect();
    assert_eq!(tokens, [(&"close".into(), &"good".into()), (&"robot".into(), &"revoked".into())]);
    let listed = setting.run(&["tokens", "list"]).await;
    let trail = setting.run(&["audit", "export", "--connection", "@installation"]).await;
    let texts = [listed.stdout, trail.stdout, shown.to_string().into_bytes()].concat();
    let texts = String::from_utf8(texts).unwrap();
    assert!(texts.contains("person:kim") && texts.contains("token_revoked"), "{texts}");
    assert!(!texts.contains(&secret) && !texts.contains("mlc_"), "a secret is shown once");
}
