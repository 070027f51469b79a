//! See [`decoders::TARGETS`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: decoders::warm("wire"), |data: &[u8]| decoders::run("wire", data));
