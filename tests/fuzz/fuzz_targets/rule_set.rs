//! See [`decoders::TARGETS`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: decoders::warm("rule_set"), |data: &[u8]| decoders::run("rule_set", data));
