//! What the binary gives to shells and to `man`.

use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ml-connector")).args(args).output().unwrap()
}

#[test]
fn each_shell_gets_a_script_that_knows_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell]);
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && output.stderr.is_empty());
        for word in ["attention", "restore", "log-format"] {
            assert!(script.contains(word), "{word} is not in the script for {shell}");
        }
    }
    assert_eq!(run(&["completions", "cmd.exe"]).status.code(), Some(2));
}

#[test]
fn each_command_gets_a_page_that_links_to_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let man = folder.path().join("man1");
    assert!(run(&["man", man.to_str().unwrap()]).status.success());
    let page = |name: &str| std::fs::read_to_string(man.join(name)).unwrap();
    assert!(page("ml-connector.1").contains("ml\\-connector\\-store(1)"));
    assert!(page("ml-connector-store-restore.1").contains("which must be empty"));
    assert!(page("ml-connector-run.1").contains(".TH"));
    let beside = folder.path().join("file");
    std::fs::write(&beside, "").unwrap();
    let failed = run(&["man", beside.join("man1").to_str().unwrap()]);
    assert_eq!(failed.status.code(), Some(2), "a folder that cannot be made");
}
