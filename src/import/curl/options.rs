//! Every option of curl 7.88, whether it takes a value, and what becomes of it.

use crate::error::{Error, Result};
use crate::secret::{MASK, masked};

/// What becomes of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It is part of the scenario.
    Imported,
    /// It changes nothing about an HTTP request.
    Ignored,
    /// `swarmline run` has the same flag.
    FlagOfRun,
    /// There is nothing like it.
    Lost,
    /// There is nothing like it, and its value is not repeated.
    LostSecret,
}

/// An option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CurlOption {
    /// Long name without dashes.
    pub(super) name: &'static str,
    pub(super) takes_value: bool,
    pub(super) effect: Effect,
}

/// Options of one effect: long names, those that have one with their short name behind a slash.
struct Group {
    effect: Effect,
    takes_value: bool,
    names: &'static str,
}

const GROUPS: [Group; 9] = [
    Group {
        effect: Effect::Imported,
        takes_value: true,
        names: "url request/X header/H user-agent/A referer/e cookie/b user/u oauth2-bearer upload-file/T max-time/m \
                connect-timeout data/d data-ascii data-binary data-raw data-urlencode json form/F form-string range/r \
                continue-at/C url-query request-target max-redirs proto-default",
    },
    Group {
        effect: Effect::Imported,
        takes_value: false,
        names: "get/G head/I compressed tr-encoding location/L location-trusted globoff/g path-as-is next/: basic digest \
                negotiate ntlm ntlm-wb anyauth insecure/k form-escape crlf",
    },
    Group {
        effect: Effect::Ignored,
        takes_value: true,
        names: "output/o output-dir write-out/w dump-header/D cookie-jar/c stderr trace trace-ascii libcurl create-file-mode \
                keepalive-time etag-save expect100-timeout happy-eyeballs-timeout-ms random-file egd-file parallel-max \
                ftp-account ftp-alternative-to-user ftp-method ftp-port/P ftp-ssl-ccc-mode hostpubmd5 hostpubsha256 krb krb4 \
                mail-auth mail-from mail-rcpt pubkey quote/Q sasl-authzid telnet-option/t tftp-blksize",
    },
    Group {
        effect: Effect::Ignored,
        takes_value: false,
        names: "silent/s show-error/S fail/f fail-early fail-with-body include/i verbose/v progress-bar/# remote-name/O \
                remote-name-all remote-header-name/J remote-time/R buffer/N disable/q styled-output xattr raw trace-time \
                progress-meter clobber create-dirs remove-on-error append/a tcp-nodelay keepalive sessionid alpn npn \
                http1.1 suppress-connect-headers ignore-content-length use-ascii/B list-only/l compressed-ssh false-start \
                tcp-fastopen junk-session-cookies/j http0.9 ssl ssl-reqd ftp-ssl ftp-ssl-reqd epsv eprt disable-epsv \
                disable-eprt ftp-create-dirs ftp-pasv ftp-pret ftp-skip-pasv-ip ftp-ssl-ccc ftp-ssl-control \
                tftp-no-options mail-rcpt-allowfails sasl-ir disallow-username-in-url metalink test-event \
                ssl-no-revoke ssl-revoke-best-effort ssl-auto-client-cert ssl-allow-beast proxy-ssl-allow-beast \
                proxy-ssl-auto-client-cert parallel-immediate tlsv1/1 tlsv1.0 tlsv1.1 tlsv1.2 sslv2/2 sslv3/3 help/h \
                manual/M version/V",
    },
    Group { effect: Effect::FlagOfRun, takes_value: true, names: "proxy/x cacert cert/E key resolve unix-socket" },
    Group { effect: Effect::FlagOfRun, takes_value: false, names: "ipv4/4 ipv6/6" },
    Group {
        effect: Effect::Lost,
        takes_value: true,
        names: "config/K capath ciphers curves crlfile limit-rate local-port interface dns-interface dns-ipv4-addr \
                dns-ipv6-addr dns-servers doh-url retry retry-delay retry-max-time rate noproxy speed-limit/Y speed-time/y \
                time-cond/z tls-max tls13-ciphers max-filesize netrc-file pinnedpubkey proto proto-redir proxy-cacert \
                proxy-capath proxy-ciphers proxy-crlfile proxy-tls13-ciphers proxy-cert-type proxy-key-type \
                proxy-pinnedpubkey proxy-service-name proxy-tlsauthtype service-name socks5-gssapi-service cert-type \
                key-type engine delegation tlsauthtype alt-svc hsts abstract-unix-socket connect-to etag-compare preproxy \
                proxy1.0 socks4 socks4a socks5 socks5-hostname",
    },
    Group {
        effect: Effect::Lost,
        takes_value: false,
        names: "netrc/n netrc-optional http1.0/0 http2 http2-prior-knowledge http3 http3-only tlsv1.3 proxytunnel/p \
                proxy-anyauth proxy-basic proxy-digest proxy-negotiate proxy-ntlm proxy-insecure proxy-tlsv1 socks5-basic \
                socks5-gssapi socks5-gssapi-nec haproxy-protocol retry-all-errors retry-connrefused cert-status \
                doh-cert-status doh-insecure parallel/Z post301 post302 post303",
    },
    Group {
        effect: Effect::LostSecret,
        takes_value: true,
        names: "proxy-user/U pass proxy-pass proxy-header tlspassword proxy-tlspassword tlsuser proxy-tlsuser aws-sigv4 \
                login-options proxy-key proxy-cert",
    },
];

/// Options of later versions: they have no abbreviations, which depend on the version.
const LATER: [Group; 2] = [
    Group {
        effect: Effect::Lost,
        takes_value: true,
        names: "variable ip-tos vlan-priority keepalive-cnt trace-config haproxy-clientip ipfs-gateway sigalgs \
                parallel-max-host ech upload-flags",
    },
    Group {
        effect: Effect::Ignored,
        takes_value: false,
        names: "trace-ids ca-native proxy-ca-native proxy-http2 mptcp skip-existing dump-ca-embed tls-earlydata out-null",
    },
];

/// Each option with its short name.
fn all(groups: &'static [Group]) -> impl Iterator<Item = (CurlOption, Option<char>)> {
    groups.iter().flat_map(|group| {
        group.names.split_whitespace().map(|text| {
            let (name, short) = text.split_once('/').unwrap_or((text, ""));
            let option = CurlOption { name, takes_value: group.takes_value, effect: group.effect };
            (option, short.chars().next())
        })
    })
}

/// The option with this long name (without dashes) and whether it is switched on; like curl, takes what begins only one
/// name for that name.
///
/// # Errors
/// It is not an option, or several begin so.
pub(super) fn long(written: &str) -> Result<(CurlOption, bool)> {
    // Behind an equals sign may be a password.
    let shown = match written.split_once('=') {
        Some((name, _)) => format!("{}={MASK}", masked(name)),
        None => masked(written),
    };
    let refused = |why: &str| Error::usage(format!("curl --{shown}"), why);
    // Without case, like curl.
    let name = written.to_ascii_lowercase();
    let known = |wanted: &str| {
        let mut options = all(&GROUPS).chain(all(&LATER)).map(|(option, _)| option);
        options.find(|option| option.name == wanted)
    };
    if let Some(option) = known(&name) {
        return Ok((option, true));
    }
    if let Some(option) = name.strip_prefix("no-").and_then(known).filter(|option| !option.takes_value) {
        return Ok((option, false));
    }
    let mut begun = all(&GROUPS).map(|(option, _)| option).filter(|option| option.name.starts_with(&name));
    match (begun.next(), begun.next()) {
        (Some(option), None) => Ok((option, true)),
        (Some(_), Some(_)) => Err(refused("several options of curl begin so")),
        (None, _) if written.contains('=') => Err(refused("is not an option; curl takes the value from the next word")),
        (None, _) => Err(refused("is not an option of curl 7.88")),
    }
}

/// The option with this short name.
pub(super) fn short(letter: char) -> Result<CurlOption> {
    let found = all(&GROUPS).find(|(_, short)| *short == Some(letter)).map(|(option, _)| option);
    found.ok_or_else(|| Error::usage(format!("curl -{letter}"), "is not an option of curl 7.88"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_may_be_abbreviated_as_curl_allows() {
        let name = |text: &str| long(text).map(|(option, on)| (option.name, on)).map_err(|why| why.to_string());
        for (text, full) in
            [("data-u", "data-urlencode"), ("max-t", "max-time"), ("compressed", "compressed"), ("OUTPUT", "output")]
        {
            assert_eq!(name(text), Ok((full, true)), "{text}");
        }
        assert_eq!(name("no-location"), Ok(("location", false)));
        for text in ["outp", "dat", "no-loc", "output=x", "funny", "no-data", ""] {
            assert!(name(text).is_err(), "{text}");
        }
        assert_eq!(short('o').map(|option| (option.name, option.takes_value)).ok(), Some(("output", true)));
        assert!(short('W').is_err());
    }

    #[test]
    fn no_option_is_listed_twice() {
        let names: std::collections::BTreeSet<_> =
            all(&GROUPS).chain(all(&LATER)).map(|(option, _)| option.name).collect();
        assert_eq!(names.len(), all(&GROUPS).chain(all(&LATER)).count());
        let letters: std::collections::BTreeSet<_> = all(&GROUPS).filter_map(|(_, short)| short).collect();
        assert_eq!(letters.len(), all(&GROUPS).filter(|(_, short)| short.is_some()).count());
    }
}
