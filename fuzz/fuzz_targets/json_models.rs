//! Runs [`fuzzing::json_models`] under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzing::json_models(data));
