//! See [`decoders::TARGETS`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: decoders::warm("checkpoint_config"), |data: &[u8]| decoders::run("checkpoint_config", data));
