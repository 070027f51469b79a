//! See [`decoders::TARGETS`].
#![no_main]

libfuzzer_sys::fuzz_target!(init: decoders::warm("ledger"), |data: &[u8]| decoders::run("ledger", data));
