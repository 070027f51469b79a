//! See [`decoders::TARGETS`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: decoders::warm("pass"), |data: &[u8]| decoders::run("pass", data));
