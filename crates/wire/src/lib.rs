//! The messages that institutions, devices and gates exchange, and their total conversions to domain types.
//!
//! It knows no transport security, no storage and no rule: it turns bytes into checked values, and errors into
//! statuses. It is the only crate that knows protobuf. See the README for the layout of a signed call.

mod appeal_calls;
mod audit_calls;
mod calls;
mod endpoint;
mod error;
mod federation_calls;
mod field;
mod forward_calls;
mod gate_calls;
mod limits;
mod log_calls;
mod method;
mod mirror_calls;
mod opening_calls;
mod padding;
mod proxy_calls;
mod reason;
mod request_auth;
#[cfg(test)]
mod request_auth_vectors;
mod revocation_calls;
mod roster;
mod share;
mod signed_calls;
mod status;

pub use appeal_calls::{
    APPEAL_ID_BYTES, AppealId, DecisionRequest, MAX_APPEALS, ShownAppeal, WaitingAppeal,
    WaitingAppeals, appeals_after, decision_receipt,
};
pub use audit_calls::{
    LeafContent, LeafRequest, MAX_EVENTS_OF_LEAF, MAX_KEPT_SAMPLE_BYTES, MAX_OPENED_EVENTS,
    OPENED_EVENTS_BYTES, OpenedEvent, OpenedEvidence, OpenedLeaf, OpenedSample, ShownSample,
};
pub use calls::{
    CaseId, CheckIn, Contestation, Holders, PassRequest, Question, Registration, Trip, UseId,
    signed_event,
};
pub use endpoint::{client, server};
pub use error::WireError;
pub use federation_calls::{Proposal, PublishedRegistry};
pub use field::{bytes_exact, bytes_within, count_within, required, text_within};
pub use forward_calls::{ForwardAnswer, envelopes, forward_answers, home_receipts, stated_home};
pub use gate_calls::{GateRequest, gate_requests};
pub use limits::*;
pub use log_calls::{
    CheckpointOffer, MAX_COSIGNATURE_LINE_BYTES, WitnessAnswer, log_client, log_server,
};
pub use method::{DESCRIPTORS, Method};
pub use mirror_calls::{MAX_LOG_PART_BYTES, ReadPart, WitnessedLog, fitting, log_part_response};
pub use opening_calls::{OpeningRequest, opening_bytes};
pub use padding::Padded;
pub use proxy_calls::{NamingRequest, ProxyWish};
pub use reason::resident_reason;
pub use request_auth::{
    DeviceKey, DeviceKeyId, Nonce, RequestAuth, SignedCall, UnverifiedCall, VerifiedCall, sign_call,
};
pub use revocation_calls::{Contributed, Revoking, trust_list_answer};
pub use roster::roster_of;
pub use signed_calls::{SignedNumber, SignedProposal, signed_number_response};
pub use status::{DOMAIN, Reason, reason_of, refused, retry_after, status, status_retry_after};

/// Includes one generated package.
macro_rules! package {
    ($(#[$doc:meta])* $area:ident, $name:literal $(, $silent:literal)?) => {
        $(#[$doc])*
        pub mod $area {
            /// Version 1.
            #[allow(missing_docs, unreachable_pub, clippy::pedantic)]
            pub mod v1 {
                tonic::include_proto!($name);
                $( include!(concat!(env!("OUT_DIR"), "/", $silent)); )?
            }
        }
    };
}

package!(
    /// What auditors say to a node.
    audit, "viridian.audit.v1", "viridian.audit.v1.debug.rs"
);
package!(
    /// What an institution's staff say to their console.
    console, "viridian.console.v1", "viridian.console.v1.debug.rs"
);
package!(
    /// What nodes say to each other.
    federation, "viridian.federation.v1"
);
package!(
    /// What a gate's scanner says to its checkpoint.
    gate, "viridian.gate.v1", "viridian.gate.v1.debug.rs"
);
package!(
    /// What whoever runs a node's machine says to the node.
    maintenance, "viridian.maintenance.v1"
);
package!(
    /// What an operator says to the own node.
    operator, "viridian.operator.v1"
);
package!(
    /// Words that several services share.
    pass, "viridian.pass.v1"
);
package!(
    /// What anybody may see of a federation.
    public, "viridian.public.v1"
);
package!(
    /// What a resident's device says to its home node.
    resident, "viridian.resident.v1", "viridian.resident.v1.debug.rs"
);
package!(
    /// What a source of events says to a home node.
    source, "viridian.source.v1", "viridian.source.v1.debug.rs"
);
package!(
    /// What everybody needs to verify.
    trust, "viridian.trust.v1"
);
