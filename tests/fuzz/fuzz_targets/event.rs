//! See [`decoders::TARGETS`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: decoders::warm("event"), |data: &[u8]| decoders::run("event", data));
