//! See [`decoders::TARGETS`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: decoders::warm("qr_text"), |data: &[u8]| decoders::run("qr_text", data));
