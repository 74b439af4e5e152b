//! Reads certificates and keys from PEM files, with helpful errors for other formats.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::bounded::{self, SizeLimit};
use crate::error::{Error, Result};

/// A file named by a flag.
pub(super) struct PemFile {
    /// Flag and path, for messages.
    name: String,
    bytes: Vec<u8>,
}

impl PemFile {
    /// Reads the file named by a flag.
    ///
    /// # Errors
    /// Names flag and file; if the content is a known format other than PEM, also the command that converts
    /// it.
    pub(super) fn read(flag: &str, path: &Path) -> Result<Self> {
        let name = format!("{flag} {}", path.display());
        let bytes = read(path).map_err(|why| Error::usage(&name, why))?;
        match other_format(&bytes, &path.display().to_string()) {
            Some(why) => Err(Error::usage(name, why)),
            None => Ok(Self { name, bytes }),
        }
    }

    /// Flag and path.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// All certificates in the file, in order; other content is skipped, as in OpenSSL.
    ///
    /// # Errors
    /// There are none, or one is invalid.
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>> {
        let found: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.bytes).collect();
        let found = found.map_err(|why| Error::usage(&self.name, format!("not PEM: {why}")))?;
        if found.is_empty() { Err(Error::usage(&self.name, "contains no certificate (PEM)")) } else { Ok(found) }
    }

    /// Combines a certificate chain with the first private key in this file, which must belong to it.
    ///
    /// # Errors
    /// The key is missing, encrypted, invalid, or belongs to another certificate.
    pub(super) fn key_of(&self, chain: Vec<CertificateDer<'static>>) -> Result<CertifiedKey> {
        let refused = |why: String| Error::usage(&self.name, why);
        if is_encrypted(&self.bytes) {
            let (_, path) = self.name.split_once(' ').unwrap_or_default();
            return Err(refused(format!(
                "the private key is encrypted, and passphrases are not supported; decrypt it: \
                 openssl pkey -in {path} -out plain.key"
            )));
        }
        let mut keys = PrivateKeyDer::pem_slice_iter(&self.bytes);
        let key = keys.next().ok_or_else(|| refused("contains no private key (PEM)".to_owned()))?;
        let key = key.map_err(|why| refused(format!("not PEM: {why}")))?;
        let provider = rustls::crypto::ring::default_provider();
        CertifiedKey::from_der(chain, key, &provider).map_err(|why| {
            refused(match why {
                rustls::Error::InconsistentKeys(_) => "this is not the key of the certificate".to_owned(),
                other => other.to_string(),
            })
        })
    }
}

/// Maximum size of a file: all roots of a system take a quarter of a MiB.
const MAX_FILE: SizeLimit = SizeLimit::mib("a file of certificates or keys", 16);

/// The content of a file of certificates or keys.
///
/// # Errors
/// The error of reading it, or the file is longer than any such file.
pub(super) fn read(path: &Path) -> std::result::Result<Vec<u8>, String> {
    bounded::read_file(path, MAX_FILE)
}

/// Recognizes formats other than PEM and returns the command that converts them.
fn other_format(bytes: &[u8], path: &str) -> Option<String> {
    // DER: a sequence, possibly with its length in two bytes. Its first elements show what it is (RFC 7292
    // section 4, RFC 5280 section 4.1, RFC 5958 section 2, RFC 5915 section 3, RFC 8017 section A.1.2).
    let inside = match bytes {
        [0x30, 0x80, inside @ ..] | [0x30, 0x81, _, inside @ ..] | [0x30, 0x82, _, _, inside @ ..] => inside,
        [0x30, length, inside @ ..] if *length < 0x80 => inside,
        [0xfe, 0xed, 0xfe, 0xed, ..] => {
            return Some(format!(
                "is a Java key store, not PEM; convert it: keytool -importkeystore -srckeystore {path} \
                 -deststoretype PKCS12 -destkeystore store.p12, then openssl pkcs12 -in store.p12 -nodes -out client.pem"
            ));
        }
        _ => return None,
    };
    Some(match inside {
        [2, 1, 3, ..] => {
            format!("is PKCS #12 (.p12, .pfx), not PEM; convert it: openssl pkcs12 -in {path} -nodes -out client.pem")
        }
        [2, 1, 0 | 1, ..] => {
            format!("is a key in DER, not PEM; convert it: openssl pkey -inform DER -in {path} -out client.key")
        }
        [0x30, ..] => {
            format!("is DER, not PEM; convert it: openssl x509 -inform DER -in {path} -out certificate.pem")
        }
        _ => return None,
    })
}

/// Returns whether a private key in PEM text is encrypted: as PKCS #8 (RFC 5958), or in OpenSSL's earlier
/// format (RFC 1421).
fn is_encrypted(pem: &[u8]) -> bool {
    let lines = || pem.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines().any(|line| line == b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
        || lines().any(|line| line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED"))
}

/// Certificate and key of the client, from the files of `--cert` and `--key`.
///
/// # Errors
/// Names the flag and file.
pub(super) fn client(cert: Option<&Path>, key: Option<&Path>) -> Result<Option<Arc<CertifiedKey>>> {
    let (cert, key) = match (cert, key) {
        (None, None) => return Ok(None),
        (Some(cert), key) => (cert, key),
        (None, Some(_)) => return Err(Error::usage("--key", "works only with --cert")),
    };
    let cert = PemFile::read("--cert", cert)?;
    let chain = cert.certificates()?;
    // Like curl, accept both in one file.
    let pair = match key {
        Some(key) => PemFile::read("--key", key)?.key_of(chain)?,
        None => cert.key_of(chain)?,
    };
    Ok(Some(Arc::new(pair)))
}
