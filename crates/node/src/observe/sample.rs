//! What is looked up when somebody asks: state rather than happenings.

use std::sync::atomic::AtomicU64;

use federation::Credentials;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Metric, Registry, Unit};
use rules::Minute;

use super::labels::{CheckLabels, CheckWord};
use super::process::{ProcessNumbers, free_bytes, size_bytes};
use super::{Metrics, Readiness, State};
use crate::Node;

/// Residents and events are told in steps: one more of them is somebody's doing at a known moment.
const PEOPLE_STEP: u64 = 100;
/// Sizes are told in steps, above what any one row adds.
const SIZE_STEP_BYTES: u64 = 1 << 20;

/// A number that is never below zero.
type Amount = Gauge<u64, AtomicU64>;

/// Gauges that are set when they are asked for.
pub(super) struct Sampled {
    residents: Amount,
    events: Amount,
    store_size: Amount,
    disk_free: Amount,
    disk_reserve: Amount,
    pass_jobs_queued: Amount,
    pass_queue_limit: Amount,
    closed_epoch: Amount,
    closed_epoch_age: Amount,
    registry_epoch: Amount,
    registry_age: Amount,
    trust_list_present: Amount,
    trust_list_age: Amount,
    trust_list_age_limit: Amount,
    root_expiry: Amount,
    certificate_expiry: Amount,
    memory_peak: Amount,
    threads: Amount,
    open_files: Amount,
    open_files_limit: Amount,
    uptime: Amount,
    ready: Amount,
    checks: Family<CheckLabels, Amount>,
}

impl Sampled {
    pub(super) fn register(r: &mut Registry) -> Self {
        let bytes = Some(Unit::Bytes);
        let seconds = || Some(Unit::Seconds);
        let checks = Family::<CheckLabels, Amount>::default();
        let help = "Checks of readiness: 1 passed, 0 not";
        r.register("check_passed", help, checks.clone());
        Self {
            residents: amount(
                r,
                "residents",
                "Residents with a record, rounded down to a hundred",
                None,
            ),
            events: amount(
                r,
                "events_stored",
                "Events accepted, rounded down to a hundred",
                None,
            ),
            store_size: amount(
                r,
                "store_size",
                "The store's files on the disk, rounded up to a mebibyte",
                bytes.clone(),
            ),
            disk_free: amount(
                r,
                "disk_free",
                "Room on the store's disk, rounded down to a mebibyte",
                bytes.clone(),
            ),
            disk_reserve: amount(
                r,
                "disk_reserve",
                "Room below which commits are refused",
                bytes.clone(),
            ),
            pass_jobs_queued: amount(
                r,
                "pass_jobs_queued",
                "Places of the proving queue that are taken",
                None,
            ),
            pass_queue_limit: amount(r, "pass_queue_limit", "Places of the proving queue", None),
            closed_epoch: amount(
                r,
                "closed_epoch",
                "Number of the last epoch closed; 0 before the first",
                None,
            ),
            closed_epoch_age: amount(
                r,
                "closed_epoch_age",
                "Time since the last epoch closed, by the node's clock",
                seconds(),
            ),
            registry_epoch: amount(
                r,
                "registry_epoch",
                "Epoch of the newest registry with a quorum; 0 before the first",
                None,
            ),
            registry_age: amount(
                r,
                "registry_age",
                "Time since the epoch of the newest registry closed, by the node's clock",
                seconds(),
            ),
            trust_list_present: amount(
                r,
                "trust_list_present",
                "Whether there is a trust list: 1 or 0",
                None,
            ),
            trust_list_age: amount(
                r,
                "trust_list_age",
                "Time since the trust list was issued, by the node's clock; 0 without one",
                seconds(),
            ),
            trust_list_age_limit: amount(
                r,
                "trust_list_age_limit",
                "Age from which gates cannot tell",
                seconds(),
            ),
            root_expiry: amount(
                r,
                "root_document_expiry_timestamp",
                "End of the root document",
                seconds(),
            ),
            certificate_expiry: amount(
                r,
                "certificate_expiry_timestamp",
                "End of the node's own certificates, the earliest of the chain",
                seconds(),
            ),
            memory_peak: amount(
                r,
                "process_memory_peak",
                "Most memory that was ever resident",
                bytes,
            ),
            threads: amount(r, "process_threads", "Threads of the process", None),
            open_files: amount(
                r,
                "process_open_files",
                "Files and sockets that are open",
                None,
            ),
            open_files_limit: amount(
                r,
                "process_open_files_limit",
                "Files and sockets that may be open",
                None,
            ),
            uptime: amount(
                r,
                "uptime",
                "Time since the start of the process",
                seconds(),
            ),
            ready: amount(r, "ready", "Whether the node is ready: 1 or 0", None),
            checks,
        }
    }
}

impl Metrics {
    /// Looks everything up. Reads the disk, so it is called where that may wait.
    pub(super) fn look_up(&self, node: &Node, credentials: &dyn Credentials) {
        let s = &self.sampled;
        s.residents.set(down_to(node.residents(), PEOPLE_STEP));
        s.events.set(down_to(node.events(), PEOPLE_STEP));
        s.pass_jobs_queued.set(node.proofs_queued() as u64);
        s.pass_queue_limit
            .set(node.settings.proving.queue_len as u64);
        self.look_up_trust(node);
        if let Some(end_s) = credentials.current().expires_at_s() {
            s.certificate_expiry.set(end_s);
        }
        if let Some(disk) = &self.disk {
            let free = free_bytes(&disk.dir).unwrap_or(0);
            s.disk_free.set(down_to(free, SIZE_STEP_BYTES));
            s.disk_reserve.set(disk.reserve_bytes);
            let size = size_bytes(&disk.dir).saturating_add(SIZE_STEP_BYTES - 1);
            s.store_size.set(down_to(size, SIZE_STEP_BYTES));
        }
        let process = ProcessNumbers::read();
        s.memory_peak.set(process.memory_peak_bytes);
        s.threads.set(process.threads);
        s.open_files.set(process.open_files);
        s.open_files_limit.set(process.open_files_max);
        s.uptime.set(self.started.elapsed().as_secs());
    }

    fn look_up_trust(&self, node: &Node) {
        let s = &self.sampled;
        let now = node.clock().now();
        let age_s = |since: Minute| u64::from(now.get().saturating_sub(since.get())) * 60;
        if let Some(closed) = node.last_closed() {
            let head = &closed.head.head;
            s.closed_epoch.set(head.epoch.get().into());
            s.closed_epoch_age.set(age_s(head.head_time));
        }
        let newest = node.newest_registry_epoch();
        if let Some((epoch, known)) = newest.and_then(|e| Some((e, node.known_registry(e)?))) {
            s.registry_epoch.set(epoch.get().into());
            s.registry_age.set(age_s(known.as_of));
        }
        let list = node.trust_list();
        s.trust_list_present.set(list.is_some().into());
        let issued = list.map(|list| list.online().issued_at.minute());
        s.trust_list_age.set(issued.map_or(0, age_s));
        let limit_s = node.settings.trust.hard_stale_s;
        s.trust_list_age_limit.set(limit_s.into());
        s.root_expiry.set(node.root.document().expires_at.get_s());
    }

    /// Takes over what was found of readiness.
    pub(super) fn set_readiness(&self, readiness: &Readiness) {
        let s = &self.sampled;
        s.ready.set(readiness.is_ready().into());
        for finding in readiness.findings() {
            let labels = CheckLabels {
                check: CheckWord(finding.check),
            };
            let passed = finding.state == State::Ok;
            s.checks.get_or_create(&labels).set(passed.into());
        }
    }
}

const fn down_to(number: u64, step: u64) -> u64 {
    number / step * step
}

fn amount(registry: &mut Registry, name: &str, help: &str, unit: Option<Unit>) -> Amount
where
    Amount: Metric,
{
    let amount = Amount::default();
    match unit {
        Some(unit) => registry.register_with_unit(name, help, unit, amount.clone()),
        None => registry.register(name, help, amount.clone()),
    }
    amount
}
