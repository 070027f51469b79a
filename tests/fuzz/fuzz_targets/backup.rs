//! See [`decoders::TARGETS`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: decoders::warm("backup"), |data: &[u8]| decoders::run("backup", data));
