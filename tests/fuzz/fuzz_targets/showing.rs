//! See [`decoders::TARGETS`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: decoders::warm("showing"), |data: &[u8]| decoders::run("showing", data));
