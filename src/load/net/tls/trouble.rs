//! What an error of rustls means.

use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};
use webpki::Error as WebPki;

use crate::outcome::TlsTrouble;
use crate::plan::tls::{SelfSigned, ShortKey};

/// The kind that an error belongs to.
pub(super) fn of(error: &Error) -> TlsTrouble {
    match error {
        Error::InvalidCertificate(error) => of_certificate(error),
        Error::NoCertificatesPresented => TlsTrouble::NoCertificate,
        Error::InvalidMessage(_) => TlsTrouble::NotTls,
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => TlsTrouble::NoVersion,
        Error::PeerIncompatible(_) => TlsTrouble::NoCipher,
        Error::AlertReceived(alert) => of_alert(*alert),
        _ => TlsTrouble::Other,
    }
}

fn of_certificate(error: &CertificateError) -> TlsTrouble {
    match error {
        CertificateError::UnknownIssuer => TlsTrouble::UnknownIssuer,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => TlsTrouble::WrongName,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsTrouble::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TlsTrouble::NotYetValid,
        CertificateError::BadSignature => TlsTrouble::BadSignature,
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => TlsTrouble::WrongPurpose,
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => TlsTrouble::UnsupportedAlgorithm,
        CertificateError::Other(other) if other.0.is::<SelfSigned>() => TlsTrouble::SelfSigned,
        CertificateError::Other(other) if other.0.is::<ShortKey>() => TlsTrouble::ShortKey,
        CertificateError::Other(other) => match other.0.downcast_ref() {
            Some(WebPki::CaUsedAsEndEntity) => TlsTrouble::Authority,
            Some(WebPki::UnsupportedCertVersion) => TlsTrouble::UnsupportedVersion,
            // A certificate that is not an authority's was used as one: its issuer cannot be trusted, whoever signed
            // it.
            Some(WebPki::EndEntityUsedAsCa) => TlsTrouble::UnknownIssuer,
            _ => TlsTrouble::BadCertificate,
        },
        _ => TlsTrouble::BadCertificate,
    }
}

const fn of_alert(alert: AlertDescription) -> TlsTrouble {
    match alert {
        AlertDescription::CertificateRequired => TlsTrouble::ClientCertificateRequired,
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => TlsTrouble::ClientCertificateRefused,
        AlertDescription::UnrecognisedName => TlsTrouble::UnknownName,
        AlertDescription::ProtocolVersion => TlsTrouble::NoVersion,
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => TlsTrouble::NoCipher,
        _ => TlsTrouble::Alert,
    }
}
