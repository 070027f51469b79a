//! See [`decoders::TARGETS`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: decoders::warm("node_config"), |data: &[u8]| decoders::run("node_config", data));
