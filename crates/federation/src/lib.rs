//! Who speaks to whom: identities in certificates, mutually authenticated channels, and the closed table of who may
//! make which call.
//!
//! It knows no storage, no record and no rule set. A server made here has one [`Door`]; behind it every call passes
//! the table in [`admits`] before any service sees it.

mod activity;
mod arrival;
mod authorise;
mod connect;
mod error;
mod expiry;
mod guard;
mod identity;
mod net;
mod observe;
pub mod pki;
mod places;
mod quota;
mod roots;
mod serve;
mod standing;
mod tls;
mod web;

pub use arrival::address_of;
pub use authorise::{Caller, CallerKind, admits, callers};
pub use connect::{Backoff, Retry, Timeouts, connect, connect_through, retry};
pub use error::FederationError;
pub use guard::{CallTime, call_deadline, pass_on};
pub use identity::{Authority, FederationId, PeerId, Role};
pub use net::{AnyStream, Dial, Dialling, Listen, Stream, Tcp};
pub use observe::{CallObserver, EndedCall, RequestId, method_name};
pub use quota::{Quota, Quotas};
pub use rustls_pki_types::UnixTime;
pub use serve::{Door, Ended, GuardedRoutes, Limits, serve, serve_observed, serve_web};
pub use tls::{Changes, Credentials, Swappable, TlsIdentity};
pub use web::WebCertificate;
