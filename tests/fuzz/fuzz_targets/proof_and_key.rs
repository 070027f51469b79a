//! See [`decoders::TARGETS`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: decoders::warm("proof_and_key"), |data: &[u8]| decoders::run("proof_and_key", data));
