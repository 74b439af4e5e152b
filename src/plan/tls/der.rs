//! Parts of a certificate that webpki does not expose: the common name of its subject, which counts if the
//! certificate contains no other host name, and the two parts that belong to its signature.

/// ASN.1 tags (X.690 section 8).
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const BIT_STRING: u8 = 0x03;
const INTEGER: u8 = 0x02;

/// id-at-commonName, 2.5.4.3 (RFC 5280 appendix A).
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// rsaEncryption, 1.2.840.113549.1.1.1 (RFC 8017 appendix C).
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// Returns whether the last common name of a subject (the content of its DER sequence) is `host`, or matches
/// it by `*.`.
///
/// RFC 6125 section 6.4.4: used only if a certificate has no subject alternative names, which the caller
/// checks.
pub(super) fn common_name_is(subject: &[u8], host: &str) -> bool {
    let Some(name) = last_common_name(subject).and_then(|name| std::str::from_utf8(name).ok()) else { return false };
    let host = host.trim_end_matches('.');
    match name.strip_prefix("*.") {
        // A wildcard matches one label, never directly below a top-level domain, and never part of an
        // address.
        Some(domain) => {
            let rest = host.split_once('.').map(|(_, rest)| rest);
            // The last label of a host name is never numeric; in an IPv4 address it always is.
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
                // Any of the string types: UTF-8, printable and IA5 strings have the same content here.
                found = Some(element(value, *value.first()?)?.0);
            }
        }
    }
    found
}

/// The part of a certificate that its issuer signed, and the signature (RFC 5280 section 4.1).
pub(super) fn signed_parts(certificate: &[u8]) -> Option<(&[u8], &[u8])> {
    let (parts, _) = element(certificate, SEQUENCE)?;
    let (_, behind) = element(parts, SEQUENCE)?;
    let signed = &parts[..parts.len() - behind.len()];
    let (_, behind) = element(behind, SEQUENCE)?;
    let (bits, _) = element(behind, BIT_STRING)?;
    // The first byte is the number of unused bits in the last byte: signatures are whole bytes.
    let (0, signature) = bits.split_first().map(|(unused, rest)| (*unused, rest))? else { return None };
    Some((signed, signature))
}

/// The length in bits of an RSA key, of which `info` is the `SubjectPublicKeyInfo` (RFC 5280 section 4.1, RFC 8017
/// appendix A.1.1); `None` for keys of other kinds.
pub(super) fn rsa_key_bits(info: &[u8]) -> Option<usize> {
    let (info, _) = element(info, SEQUENCE)?;
    let (algorithm, key) = element(info, SEQUENCE)?;
    let (kind, _) = element(algorithm, OBJECT_IDENTIFIER)?;
    if kind != RSA {
        return None;
    }
    let (bits, _) = element(key, BIT_STRING)?;
    let (key, _) = element(bits.strip_prefix(&[0])?, SEQUENCE)?;
    let (modulus, _) = element(key, INTEGER)?;
    let start = modulus.iter().position(|byte| *byte != 0)?;
    Some((modulus.len() - start) * 8 - modulus[start].leading_zeros() as usize)
}

/// Returns the content of the element at the start of `der`, which must have this tag, and the rest.
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
    fn the_length_of_an_rsa_key_is_that_of_its_modulus() {
        let wrap = |tag: u8, content: &[u8]| [&[tag, 0x82, 0, u8::try_from(content.len()).unwrap()], content].concat();
        let info = |kind: &[u8], modulus: &[u8]| {
            let key = wrap(SEQUENCE, &[wrap(INTEGER, modulus), wrap(INTEGER, &[1, 0, 1])].concat());
            let algorithm = wrap(SEQUENCE, &wrap(OBJECT_IDENTIFIER, kind));
            wrap(SEQUENCE, &[algorithm, wrap(BIT_STRING, &[&[0], &key[..]].concat())].concat())
        };
        let modulus = [&[0, 0x80][..], &[1; 127]].concat();
        assert_eq!(rsa_key_bits(&info(RSA, &modulus)), Some(1024), "a leading zero byte only keeps it positive");
        assert_eq!(rsa_key_bits(&info(RSA, &[0x7f, 0xff])), Some(15));
        assert_eq!(rsa_key_bits(&info(&[0x2b, 0x65, 0x70], &modulus)), None, "Ed25519");
        let whole = info(RSA, &modulus);
        assert!((0..whole.len() - 7).all(|end| rsa_key_bits(&whole[..end]).is_none()), "cut off before its exponent");
    }

    #[test]
    fn a_truncated_subject_matches_no_name() {
        let der = subject(&[(COMMON_NAME, "shop.test")]);
        for end in 0..der.len() {
            assert!(!common_name_is(&der[..end], "shop.test"), "{end}");
        }
    }
}
