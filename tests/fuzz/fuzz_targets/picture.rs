//! See [`decoders::TARGETS`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: decoders::warm("picture"), |data: &[u8]| decoders::run("picture", data));
