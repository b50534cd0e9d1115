//! A configuration is taken or refused with one sentence that says where: the key, or the line. A secret that somebody typed into it is
//! not said back. One that is taken has rules and a version, always the same.

use std::path::Path;

use connector::config::{Config, ConfigError};

/// Looks like a token of Brex, as the fuzzer's dictionary has it.
const SECRET: &str = "bxt_0123456789abcdefghijklmnop";

/// The text of a configuration.
pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let folder = Path::new("folder");
    match Config::parse(text, folder) {
        Ok(config) => {
            assert_eq!(config.folder, folder);
            assert!(!config.connections.is_empty());
            for connection in &config.connections {
                connection.id().expect("a name that was checked");
                let rules = connection.rules().expect("rules that were checked");
                let again = Config::parse(text, folder).expect("taken before");
                let same = again.connections.iter().find(|other| other.name == connection.name).expect("the same name");
                assert_eq!(same.rules().expect("rules").version, rules.version);
            }
            assert!(!format!("{config:?}").contains(SECRET), "a secret is shown");
        }
        Err(error) => refused(text, &error),
    }
}

fn refused(text: &str, error: &ConfigError) {
    let said = error.to_string();
    match error {
        ConfigError::Syntax { line, problem } => {
            assert!((1..=text.matches('\n').count() + 1).contains(line), "line {line}: {problem}");
            assert!(!problem.is_empty());
        }
        ConfigError::Value { key, problem } => {
            // Behind the name of a connection, which may be anything, stands the key.
            let name = key.rsplit_once("\": ").map_or(key.as_str(), |(_, name)| name);
            let is_name = |c: char| c.is_ascii_lowercase() || matches!(c, '_' | '.' | ' ');
            // The keys of a secret that stands in the wrong place are those of the text, which may be anything.
            let is_named = !name.is_empty() && name.chars().all(is_name);
            assert!(is_named || problem.starts_with("holds a secret"), "{said}");
            assert!(!problem.is_empty());
        }
        ConfigError::Unreadable { .. } | ConfigError::InFile { .. } => panic!("no file was read: {said}"),
    }
    assert!(!said.contains(SECRET), "a secret is said back: {said}");
}
