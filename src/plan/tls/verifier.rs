//! Who a server may be: signed by a trusted authority, or itself one of the trusted certificates.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, SignatureVerificationAlgorithm, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use webpki::EndEntityCert;

use super::der::{common_name_is, signed_parts};
use super::roots::{Roots, is_among};

/// Trusts the holders of certain certificates and whom they signed.
///
/// rustls' own verifier refuses the usual self-signed certificate (`openssl req -x509`) although it is trusted: it is
/// marked as an authority's, and those may not be a server's. OpenSSL, and so curl, takes a trusted certificate as it is
/// (`X509_V_FLAG_PARTIAL_CHAIN`); so does this one. Name, dates and the signature of the handshake are checked all the
/// same.
#[derive(Debug)]
pub(super) struct Verifier {
    roots: Roots,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// Trusts `roots`.
    pub(super) const fn new(roots: Roots, algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self { roots, algorithms }
    }

    /// Whether the certificate stands itself among the trusted ones and is valid now.
    fn verify_itself(&self, leaf: &CertificateDer<'_>, parsed: &ParsedCertificate<'_>, now: UnixTime) -> Option<Error> {
        if !is_among(leaf, &self.roots.certificates) {
            return Some(CertificateError::UnknownIssuer.into());
        }
        // Without an authority: what it says first is what is wrong with the certificate itself, the dates before all.
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
    /// An error about the chain; a certificate that signed itself is told from one of an unknown issuer, as the cure
    /// differs.
    fn named(&self, error: Error, leaf: &CertificateDer<'_>) -> Error {
        let is_lonely = match &error {
            Error::InvalidCertificate(CertificateError::UnknownIssuer) => true,
            Error::InvalidCertificate(CertificateError::Other(OtherError(why))) => {
                matches!(why.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
            }
            _ => false,
        };
        if is_lonely && self.signed_itself(leaf) {
            return CertificateError::Other(OtherError(Arc::new(SelfSigned))).into();
        }
        error
    }

    /// Whether the certificate's own key made its signature; that its issuer is called as its subject is not enough.
    fn signed_itself(&self, leaf: &CertificateDer<'_>) -> bool {
        let (Ok(cert), Some((signed, signature))) = (EndEntityCert::try_from(leaf), signed_parts(leaf)) else {
            return false;
        };
        let is_it = |algorithm: &&dyn SignatureVerificationAlgorithm| {
            cert.verify_signature(*algorithm, signed, signature).is_ok()
        };
        cert.issuer() == cert.subject() && self.algorithms.all.iter().any(is_it)
    }
}

/// Why a self-signed certificate is not trusted: it has no issuer that could be.
#[derive(Debug)]
pub struct SelfSigned;

impl fmt::Display for SelfSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("self-signed certificate")
    }
}

impl std::error::Error for SelfSigned {}

/// Checks the name, by the common name where the certificate has no other, as OpenSSL does.
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
            match self.verify_itself(end_entity, &parsed, now) {
                None => {}
                Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
                    return Err(self.named(error, end_entity));
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
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Trusts anybody (`-k`), whatever it shows.
#[derive(Debug)]
pub(super) struct Anybody(WebPkiSupportedAlgorithms);

impl Anybody {
    /// Takes signatures that these algorithms could have made, unchecked.
    pub(super) const fn new(algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self(algorithms)
    }
}

impl ServerCertVerifier for Anybody {
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

    // A certificate that cannot even be read (version 1, an unknown extension) has no key to check a signature by.
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
