//! Runs [`fuzzing::odata`] under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzing::odata(data));
