//! Runs [`fuzzing::audit_canonical`] under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzing::audit_canonical(data));
