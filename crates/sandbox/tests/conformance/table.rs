//! The tables of `docs/sandbox/` against these tests: every behaviour there has a test here, every test here stands there,
//! and every row that `required/` asks for has at least one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// One row of a table: what the sandbox does, who says that the real system does it, and the tests.
struct Row {
    page: String,
    line: usize,
    behaviour: String,
    source: String,
    tests: Vec<String>,
}

#[test]
fn every_behaviour_in_the_tables_has_a_test() {
    let tests = tests();
    let mut missing = Vec::new();
    for row in rows() {
        if row.tests.is_empty() || row.source.is_empty() || row.behaviour.is_empty() {
            missing.push(format!("{}:{}: a cell is empty", row.page, row.line));
        }
        for test in row.tests.iter().filter(|test| !tests.contains_key(*test)) {
            missing.push(format!("{}:{}: there is no test {test}", row.page, row.line));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_test_stands_in_a_table() {
    let named: BTreeSet<String> = rows().into_iter().flat_map(|row| row.tests).collect();
    let missing: Vec<String> = tests()
        .into_iter()
        .filter(|(test, _)| !named.contains(test))
        .map(|(test, file)| format!("{test} of {file} is in no table of docs/sandbox/"))
        .collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn no_required_behaviour_is_missing() {
    let sources: Vec<String> = rows().into_iter().map(|row| row.source).collect();
    let mut missing = Vec::new();
    for file in files(&here().join("required"), "txt") {
        for wanted in read(&file).lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let found = sources.iter().any(|source| source.split(';').any(|part| part.trim() == wanted));
            if !found {
                missing.push(format!("{} asks for {wanted:?}, which no row has as a source", name(&file)));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// The rows of all pages. A row has three cells, and the last holds names in backticks.
fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for file in files(&here().join("../../../../docs/sandbox"), "md") {
        for (index, line) in read(&file).lines().enumerate() {
            let Some(cells) = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) else {
                continue;
            };
            let cells: Vec<&str> = cells.split(" | ").map(str::trim).collect();
            let &[behaviour, source, tests] = cells.as_slice() else {
                continue;
            };
            if tests == "test" || tests.starts_with("--") {
                continue;
            }
            rows.push(Row {
                page: name(&file),
                line: index + 1,
                behaviour: behaviour.to_owned(),
                source: source.to_owned(),
                tests: tests.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect(),
            });
        }
    }
    assert!(!rows.is_empty(), "the tables were not found");
    rows
}

/// The names of all tests of this folder but those of this file, with their files.
fn tests() -> BTreeMap<String, String> {
    let mut tests = BTreeMap::new();
    for file in files(&here(), "rs").into_iter().filter(|file| !file.ends_with("table.rs")) {
        let text = read(&file);
        let mut attributed = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("#[tokio::test") || line == "#[test]" || line == "#[rstest]" {
                attributed = true;
            } else if let (true, Some(rest)) = (attributed, line.split("fn ").nth(1)) {
                let called: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let earlier = tests.insert(called.clone(), name(&file));
                assert!(earlier.is_none(), "two tests are called {called}");
                attributed = false;
            }
        }
    }
    tests
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// The files of a folder and those below it with this ending, in a fixed order.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}
