//! See [`decoders::TARGETS`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: decoders::warm("membership"), |data: &[u8]| decoders::run("membership", data));
