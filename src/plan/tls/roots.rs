//! The trusted certificates: given ones, or the system's, located as OpenSSL does.

use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::pem;
use crate::error::{Error, Result};
use crate::plan::engine::Environment;

/// Trusted certificates.
#[derive(Clone, Debug)]
pub(super) struct Roots {
    /// As issuers of other certificates.
    pub(super) store: RootCertStore,
    /// The same, byte for byte: a server may present one of them as its own. Empty for the built-in ones,
    /// which are only authorities.
    pub(super) certificates: Vec<CertificateDer<'static>>,
}

impl Default for Roots {
    /// No certificates.
    fn default() -> Self {
        Self { store: RootCertStore::empty(), certificates: Vec::new() }
    }
}

impl Roots {
    /// Adds a certificate; duplicates are skipped.
    pub(super) fn add(&mut self, certificate: CertificateDer<'static>) -> std::result::Result<(), rustls::Error> {
        if contains(&certificate, &self.certificates) {
            return Ok(());
        }
        self.store.add(certificate.clone())?;
        self.certificates.push(certificate);
        Ok(())
    }

    /// Adds the certificates in PEM text that can be read, because a system's bundle may contain one that
    /// rustls cannot read. Returns how many were added.
    fn add_readable(&mut self, pem: &[u8]) -> usize {
        CertificateDer::pem_slice_iter(pem).flatten().filter(|found| self.add(found.clone()).is_ok()).count()
    }

    /// Adds the certificates of the files in a folder whose names follow OpenSSL's convention: eight hex
    /// digits, a dot, a number. Returns how many were added.
    fn add_folder(&mut self, folder: &Path) -> usize {
        let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
        let mut paths: Vec<PathBuf> = entries.flatten().filter(is_hashed).map(|entry| entry.path()).collect();
        paths.sort();
        paths.iter().filter_map(|path| pem::read(path).ok()).map(|pem| self.add_readable(&pem)).sum()
    }
}

/// Where distributions keep the authorities in one file: Debian and Alpine, Fedora and its relatives,
/// openSUSE, older Red Hat, and OpenSSL's own location.
const BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/usr/lib/ssl/cert.pem",
];

/// Where distributions keep them in separate files.
const FOLDERS: [&str; 2] = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

/// OpenSSL's variables; an empty one counts as unset.
const FILE: &str = "SSL_CERT_FILE";
const FOLDER: &str = "SSL_CERT_DIR";

/// Where the system's certificates are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SystemRoots {
    /// `SSL_CERT_FILE`, in place of the default file.
    file: Option<PathBuf>,
    /// `SSL_CERT_DIR`, in place of the default folders: one or more, separated by `:`.
    folders: Option<String>,
}

impl SystemRoots {
    /// Reads the variables.
    pub(super) fn of(environment: &Environment) -> Self {
        let told = |name| environment.get(name).filter(|value| !value.is_empty());
        Self { file: told(FILE).map(PathBuf::from), folders: told(FOLDER).cloned() }
    }

    /// Reads the certificates. If the environment names none and the system has none, the built-in ones are
    /// used.
    ///
    /// # Errors
    /// Names the variable that is set but leads to no certificate: the user's choice is never silently
    /// replaced.
    pub(super) fn load(&self) -> Result<Roots> {
        self.load_of(&BUNDLES, &FOLDERS)
    }

    fn load_of(&self, usual_files: &[&str], usual_folders: &[&str]) -> Result<Roots> {
        let mut roots = Roots::default();
        if let Some(file) = &self.file {
            let name = format!("{FILE}={}", file.display());
            let pem = pem::read(file).map_err(|why| Error::usage(&name, why))?;
            if roots.add_readable(&pem) == 0 {
                return Err(Error::usage(name, "contains no certificate (PEM)"));
            }
        } else if let Some(pem) = usual_files.iter().find_map(|path| pem::read(Path::new(path)).ok()) {
            roots.add_readable(&pem);
        }
        if let Some(folders) = &self.folders {
            let found: usize = folders.split(':').map(|folder| roots.add_folder(Path::new(folder))).sum();
            if found == 0 {
                let why = "contains no certificate with a name that OpenSSL looks for (run: openssl rehash DIR)";
                return Err(Error::usage(format!("{FOLDER}={folders}"), why));
            }
        } else if self.file.is_some() || roots.store.is_empty() {
            // A variable replaces one of OpenSSL's two locations; the other one is still used.
            for folder in usual_folders {
                roots.add_folder(Path::new(folder));
            }
        }
        if roots.store.is_empty() {
            roots.store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        Ok(roots)
    }
}

fn is_hashed(entry: &std::fs::DirEntry) -> bool {
    let name = entry.file_name();
    let parts = name.to_str().and_then(|name| name.split_once('.'));
    parts.is_some_and(|(hash, number)| {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        hash.len() == 8
            && hash.bytes().all(is_hex)
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Whether a certificate is in a list, byte for byte.
pub(super) fn contains(certificate: &CertificateDer<'_>, list: &[CertificateDer<'static>]) -> bool {
    list.iter().any(|other| other.as_ref() == certificate.as_ref())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let environment = [(FILE, ""), (FOLDER, "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(SystemRoots::of(&environment.into()), SystemRoots::default());
    }

    #[test]
    fn the_built_in_roots_are_used_where_the_system_has_none() {
        let built_in = webpki_roots::TLS_SERVER_ROOTS.len();
        let roots = SystemRoots::default().load_of(&["/nowhere"], &["/nowhere"]).unwrap();
        assert_eq!((roots.store.len(), roots.certificates.len()), (built_in, 0));
        let ca = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tls/ca.pem");
        let roots = SystemRoots::default().load_of(&["/nowhere", ca], &[]).unwrap();
        assert_eq!((roots.store.len(), roots.certificates.len()), (1, 1));
        let told = SystemRoots { file: Some(ca.into()), folders: None };
        assert_eq!(told.load_of(&[], &[]).unwrap().store.len(), 1);
        let nothing =
            SystemRoots { file: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").into()), folders: None };
        assert!(nothing.load_of(&[ca], &[]).is_err(), "the user's choice is never replaced");
        let nothing = SystemRoots { file: None, folders: Some("/nowhere".to_owned()) };
        assert!(nothing.load_of(&[ca], &[]).is_err(), "the user's choice is never replaced");
    }

    #[test]
    fn one_broken_certificate_of_a_bundle_does_not_affect_the_others() {
        const CERTIFICATE: &str = include_str!("../../../tests/it/tls/ca.pem");
        const OTHER: &str = include_str!("../../../tests/it/tls/server.pem");
        let (begin, end) = ("-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n");
        let bundle =
            format!("{CERTIFICATE}\n{begin}!!!\n{end}{begin}AAAA\n{end}# a comment\n{OTHER}\n{CERTIFICATE}{begin}");
        let mut roots = Roots::default();
        assert_eq!(roots.add_readable(bundle.as_bytes()), 3);
        assert_eq!((roots.certificates.len(), roots.store.len()), (2, 2), "each once");
    }
}
