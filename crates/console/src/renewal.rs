//! Certificates and signing keys of the institutions and of the operator, read again as their files change.
//!
//! What belongs to one of them is taken up as a whole: a certificate of the same holder, which the roots admit now, with its key,
//! and the signing key beside it. What does not fit is told once, and the former stays.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use federation::{Swappable, UnixTime};
use parking_lot::Mutex;
use zeroize::Zeroizing;

use crate::config::Certificate;
use crate::files::{PEM_LEN_MAX_BYTES, digest_of, read_private, read_secret, read_text};
use crate::offices::{Offices, identity_of};
use crate::page::LOOK_EVERY;
use crate::{About, Config, Journal, What};

/// Name of the operator among holders; the others are named by their identifiers.
const OPERATOR: &str = "operator";

/// Digests by holder, or why files could not be read.
type Seen = BTreeMap<String, Result<[u8; 32], String>>;

/// Looks after the files.
pub(crate) struct Renewal {
    config: Config,
    offices: Arc<Offices>,
    operator: Option<Arc<Swappable>>,
    journal: Arc<Journal>,
    /// What was last looked at, whether it was good or not.
    seen: Mutex<Seen>,
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
        (holder, read.map(|material| material.digest()))
    })
    .collect()
}

impl Renewal {
    /// Begins with what was seen.
    pub(crate) const fn new(
        config: Config,
        offices: Arc<Offices>,
        operator: Option<Arc<Swappable>>,
        journal: Arc<Journal>,
        seen: Seen,
    ) -> Self {
        Self {
            config,
            offices,
            operator,
            journal,
            seen: Mutex::new(seen),
        }
    }

    /// Looks at the files again and again until `shutdown` completes.
    pub(crate) async fn keep_up(&self, shutdown: impl Future<Output = ()>) {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        let looking = async {
            loop {
                tick.tick().await;
                for error in self.look() {
                    tracing::error!(%error, "a certificate or signing key stays as it was");
                }
            }
        };
        tokio::select! {
            () = shutdown => {}
            () = looking => {}
        }
    }

    /// Looks once; what was wrong.
    fn look(&self) -> Vec<String> {
        let all = holders(&self.config).into_iter();
        let looked = all.map(|(holder, certificate, key)| self.look_at(&holder, certificate, key));
        looked.filter_map(Result::err).collect()
    }

    fn look_at(
        &self,
        holder: &str,
        certificate: &Certificate,
        key: Option<&Path>,
    ) -> Result<(), String> {
        let read = Material::read(&self.config, certificate, key);
        let now = read.as_ref().map(Material::digest).map_err(Clone::clone);
        let before = self.seen.lock().insert(holder.to_owned(), now.clone());
        if before == Some(now) {
            return Ok(());
        }
        let material = read?;
        let texts = [&*material.chain, &material.key, &material.roots];
        let identity = identity_of(certificate, texts)?;
        // The same clock that every handshake is checked by.
        let moment = UnixTime::now();
        let renewed = match (&material.secret, &self.operator) {
            (Some(secret), _) => {
                let source = rules::SourceId::parse(holder);
                let office = source.and_then(|source| self.offices.get(source).ok());
                let office = office.ok_or_else(|| format!("{holder}: it is no office here"))?;
                office.renew(identity, SigningKey::from_bytes(secret), moment)
            }
            (None, Some(operator)) => operator.swap(identity, moment),
            (None, None) => return Ok(()),
        };
        renewed.map_err(|error| format!("{holder}: {error}"))?;
        let mut entry = self.journal.begin();
        entry.note(None, What::Renewed, About::Nothing, holder);
        entry.commit().map_err(|error| error.to_string())
    }
}

#[cfg(test)]
#[path = "renewal_tests.rs"]
mod tests;
