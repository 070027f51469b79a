//! See [`decoders::TARGETS`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: decoders::warm("civil_register"), |data: &[u8]| decoders::run("civil_register", data));
