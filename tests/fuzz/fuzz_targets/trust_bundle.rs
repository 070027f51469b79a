//! See [`decoders::TARGETS`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: decoders::warm("trust_bundle"), |data: &[u8]| decoders::run("trust_bundle", data));
