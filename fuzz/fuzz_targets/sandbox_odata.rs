//! Runs [`fuzzing::sandbox_odata`] under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzing::sandbox_odata(data));
