//! Who belongs to a federation: how a province joins, renews its keys and leaves, and how the holders of the root keys
//! agree to it.
//!
//! Everything here is done off line, on files that may be seen by anybody except for keys. Provinces send *requests*,
//! signed by their head keys; a holder of a root key sends *invitations*; what follows from the requests and from the
//! federation's *plan* is a *draft* of the next root document, which enough holders sign. Time and randomness are
//! arguments.

mod change;
mod draft;
mod error;
mod folder;
mod head_keys;
mod invitation;
mod joining;
mod known;
mod layout;
mod plan;
mod request;

pub use change::{Change, changes};
pub use draft::{Draft, MAX_EXPIRY_DAYS, NOTICE_MIN};
pub use error::MembershipError;
pub use folder::{
    Applied, Folder, read_bytes, read_signing_key, read_text, replace, replace_private,
    write_private,
};
pub use head_keys::{
    HEAD_KEY_AHEAD_MAX_MIN, HEAD_KEY_KEPT_MIN, HEAD_KEY_NOTICE_MIN, HeadKeyState, NamedHeadKey,
    check_head_key_date, head_keys,
};
pub use invitation::{Invitation, MAX_INVITATION_LEN_BYTES, SignedInvitation};
pub use joining::{CERTIFICATE_DAYS, Joining, ROOT_CERTIFICATE_DAYS, issue};
pub use known::Known;
pub use plan::{MAX_PLAN_LEN_BYTES, Plan};
pub use request::{Join, MAX_REQUEST_LEN_BYTES, Request, SignedRequest};
