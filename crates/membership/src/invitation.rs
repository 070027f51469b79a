//! Invitations: a holder of a root key asks a province to join, and tells it by which keys the federation is known.

use commitment::layout::{Reader, put_count};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use federation::FederationId;
use rules::ProvinceCode;
use verifier::trust::{MAX_ROOT_KEYS, RootKeys};
use verifier::{Slot, UnixTime};

use crate::MembershipError;
use crate::layout::{check_signature, from_pem, put_text, read_federation, read_key, to_pem};

const VERSION: u8 = 1;
const DOMAIN: &[u8] = b"viridian/invitation/v1\0";
const LABEL: &str = "VIRIDIAN INVITATION";
/// Longest invitation with its signature.
pub const MAX_INVITATION_LEN_BYTES: usize =
    1 + 34 + 1 + 1 + 8 + 16 + 1 + 2 + MAX_ROOT_KEYS * 32 + 96;

/// An invitation into one slot.
///
/// Layout, big-endian: version 1 · federation (length 2, text) · province 1 · slot 1 · end (s) 8 · nonce 16 · threshold 1 ·
/// root keys (count 2; 32 each, ascending).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Into which federation.
    pub federation: FederationId,
    /// Which province is asked.
    pub province: ProvinceCode,
    /// The slot that it is to have. One that the province holds already is invited to when its key is lost or known to
    /// others.
    pub slot: Slot,
    /// Its end.
    pub expires_at: UnixTime,
    /// Drawn at random, so that no two invitations are alike.
    pub nonce: [u8; 16],
    /// The federation's root keys, which the province pins – after comparing them with somebody else's.
    pub root_keys: RootKeys,
}

impl Invitation {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        put_text(out, self.federation.as_str());
        out.push(self.province.get());
        out.push(self.slot.get());
        out.extend_from_slice(&self.expires_at.get_s().to_be_bytes());
        out.extend_from_slice(&self.nonce);
        out.push(self.root_keys.threshold());
        put_count(out, self.root_keys.keys().len());
        for key in self.root_keys.keys() {
            out.extend_from_slice(key.as_bytes());
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, MembershipError> {
        reader.version(VERSION)?;
        let federation = read_federation(reader)?;
        let province = reader.province()?;
        let slot = reader.slot()?;
        let expires_at = UnixTime::from_s(reader.u64()?);
        let nonce = reader.array()?;
        let threshold = reader.u8()?;
        let keys: Vec<VerifyingKey> = (0..reader.count("root keys", MAX_ROOT_KEYS)?)
            .map(|_| read_key(reader))
            .collect::<Result<_, _>>()?;
        let root_keys = RootKeys::new(keys.clone(), threshold)?;
        if root_keys.keys() != keys {
            return Err(commitment::layout::LayoutError::NotAscending("root keys").into());
        }
        Ok(Self {
            federation,
            province,
            slot,
            expires_at,
            nonce,
            root_keys,
        })
    }

    fn signing_bytes(&self) -> Vec<u8> {
        let mut message = DOMAIN.to_vec();
        self.write(&mut message);
        message
    }

    /// Signs it with a root key.
    ///
    /// # Errors
    /// [`MembershipError::NotARootKey`] for a key that is none of those it names.
    pub fn sign(self, key: &SigningKey) -> Result<SignedInvitation, MembershipError> {
        let by = key.verifying_key();
        if !self.root_keys.keys().contains(&by) {
            return Err(MembershipError::NotARootKey);
        }
        let signature = key.sign(&self.signing_bytes()).to_bytes();
        Ok(SignedInvitation {
            invitation: self,
            by,
            signature,
        })
    }
}

/// An invitation with a root key's signature, which fits.
///
/// Layout: the invitation · key 32 · signature 64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedInvitation {
    invitation: Invitation,
    by: VerifyingKey,
    signature: [u8; 64],
}

impl SignedInvitation {
    /// The invitation.
    pub const fn invitation(&self) -> &Invitation {
        &self.invitation
    }

    /// Checks that it holds in this federation at `now`.
    ///
    /// # Errors
    /// [`MembershipError::OtherFederation`], [`MembershipError::NotARootKey`] where other root keys are in force by now,
    /// [`MembershipError::InvitationEnded`].
    pub fn check(
        &self,
        federation: &FederationId,
        root_keys: &RootKeys,
        now: UnixTime,
    ) -> Result<(), MembershipError> {
        let invitation = &self.invitation;
        if invitation.federation != *federation {
            return Err(MembershipError::OtherFederation {
                theirs: invitation.federation.as_str().to_owned(),
                ours: federation.as_str().to_owned(),
            });
        }
        if !root_keys.keys().contains(&self.by) {
            return Err(MembershipError::NotARootKey);
        }
        if now >= invitation.expires_at {
            return Err(MembershipError::InvitationEnded {
                ended_s: invitation.expires_at.get_s(),
                now_s: now.get_s(),
            });
        }
        Ok(())
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        self.invitation.write(out);
        out.extend_from_slice(self.by.as_bytes());
        out.extend_from_slice(&self.signature);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, MembershipError> {
        let invitation = Invitation::read(reader)?;
        let by = read_key(reader)?;
        let signature = reader.array()?;
        if !invitation.root_keys.keys().contains(&by) {
            return Err(MembershipError::NotARootKey);
        }
        check_signature("the root key", &by, &invitation.signing_bytes(), &signature)?;
        Ok(Self {
            invitation,
            by,
            signature,
        })
    }

    /// The canonical bytes, at most [`MAX_INVITATION_LEN_BYTES`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        bytes
    }

    /// Reads an invitation and checks its signature.
    ///
    /// # Errors
    /// [`MembershipError::Layout`], [`MembershipError::NotARootKey`], [`MembershipError::BadSignature`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MembershipError> {
        let mut reader = Reader::new(bytes, MAX_INVITATION_LEN_BYTES)?;
        let signed = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(signed)
    }

    /// As PEM text of the label `VIRIDIAN INVITATION`.
    pub fn to_pem(&self) -> String {
        to_pem(LABEL, self.to_bytes())
    }

    /// Reads such text and checks the signature.
    ///
    /// # Errors
    /// [`MembershipError::Armour`], [`MembershipError::TooLong`], and those of [`SignedInvitation::from_bytes`].
    pub fn from_pem(text: &str) -> Result<Self, MembershipError> {
        Self::from_bytes(&from_pem(text, LABEL, MAX_INVITATION_LEN_BYTES)?)
    }
}
