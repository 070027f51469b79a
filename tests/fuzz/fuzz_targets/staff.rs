//! See [`decoders::TARGETS`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: decoders::warm("staff"), |data: &[u8]| decoders::run("staff", data));
