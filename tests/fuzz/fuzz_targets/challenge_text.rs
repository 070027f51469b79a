//! See [`decoders::TARGETS`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: decoders::warm("challenge_text"), |data: &[u8]| decoders::run("challenge_text", data));
