//! The walk with curl of `docs/sandbox.md`, run as it stands there, and what `ml-sandbox` prints and writes.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// The binary, ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the binary in a folder; its ready line.
fn start(folder: &Path, arguments: &[&str]) -> (Running, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ml-sandbox"));
    command.args(arguments).current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (Running(child), line)
}

/// The shell blocks of the page, each with what it prints.
fn steps() -> Vec<(String, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sandbox.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut steps = Vec::new();
    for part in page.split("```sh\n").skip(1) {
        let (script, rest) = part.split_once("```\n").unwrap();
        let (between, printed) = rest.split_once("```text\n").unwrap();
        assert_eq!(between.trim(), "", "a block is followed by what it prints");
        steps.push((script.to_owned(), printed.split_once("```").unwrap().0.trim().to_owned()));
    }
    steps
}

#[test]
fn the_walk_with_curl_prints_what_the_page_says() {
    let folder = tempfile::tempdir().unwrap();
    let (_running, _) = start(folder.path(), &["--start", "2026-03-02T10:00:00Z", "--env-file", "sandbox.env"]);
    let steps = steps();
    assert!(steps.len() >= 8);
    let scripts: Vec<&str> = steps.iter().map(|(script, _)| script.as_str()).collect();
    let script = scripts.join("\nprintf '\\n=====\\n'\n");
    let output = Command::new("bash").arg("-c").arg(script).current_dir(folder.path()).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let printed: Vec<&str> = printed.split("=====\n").map(str::trim).collect();
    for ((script, expected), printed) in steps.iter().zip(&printed) {
        assert_eq!(printed, expected, "of\n{script}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_files_of_the_ready_line_say_the_same_as_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--ready-file", "ready.json", "--env-file", "sandbox.env", "--bc-limits", "off"];
    let (_running, line) = start(folder.path(), &arguments);
    assert_eq!(std::fs::read_to_string(folder.path().join("ready.json")).unwrap(), line);
    let ready: Value = serde_json::from_str(&line).unwrap();
    let environment = std::fs::read_to_string(folder.path().join("sandbox.env")).unwrap();
    let secret = format!("ENTRA_CLIENT_SECRET='{}'\n", ready["entra"]["client_secret"].as_str().unwrap());
    assert!(environment.contains(&secret), "{environment}");
}

#[test]
fn the_help_and_the_page_name_every_option() {
    let help = Command::new(env!("CARGO_BIN_EXE_ml-sandbox")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for word in [
        "--port-base",
        "--webhook-drop-percent",
        "--bc-latency-ms",
        "--ready-file",
        "--seed",
        "--records",
        "--vendors",
        "--state",
        "--save-every",
        "--start",
        "--weather",
        "--bc-limits",
        "--env-file",
        "Examples:",
        "Ports:",
    ] {
        assert!(help.contains(word), "{word} is missing");
    }
    let refused = Command::new(env!("CARGO_BIN_EXE_ml-sandbox")).args(["--weather", "{}"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
}
