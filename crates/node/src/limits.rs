//! The configuration's limits on residents and calls.

use serde::Deserialize;

use crate::quotas::QuotaSettings;

/// Limits on residents and calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Rule sets under which one resident is asked in a day.
    pub rule_sets_per_day: u32,
    /// Passes that one resident may request in an epoch.
    pub passes_per_epoch: u32,
    /// Device keys of one resident: the own, and those of a proxy.
    pub devices_per_resident: u8,
    /// Check-ins, trips and contestations that one resident may send in a day.
    pub declarations_per_day: u32,
    /// Events kept for one resident.
    pub events_per_resident: u32,
    /// How far a device's clock may be off, minutes.
    pub request_skew_min: u16,
    /// Connections at one door.
    pub connections_at_once: usize,
    /// Connections at one door from one address (of IPv6, one network of 64 bits).
    pub connections_per_address: usize,
    /// Calls under way at one door; as many again may fetch the trust list.
    pub calls_at_once: usize,
    /// Calls under way of one caller at one door.
    pub calls_per_caller: usize,
    /// Streams of events, and health checks that are watched, of one caller at one door.
    pub long_calls_per_caller: usize,
    /// Streams of events, and health checks that are watched, at one door.
    pub long_calls_at_once: usize,
    /// Calls that touch the store at once, without those that bring events.
    pub store_calls_at_once: usize,
    /// Calls that bring events at once; batches of streams count as calls.
    pub intake_calls_at_once: usize,
    /// How long a call waits for its turn at the store before it is shed, milliseconds.
    pub store_wait_ms: u64,
    /// Answers to `Query` leave at multiples of this after the call came, milliseconds.
    pub query_quantum_ms: u64,
    /// Time for a call, seconds.
    pub deadline_s: u64,
    /// Time for which a connection may be without a call, and a stream of events without a batch, seconds.
    pub idle_s: u64,
    /// Time for calls under way once the end is asked for, seconds.
    pub drain_s: u64,
    /// What one caller may ask for.
    pub quotas: QuotaSettings,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rule_sets_per_day: 3,
            passes_per_epoch: 64,
            devices_per_resident: 5,
            declarations_per_day: 64,
            events_per_resident: 4_096,
            request_skew_min: 10,
            connections_at_once: 4_096,
            connections_per_address: 1_024,
            calls_at_once: 1_024,
            calls_per_caller: 256,
            long_calls_at_once: 256,
            long_calls_per_caller: 16,
            store_calls_at_once: 64,
            intake_calls_at_once: 16,
            store_wait_ms: 2_000,
            query_quantum_ms: 200,
            deadline_s: 15,
            idle_s: 120,
            drain_s: 20,
            quotas: QuotaSettings::default(),
        }
    }
}

impl Limits {
    /// Each key with its value and bounds.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (&'static str, u64, u64, u64)> {
        let ranges: [(&str, u64, u64, u64); 19] = [
            ("limits.query_quantum_ms", self.query_quantum_ms, 1, 5_000),
            (
                "limits.rule_sets_per_day",
                self.rule_sets_per_day.into(),
                1,
                34,
            ),
            (
                "limits.passes_per_epoch",
                self.passes_per_epoch.into(),
                1,
                1_024,
            ),
            (
                "limits.devices_per_resident",
                self.devices_per_resident.into(),
                1,
                16,
            ),
            (
                "limits.declarations_per_day",
                self.declarations_per_day.into(),
                1,
                1_024,
            ),
            (
                "limits.events_per_resident",
                self.events_per_resident.into(),
                64,
                65_536,
            ),
            (
                "limits.request_skew_min",
                self.request_skew_min.into(),
                1,
                1_440,
            ),
            ("limits.calls_at_once", self.calls_at_once as u64, 1, 65_536),
            (
                "limits.store_calls_at_once",
                self.store_calls_at_once as u64,
                1,
                512,
            ),
            (
                "limits.intake_calls_at_once",
                self.intake_calls_at_once as u64,
                1,
                512,
            ),
            ("limits.store_wait_ms", self.store_wait_ms, 1, 60_000),
            (
                "limits.connections_at_once",
                self.connections_at_once as u64,
                1,
                65_536,
            ),
            (
                "limits.connections_per_address",
                self.connections_per_address as u64,
                1,
                65_536,
            ),
            (
                "limits.long_calls_at_once",
                self.long_calls_at_once as u64,
                1,
                65_536,
            ),
            (
                "limits.long_calls_per_caller",
                self.long_calls_per_caller as u64,
                1,
                65_536,
            ),
            (
                "limits.calls_per_caller",
                self.calls_per_caller as u64,
                1,
                65_536,
            ),
            ("limits.deadline_s", self.deadline_s, 1, 300),
            ("limits.idle_s", self.idle_s, 1, 3_600),
            ("limits.drain_s", self.drain_s, 1, 300),
        ];
        ranges.into_iter().chain(self.quotas.ranges())
    }
}
