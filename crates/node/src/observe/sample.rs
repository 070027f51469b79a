//! What is looked up when somebody asks: state rather than happenings.

use std::sync::atomic::AtomicU64;

use federation::Credentials;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use rules::Minute;

use super::labels::{CheckLabels, CheckWord};
use super::process::{ProcessNumbers, free_bytes, size_bytes};
use super::{Check, Metrics, Readiness, State};
use crate::Node;

/// Residents and events are told in steps: one more of them is somebody's doing at a known moment.
const PEOPLE_STEP: u64 = 100;
/// Sizes are told in steps, above what any one row adds.
const SIZE_STEP_BYTES: u64 = 1 << 20;

/// A number that is never below zero.
type Amount = Gauge<u64, AtomicU64>;

/// Gauges that are set when they are asked for.
pub(super) struct Sampled {
    work: Work,
    log: LogNumbers,
    trust: Trust,
    machine: Machine,
    ready: Amount,
    checks: Family<CheckLabels, Amount>,
}

/// What the node keeps and does.
struct Work {
    residents: Amount,
    events: Amount,
    pass_jobs_queued: Amount,
    pass_queue_limit: Amount,
    closed_epoch: Amount,
    closed_epoch_age: Amount,
    registry_epoch: Amount,
    registry_age: Amount,
    outbox_rows: Amount,
    outbox_age: Amount,
    revocations_waiting: Amount,
    revocations_age: Amount,
    rule_sets_uncounted: Amount,
    rule_sets_uncounted_in_force: Amount,
    day_counts_age: Amount,
    appeals_waiting: Amount,
    appeals_overdue: Amount,
}

/// What is public of what it did.
struct LogNumbers {
    entries: Amount,
    checkpoint_entries: Amount,
    checkpoint_cosignatures: Amount,
    evidence: Amount,
    commitments_age: Amount,
}

/// What others believe it by.
struct Trust {
    list_present: Amount,
    list_age: Amount,
    list_age_limit: Amount,
    root_expiry: Amount,
    certificate_expiry: Amount,
}

/// What it runs on.
struct Machine {
    store_size: Amount,
    disk_free: Amount,
    disk_reserve: Amount,
    memory_peak: Amount,
    threads: Amount,
    open_files: Amount,
    open_files_limit: Amount,
    uptime: Amount,
}

impl Sampled {
    pub(super) fn register(r: &mut Registry) -> Self {
        let checks = Family::<CheckLabels, Amount>::default();
        let help = "Checks of readiness: 1 passed, 0 not";
        r.register("check_passed", help, checks.clone());
        for check in Check::ALL.map(CheckWord) {
            drop(checks.get_or_create(&CheckLabels { check }));
        }
        Self {
            work: Work::register(r),
            log: LogNumbers::register(r),
            trust: Trust::register(r),
            machine: Machine::register(r),
            ready: number(r, "ready", "Whether the node is ready: 1 or 0"),
            checks,
        }
    }
}

impl Work {
    fn register(r: &mut Registry) -> Self {
        let rounded = "Residents with a record, rounded down to a hundred";
        let closed = "Time since the last epoch closed, by the node's clock";
        let joined = "Time since the newest registry's epoch closed, by the node's clock";
        Self {
            residents: number(r, "residents", rounded),
            events: number(
                r,
                "events_stored",
                "Events accepted, rounded down to a hundred",
            ),
            pass_jobs_queued: number(
                r,
                "pass_jobs_queued",
                "Places of the proving queue that are taken",
            ),
            pass_queue_limit: number(r, "pass_queue_limit", "Places of the proving queue"),
            closed_epoch: number(
                r,
                "closed_epoch",
                "The last epoch closed; 0 before the first",
            ),
            closed_epoch_age: seconds(r, "closed_epoch_age", closed),
            registry_epoch: number(
                r,
                "registry_epoch",
                "Epoch of the newest registry with a quorum; 0 before the first",
            ),
            registry_age: seconds(r, "registry_age", joined),
            outbox_rows: number(
                r,
                "outbox_rows",
                "Events that wait for their homes in other provinces",
            ),
            outbox_age: seconds(
                r,
                "outbox_age",
                "How long the oldest of them waits, by the node's clock; 0 without one",
            ),
            revocations_waiting: number(
                r,
                "revocations_waiting",
                "Passes revoked and in no batch yet, rounded down to a hundred",
            ),
            revocations_age: seconds(
                r,
                "revocations_waiting_age",
                "How long the oldest of those that somebody may show waits, by the node's clock; 0 without one",
            ),
            rule_sets_uncounted: number(
                r,
                "rule_sets_uncounted",
                "Rule sets of which was not published whom they change",
            ),
            rule_sets_uncounted_in_force: number(
                r,
                "rule_sets_uncounted_in_force",
                "Those of them that are in force",
            ),
            day_counts_age: seconds(
                r,
                "day_counts_age",
                "Time since the end of the newest day that was counted, or of the first that is to be; 0 before it",
            ),
            appeals_waiting: number(r, "appeals_waiting", "Appeals that wait for a decision"),
            appeals_overdue: number(
                r,
                "appeals_overdue",
                "Those of them that wait beyond their deadline",
            ),
        }
    }
}

impl LogNumbers {
    fn register(r: &mut Registry) -> Self {
        let covered = "Entries of the log that its newest checkpoint covers";
        let cosigned = "Witnesses that have cosigned the newest checkpoint of the log";
        let batched =
            "Time since the last batch of commitments, by the node's clock; 0 without one";
        let kept = "Checkpoints of other logs that were refused and are kept";
        Self {
            entries: number(r, "log_entries", "Entries of the node's log"),
            checkpoint_entries: number(r, "log_checkpoint_entries", covered),
            checkpoint_cosignatures: number(r, "log_checkpoint_cosignatures", cosigned),
            evidence: number(r, "log_evidence", kept),
            commitments_age: seconds(r, "commitment_batch_age", batched),
        }
    }
}

impl Trust {
    fn register(r: &mut Registry) -> Self {
        let present = "Whether there is a trust list: 1 or 0";
        let age = "Time since the trust list was issued, by the node's clock; 0 without one";
        let own = "End of the node's own certificates, the earliest of the chain";
        Self {
            list_present: number(r, "trust_list_present", present),
            list_age: seconds(r, "trust_list_age", age),
            list_age_limit: seconds(
                r,
                "trust_list_age_limit",
                "Age from which gates cannot tell",
            ),
            root_expiry: seconds(
                r,
                "root_document_expiry_timestamp",
                "End of the root document",
            ),
            certificate_expiry: seconds(r, "certificate_expiry_timestamp", own),
        }
    }
}

impl Machine {
    fn register(r: &mut Registry) -> Self {
        let size = "The store's files on the disk, rounded up to a mebibyte";
        let free = "Room on the store's disk, rounded down to a mebibyte";
        Self {
            store_size: bytes(r, "store_size", size),
            disk_free: bytes(r, "disk_free", free),
            disk_reserve: bytes(r, "disk_reserve", "Room below which commits are refused"),
            memory_peak: bytes(
                r,
                "process_memory_peak",
                "Most memory that was ever resident",
            ),
            threads: number(r, "process_threads", "Threads of the process"),
            open_files: number(r, "process_open_files", "Files and sockets that are open"),
            open_files_limit: number(
                r,
                "process_open_files_limit",
                "Files and sockets that may be open",
            ),
            uptime: seconds(r, "uptime", "Time since the start of the process"),
        }
    }
}

impl Metrics {
    /// Looks everything up. Reads the disk, so it is called where that may wait.
    pub(super) fn look_up(&self, node: &Node, credentials: &dyn Credentials) {
        self.look_up_work(node);
        self.look_up_log(node);
        self.look_up_trust(node, credentials);
        self.look_up_machine();
    }

    fn look_up_work(&self, node: &Node) {
        let work = &self.sampled.work;
        work.residents.set(down_to(node.residents(), PEOPLE_STEP));
        work.events.set(down_to(node.events(), PEOPLE_STEP));
        work.pass_jobs_queued.set(node.proofs_queued() as u64);
        let limit = node.settings.proving.queue_len as u64;
        work.pass_queue_limit.set(limit);
        let (rows, oldest) = node.forward.outbox.size();
        work.outbox_rows.set(rows);
        work.outbox_age.set(oldest.map_or(0, |at| age_s(node, at)));
        let counts = node.counts_state();
        work.rule_sets_uncounted.set(counts.missing.len() as u64);
        work.rule_sets_uncounted_in_force
            .set(counts.late.len() as u64);
        work.day_counts_age.set(counts.day_age_s.unwrap_or(0));
        // Where the store does not tell, what it told last stays: an alert about what waits too long does not end by that.
        if let Ok(waiting) = node.revocations_waiting() {
            let waiting = down_to(waiting as u64, PEOPLE_STEP);
            work.revocations_waiting.set(waiting);
        }
        if let Ok(since) = node.oldest_revocation() {
            work.revocations_age
                .set(since.map_or(0, |at| age_s(node, at)));
        }
        if let Ok((waiting, overdue)) = node.appeals_waiting() {
            work.appeals_waiting.set(waiting as u64);
            work.appeals_overdue.set(overdue as u64);
        }
        if let Some(closed) = node.last_closed() {
            let head = &closed.head;
            work.closed_epoch.set(head.epoch.get().into());
            work.closed_epoch_age.set(age_s(node, head.head_time));
        }
        let newest = node.newest_registry_epoch();
        if let Some((epoch, known)) = newest.and_then(|e| Some((e, node.known_registry(e)?))) {
            work.registry_epoch.set(epoch.get().into());
            work.registry_age.set(age_s(node, known.as_of));
        }
    }

    fn look_up_log(&self, node: &Node) {
        let log = &self.sampled.log;
        log.entries.set(node.log_entries());
        let covered = node.checkpoint().map_or(0, |checkpoint| checkpoint.size());
        log.checkpoint_entries.set(covered);
        log.checkpoint_cosignatures
            .set(node.checkpoint_cosignatures() as u64);
        log.evidence.set(node.evidence_kept() as u64);
        let batched = node.commitments.made_at(node.clock.now());
        log.commitments_age
            .set(batched.map_or(0, |at| age_s(node, at)));
    }

    fn look_up_trust(&self, node: &Node, credentials: &dyn Credentials) {
        let trust = &self.sampled.trust;
        let list = node.trust_list();
        trust.list_present.set(list.is_some().into());
        let issued = list.map(|list| list.online().issued_at.minute());
        let age_s = issued.map_or(0, |issued| age_s(node, issued));
        trust.list_age.set(age_s);
        let limit_s = node.settings.trust.hard_stale_s;
        trust.list_age_limit.set(limit_s.into());
        let root_end = node.charter().document().expires_at;
        trust.root_expiry.set(root_end.get_s());
        if let Some(end_s) = credentials.current().expires_at_s() {
            trust.certificate_expiry.set(end_s);
        }
    }

    fn look_up_machine(&self) {
        let machine = &self.sampled.machine;
        if let Some(disk) = &self.disk {
            let free = free_bytes(&disk.dir).unwrap_or(0);
            machine.disk_free.set(down_to(free, SIZE_STEP_BYTES));
            machine.disk_reserve.set(disk.reserve_bytes);
            let size = size_bytes(&disk.dir).saturating_add(SIZE_STEP_BYTES - 1);
            machine.store_size.set(down_to(size, SIZE_STEP_BYTES));
        }
        let process = ProcessNumbers::read();
        machine.memory_peak.set(process.memory_peak_bytes);
        machine.threads.set(process.threads);
        machine.open_files.set(process.open_files);
        machine.open_files_limit.set(process.open_files_max);
        machine.uptime.set(self.started.elapsed().as_secs());
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

/// How long ago a minute was, by the node's clock.
fn age_s(node: &Node, since: Minute) -> u64 {
    let now = node.clock().now();
    u64::from(now.get().saturating_sub(since.get())) * 60
}

const fn down_to(number: u64, step: u64) -> u64 {
    number / step * step
}

fn number(registry: &mut Registry, name: &str, help: &str) -> Amount {
    let amount = Amount::default();
    registry.register(name, help, amount.clone());
    amount
}

fn seconds(registry: &mut Registry, name: &str, help: &str) -> Amount {
    let amount = Amount::default();
    registry.register_with_unit(name, help, Unit::Seconds, amount.clone());
    amount
}

fn bytes(registry: &mut Registry, name: &str, help: &str) -> Amount {
    let amount = Amount::default();
    registry.register_with_unit(name, help, Unit::Bytes, amount.clone());
    amount
}
