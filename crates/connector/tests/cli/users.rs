//! `users`, and the way of the first admin into the console of the real binary.

use sandbox::Options;
use serde_json::Value;

use crate::setting::{Setting, said};

async fn setting() -> Setting {
    let setting = Setting::make(Options { records: 1, ..Options::default() }).await;
    setting.edit("[[connection]]", "[console]\nurl = \"https://console.example.com\"\n\n[[connection]]");
    setting
}

#[tokio::test]
async fn users_are_added_changed_and_listed_with_every_change_in_the_trail() {
    let setting = setting().await;
    let output = setting.run(&["users", "add", "Ann@Example.com", "--role", "admin", "--by", "kim"]).await;
    assert!(output.status.success(), "{}", said(&output));
    let link = String::from_utf8(output.stdout).unwrap();
    assert!(link.starts_with("https://console.example.com/welcome?token="), "{link}");
    for (arguments, exit, text) in [
        (&["users", "add", "ann@example.com", "--role", "viewer"][..], 9, "there is a user of this name already"),
        (&["users", "disable", "ann@example.com"], 9, "this is the last admin"),
        (&["users", "link", "bob"], 7, "there is no user of this name"),
        (&["users", "add", "a b", "--role", "viewer"], 2, "cannot be a name"),
    ] {
        let output = setting.run(arguments).await;
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(text), "{}", said(&output));
    }
    assert!(setting.run(&["users", "add", "bob", "--role", "viewer"]).await.status.success());
    let bob = setting.run_json(&["users", "role", "bob", "--role", "approver", "--json"]).await;
    assert_eq!(bob["role"], "approver");
    assert!(setting.run(&["users", "disable", "bob"]).await.status.success());
    let shown = setting.run_json(&["users", "list", "--json"]).await;
    let stands = |place: usize| shown["users"][place]["stands"].as_str().unwrap().to_owned();
    assert_eq!([stands(0), stands(1)], ["invited", "disabled"]);
    let shown = setting.run_json(&["audit", "verify", "--json"]).await;
    let installation = &shown["trails"][1];
    assert_eq!(installation["connection"], "@installation");
    assert_eq!((&installation["entries"], &installation["problem"]), (&6.into(), &Value::Null));
    let output = setting.run(&["audit", "export", "--connection", "@installation"]).await;
    let trail = String::from_utf8(output.stdout).unwrap();
    assert!(trail.contains("person:kim") && trail.contains("user_role_set"), "{trail}");
    let token = link.trim().rsplit('=').next().unwrap();
    assert!(!trail.contains(token), "the link is in no trail");
}

#[tokio::test]
async fn a_console_that_is_open_to_others_without_tls_is_refused() {
    let setting = setting().await;
    setting.edit("url = \"https://console.example.com\"", "listen = \"0.0.0.0:8461\"");
    let output = setting.run(&["config", "check"]).await;
    assert!(!output.status.success());
    assert!(said(&output).contains("console.listen is open to other machines"), "{}", said(&output));
    setting.edit("listen = \"0.0.0.0:8461\"", "url = \"http://console.example.com\"");
    let output = setting.run(&["config", "check"]).await;
    assert!(said(&output).contains("console.url must start with https://"), "{}", said(&output));
}
