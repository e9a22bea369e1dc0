//! What is wrong with a server's certificate, found among the causes of an error.

use std::error::Error;
use std::io;

use rustls::CertificateError;

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateProblem {
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// It is for another host.
    OtherName,
    /// Nobody who is trusted has issued it, or it has issued itself.
    UnknownIssuer,
    /// Anything else.
    Other,
}

impl CertificateProblem {
    /// Returns what is wrong with the certificate, where that is what ended a handshake.
    pub(crate) fn of(error: &rustls::Error) -> Option<Self> {
        let rustls::Error::InvalidCertificate(error) = error else { return None };
        Some(match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Self::OtherName,
            CertificateError::UnknownIssuer => Self::UnknownIssuer,
            // How rustls' verifier sees what most tools call self-signed: an authority that is shown as a server.
            CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => Self::UnknownIssuer,
            _ => Self::Other,
        })
    }
}

/// Finds one kind of error among the causes of another. An `io::Error` asked for its source skips what it holds.
pub(crate) fn cause<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    None
}
