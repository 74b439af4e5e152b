//! Client TLS: certificates and keys, read and checked before the run, so that errors in them lead to exit
//! code 2 instead of failed requests.

mod der;
mod pem;
mod roots;
mod verifier;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::engine::Environment;
use crate::error::{Error, Result};
use pem::PemFile;
use roots::{Roots, SystemRoots};
use verifier::{AcceptAnyone, Verifier};

pub use verifier::{SelfSigned, ShortKey};

/// The flags about TLS.
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

/// How servers are authenticated, and the client's own certificate.
#[derive(Debug)]
pub struct TlsPlan {
    trust: Trust,
    client: Option<Arc<CertifiedKey>>,
    /// Created when TLS is first needed: a run without `https` does not read the system's certificates, and a
    /// redirect to `https` still works.
    config: OnceLock<Option<Arc<ClientConfig>>>,
}

/// Which certificates are trusted.
#[derive(Debug)]
enum Trust {
    /// Any certificate (`-k`).
    Anyone,
    /// Those of `--cacert`.
    Given(Roots),
    /// The system's error.
    System(SystemRoots),
}

impl TlsPlan {
    /// Reads the files named by the flags.
    ///
    /// # Errors
    /// Names the flag and the file whose content cannot be used.
    pub(super) fn from_flags(flags: &TlsFlags<'_>, environment: &Environment) -> Result<Self> {
        let given = given(flags.cacert)?;
        let trust = match given {
            _ if flags.insecure => Trust::Anyone,
            Some(roots) => Trust::Given(roots),
            None => Trust::System(SystemRoots::of(environment)),
        };
        Ok(Self { trust, client: pem::client(flags.cert, flags.key)?, config: OnceLock::new() })
    }

    /// Reads the system's certificates, if they are used.
    ///
    /// # Errors
    /// Names the variable that does not lead to any certificate.
    pub(super) fn prepare(&self) -> Result<()> {
        let config = self.make()?;
        self.config.get_or_init(|| Some(config));
        Ok(())
    }

    /// The configuration shared by all connections, including the sessions that they resume. `None` if the
    /// plan has no `https`, a redirect leads to it, and the environment names certificates that do not exist.
    #[must_use]
    pub fn config(&self) -> Option<&Arc<ClientConfig>> {
        self.config.get_or_init(|| self.make().ok()).as_ref()
    }

    fn make(&self) -> Result<Arc<ClientConfig>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|why| Error::usage("TLS", why))?
            .dangerous();
        let builder = match &self.trust {
            Trust::Anyone => builder.with_custom_certificate_verifier(Arc::new(AcceptAnyone::new(algorithms))),
            Trust::Given(roots) => {
                builder.with_custom_certificate_verifier(Arc::new(Verifier::new(roots.clone(), algorithms)))
            }
            Trust::System(system) => {
                builder.with_custom_certificate_verifier(Arc::new(Verifier::new(system.load()?, algorithms)))
            }
        };
        Ok(Arc::new(match &self.client {
            Some(pair) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(pair)))),
            None => builder.with_no_client_auth(),
        }))
    }
}

/// The certificates that a client of ours beside the load trusts.
#[derive(Clone, Debug)]
pub struct Authorities(Vec<CertificateDer<'static>>);

impl Authorities {
    /// Those of the file that a variable names or, without one, the system's.
    ///
    /// # Errors
    /// Names the variable whose file cannot be used.
    pub fn new(file: Option<(&'static str, PathBuf)>, environment: &Environment) -> Result<Self> {
        match file {
            Some((variable, path)) => PemFile::read(variable, &path)?.certificates().map(Self),
            None => SystemRoots::of(environment).load().map(|roots| Self(roots.certificates)),
        }
    }

    /// The certificates; none where those that are built in are to be used.
    #[must_use]
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.0
    }
}

/// Reads the certificates of `--cacert`, which replace the system's as in curl; `None` without the flag.
fn given(files: &[PathBuf]) -> Result<Option<Roots>> {
    let mut roots = Roots::default();
    for path in files {
        let file = PemFile::read("--cacert", path)?;
        for certificate in file.certificates()? {
            roots.add(certificate).map_err(|why| Error::usage(file.name(), format!("not a certificate: {why}")))?;
        }
    }
    Ok((!files.is_empty()).then_some(roots))
}
