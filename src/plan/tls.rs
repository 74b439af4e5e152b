//! Certificates and keys, read and checked before the run: what is wrong with them is exit 2, not a failed request.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use crate::bounded::{self, Limit};
use crate::error::{Error, Result};

/// All roots of a system have a quarter of a MiB.
const PEM: Limit = Limit::mib("a file of certificates or keys", 16);

/// What the flags about TLS say.
#[derive(Debug)]
pub(super) struct TlsFlags<'f> {
    /// `-k`.
    pub(super) insecure: bool,
    /// `--cacert`, each.
    pub(super) cacert: &'f [PathBuf],
    /// `--cert`.
    pub(super) cert: Option<&'f Path>,
    /// `--key`.
    pub(super) key: Option<&'f Path>,
}

/// Makes the connectors' configuration.
///
/// # Errors
/// Names the flag and file whose content cannot be used.
pub(super) fn config(flags: &TlsFlags<'_>) -> Result<TlsConfig> {
    let mut builder = TlsConfig::builder().disable_verification(flags.insecure).client_cert(client(flags)?);
    if flags.cacert.is_empty() {
        builder = builder.root_certs(RootCerts::WebPki);
    } else {
        builder = builder.root_certs(RootCerts::new_with_certs(&roots(flags.cacert)?));
    }
    Ok(builder.build())
}

fn roots(files: &[PathBuf]) -> Result<Vec<Certificate<'static>>> {
    let mut all = Vec::new();
    for file in files {
        let certificates = certificates("--cacert", file)?;
        for certificate in &certificates {
            let der = CertificateDer::from_slice(certificate.der());
            let added = rustls::RootCertStore::empty().add(der);
            added.map_err(|why| Error::usage(named("--cacert", file), format!("not a CA certificate: {why}")))?;
        }
        all.extend(certificates);
    }
    Ok(all)
}

fn client(flags: &TlsFlags<'_>) -> Result<Option<ClientCert>> {
    let (cert, key) = match (flags.cert, flags.key) {
        (None, None) => return Ok(None),
        (Some(cert), Some(key)) => (cert, key),
        // curl takes both from one file, too.
        (Some(cert), None) => (cert, cert),
        (None, Some(_)) => return Err(Error::usage("--key", "goes with --cert")),
    };
    let chain = certificates("--cert", cert)?;
    let name = named(if flags.key.is_some() { "--key" } else { "--cert" }, key);
    let private_key = items(&name, key)?
        .into_iter()
        .find_map(|item| if let PemItem::PrivateKey(key) = item { Some(key) } else { None })
        .ok_or_else(|| Error::usage(&name, "no private key (PEM) in it"))?;
    check_pair(&chain, &private_key).map_err(|why| Error::usage(&name, why))?;
    Ok(Some(ClientCert::new_with_certs(&chain, private_key)))
}

/// rustls refuses a key that does not belong to the certificate, and ureq would panic over it.
fn check_pair(chain: &[Certificate<'static>], key: &PrivateKey<'static>) -> std::result::Result<(), String> {
    let chain = chain.iter().map(|c| CertificateDer::from(c.der().to_vec())).collect();
    let key = PrivateKeyDer::try_from(key.der().to_vec()).map_err(str::to_owned)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::sign::CertifiedKey::from_der(chain, key, &provider).map(|_| ()).map_err(|why| why.to_string())
}

fn certificates(flag: &str, file: &Path) -> Result<Vec<Certificate<'static>>> {
    let name = named(flag, file);
    let found: Vec<_> = items(&name, file)?
        .into_iter()
        .filter_map(|item| if let PemItem::Certificate(certificate) = item { Some(certificate) } else { None })
        .collect();
    if found.is_empty() { Err(Error::usage(name, "no certificate (PEM) in it")) } else { Ok(found) }
}

fn items(name: &str, file: &Path) -> Result<Vec<PemItem<'static>>> {
    let pem = bounded::file(file, PEM).map_err(|why| Error::usage(name, why))?;
    parse_pem(&pem).collect::<std::result::Result<_, _>>().map_err(|why| Error::usage(name, why))
}

fn named(flag: &str, file: &Path) -> String {
    format!("{flag} {}", file.display())
}
