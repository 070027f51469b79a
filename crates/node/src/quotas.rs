//! How much one caller may ask of a node.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use federation::{Quota, Quotas};
use rules::{Minute, SourceId};
use serde::Deserialize;
use wire::{DeviceKeyId, MAX_EVENTS, Reason};

use crate::NodeError;
use crate::store::ResidentKey;

/// Sources told apart; a province has thousands.
const MAX_SOURCES: usize = 16_384;
/// Devices and addresses told apart: those that called within the last minutes. About 6 MB each at the most.
const MAX_CALLERS: usize = 65_536;
/// Identity numbers told apart, of those tried within the last day. About 25 MB at the most. In memory and not in the store:
/// whoever makes up numbers would fill the disk, and a restart costs a guesser more than it gives.
const MAX_PERSONS: usize = 262_144;

/// The quotas of the configuration: what comes back in a time, and what may be had at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuotaSettings {
    /// Events of one source, each second.
    pub events_per_s: u32,
    /// Events of one source at once; at least a batch.
    pub events_burst: u32,
    /// Calls of one certificate at the peers' door, each second.
    pub peer_calls_per_s: u32,
    /// Calls of one certificate at once.
    pub peer_calls_burst: u32,
    /// Calls from one address at the public door, each second.
    pub address_calls_per_s: u32,
    /// Calls from one address at once.
    pub address_calls_burst: u32,
    /// New connections from one address at either door, each second.
    pub address_connections_per_s: u32,
    /// New connections from one address at once.
    pub address_connections_burst: u32,
    /// Signed calls of one device, each minute.
    pub device_calls_per_min: u32,
    /// Signed calls of one device at once.
    pub device_calls_burst: u32,
    /// Tries to register one identity number, each day of the node's clock.
    pub register_tries_per_day: u32,
    /// Tries to register one identity number at once.
    pub register_tries_burst: u32,
    /// Tries to register from one address, each minute.
    pub address_registers_per_min: u32,
    /// Tries to register from one address at once.
    pub address_registers_burst: u32,
}

impl Default for QuotaSettings {
    /// One source has at most a quarter of the 20,000 events that a small machine makes durable in a second. A certificate
    /// has a third of the calls that one connection can carry. An address can be that of a carrier with thousands of
    /// residents behind it, so it has much; handshakes of one take at most a tenth of a core. A device belongs to one person, who needs a dozen calls a day. A name is
    /// guessed 5 times, then once an hour.
    fn default() -> Self {
        Self {
            events_per_s: 5_000,
            events_burst: 20_000,
            peer_calls_per_s: 2_000,
            peer_calls_burst: 4_000,
            address_calls_per_s: 500,
            address_calls_burst: 2_000,
            address_connections_per_s: 200,
            address_connections_burst: 2_000,
            device_calls_per_min: 60,
            device_calls_burst: 120,
            register_tries_per_day: 24,
            register_tries_burst: 5,
            address_registers_per_min: 120,
            address_registers_burst: 1_000,
        }
    }
}

impl QuotaSettings {
    /// Each key with its value and bounds.
    pub(crate) fn ranges(&self) -> [(&'static str, u64, u64, u64); 14] {
        let most = 1_000_000;
        [
            ("limits.quotas.events_per_s", self.events_per_s, 1),
            (
                "limits.quotas.events_burst",
                self.events_burst,
                MAX_EVENTS as u64,
            ),
            ("limits.quotas.peer_calls_per_s", self.peer_calls_per_s, 1),
            ("limits.quotas.peer_calls_burst", self.peer_calls_burst, 1),
            (
                "limits.quotas.address_calls_per_s",
                self.address_calls_per_s,
                1,
            ),
            (
                "limits.quotas.address_calls_burst",
                self.address_calls_burst,
                1,
            ),
            (
                "limits.quotas.address_connections_per_s",
                self.address_connections_per_s,
                1,
            ),
            (
                "limits.quotas.address_connections_burst",
                self.address_connections_burst,
                1,
            ),
            (
                "limits.quotas.device_calls_per_min",
                self.device_calls_per_min,
                1,
            ),
            (
                "limits.quotas.device_calls_burst",
                self.device_calls_burst,
                1,
            ),
            (
                "limits.quotas.register_tries_per_day",
                self.register_tries_per_day,
                1,
            ),
            (
                "limits.quotas.register_tries_burst",
                self.register_tries_burst,
                1,
            ),
            (
                "limits.quotas.address_registers_per_min",
                self.address_registers_per_min,
                1,
            ),
            (
                "limits.quotas.address_registers_burst",
                self.address_registers_burst,
                1,
            ),
        ]
        .map(|(name, value, least)| (name, value.into(), least, most))
    }

    /// Calls of one certificate.
    pub(crate) fn peer_calls(&self) -> Quota {
        Quota::per_second(self.peer_calls_per_s, self.peer_calls_burst)
    }

    /// New connections from one address.
    pub(crate) fn address_connections(&self) -> Quota {
        Quota::per_second(
            self.address_connections_per_s,
            self.address_connections_burst,
        )
    }

    /// Calls from one address.
    pub(crate) fn address_calls(&self) -> Quota {
        Quota::per_second(self.address_calls_per_s, self.address_calls_burst)
    }
}

/// How often somebody may leave, come back and leave again: each time reads all devices of the province while nothing is signed, and takes a
/// place in the tree for good.
const LEAVINGS_PER_DAY: u32 = 2;

/// What is left of each caller's quota.
pub(crate) struct NodeQuotas {
    began: Instant,
    events: Quotas<SourceId>,
    devices: Quotas<DeviceKeyId>,
    tries: Quotas<ResidentKey>,
    leavings: Quotas<ResidentKey>,
    addresses: Quotas<IpAddr>,
}

impl NodeQuotas {
    pub(crate) fn new(settings: &QuotaSettings) -> Self {
        let events = Quota::per_second(settings.events_per_s, settings.events_burst);
        let per_minute =
            |number: u32, burst| Quota::every(Duration::from_mins(1) / number.max(1), burst);
        let day = Duration::from_hours(24);
        let tries = Quota::every(
            day / settings.register_tries_per_day.max(1),
            settings.register_tries_burst,
        );
        Self {
            began: Instant::now(),
            events: Quotas::new(events, MAX_SOURCES),
            devices: Quotas::new(
                per_minute(settings.device_calls_per_min, settings.device_calls_burst),
                MAX_CALLERS,
            ),
            tries: Quotas::new(tries, MAX_PERSONS),
            leavings: Quotas::new(
                Quota::every(day / LEAVINGS_PER_DAY, LEAVINGS_PER_DAY),
                MAX_PERSONS,
            ),
            addresses: Quotas::new(
                per_minute(
                    settings.address_registers_per_min,
                    settings.address_registers_burst,
                ),
                MAX_CALLERS,
            ),
        }
    }

    /// Spends a source's quota of events, or says how long to wait.
    pub(crate) fn events(&self, source: SourceId, events: usize) -> Result<(), Duration> {
        let events = u32::try_from(events).unwrap_or(u32::MAX);
        self.events.take(&source, events, self.began.elapsed())
    }

    pub(crate) fn device_call(&self, device: DeviceKeyId) -> Result<(), NodeError> {
        self.devices
            .take(&device, 1, self.began.elapsed())
            .map_err(used_up)
    }

    /// Counts a try to register from an address.
    pub(crate) fn register_from(&self, address: IpAddr) -> Result<(), NodeError> {
        self.addresses
            .take(&address, 1, self.began.elapsed())
            .map_err(used_up)
    }

    /// Counts a try to register a person. The person is known by a keyed digest, whether there is a record or not, so the
    /// answer says nothing about that. By the node's own clock, since what is limited is guesses in a day.
    pub(crate) fn register_try(&self, person: ResidentKey, now: Minute) -> Result<(), NodeError> {
        let now = Duration::from_mins(now.get().into());
        self.tries.take(&person, 1, now).map_err(used_up)
    }

    /// Counts that a resident leaves, or has all other devices unbound by registering. Here and not among the resident's rows, which go with them. By the node's own clock.
    pub(crate) fn leave(&self, person: ResidentKey, now: Minute) -> Result<(), NodeError> {
        let now = Duration::from_mins(now.get().into());
        self.leavings.take(&person, 1, now).map_err(used_up)
    }

    /// The register confirmed the person who tried, so the tries before were no guesses.
    pub(crate) fn register_confirmed(&self, person: ResidentKey) {
        self.tries.forget(&person);
    }
}

/// A quota that is used up for now.
pub(crate) fn used_up(wait: Duration) -> NodeError {
    NodeError::Later {
        reason: Reason::Quota,
        wait,
    }
}
