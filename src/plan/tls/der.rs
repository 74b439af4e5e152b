//! What webpki does not tell of a certificate: the common name of its subject, which counts where it names no host
//! otherwise, and the two parts that a signature is about.

/// ASN.1 tags (X.690 section 8).
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const BIT_STRING: u8 = 0x03;

/// id-at-commonName, 2.5.4.3 (RFC 5280 appendix A).
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// Whether the last common name of a subject (the content of its DER sequence) is `host`, or stands for it by `*.`.
///
/// RFC 6125 section 6.4.4: looked at only where a certificate has no subject alternative names, which the caller knows.
pub(super) fn common_name_is(subject: &[u8], host: &str) -> bool {
    let Some(name) = last_common_name(subject).and_then(|name| std::str::from_utf8(name).ok()) else { return false };
    let host = host.trim_end_matches('.');
    match name.strip_prefix("*.") {
        // One label, never the last but one, and never of an address.
        Some(domain) => {
            let rest = host.split_once('.').map(|(_, rest)| rest);
            // The last label of a name is never a number, that of an IPv4 address always is.
            let is_address = host.ends_with(|last: char| last.is_ascii_digit());
            domain.contains('.') && !is_address && rest.is_some_and(|rest| rest.eq_ignore_ascii_case(domain))
        }
        None => !name.is_empty() && name.eq_ignore_ascii_case(host),
    }
}

fn last_common_name(subject: &[u8]) -> Option<&[u8]> {
    let mut found = None;
    let mut sets = subject;
    while !sets.is_empty() {
        let (set, after) = element(sets, SET)?;
        sets = after;
        let mut attributes = set;
        while !attributes.is_empty() {
            let (attribute, after) = element(attributes, SEQUENCE)?;
            attributes = after;
            let (kind, value) = element(attribute, OBJECT_IDENTIFIER)?;
            if kind == COMMON_NAME {
                // Any of the string types: UTF-8, printable and IA5 strings read the same.
                found = Some(element(value, *value.first()?)?.0);
            }
        }
    }
    found
}

/// What the issuer of a certificate signed, and the signature (RFC 5280 section 4.1).
pub(super) fn signed_parts(certificate: &[u8]) -> Option<(&[u8], &[u8])> {
    let (parts, _) = element(certificate, SEQUENCE)?;
    let (_, behind) = element(parts, SEQUENCE)?;
    let signed = &parts[..parts.len() - behind.len()];
    let (_, behind) = element(behind, SEQUENCE)?;
    let (bits, _) = element(behind, BIT_STRING)?;
    // The first byte counts the bits that the last one has no use for: a signature is whole bytes.
    let (0, signature) = bits.split_first().map(|(unused, rest)| (*unused, rest))? else { return None };
    Some((signed, signature))
}

/// The content of the element at the start of `der`, which must have this tag, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.split_first()?;
    let (length, rest) = match rest {
        [length, rest @ ..] if *length < 0x80 => (usize::from(*length), rest),
        [0x81, length, rest @ ..] => (usize::from(*length), rest),
        [0x82, high, low, rest @ ..] => (usize::from(*high) << 8 | usize::from(*low), rest),
        _ => return None,
    };
    (*first == tag).then_some(())?;
    rest.split_at_checked(length)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn subject(names: &[(&[u8], &str)]) -> Vec<u8> {
        let wrap = |tag: u8, content: &[u8]| [&[tag, u8::try_from(content.len()).unwrap()], content].concat();
        let attribute =
            |(kind, value): &(&[u8], &str)| wrap(SEQUENCE, &[wrap(6, kind), wrap(0x0c, value.as_bytes())].concat());
        names.iter().flat_map(|name| wrap(SET, &attribute(name))).collect()
    }

    #[test]
    fn the_last_common_name_counts() {
        let organisation: &[u8] = &[0x55, 0x04, 0x0a];
        let der = subject(&[(COMMON_NAME, "first.test"), (organisation, "O"), (COMMON_NAME, "Shop.test")]);
        assert!(common_name_is(&der, "shop.TEST"));
        assert!(common_name_is(&der, "shop.test."));
        for other in ["first.test", "O", "shop", "a.shop.test", ""] {
            assert!(!common_name_is(&der, other), "{other}");
        }
        assert!(!common_name_is(&subject(&[(organisation, "O")]), "O"));
    }

    #[test]
    fn a_wildcard_stands_for_one_label() {
        let der = subject(&[(COMMON_NAME, "*.shop.test")]);
        assert!(common_name_is(&der, "www.shop.test"));
        for other in ["shop.test", "a.www.shop.test", ".shop.test.x"] {
            assert!(!common_name_is(&der, other), "{other}");
        }
        assert!(!common_name_is(&subject(&[(COMMON_NAME, "*.test")]), "shop.test"));
        assert!(!common_name_is(&subject(&[(COMMON_NAME, "*.0.0.1")]), "127.0.0.1"));
    }

    #[test]
    fn a_truncated_certificate_has_no_name() {
        let der = subject(&[(COMMON_NAME, "shop.test")]);
        for end in 0..der.len() {
            assert!(!common_name_is(&der[..end], "shop.test"), "{end}");
        }
    }
}
