//! The kept inputs of each target, through the very functions that libFuzzer calls.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use fuzzing::TARGETS;

/// What is kept is there to be replayed with every test, not to search further.
const FILES_MAX: usize = 64;
const BYTES_MAX: usize = 200_000;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The inputs of a target.
fn kept(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = folder("corpus").join(target);
    names(&folder).into_iter().map(|name| (name.clone(), fs::read(folder.join(name)).unwrap())).collect()
}

fn replay(target: &str) {
    let (_, run) = TARGETS.into_iter().find(|(name, _)| *name == target).unwrap();
    let inputs = kept(target);
    assert!(!inputs.is_empty(), "{target} has no inputs");
    for (name, data) in inputs {
        println!("{target}/{name}");
        run(&data);
    }
}

macro_rules! replays {
    ($($test:ident: $target:literal;)+) => {
        $(#[test]
        fn $test() {
            replay($target);
        })+

        const REPLAYED: &[&str] = &[$($target),+];
    };
}

replays! {
    every_kept_audit_entry_has_a_hash_of_its_own: "audit_canonical";
    every_kept_configuration_is_taken_or_refused_with_a_key: "config";
    every_kept_descriptor_is_read_and_decided_once: "descriptor";
    every_kept_answer_ends_with_a_value_or_an_error: "json_models";
    every_kept_value_is_understood_as_it_was_meant: "odata";
    every_kept_request_to_the_sandbox_is_answered: "sandbox_odata";
    every_kept_delivery_is_judged_by_its_bytes: "webhook";
}

#[test]
fn each_target_has_its_binary_its_inputs_and_its_test() {
    let targets: Vec<&str> = TARGETS.into_iter().map(|(name, _)| name).collect();
    assert_eq!(REPLAYED, targets);
    assert_eq!(names(&folder("corpus")), targets);
    let binaries: Vec<String> = targets.iter().map(|target| format!("{target}.rs")).collect();
    assert_eq!(names(&folder("../../fuzz/fuzz_targets")), binaries);
}

#[test]
fn the_kept_inputs_are_few_and_small() {
    let kept: Vec<usize> =
        TARGETS.into_iter().flat_map(|(target, _)| kept(target)).map(|(_, data)| data.len()).collect();
    let bytes: usize = kept.iter().sum();
    assert!(kept.len() <= FILES_MAX && bytes <= BYTES_MAX, "{} files, {bytes} bytes", kept.len());
}
