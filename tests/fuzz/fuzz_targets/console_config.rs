//! See [`decoders::TARGETS`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: decoders::warm("console_config"), |data: &[u8]| decoders::run("console_config", data));
