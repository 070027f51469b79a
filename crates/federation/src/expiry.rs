//! When certificates end: what an operator must know before peers do.

use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// The earliest end of validity among certificates, seconds since the Unix epoch; none if one of them cannot be read.
pub(crate) fn earliest(chain: &[CertificateDer<'_>]) -> Option<u64> {
    let mut earliest: Option<u64> = None;
    for der in chain {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let end_s = certificate.validity().not_after.timestamp();
        let end_s = u64::try_from(end_s).unwrap_or(0);
        earliest = Some(earliest.map_or(end_s, |known| known.min(end_s)));
    }
    earliest
}
