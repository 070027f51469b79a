//! See [`decoders::TARGETS`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: decoders::warm("key_ring"), |data: &[u8]| decoders::run("key_ring", data));
