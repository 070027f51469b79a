/// The tables. The numbers are part of the stored form; 0 is the backends' own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// Whose store this is.
    Meta = 1,
    /// Resident key → who, and the fixed place in the state tree.
    Residents = 2,
    /// Place in the state tree → resident key; its last row tells the next free place.
    Places = 3,
    /// Device key id → resident and public key.
    Devices = 4,
    /// Resident key, number → event with its evidence.
    Events = 5,
    /// Minute, device key id, nonce → nothing; what was signed once is not taken twice.
    Nonces = 6,
    /// Resident key, use id → what was requested.
    Uses = 7,
    /// Resident key, use id, position → an issued pass with its revocation secret.
    Passes = 8,
    /// Resident key, kind, day or epoch → what has been used up.
    Limits = 9,
    /// Resident key, case id → a contested event.
    Cases = 10,
    /// Resident key, minute, number → who read the record and what for. Rows are only added, until the resident leaves.
    Reads = 11,
    /// Epoch → closing minute and signed head; its presence is what closes an epoch.
    Epochs = 12,
    /// Epoch, place → committed record and its blinding.
    Committed = 13,
    /// One row: what this node has cosigned last, and the heads that it has seen.
    Cosigned = 14,
    /// Epoch → registry with its quorum.
    Registries = 15,
    /// Sequence → digest of the last online document that this node has signed.
    OnlineSigned = 16,
    /// Sequence → the newest online document with its quorum.
    Online = 17,
    /// Resident key, use id → why there is no pass.
    Refusals = 18,
    /// Owner → the owner's data key, wrapped.
    Keys = 19,
    /// Epoch, place → leaf of the state tree.
    Leaves = 20,
    /// Job → when it ran last, and what it came to.
    Jobs = 21,
    /// Index → entry of this node's log. Rows are only added.
    LogEntries = 30,
    /// One row: the newest checkpoint of this node's log, with the cosignatures that came.
    LogCheckpoint = 31,
    /// Slot → log keys announced last, the node's own among them.
    LogKeys = 32,
    /// Slot → what this node has cosigned last of that slot's log.
    Witnessed = 33,
    /// Slot, whether it only looks bad, digest → a checkpoint that was refused, beside the one cosigned.
    LogEvidence = 34,
    /// Home, number → an event on its way to the home in another province. Each under a data key of its own, that goes with it.
    Outbox = 35,
    /// Keyed digest of source and event id → what became of an event that was to be forwarded.
    Forwarded = 36,
    /// Resident key, keyed digest of the event id → an event from another province that has no effect until it is confirmed.
    Waiting = 37,
    /// Slot, index → entry of another node's log that this node witnesses.
    Mirrored = 38,
    /// Slot → what is held of that slot's log; slot, bundle → the root of a full bundle of it.
    Mirrors = 39,
    /// Resident key → nothing; the resident's passes are to be held against what is known now.
    Rechecks = 40,
    /// Urgency, minute, revocation secret → nothing; revoked and not yet published.
    Revocations = 41,
    /// One row: this province's part of the next batch of revocations.
    Contribution = 42,
    /// Minute, digest → a published batch of revocations.
    Batches = 43,
    /// `b'w'`, minute, random, part of the first → commitments that the log is to hold by then; `b's'` → since when there are any.
    Promised = 44,
    /// Keyed digest of source and event id → the receipt of the home that took a forwarded event.
    HomeReceipts = 45,
    /// Minute, root → the commitments of a batch in this node's log.
    Commitments = 46,
    /// Epoch of a registry, place, SHA-256 of who asked and about what → how often the leaf was opened for it.
    Openings = 47,
    /// Resident key, proxy key id → who may act for the resident, and until when.
    Proxies = 48,
    /// Proxy key id → resident key.
    ProxyKeys = 49,
    /// SHA-256 of a rule set's text → when it was first seen, and the count of what it changes.
    RuleSetCounts = 50,
    /// Day, number → a published count of that day.
    DailyCounts = 51,
    /// Whether it waits, deadline, number → an appeal at the offices that may decide it.
    Appeals = 52,
    /// Resident key, case id → how an appeal was decided.
    AppealDecisions = 53,
    /// Resident key, the office's name for it → a proxy that an office named.
    Namings = 54,
    /// Sequence, part → a root document that is or was in use.
    Roots = 55,
    /// Of a console: credential id → whose passkey it is.
    Passkeys = 60,
    /// Of a console: number → a proposal.
    Proposals = 61,
    /// Of a console: proposal id → its number.
    ProposalNumbers = 62,
    /// Of a console: number → what somebody did. Rows are only added.
    Acts = 63,
}

/// Under whose data key a table's rows are sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Under none: the row is plain, or a wrapped key.
    Plain,
    /// Under the node's own.
    Node,
    /// Under that of the resident with whose key the row's key begins.
    Resident,
    /// Under that of the resident whose key stands in front of the value.
    Named,
}

impl Table {
    /// All tables.
    pub const ALL: [Table; 51] = [
        Self::Meta,
        Self::Residents,
        Self::Places,
        Self::Devices,
        Self::Events,
        Self::Nonces,
        Self::Uses,
        Self::Passes,
        Self::Limits,
        Self::Cases,
        Self::Reads,
        Self::Epochs,
        Self::Committed,
        Self::Cosigned,
        Self::Registries,
        Self::OnlineSigned,
        Self::Online,
        Self::Refusals,
        Self::Keys,
        Self::Leaves,
        Self::Jobs,
        Self::LogEntries,
        Self::LogCheckpoint,
        Self::LogKeys,
        Self::Witnessed,
        Self::LogEvidence,
        Self::Outbox,
        Self::Forwarded,
        Self::Waiting,
        Self::Mirrored,
        Self::Mirrors,
        Self::Rechecks,
        Self::Revocations,
        Self::Contribution,
        Self::Batches,
        Self::Promised,
        Self::HomeReceipts,
        Self::Commitments,
        Self::Openings,
        Self::Proxies,
        Self::ProxyKeys,
        Self::RuleSetCounts,
        Self::DailyCounts,
        Self::Appeals,
        Self::AppealDecisions,
        Self::Namings,
        Self::Roots,
        Self::Passkeys,
        Self::Proposals,
        Self::ProposalNumbers,
        Self::Acts,
    ];

    /// The number in stored keys.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The table with a number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.code() == code)
    }

    /// The name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Residents => "residents",
            Self::Places => "places",
            Self::Devices => "devices",
            Self::Events => "events",
            Self::Nonces => "nonces",
            Self::Uses => "uses",
            Self::Passes => "passes",
            Self::Limits => "limits",
            Self::Cases => "cases",
            Self::Reads => "reads",
            Self::Epochs => "epochs",
            Self::Committed => "committed",
            Self::Cosigned => "cosigned",
            Self::Registries => "registries",
            Self::OnlineSigned => "online-signed",
            Self::Online => "online",
            Self::Refusals => "refusals",
            Self::Keys => "keys",
            Self::Leaves => "leaves",
            Self::Jobs => "jobs",
            Self::LogEntries => "log-entries",
            Self::LogCheckpoint => "log-checkpoint",
            Self::LogKeys => "log-keys",
            Self::Witnessed => "witnessed",
            Self::LogEvidence => "log-evidence",
            Self::Outbox => "outbox",
            Self::Forwarded => "forwarded",
            Self::Waiting => "waiting",
            Self::Mirrored => "mirrored",
            Self::Mirrors => "mirrors",
            Self::Rechecks => "rechecks",
            Self::Revocations => "revocations",
            Self::Contribution => "contribution",
            Self::Batches => "batches",
            Self::Promised => "promised",
            Self::HomeReceipts => "home-receipts",
            Self::Commitments => "commitments",
            Self::Openings => "openings",
            Self::Proxies => "proxies",
            Self::ProxyKeys => "proxy-keys",
            Self::RuleSetCounts => "rule-set-counts",
            Self::DailyCounts => "daily-counts",
            Self::Appeals => "appeals",
            Self::AppealDecisions => "appeal-decisions",
            Self::Namings => "namings",
            Self::Roots => "roots",
            Self::Passkeys => "passkeys",
            Self::Proposals => "proposals",
            Self::ProposalNumbers => "proposal-numbers",
            Self::Acts => "acts",
        }
    }

    pub(crate) const fn scope(self) -> Scope {
        match self {
            Self::Meta | Self::Keys => Scope::Plain,
            Self::Residents
            | Self::Events
            | Self::Uses
            | Self::Passes
            | Self::Limits
            | Self::Cases
            | Self::Reads
            | Self::Refusals
            | Self::Waiting
            | Self::Proxies
            | Self::AppealDecisions
            | Self::Namings => Scope::Resident,
            Self::Committed | Self::Outbox | Self::Appeals => Scope::Named,
            Self::Places
            | Self::Devices
            | Self::Nonces
            | Self::Epochs
            | Self::Cosigned
            | Self::Registries
            | Self::OnlineSigned
            | Self::Online
            | Self::Leaves
            | Self::Jobs
            | Self::Forwarded
            | Self::LogEntries
            | Self::LogCheckpoint
            | Self::LogKeys
            | Self::Witnessed
            | Self::LogEvidence
            | Self::Mirrored
            | Self::Mirrors
            | Self::Rechecks
            | Self::Revocations
            | Self::Contribution
            | Self::Batches
            | Self::Promised
            | Self::HomeReceipts
            | Self::Commitments
            | Self::Openings
            | Self::ProxyKeys
            | Self::RuleSetCounts
            | Self::DailyCounts
            | Self::Roots
            | Self::Passkeys
            | Self::Proposals
            | Self::ProposalNumbers
            | Self::Acts => Scope::Node,
        }
    }

    /// The tables with rows that begin with a resident's key.
    pub(crate) fn of_residents() -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(|table| table.scope() == Scope::Resident)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_its_own_number_and_name() {
        for (i, a) in Table::ALL.iter().enumerate() {
            assert_eq!(Table::from_code(a.code()), Some(*a));
            for b in &Table::ALL[..i] {
                assert!(a.code() != b.code() && a.name() != b.name());
            }
        }
        assert_eq!(Table::from_code(0), None);
    }
}
