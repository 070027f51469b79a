//! What a province makes when it joins: its head key, its authority, its certificates, and the request.

use ed25519_dalek::SigningKey;
use federation::pki::{IssuedCertificate, ProvinceAuthority, Validity};
use federation::{Authority, PeerId, Role};
use verifier::UnixTime;

use crate::{Join, MembershipError, Request, SignedInvitation, SignedRequest};

/// Days for which a node's certificate is issued.
pub const CERTIFICATE_DAYS: u32 = 397;
/// Days for which an authority's certificate is made.
pub const ROOT_CERTIFICATE_DAYS: u32 = 3_650;
/// A clock that is behind still takes a new certificate.
const BACKDATED_S: i64 = 86_400;

/// Everything that a province has from the moment it asks to join.
pub struct Joining {
    /// Its authority.
    pub authority: ProvinceAuthority,
    /// The certificate of its node.
    pub node: IssuedCertificate,
    /// The certificate of its operator.
    pub operator: IssuedCertificate,
    /// What it asks for.
    pub request: SignedRequest,
}

impl Joining {
    /// Follows an invitation at `now`, with this head key.
    ///
    /// # Errors
    /// [`MembershipError::InvitationEnded`], [`MembershipError::Federation`], and what is wrong with the request.
    pub fn prepare(
        invitation: SignedInvitation,
        head_key: &SigningKey,
        peers_address: String,
        now: UnixTime,
    ) -> Result<Self, MembershipError> {
        let asked = invitation.invitation().clone();
        invitation.check(&asked.federation, &asked.root_keys, now)?;
        let authority = Authority {
            federation: asked.federation.clone(),
            province: asked.province,
        };
        let authority =
            ProvinceAuthority::generate(authority, validity(now, ROOT_CERTIFICATE_DAYS))?;
        let issue = |role| issue(&authority, role, now);
        let (node, operator) = (issue(Role::Node)?, issue(Role::Operator)?);
        let request = Request::Join(Box::new(Join {
            invitation,
            head_key: head_key.verifying_key(),
            authority_pem: authority.certificate_pem().to_owned(),
            peers_address,
        }));
        Ok(Self {
            authority,
            node,
            operator,
            request: request.sign(&[head_key])?,
        })
    }
}

/// A certificate of the authority's province, from `now` for [`CERTIFICATE_DAYS`].
///
/// # Errors
/// [`MembershipError::Federation`].
pub fn issue(
    authority: &ProvinceAuthority,
    role: Role,
    now: UnixTime,
) -> Result<IssuedCertificate, MembershipError> {
    let peer = PeerId {
        federation: authority.authority().federation.clone(),
        province: authority.authority().province,
        role,
    };
    Ok(authority.issue(&peer, validity(now, CERTIFICATE_DAYS))?)
}

fn validity(now: UnixTime, days: u32) -> Validity {
    let now_s = i64::try_from(now.get_s()).unwrap_or(i64::MAX / 2);
    Validity {
        from_s: now_s - BACKDATED_S,
        until_s: now_s + i64::from(days) * 86_400,
    }
}
