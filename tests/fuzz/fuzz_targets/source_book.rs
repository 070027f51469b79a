//! See [`decoders::TARGETS`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: decoders::warm("source_book"), |data: &[u8]| decoders::run("source_book", data));
