//! Verifies servers: signed by a trusted authority, or itself one of the trusted certificates.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, SignatureVerificationAlgorithm, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use webpki::EndEntityCert;

use super::der::{common_name_is, rsa_key_bits, signed_parts};
use super::roots::{Roots, contains};

/// Trusts the holders of certain certificates and those whose certificates they signed.
///
/// rustls' own verifier rejects the usual self-signed certificate (`openssl req -x509`) even if it is
/// trusted: it is marked as an authority, and those may not be servers. OpenSSL, and therefore curl, accepts
/// a trusted certificate as it is (`X509_V_FLAG_PARTIAL_CHAIN`), and so does this verifier. Name, dates and
/// the signature of the handshake are still checked.
#[derive(Debug)]
pub(super) struct Verifier {
    roots: Roots,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// Creates a verifier that trusts `roots`.
    pub(super) const fn new(roots: Roots, algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self { roots, algorithms }
    }

    /// Checks whether the certificate itself is one of the trusted ones and is valid now.
    fn verify_trusted_leaf(
        &self,
        leaf: &CertificateDer<'_>,
        parsed: &ParsedCertificate<'_>,
        now: UnixTime,
    ) -> Option<Error> {
        if !contains(leaf, &self.roots.certificates) {
            return Some(CertificateError::UnknownIssuer.into());
        }
        // Verified without any authority, so that the first error is about the certificate itself, dates
        // before anything else.
        let no_roots = RootCertStore::empty();
        let alone = verify_server_cert_signed_by_trust_anchor(parsed, &no_roots, &[], now, self.algorithms.all);
        alone.err().filter(|error| {
            use CertificateError as Bad;
            matches!(
                error,
                Error::InvalidCertificate(
                    Bad::Expired
                        | Bad::ExpiredContext { .. }
                        | Bad::NotValidYet
                        | Bad::NotValidYetContext { .. }
                        | Bad::BadEncoding
                        | Bad::InvalidPurpose
                        | Bad::InvalidPurposeContext { .. }
                )
            )
        })
    }
}

impl Verifier {
    /// The error about the chain; a self-signed certificate is distinguished from one with an unknown issuer,
    /// because the remedy differs, and a key that is too short from both, because no certificate helps.
    fn explain(&self, error: Error, leaf: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> Error {
        let is_lonely = match &error {
            Error::InvalidCertificate(CertificateError::UnknownIssuer) => true,
            Error::InvalidCertificate(CertificateError::Other(OtherError(why))) => {
                matches!(why.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
            }
            _ => false,
        };
        let is_unverified = matches!(error, Error::InvalidCertificate(CertificateError::BadSignature));
        if (is_lonely || is_unverified) && self.has_short_key(leaf, intermediates) {
            return CertificateError::Other(OtherError(Arc::new(ShortKey))).into();
        }
        if is_lonely && self.is_self_signed(leaf) {
            return CertificateError::Other(OtherError(Arc::new(SelfSigned))).into();
        }
        error
    }

    /// Returns whether a signature of this chain cannot be verified because the key is too short.
    fn has_short_key(&self, leaf: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> bool {
        let shown = || std::iter::once(leaf).chain(intermediates);
        let has_issued = |root: &CertificateDer<'_>| {
            let Ok(root) = EndEntityCert::try_from(root) else { return false };
            shown().any(|cert| EndEntityCert::try_from(cert).is_ok_and(|cert| cert.issuer() == root.subject()))
        };
        shown().any(is_short) || self.roots.certificates.iter().any(|root| is_short(root) && has_issued(root))
    }

    /// Returns whether the certificate is signed with its own key; equal names of issuer and subject are not
    /// enough.
    fn is_self_signed(&self, leaf: &CertificateDer<'_>) -> bool {
        let (Ok(cert), Some((signed, signature))) = (EndEntityCert::try_from(leaf), signed_parts(leaf)) else {
            return false;
        };
        let is_it = |algorithm: &&dyn SignatureVerificationAlgorithm| {
            cert.verify_signature(*algorithm, signed, signature).is_ok()
        };
        cert.issuer() == cert.subject() && self.algorithms.all.iter().any(is_it)
    }
}

/// Minimum length of an RSA key whose signatures ring verifies (`RSA_PKCS1_2048_8192_SHA256`).
const SHORTEST_RSA_KEY: usize = 2048;

/// Returns whether signatures by the certificate's key cannot be verified because the key is too short.
fn is_short(certificate: &CertificateDer<'_>) -> bool {
    let Ok(cert) = EndEntityCert::try_from(certificate) else { return false };
    rsa_key_bits(cert.subject_public_key_info().as_ref()).is_some_and(|bits| bits < SHORTEST_RSA_KEY)
}

/// The error about the signature of a handshake, which fails with a key that is too short.
fn explain_signature(error: Error, leaf: &CertificateDer<'_>) -> Error {
    match error {
        Error::InvalidCertificate(CertificateError::BadSignature) if is_short(leaf) => {
            CertificateError::Other(OtherError(Arc::new(ShortKey))).into()
        }
        other => other,
    }
}

/// Error for a certificate with an RSA key that is too short for its signatures to be verified.
#[derive(Debug)]
pub struct ShortKey;

impl fmt::Display for ShortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("key too short")
    }
}

impl std::error::Error for ShortKey {}

/// Error for an untrusted self-signed certificate: it has no issuer that could be trusted instead.
#[derive(Debug)]
pub struct SelfSigned;

impl fmt::Display for SelfSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("self-signed certificate")
    }
}

impl std::error::Error for SelfSigned {}

/// Checks the name; if the certificate has no alternative names, by its common name, as in OpenSSL.
fn verify_name(
    leaf: &CertificateDer<'_>,
    parsed: &ParsedCertificate<'_>,
    server_name: &ServerName<'_>,
) -> Result<(), Error> {
    let Err(error) = verify_server_name(parsed, server_name) else { return Ok(()) };
    let names_no_host = matches!(&error, Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. })
        if presented.is_empty());
    let is_named = || {
        let subject =
            EndEntityCert::try_from(leaf).is_ok_and(|cert| common_name_is(cert.subject(), &server_name.to_str()));
        names_no_host && subject
    };
    if is_named() { Ok(()) } else { Err(error) }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        let (roots, algorithms) = (&self.roots.store, self.algorithms.all);
        let chain = verify_server_cert_signed_by_trust_anchor(&parsed, roots, intermediates, now, algorithms);
        if let Err(error) = chain {
            match self.verify_trusted_leaf(end_entity, &parsed, now) {
                None => {}
                Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
                    return Err(self.explain(error, end_entity, intermediates));
                }
                Some(own) => return Err(own),
            }
        }
        verify_name(end_entity, &parsed, server_name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms).map_err(|error| explain_signature(error, cert))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms).map_err(|error| explain_signature(error, cert))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Accepts any certificate (`-k`).
#[derive(Debug)]
pub(super) struct AcceptAnyone(WebPkiSupportedAlgorithms);

impl AcceptAnyone {
    /// Accepts signatures of these algorithms without checking them.
    pub(super) const fn new(algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self(algorithms)
    }
}

impl ServerCertVerifier for AcceptAnyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    // A certificate that cannot even be parsed (version 1, an unknown extension) has no key to verify a
    // signature with.
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
