//! Whether a node can do what it is there for, found out by trying.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::Metrics;
use super::process::free_bytes;
use crate::store::StoreError;
use crate::{Node, NodeError};

/// How often the checks are made.
const CHECKED_EVERY: Duration = Duration::from_secs(1);
/// A store that nobody wrote to for so long is written to, to see whether it still can be.
const PROBED_AFTER: Duration = Duration::from_secs(10);
/// A commit that takes longer than this is not expected back: the longest flush of a disk that is well is below a second.
const COMMIT_PATIENCE: Duration = Duration::from_secs(10);
/// Findings older than this mean that the checks themselves hang.
const FINDINGS_KEPT: Duration = Duration::from_secs(10);

/// A day is counted within the next one; after half a day more somebody must look.
const DAY_AGE_MAX_S: u64 = 36 * 3_600;

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// The store takes commits.
    Store,
    /// The disk has room for more of them.
    Disk,
    /// The clock does not lie behind the last closed epoch.
    Clock,
    /// The node is not about to end.
    Running,
    /// There is a trust list, and gates still believe it.
    TrustList,
    /// What is to be published of residents as a whole is: days, and whom a rule set changes.
    Counts,
}

impl Check {
    /// All checks.
    pub const ALL: [Self; 6] = [
        Self::Store,
        Self::Disk,
        Self::Clock,
        Self::Running,
        Self::TrustList,
        Self::Counts,
    ];

    /// One word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Disk => "disk",
            Self::Clock => "clock",
            Self::Running => "running",
            Self::TrustList => "trust-list",
            Self::Counts => "counts",
        }
    }
}

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// All is well.
    Ok,
    /// The node works, but somebody must do something.
    Warning,
    /// The node is not ready.
    Failed,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

/// A check with what it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub check: Check,
    /// How it ended.
    pub state: State,
    /// For the operator: what is wrong, and what to do about it.
    pub detail: String,
}

impl Finding {
    fn new(check: Check, state: State, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            check,
            state,
            detail,
        }
    }
}

/// What all checks came to at one moment.
#[derive(Clone, Debug)]
pub struct Readiness {
    findings: Vec<Finding>,
    at: Instant,
}

impl Readiness {
    /// Makes all checks. It looks at the disk, and so is called where that may wait.
    pub fn of(node: &Node) -> Self {
        let metrics = node.metrics();
        let findings = vec![
            store(metrics),
            disk(metrics),
            clock(node),
            running(node),
            trust_list(node),
            counts(node),
        ];
        let at = Instant::now();
        Self { findings, at }
    }

    /// All checks, in the order of [`Check::ALL`].
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether no check failed.
    pub fn is_ready(&self) -> bool {
        self.findings.iter().all(|f| f.state != State::Failed)
    }

    /// Whether the trust list can be given out.
    pub(crate) fn has_trust_list(&self) -> bool {
        let is_well = |f: &&Finding| f.check == Check::TrustList && f.state == State::Ok;
        self.findings.iter().any(|f| is_well(&f))
    }

    /// As it is answered: `{"ready": …, "checks": [{"check", "state", "detail"}]}`. Checks that were made too long ago
    /// hang, and that is not ready.
    pub fn to_json(&self) -> (bool, serde_json::Value) {
        let age = self.at.elapsed();
        let ready = self.is_ready() && age <= FINDINGS_KEPT;
        let checks = self.findings.iter().map(|finding| {
            serde_json::json!({
                "check": finding.check.name(),
                "state": finding.state.name(),
                "detail": finding.detail,
            })
        });
        let checks: Vec<_> = checks.collect();
        let age_s = age.as_secs();
        let json = serde_json::json!({ "ready": ready, "checked_s_ago": age_s, "checks": checks });
        (ready, json)
    }
}

fn store(metrics: &Metrics) -> Finding {
    let commits = metrics.commits_now();
    let (state, detail) = match (commits.oldest(), commits.last()) {
        (Some(waiting), _) if waiting > COMMIT_PATIENCE => {
            let waiting_s = waiting.as_secs();
            let text = format!("a commit has been under way for {waiting_s} s: look at the disk");
            (State::Failed, text)
        }
        (_, None) => (State::Failed, "no commit has ended yet".to_owned()),
        (_, Some((_, Ok(())))) => (State::Ok, "the last commit is durable".to_owned()),
        (_, Some((_, Err(error @ (StoreError::Full { .. } | StoreError::SizeLimit { .. }))))) => {
            (State::Failed, format!("{error}: make room"))
        }
        (_, Some((_, Err(error)))) => {
            let text = format!("{error}: restart the process");
            (State::Failed, text)
        }
    };
    Finding::new(Check::Store, state, detail)
}

fn disk(metrics: &Metrics) -> Finding {
    let finding = |state, detail| Finding::new(Check::Disk, state, detail);
    let Some(disk) = &metrics.disk else {
        return finding(State::Ok, "the store is in memory".to_owned());
    };
    let Some(free) = free_bytes(&disk.dir) else {
        return finding(State::Warning, "the room cannot be looked up".to_owned());
    };
    let reserve = disk.reserve_bytes;
    let told = format!("{free} bytes free, {reserve} to be kept free");
    if free < reserve {
        finding(State::Failed, format!("{told}: make room"))
    } else if free / 2 < reserve {
        finding(State::Warning, format!("{told}: make room soon"))
    } else {
        finding(State::Ok, told)
    }
}

fn clock(node: &Node) -> Finding {
    let now = node.clock().now();
    let closed = node.last_closed().map(|closed| closed.head.head_time);
    let (state, detail) = match closed {
        Some(closed) if now < closed => (
            State::Failed,
            format!("{now} lies before the last closed epoch, {closed}: set the clock"),
        ),
        _ => (State::Ok, now.to_string()),
    };
    Finding::new(Check::Clock, state, detail)
}

fn running(node: &Node) -> Finding {
    if node.is_draining() {
        Finding::new(Check::Running, State::Failed, "the node is about to end")
    } else {
        Finding::new(Check::Running, State::Ok, "calls are taken")
    }
}

/// Without a list a node takes records, closes epochs and joins registries, which is how it comes by its first one.
fn trust_list(node: &Node) -> Finding {
    let finding = |state, detail: String| Finding::new(Check::TrustList, state, detail);
    let Some(list) = node.trust_list() else {
        let why = "none: no registry has its quorum yet, or the stored list is not believed; \
                   have an epoch closed and its registry assembled";
        return finding(State::Warning, why.to_owned());
    };
    let now = node.clock().now().get();
    let online = list.online();
    let age_s = u64::from(now.saturating_sub(online.issued_at.minute().get())) * 60;
    let limit_s = u64::from(online.hard_stale_s);
    let told = format!("issued {age_s} s ago, good for {limit_s} s");
    if age_s > limit_s {
        let advice = format!("{told}: gates cannot tell any more; have a registry assembled");
        finding(State::Warning, advice)
    } else {
        finding(State::Ok, told)
    }
}

/// The node goes on without: a rule set that the federation agreed on binds whether or not one of its nodes can count, and a
/// resident is not to be refused a pass for it.
fn counts(node: &Node) -> Finding {
    let finding = |state, detail: String| Finding::new(Check::Counts, state, detail);
    let state = node.counts_state();
    if !state.late.is_empty() {
        let sets = state.late.join(", ");
        let advice = format!(
            "in force, and nobody was told whom they would change: {sets}; read the log for why they are not counted"
        );
        return finding(State::Warning, advice);
    }
    match state.day_age_s {
        Some(age_s) if age_s > DAY_AGE_MAX_S => finding(
            State::Warning,
            format!(
                "the newest day counted ended {age_s} s ago: read the log for why no later one is"
            ),
        ),
        _ if state.missing.is_empty() => {
            finding(State::Ok, "all that is due is counted".to_owned())
        }
        _ => finding(
            State::Ok,
            format!(
                "to be counted before they take effect: {}",
                state.missing.join(", ")
            ),
        ),
    }
}

impl Node {
    /// Has the store make something durable, without anything to keep: takes a row away that is not there.
    ///
    /// # Errors
    /// [`NodeError::Store`].
    pub(crate) fn probe_store(&self) -> Result<(), NodeError> {
        let mut write = self.vault.write();
        write.delete(crate::store::Table::Nonces, b"probe");
        Ok(write.commit()?)
    }
}

/// The newest findings, for whoever asks.
pub(crate) type Watch = watch::Receiver<Readiness>;

/// Makes all checks for the first time, after a first commit.
pub(crate) async fn keep_watch(node: &Arc<Node>) -> (Watch, impl Future<Output = ()> + use<>) {
    let first = look(node, true).await;
    let (found, watch) = watch::channel(first);
    let node = Arc::clone(node);
    let watching = async move {
        let mut probing: Option<tokio::task::JoinHandle<()>> = None;
        loop {
            tokio::time::sleep(CHECKED_EVERY).await;
            let is_probing = probing.as_ref().is_some_and(|probe| !probe.is_finished());
            if !is_probing && is_idle(&node) {
                let node = Arc::clone(&node);
                // Not waited for: a store that hangs is seen by the age of this commit.
                probing = Some(tokio::task::spawn_blocking(move || probe(&node)));
            }
            found.send_replace(look(&node, false).await);
        }
    };
    (watch, watching)
}

fn is_idle(node: &Node) -> bool {
    let commits = node.metrics().commits_now();
    let is_old = |(ago, outcome): (Duration, &Result<(), StoreError>)| {
        ago >= PROBED_AFTER || outcome.is_err()
    };
    commits.oldest().is_none() && commits.last().is_none_or(is_old)
}

fn probe(node: &Node) {
    if let Err(error) = node.probe_store() {
        tracing::error!(error = %error.for_operator(), "the store takes no commits");
    }
}

async fn look(node: &Arc<Node>, first: bool) -> Readiness {
    let node = Arc::clone(node);
    let checked = tokio::task::spawn_blocking(move || {
        if first {
            probe(&node);
        }
        let readiness = Readiness::of(&node);
        node.metrics().set_readiness(&readiness);
        readiness
    });
    checked.await.unwrap_or_else(|_| Readiness {
        findings: vec![Finding::new(Check::Running, State::Failed, "a check died")],
        at: Instant::now(),
    })
}
