//! Certificates and signing keys of the institutions and of the operator, read again as their files change.
//!
//! What belongs to one of them is taken up as a whole: a certificate of the same holder, which the roots admit now, with its key,
//! and the signing key beside it. What does not fit is told once and tried again, and the former stays. Which signing key an office had
//! last is stored, so that an act tells when it became another also where the console did not run.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use ed25519_dalek::{SigningKey, VerifyingKey};
use federation::{Credentials as _, FederationError, Swappable, TlsIdentity, UnixTime};
use parking_lot::Mutex;
use rules::SourceId;
use store::{Table, Vault};
use zeroize::Zeroizing;

use crate::config::Certificate;
use crate::files::{PEM_LEN_MAX_BYTES, digest_of, read_private, read_secret, read_text};
use crate::offices::{Office, Offices, identity_of};
use crate::page::LOOK_EVERY;
use crate::{About, Config, ConsoleError, Entry, Journal, What};

/// Name of the operator among holders; the others are named by their identifiers.
const OPERATOR: &str = "operator";

/// First byte of keys in [`Table::Passkeys`] of the signing key that an office had last: `b'o'`, the office's identifier.
const SIGNING_KEY: u8 = b'o';
/// What stands behind an office in the act of another signing key.
const IS_SIGNING_KEY: &str = "signing key";

/// Digests by holder; none where files could not be read.
type Seen = BTreeMap<String, Option<[u8; 32]>>;

/// What is known of one holder's files.
#[derive(Default)]
struct Known {
    /// Digest of what is in use.
    in_use: Option<[u8; 32]>,
    /// What was told of: the digest of files that are not taken up, or why they cannot be read.
    told: Option<Result<[u8; 32], String>>,
}

/// Looks after the files.
pub(crate) struct Renewal {
    config: Config,
    offices: Arc<Offices>,
    operator: Option<Arc<Swappable>>,
    journal: Arc<Journal>,
    known: Mutex<BTreeMap<String, Known>>,
}

/// What stands in the files of one holder.
struct Material {
    chain: String,
    key: Zeroizing<String>,
    roots: String,
    /// None for the operator, who signs nothing.
    secret: Option<Zeroizing<[u8; 32]>>,
}

impl Material {
    fn read(
        config: &Config,
        certificate: &Certificate,
        signing_key_file: Option<&Path>,
    ) -> Result<Self, String> {
        Ok(Self {
            chain: read_text(&certificate.certificate_file, PEM_LEN_MAX_BYTES)?,
            key: read_private(&certificate.key_file, PEM_LEN_MAX_BYTES)?,
            roots: read_text(&config.node.roots_file, PEM_LEN_MAX_BYTES)?,
            secret: signing_key_file.map(read_secret).transpose()?,
        })
    }

    fn digest(&self) -> [u8; 32] {
        let secret = self.secret.as_ref().map_or(&[][..], |secret| &secret[..]);
        let (chain, roots) = (self.chain.as_bytes(), self.roots.as_bytes());
        digest_of(&[chain, self.key.as_bytes(), roots, secret])
    }
}

/// Each holder with its files.
fn holders(config: &Config) -> Vec<(String, &Certificate, Option<&Path>)> {
    let offices = config.offices.iter().map(|office| {
        let key = Some(&*office.signing_key_file);
        (office.source.to_string(), &office.certificate, key)
    });
    let operator = config.operator.iter();
    let operator = operator.map(|certificate| (OPERATOR.to_owned(), certificate, None));
    offices.chain(operator).collect()
}

/// What stands in all files now. To be called before they are read for use: what changes after this is seen.
pub(crate) fn seen_now(config: &Config) -> Seen {
    let all = holders(config).into_iter();
    all.map(|(holder, certificate, key)| {
        let read = Material::read(config, certificate, key);
        (holder, read.ok().map(|material| material.digest()))
    })
    .collect()
}

/// Puts the signing keys of all offices among the changes, with an act for each that is another than it was last.
///
/// # Errors
/// [`ConsoleError::Store`].
pub(crate) fn note_keys(
    entry: &mut Entry<'_>,
    vault: &Vault,
    offices: &Offices,
) -> Result<(), ConsoleError> {
    for office in offices.iter() {
        note_key(entry, vault, office.source, &office.verifying_key())?;
    }
    Ok(())
}

/// The same of one; whether an act tells of it. The first that is known of an office is none that became another.
fn note_key(
    entry: &mut Entry<'_>,
    vault: &Vault,
    source: SourceId,
    key: &VerifyingKey,
) -> Result<bool, ConsoleError> {
    let (holder, now) = (source.to_string(), digest_of(&[key.as_bytes()]));
    let name = [&[SIGNING_KEY][..], holder.as_bytes()].concat();
    let before: Option<[u8; 32]> = vault.get(Table::Passkeys, &name)?;
    if before == Some(now) {
        return Ok(false);
    }
    entry.write.put(Table::Passkeys, &name, &now);
    if before.is_some() {
        let words = format!("{holder} {IS_SIGNING_KEY}");
        entry.note(None, What::Renewed, About::Nothing, &words);
    }
    Ok(before.is_some())
}

/// Whether a certificate may take the place of the one in use at a moment.
fn check(
    current: &Arc<Swappable>,
    next: &TlsIdentity,
    moment: UnixTime,
) -> Result<(), FederationError> {
    if next.peer() != current.current().peer() {
        return Err(FederationError::OtherIdentity);
    }
    next.check_own(moment)
}

impl Renewal {
    /// Begins with what was seen.
    pub(crate) fn new(
        config: Config,
        offices: Arc<Offices>,
        operator: Option<Arc<Swappable>>,
        journal: Arc<Journal>,
        seen: Seen,
    ) -> Self {
        let known = seen.into_iter().map(|(holder, in_use)| {
            let told = None;
            (holder, Known { in_use, told })
        });
        Self {
            config,
            offices,
            operator,
            journal,
            known: Mutex::new(known.collect()),
        }
    }

    /// Looks at the files again and again until `shutdown` completes.
    pub(crate) async fn keep_up(&self, shutdown: impl Future<Output = ()>) {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        let looking = async {
            loop {
                tick.tick().await;
                // The same clock that every handshake is checked by.
                for error in self.look(UnixTime::now()) {
                    tracing::error!(%error, "a certificate or signing key stays as it was");
                }
            }
        };
        tokio::select! {
            () = shutdown => {}
            () = looking => {}
        }
    }

    /// Looks once, and takes up what is good at a moment. What is wrong that was not told before; it is tried again at each look.
    fn look(&self, moment: UnixTime) -> Vec<String> {
        let all = holders(&self.config).into_iter();
        let looked = all.filter_map(|(holder, certificate, key)| {
            let read = Material::read(&self.config, certificate, key);
            let digest = read.as_ref().ok().map(Material::digest);
            let in_use = self
                .known
                .lock()
                .get(&holder)
                .and_then(|known| known.in_use);
            let is_in_use = digest.is_some() && in_use == digest;
            let used = match read {
                Ok(_) if is_in_use => Ok(()),
                Ok(material) => self.take_up(&holder, certificate, &material, moment),
                Err(error) => Err(error),
            };
            let mut known = self.known.lock();
            let known = known.entry(holder).or_default();
            let Err(error) = used else {
                *known = Known {
                    in_use: digest,
                    told: None,
                };
                return None;
            };
            let wrong = Some(digest.ok_or_else(|| error.clone()));
            let is_new = known.told != wrong;
            known.told = wrong;
            is_new.then_some(error)
        });
        looked.collect()
    }

    /// Takes up what stands in the files of a holder. The act is durable before anything is signed by another key.
    fn take_up(
        &self,
        holder: &str,
        certificate: &Certificate,
        material: &Material,
        moment: UnixTime,
    ) -> Result<(), String> {
        let texts = [&*material.chain, &material.key, &material.roots];
        let identity = identity_of(certificate, texts)?;
        let told = |error: FederationError| format!("{holder}: {error}");
        let office = material.secret.as_ref().map(|secret| {
            let source = SourceId::parse(holder);
            let office = source.and_then(|source| self.offices.get(source).ok());
            let office = office.ok_or_else(|| format!("{holder}: it is no office here"))?;
            Ok::<_, String>((office, SigningKey::from_bytes(secret)))
        });
        let office = office.transpose()?;
        let current = match (&office, &self.operator) {
            (Some((office, _)), _) => office.identity(),
            (None, Some(operator)) => operator,
            (None, None) => return Ok(()),
        };
        check(current, &identity, moment).map_err(told)?;
        self.note(holder, office.as_ref())
            .map_err(|error| error.to_string())?;
        let renewed = match office {
            Some((office, key)) => office.renew(identity, key, moment),
            None => current.swap(identity, moment),
        };
        renewed.map_err(told)
    }

    /// Stores that something of a holder is another.
    fn note(
        &self,
        holder: &str,
        office: Option<&(&Office, SigningKey)>,
    ) -> Result<(), ConsoleError> {
        let mut entry = self.journal.begin();
        let is_key = match office {
            Some((office, key)) => {
                let key = key.verifying_key();
                note_key(&mut entry, self.journal.vault(), office.source, &key)?
            }
            None => false,
        };
        if !is_key {
            entry.note(None, What::Renewed, About::Nothing, holder);
        }
        entry.commit()
    }
}

#[cfg(test)]
#[path = "renewal_tests.rs"]
mod tests;
