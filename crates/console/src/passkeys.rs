//! Passkeys: whose they are, how they come to be somebody's, and how somebody signs in by one.
//!
//! The ceremonies are those of Web Authentication, level 3, by `webauthn_rp`: discoverable credentials, the person verified by their device,
//! no attestation – an institution that admits only certain devices hands those out.
//!
//! Sessions begin here, and end with the passkey that they were begun by, while the journal is held: none begins by a passkey, or for
//! somebody on the list, that is gone already.

use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::{StoreError, Table};
use webauthn_rp::bin::{Decode as _, Encode as _};
use webauthn_rp::request::auth::AuthenticationVerificationOptions;
use webauthn_rp::request::register::{
    CredProtect, Nickname, PublicKeyCredentialUserEntity, RegistrationVerificationOptions,
    UserHandle, Username,
};
use webauthn_rp::request::{AsciiDomain, ExtensionInfo, RpId};
use webauthn_rp::response::CredentialId;
use webauthn_rp::response::auth::error::AuthCeremonyErr;
use webauthn_rp::response::register::{CompressedPubKey, DynamicState, StaticState};
use webauthn_rp::{
    AuthenticatedCredential, DiscoverableAuthentication, DiscoverableAuthenticationServerState,
    DiscoverableCredentialRequestOptions, PublicKeyCredentialCreationOptions, Registration,
    RegistrationServerState,
};
use wire::{Reason, WireError};

use crate::ceremonies::Ceremonies;
use crate::sessions::Sessions;
use crate::staff::{CodeDigest, Staff, StaffList};
use crate::{About, ConsoleError, Entry, Journal, Person, StaffId, What};

/// Longest answer of a browser, bytes: a credential's id has 1,023 at most, the largest key 2 KiB, and the page's JSON tells
/// each of them twice.
const CREDENTIAL_LEN_MAX_BYTES: usize = 16_384;
/// Bytes of a user handle: a [`StaffId`].
const HANDLE_LEN: usize = 8;
/// First bytes of keys in [`Table::Passkeys`]: a passkey, and an invitation that was used.
const PASSKEY: u8 = b'k';
const USED: u8 = b'u';

/// A public key, as it is stored.
type Key = CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>;

/// A passkey. Key: `b'k'`, SHA-256 of its credential's id.
#[derive(Clone, Serialize, Deserialize)]
struct PasskeyRow {
    /// Whose it is.
    who: StaffId,
    /// Public key and what was agreed about it, as `webauthn_rp` writes it.
    fixed: Vec<u8>,
    /// Counter of signatures and what else changes, as `webauthn_rp` writes it.
    changing: [u8; 7],
    /// When it was bound, seconds since the Unix epoch.
    bound_at_s: u64,
}

/// What came of signing in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SignIn {
    /// Somebody has signed the challenge; the header that sets the cookie of their session.
    By(Person, String),
    /// The passkey's counter has fallen back, as that of a copy does: it is nobody's from now on, and nobody is signed in.
    ByCopy(StaffId),
}

/// The passkeys of a console.
pub(crate) struct Passkeys {
    journal: Arc<Journal>,
    staff: Staff,
    sessions: Arc<Sessions>,
    rp_id: RpId,
    /// Where the page is shown, once that is known.
    origins: RwLock<Vec<String>>,
    enrolling: Ceremonies<RegistrationServerState<HANDLE_LEN>>,
    signing_in: Ceremonies<DiscoverableAuthenticationServerState>,
}

impl Passkeys {
    /// For a page of `host`; none is believed before [`Passkeys::serve_as`].
    ///
    /// # Errors
    /// A message saying that `host` is not a name that passkeys can be bound to.
    pub(crate) fn new(
        journal: Arc<Journal>,
        staff: Staff,
        sessions: Arc<Sessions>,
        host: &str,
    ) -> Result<Self, String> {
        let domain = AsciiDomain::try_from(host.to_owned())
            .map_err(|error| format!("page.names: {host}: {error}"))?;
        Ok(Self {
            journal,
            staff,
            sessions,
            rp_id: RpId::Domain(domain),
            // One that no page has: without any `webauthn_rp` would make one up from the host.
            origins: RwLock::new(vec![String::new()]),
            enrolling: Ceremonies::default(),
            signing_in: Ceremonies::default(),
        })
    }

    /// The origins of the page, all of its host: challenges that were signed for another are refused.
    pub(crate) fn serve_as(&self, origins: Vec<String>) {
        *self.origins.write() = origins;
    }

    /// Begins to bind a passkey to whoever was invited by `code`: what their browser, at the address `from`, is asked for, JSON.
    ///
    /// # Errors
    /// [`Reason::InvitationRefused`].
    pub(crate) fn begin_enrol(
        &self,
        code: &str,
        from: Option<IpAddr>,
    ) -> Result<String, ConsoleError> {
        let person = self.invited(code)?.0;
        let Ok(handle) = UserHandle::decode(person.id.0);
        // What a device's list of passkeys shows: the name, or, for one that cannot be a user's, the id.
        let digits = person.id.to_string();
        let name = Username::try_from(person.name.as_str())
            .or_else(|_| Username::try_from(digits.as_str()))
            .map_err(|_| ConsoleError::Fault("an id is no name of a user"))?;
        let user = PublicKeyCredentialUserEntity {
            name,
            id: &handle,
            display_name: Nickname::try_from(person.name.as_str()).ok(),
        };
        let mut options = PublicKeyCredentialCreationOptions::first_passkey(&self.rp_id, user);
        // Asked of keys that can hide a passkey from who does not know its user, and not enforced: devices that have no such thing,
        // as those built into phones and computers, refuse to make one then. Each sign-in asks for the user itself.
        options.extensions.cred_protect =
            CredProtect::UserVerificationRequired(ExtensionInfo::AllowDontEnforceValue);
        let (server, client) = options
            .start_ceremony()
            .map_err(|_| ConsoleError::Fault("the options of a passkey are refused"))?;
        self.enrolling.keep(from, server);
        to_json(&client)
    }

    /// Binds the passkey that a browser has made, uses the invitation up, and begins a session: the header that sets its cookie. A
    /// passkey that they had before is theirs no more, and its sessions end: whoever has that device is not to go on with one.
    ///
    /// # Errors
    /// [`Reason::InvitationRefused`], [`Reason::PasskeyRefused`].
    pub(crate) fn enrol(&self, code: &str, credential: &str) -> Result<String, ConsoleError> {
        limit(credential)?;
        let registration = Registration::from_json_relaxed(credential.as_bytes())
            .map_err(|error| refused(&error))?;
        let challenge = registration.challenge_relaxed();
        let challenge = challenge.map_err(|error| refused(&error))?;
        let ceremony = self.enrolling.take(challenge);
        let ceremony =
            ceremony.ok_or_else(|| refused(&"the challenge is none of the console's"))?;
        let origins = self.origins.read().clone();
        let options = RegistrationVerificationOptions::<String, String> {
            allowed_origins: &origins,
            ..RegistrationVerificationOptions::default()
        };
        let made = ceremony
            .verify(&self.rp_id, &registration, &options)
            .map_err(|error| refused(&error))?;
        let (Ok(handle), Ok(fixed), Ok(changing)) = (
            made.user_id().encode(),
            made.static_state().encode(),
            made.dynamic_state().encode(),
        );

        let mut entry = self.journal.begin();
        // Asked again under the lock: whoever was first has used it up.
        let (person, code) = self.invited(code)?;
        if person.id.0 != handle {
            return Err(refused(&"the challenge was for another invitation"));
        }
        self.unbind(&mut entry, |who| who == person.id)?;
        let row = PasskeyRow {
            who: person.id,
            fixed,
            changing,
            bound_at_s: self.journal.clock().now_s(),
        };
        // Somebody else's passkey is not taken over.
        let key = passkey_key(made.id().as_ref());
        entry.write.put_new(Table::Passkeys, &key, &row);
        entry
            .write
            .put_new(Table::Passkeys, &used_key(code), &person.id);
        entry.note(Some(&person), What::Enrolled, About::Nothing, "");
        let begun = entry.commit_then(|| {
            self.sessions.end_but(|who| who != person.id);
            self.sessions.begin(person.id)
        });
        match begun {
            Err(ConsoleError::Store(StoreError::Conflict(_))) => {
                Err(refused(&"the passkey is bound already"))
            }
            done => done,
        }
    }

    /// Begins to sign somebody in: what their browser, at the address `from`, is asked for, JSON.
    ///
    /// # Errors
    /// [`ConsoleError::Fault`].
    pub(crate) fn begin_sign_in(&self, from: Option<IpAddr>) -> Result<String, ConsoleError> {
        let options = DiscoverableCredentialRequestOptions::passkey(&self.rp_id);
        let (server, client) = options
            .start_ceremony()
            .map_err(|_| ConsoleError::Fault("the options of a sign-in are refused"))?;
        self.signing_in.keep(from, server);
        to_json(&client)
    }

    /// Who has signed the challenge, with the session that they have by it. Where it is a copy's answer all sessions of whose passkey it
    /// was end.
    ///
    /// # Errors
    /// [`Reason::PasskeyRefused`].
    pub(crate) fn sign_in(&self, credential: &str) -> Result<SignIn, ConsoleError> {
        limit(credential)?;
        let answer =
            DiscoverableAuthentication::<HANDLE_LEN>::from_json_relaxed(credential.as_bytes())
                .map_err(|error| refused(&error))?;
        let challenge = answer
            .challenge_relaxed()
            .map_err(|error| refused(&error))?;
        let ceremony = self.signing_in.take(challenge);
        let ceremony =
            ceremony.ok_or_else(|| refused(&"the challenge is none of the console's"))?;

        // Under the journal's lock, so that of two copies one is always seen to be second.
        let mut entry = self.journal.begin();
        let key = passkey_key(answer.raw_id().as_ref());
        let row: Option<PasskeyRow> = self.journal.vault().get(Table::Passkeys, &key)?;
        let mut row = row.ok_or_else(|| refused(&"the passkey is nobody's here"))?;
        let staff = self.staff.now();
        let person = staff.get(row.who);
        let person = person.ok_or_else(|| refused(&"whose passkey it is works here no more"))?;
        let Ok(handle) = UserHandle::decode(row.who.0);
        let mut bound = bound(&row, answer.raw_id(), &handle)?;
        let origins = self.origins.read().clone();
        let options = AuthenticationVerificationOptions::<String, String> {
            allowed_origins: &origins,
            ..AuthenticationVerificationOptions::default()
        };
        match ceremony.verify(&self.rp_id, &answer, &mut bound, &options) {
            Ok(_) => {}
            Err(AuthCeremonyErr::SignatureCounter) => {
                entry.write.delete(Table::Passkeys, &key);
                entry.note(Some(person), What::CounterFell, About::Nothing, "");
                // Before it is durable: they end also where the disk is full.
                self.sessions.end_but(|who| who != person.id);
                entry.commit()?;
                tracing::error!(who = %person.id, "a passkey's counter fell back: it was copied, and is nobody's now");
                return Ok(SignIn::ByCopy(person.id));
            }
            Err(error) => return Err(refused(&error)),
        }
        let Ok(changing) = bound.dynamic_state().encode();
        row.changing = changing;
        entry.write.put(Table::Passkeys, &key, &row);
        entry.note(Some(person), What::SignedIn, About::Nothing, "");
        let header = entry.commit_then(|| self.sessions.begin(person.id))?;
        Ok(SignIn::By(person.clone(), header))
    }

    /// Who was invited by a code that is neither over nor used.
    fn invited(&self, code: &str) -> Result<(Person, CodeDigest), ConsoleError> {
        let refused = Reason::InvitationRefused;
        let code = CodeDigest::of(code).ok_or(refused)?;
        let now_s = self.journal.clock().now_s();
        let staff = self.staff.now();
        let person = staff.invited(code, now_s).ok_or(refused)?;
        let used: Option<StaffId> = self.journal.vault().get(Table::Passkeys, &used_key(code))?;
        match used {
            None => Ok((person.clone(), code)),
            Some(_) => Err(refused.into()),
        }
    }

    /// Removes the passkeys of all who are not in `list`.
    ///
    /// # Errors
    /// [`ConsoleError::Store`].
    pub(crate) fn keep_only(
        &self,
        entry: &mut Entry<'_>,
        list: &StaffList,
    ) -> Result<(), ConsoleError> {
        self.unbind(entry, |who| list.get(who).is_none())
    }

    fn unbind(
        &self,
        entry: &mut Entry<'_>,
        goes: impl Fn(StaffId) -> bool,
    ) -> Result<(), ConsoleError> {
        let vault = self.journal.vault();
        vault.walk(Table::Passkeys, &[PASSKEY], |key, row: PasskeyRow| {
            if goes(row.who) {
                entry.write.delete(Table::Passkeys, key);
            }
            Ok(())
        })
    }
}

/// A stored passkey, for an answer to be verified with.
fn bound<'a>(
    row: &PasskeyRow,
    id: CredentialId<&'a [u8]>,
    handle: &'a UserHandle<HANDLE_LEN>,
) -> Result<AuthenticatedCredential<'a, 'a, HANDLE_LEN, Key>, ConsoleError> {
    let damaged = || ConsoleError::Store(StoreError::Damaged(Table::Passkeys));
    let fixed = StaticState::decode(&row.fixed[..]).map_err(|_| damaged())?;
    let changing = DynamicState::decode(row.changing).map_err(|_| damaged())?;
    AuthenticatedCredential::new(id, handle, fixed, changing).map_err(|_| damaged())
}

fn passkey_key(credential_id: &[u8]) -> Vec<u8> {
    [&[PASSKEY][..], &Sha256::digest(credential_id)].concat()
}

fn used_key(code: CodeDigest) -> Vec<u8> {
    [&[USED][..], &code.0].concat()
}

fn limit(credential: &str) -> Result<(), WireError> {
    let got = credential.len();
    if got > CREDENTIAL_LEN_MAX_BYTES {
        let (field, limit) = ("credential_json", CREDENTIAL_LEN_MAX_BYTES);
        return Err(WireError::TooLong { field, limit, got });
    }
    Ok(())
}

fn to_json(options: &impl Serialize) -> Result<String, ConsoleError> {
    let json = serde_json::to_string(options);
    json.map_err(|_| ConsoleError::Fault("options cannot be written as JSON"))
}

/// Why is for the log alone: it says nothing of anybody, and to the caller all refusals look alike.
fn refused(why: &dyn std::fmt::Display) -> ConsoleError {
    tracing::warn!(%why, "a passkey is refused");
    Reason::PasskeyRefused.into()
}

#[cfg(test)]
mod tests;
