//! See [`decoders::TARGETS`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: decoders::warm("area_list"), |data: &[u8]| decoders::run("area_list", data));
