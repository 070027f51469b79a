//! What every decoder of bytes from outside must do with any bytes: answer with a value or a typed error, within its
//! limits, and give back the bytes that it took wherever a value has one form only.
//!
//! It knows no fuzzer: `fuzz_targets/` hands it bytes of libFuzzer's choosing, and the test `decoders` of `tests` seeds with
//! mutations. A check fails by a panic.

mod area_list;
mod bytes;
mod codes;
mod configuration;
mod event;
#[path = "../../../crates/verifier/tests/suite/fixture.rs"]
mod fixture;
mod ledger_bytes;
mod membership_bytes;
mod picture;
mod receipt_bytes;
mod rule_set;
mod store_bytes;
mod trust_bundle;
mod wire_messages;
mod world;

use std::time::Duration;

use peak_alloc::PeakAlloc;
use rustix::time::{ClockId, clock_gettime};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// Processor time that one input may take, on any of its decoders together.
const TIME_LIMIT: Duration = Duration::from_secs(1);

/// A family of decoders.
pub struct Target {
    /// Its name: of the fuzz target, and of the folder of its corpus.
    pub name: &'static str,
    /// Longest input that says anything new, bytes: a little above the longest that the decoders take.
    pub max_len_bytes: usize,
    /// Most heap that one input may take, mebibytes.
    pub heap_limit_mib: usize,
    check: fn(&[u8]),
    seeds: fn() -> Vec<Vec<u8>>,
}

/// A row of [`TARGETS`].
macro_rules! target {
    ($name:literal, $check:path, $seeds:path, $max_len_bytes:expr, $heap_limit_mib:expr) => {
        Target {
            name: $name,
            max_len_bytes: $max_len_bytes,
            heap_limit_mib: $heap_limit_mib,
            check: $check,
            seeds: $seeds,
        }
    };
}

/// All targets.
pub const TARGETS: [Target; 20] = [
    // A card's number is hashed with 19 MiB of memory.
    target!("qr_text", codes::qr_text, codes::qr_text_seeds, 640, 24),
    target!("pass", codes::pass, codes::pass_seeds, 320, 1),
    target!("showing", codes::showing, codes::showing_seeds, 384, 1),
    target!("picture", picture::check, picture::seeds, 4_096, 160),
    target!(
        "trust_bundle",
        trust_bundle::check,
        trust_bundle::seeds,
        250_000,
        32
    ),
    target!(
        "proof_and_key",
        codes::proof_and_key,
        codes::proof_and_key_seeds,
        800,
        2
    ),
    target!("ledger", ledger_bytes::check, ledger_bytes::seeds, 8_192, 1),
    target!(
        "membership",
        membership_bytes::check,
        membership_bytes::seeds,
        24_000,
        32
    ),
    target!("event", event::check, event::seeds, 4_096, 4),
    target!("rule_set", rule_set::check, rule_set::seeds, 70_000, 32),
    target!("area_list", area_list::check, area_list::seeds, 65_536, 320),
    target!(
        "wire",
        wire_messages::check,
        wire_messages::seeds,
        270_000,
        64
    ),
    target!(
        "backup",
        store_bytes::backup,
        store_bytes::backup_seeds,
        70_000,
        2
    ),
    target!(
        "key_ring",
        store_bytes::key_ring,
        store_bytes::key_ring_seeds,
        17_000,
        2
    ),
    target!(
        "node_config",
        configuration::node,
        configuration::node_seeds,
        16_384,
        32
    ),
    target!(
        "checkpoint_config",
        configuration::checkpoint,
        configuration::checkpoint_seeds,
        16_384,
        32
    ),
    target!(
        "console_config",
        configuration::console,
        configuration::console_seeds,
        16_384,
        32
    ),
    target!(
        "staff",
        configuration::staff,
        configuration::staff_seeds,
        16_384,
        32
    ),
    target!(
        "source_book",
        configuration::sources,
        configuration::sources_seeds,
        16_384,
        32
    ),
    target!(
        "civil_register",
        configuration::register,
        configuration::register_seeds,
        16_384,
        4
    ),
];

impl Target {
    /// The target of this name.
    ///
    /// # Panics
    /// If there is none.
    pub fn named(name: &str) -> &'static Self {
        TARGETS
            .iter()
            .find(|target| target.name == name)
            .expect("a target of this name")
    }

    /// Inputs to start from: what the decoders are meant to take, and a little of what they refuse.
    pub fn seeds(&self) -> Vec<Vec<u8>> {
        (self.seeds)()
    }

    /// Makes what the checks share, so that [`Target::run`] measures the input's own cost.
    pub fn warm(&self) {
        (self.check)(&[]);
        for seed in self.seeds() {
            (self.check)(&seed);
        }
    }

    /// Checks one input.
    ///
    /// # Panics
    /// If something about it does not hold.
    pub fn run(&self, data: &[u8]) {
        HEAP.reset_peak_usage();
        let (before, begun) = (HEAP.current_usage(), cpu_time());
        (self.check)(data);
        let spent = cpu_time().saturating_sub(begun);
        let peak = HEAP.peak_usage().saturating_sub(before);
        let limit = self.heap_limit_mib << 20;
        assert!(peak <= limit, "{peak} bytes of heap, at most {limit}");
        assert!(spent <= TIME_LIMIT, "{spent:?} of processor time");
    }
}

/// [`Target::warm`] of the target of this name.
pub fn warm(name: &str) {
    Target::named(name).warm();
}

/// [`Target::run`] of the target of this name.
pub fn run(name: &str, data: &[u8]) {
    Target::named(name).run(data);
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or(0), nanoseconds.unwrap_or(0))
}
