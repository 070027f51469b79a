//! What the node does and what the trust list says, for whoever runs it. Nothing of it is of any resident.
//!
//! Each part may be missing: a console without an operator's certificate tells nothing of the node, one without root keys
//! nothing of the trust list, and a node that does not answer is not waited for.

use std::collections::BTreeSet;
use std::sync::Arc;

use federation::{PeerId, Role, connect};
use parking_lot::Mutex;
use tonic::transport::Channel;
use verifier::trust::{Bundle, RootKeys, RuleSetEntry, Sequence};
use verifier::{TrustList, UnixTime};
use wire::console::v1 as proto;
use wire::operator::v1::{GetStatusRequest, GetStatusResponse, ListSourcesRequest, NodeState};
use wire::trust::v1::GetTrustListRequest;
use wire::{MAX_BUNDLE_BYTES, bytes_within, text_within};

use crate::node::{TIMEOUTS, told};
use crate::offices::{Offices, identity};
use crate::{Clock, Config, ConsoleError};

/// Longest text about what is missing, bytes.
const PROBLEM_LEN_MAX_BYTES: usize = 300;
/// Longest identifier of a source, bytes: `33-community-office-4294967295`.
const SOURCE_LEN_MAX_BYTES: usize = 48;
/// Sources told of at once.
const SOURCES_MAX: usize = 256;
const NO_CERTIFICATE: &str = "there is no operator's certificate here";

/// What the overview is made of.
pub(crate) struct Overview {
    /// The node, as its operator.
    operator: Option<Channel>,
    /// The node, as anybody who may fetch the trust list.
    anybody: Option<Channel>,
    root_keys: Option<RootKeys>,
    certificates: Vec<proto::CertificateOverview>,
    clock: Arc<dyn Clock>,
    /// The highest sequences that were seen: they never fall.
    highest: Mutex<(Sequence, Sequence)>,
}

/// What it is made of.
pub(crate) struct OverviewParts {
    pub(crate) operator: Option<Channel>,
    pub(crate) anybody: Option<Channel>,
    pub(crate) root_keys: Option<RootKeys>,
    /// Whose they are, and their ends.
    pub(crate) certificates: Vec<(String, u64)>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Overview {
    /// What a configuration names.
    ///
    /// # Errors
    /// A message naming the file that is wrong, or the certificate that is somebody else's.
    pub(crate) fn open(
        config: &Config,
        offices: &Offices,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let mut certificates: Vec<(String, u64)> = offices.certificate_ends().collect();
        let operator = match &config.operator {
            None => None,
            Some(certificate) => {
                let own = identity(certificate, config)?;
                let peer = own.peer().filter(|peer| {
                    peer.role == Role::Operator
                        && peer.federation == config.federation
                        && peer.province == config.province
                });
                if peer.is_none() {
                    let file = certificate.certificate_file.display();
                    return Err(format!("{file}: it is no operator's of this province"));
                }
                let ends = own.expires_at_s();
                certificates.extend(ends.map(|ends_at_s| ("operator".to_owned(), ends_at_s)));
                let node = PeerId::node(&config.federation, config.province);
                let channel = connect(&config.node.address, node, Arc::new(own), TIMEOUTS);
                Some(channel.map_err(|error| format!("node.address: {error}"))?)
            }
        };
        Ok(Self::new(OverviewParts {
            anybody: operator.clone().or_else(|| offices.any_channel()),
            operator,
            root_keys: config.root_keys.clone(),
            certificates,
            clock,
        }))
    }

    pub(crate) fn new(parts: OverviewParts) -> Self {
        let certificates = parts.certificates.into_iter();
        let certificates = certificates
            .map(|(holder, ends_at_s)| proto::CertificateOverview { holder, ends_at_s });
        Self {
            operator: parts.operator,
            anybody: parts.anybody,
            root_keys: parts.root_keys,
            certificates: certificates.collect(),
            clock: parts.clock,
            highest: Mutex::new((Sequence::new(0), Sequence::new(0))),
        }
    }

    /// What is there now.
    pub(crate) async fn get(&self) -> proto::GetOverviewResponse {
        let (node, list) = tokio::join!(self.node(), self.list());
        let mut problems = Vec::new();
        let node = node
            .map_err(|why| problems.push(format!("node: {why}")))
            .ok();
        let list = list.map_err(|why| problems.push(format!("trust list: {why}")));
        let list = list.ok().map(|(list, problem)| {
            problems.extend(problem.map(|why| format!("trust list: {why}")));
            list
        });
        let mut problem = problems.join("; ");
        problem.truncate(problem.floor_char_boundary(PROBLEM_LEN_MAX_BYTES));
        proto::GetOverviewResponse {
            node,
            list,
            certificates: self.certificates.clone(),
            problem,
        }
    }

    async fn node(&self) -> Result<proto::NodeOverview, String> {
        let channel = self.operator.clone();
        let channel = channel.ok_or(NO_CERTIFICATE)?;
        let answer = wire::client::operator(channel)
            .get_status(GetStatusRequest {})
            .await;
        let answer = answer.map_err(|status| told(&status).to_string())?;
        Ok(node_overview(answer.get_ref()))
    }

    /// What the node takes in, by source, after one of them or from the first.
    ///
    /// # Errors
    /// [`WireError::TooLong`] for what names no source; [`ConsoleError::NodeSilent`] where there is no operator's certificate
    /// here, or no answer; [`ConsoleError::Node`] where the node refuses.
    pub(crate) async fn intake(
        &self,
        after: &str,
    ) -> Result<proto::ListIntakeResponse, ConsoleError> {
        if !after.is_empty() {
            text_within("after", after, SOURCE_LEN_MAX_BYTES)?;
        }
        let channel = self.operator.clone();
        let channel = channel.ok_or_else(|| ConsoleError::NodeSilent(NO_CERTIFICATE.to_owned()))?;
        let asked = ListSourcesRequest {
            after: after.to_owned(),
        };
        let answer = wire::client::operator(channel).list_sources(asked).await;
        let mut sources = answer.map_err(|status| told(&status))?.into_inner().sources;
        sources.truncate(SOURCES_MAX);
        Ok(proto::ListIntakeResponse { sources })
    }

    /// The list, and what is wrong with it although it is signed as it should be.
    async fn list(&self) -> Result<(proto::ListOverview, Option<String>), String> {
        let keys = self.root_keys.as_ref();
        let keys = keys.ok_or("there are no root keys here to believe one by")?;
        let channel = self.anybody.clone();
        let channel = channel.ok_or("there is no certificate here to fetch one with")?;
        let answer = wire::client::trust(channel)
            .get_trust_list(GetTrustListRequest::default())
            .await;
        let bundle = answer
            .map_err(|status| told(&status).to_string())?
            .into_inner()
            .bundle;
        bytes_within("bundle", &bundle, MAX_BUNDLE_BYTES).map_err(|error| error.to_string())?;
        self.judge(&bundle, keys)
    }

    fn judge(
        &self,
        bundle: &[u8],
        keys: &RootKeys,
    ) -> Result<(proto::ListOverview, Option<String>), String> {
        // Also one that has ended: its age is what an operator has to see.
        let list = TrustList::restore(bundle, keys).map_err(|error| error.to_string())?;
        let (root, online) = (list.root(), list.online());
        let offered = (root.sequence, online.sequence);
        let mut highest = self.highest.lock();
        let (known_root, known_online) = *highest;
        if offered.0 < known_root || offered.1 < known_online {
            return Err("its sequence fell below that of one that was seen before".to_owned());
        }
        *highest = offered;
        drop(highest);
        let signed = Bundle::from_bytes(bundle).map_err(|error| error.to_string())?;
        let slots = signed.online.signatures().iter();
        let signers: BTreeSet<u32> = slots
            .filter_map(|of| root.provinces.iter().find(|p| p.slot == of.slot))
            .map(|entry| entry.province.get().into())
            .collect();
        let now = UnixTime::from_s(self.clock.now_s());
        let problem = TrustList::consider(bundle, None, keys, now).err();
        let told = proto::ListOverview {
            root_sequence: root.sequence.get(),
            online_sequence: online.sequence.get(),
            issued_at_s: online.issued_at.get_s(),
            soft_stale_s: online.soft_stale_s,
            hard_stale_s: online.hard_stale_s,
            root_expires_at_s: root.expires_at.get_s(),
            epoch: online.registries.last().map_or(0, |e| e.epoch.get()),
            cosigners: signers.into_iter().collect(),
            provinces: u32::try_from(root.province_count()).unwrap_or(u32::MAX),
            rule_sets: root.rule_sets.iter().map(rule_set).collect(),
        };
        Ok((told, problem.map(|error| error.to_string())))
    }
}

fn node_overview(status: &GetStatusResponse) -> proto::NodeOverview {
    proto::NodeOverview {
        is_draining: status.state() == NodeState::Draining,
        now_minute: status.now_minute,
        closed_epoch: status.closed_epoch,
        registry_epoch: status.registry_epoch,
        residents: status.residents,
        events: status.events,
        proofs_queued: status.proofs_queued,
        proofs_made: status.proofs_made,
        prove_ms_median: status.prove_ms_median,
        horizon_days: status.horizon_days,
        retained_at_minute: status.retained_at_minute,
        retained_events: status.retained_events,
        retained_erased: status.retained_erased,
    }
}

fn rule_set(entry: &RuleSetEntry) -> proto::RuleSetLine {
    proto::RuleSetLine {
        rule_set_id: entry.name.clone(),
        version: entry.version,
        scope: entry.scope.get().into(),
        from_minute: entry.valid_from.get(),
        until_minute: entry.superseded_at.map_or(0, rules::Minute::get),
        is_emergency: entry.is_emergency,
    }
}

#[cfg(test)]
#[path = "overview_tests.rs"]
mod tests;
