//! Why a TLS connection could not be made: a fixed text for each kind, and a remedy if there is one.

/// Why there is no TLS connection, or no longer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TlsTrouble {
    /// The certificate was not signed by any trusted authority.
    UnknownIssuer,
    /// The certificate is self-signed and not among the trusted ones.
    SelfSigned,
    /// The certificate is for another name.
    WrongName,
    /// The certificate, or one between it and its authority, has expired.
    Expired,
    /// The certificate, or one between it and its authority, is not valid yet.
    NotYetValid,
    /// The certificate belongs to an authority, not to a server.
    Authority,
    /// The certificate was not issued for servers.
    WrongPurpose,
    /// The certificate, or one between it and its authority, has an RSA key that is too short.
    ShortKey,
    /// A signature in the chain, or on the handshake, is wrong.
    BadSignature,
    /// A signature uses an unsupported algorithm, such as SHA-1.
    UnsupportedAlgorithm,
    /// The certificate is not of X.509 version 3.
    UnsupportedVersion,
    /// The server presented no certificate.
    NoCertificate,
    /// The certificate is wrong in another way.
    BadCertificate,
    /// The environment names trusted certificates that do not exist.
    NoRoots,
    /// The peer does not speak TLS.
    NotTls,
    /// The server speaks neither TLS 1.2 nor 1.3.
    NoVersion,
    /// Client and server have no cipher, key exchange or signature algorithm in common.
    NoCipher,
    /// The server requires a client certificate.
    ClientCertificateRequired,
    /// The server rejected the client's certificate.
    ClientCertificateRefused,
    /// The server does not know the host.
    UnknownName,
    /// The server ended the handshake with another alert.
    Alert,
    /// The server closed the connection during the handshake.
    Closed,
    /// Anything else.
    Other,
}

impl TlsTrouble {
    /// A short fixed text.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::UnknownIssuer => "certificate of an unknown issuer",
            Self::SelfSigned => "self-signed certificate",
            Self::WrongName => "certificate for another name",
            Self::Expired => "certificate expired",
            Self::NotYetValid => "certificate not valid yet",
            Self::Authority => "certificate of an authority, not of a server",
            Self::WrongPurpose => "certificate not for servers",
            Self::ShortKey => "certificate with a key that is too short",
            Self::BadSignature => "certificate with a wrong signature",
            Self::UnsupportedAlgorithm => "certificate with an unsupported algorithm",
            Self::UnsupportedVersion => "certificate of an unsupported version",
            Self::NoCertificate => "no certificate shown",
            Self::BadCertificate => "bad certificate",
            Self::NoRoots => "no certificates to trust",
            Self::NotTls => "not TLS",
            Self::NoVersion => "neither TLS 1.2 nor 1.3",
            Self::NoCipher => "no cipher in common",
            Self::ClientCertificateRequired => "client certificate required",
            Self::ClientCertificateRefused => "client certificate refused",
            Self::UnknownName => "name unknown to the server",
            Self::Alert => "refused by the server",
            Self::Closed => "closed during the handshake",
            Self::Other => "handshake failed",
        }
    }

    /// The remedy, if there is one on this side.
    #[must_use]
    pub const fn remedy(self) -> Option<&'static str> {
        Some(match self {
            Self::UnknownIssuer => {
                "name the certificate of its authority with --cacert, or verify nothing with -k; a server that leaves out \
                 intermediate certificates needs them in its own configuration"
            }
            Self::SelfSigned => "name the certificate itself with --cacert, or verify nothing with -k",
            Self::WrongName => {
                "use the name that the certificate has, with --resolve NAME:PORT:ADDRESS where no name server knows it"
            }
            Self::Expired => {
                "the server needs a new certificate, unless this machine's clock is wrong; -k verifies nothing"
            }
            Self::NotYetValid => "look at this machine's clock (date -u)",
            Self::Authority => "name this very certificate with --cacert, or verify nothing with -k",
            Self::WrongPurpose => "the server needs a certificate with the extended key usage serverAuth",
            Self::ShortKey => {
                "the server needs a certificate with an RSA key of 2048 bits or more; -k verifies nothing"
            }
            Self::UnsupportedAlgorithm | Self::UnsupportedVersion => {
                "the server needs a certificate of X.509 version 3, signed with SHA-256 or better"
            }
            Self::NoRoots => "look at SSL_CERT_FILE and SSL_CERT_DIR",
            Self::NotTls => "use http:// where the server speaks plain HTTP",
            Self::NoVersion => "TLS 1.2 and 1.3 are spoken",
            Self::ClientCertificateRequired => "give one with --cert and --key",
            Self::ClientCertificateRefused => "give one that the server trusts with --cert and --key",
            Self::UnknownName => "use a host name that the server has a certificate for",
            Self::BadSignature
            | Self::NoCertificate
            | Self::BadCertificate
            | Self::NoCipher
            | Self::Alert
            | Self::Closed
            | Self::Other => return None,
        })
    }
}
