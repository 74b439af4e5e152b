//! Percent-encoding (RFC 3986 section 2.1): which characters stay as they are, and how the text is read back.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, utf8_percent_encode};

/// Which characters of ASCII are encoded.
pub type Set = AsciiSet;

/// Encodes all but the unreserved characters (RFC 3986 section 2.3).
pub const COMPONENT: &Set = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Encodes only what cannot stand in a request target (RFC 3986 appendix A). A percent sign can, so that what was encoded
/// by hand stays as it is.
pub const TARGET: &Set =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// Encodes only what would end a query or a request line; all else stays as it was given, as curl sends it.
pub const QUERY: &Set = &CONTROLS.add(b' ').add(b'#');

/// The encoded text in pieces. Characters beyond ASCII are always encoded.
#[must_use]
pub fn encode<'t>(text: &'t str, set: &'static Set) -> PercentEncode<'t> {
    utf8_percent_encode(text, set)
}

/// The decoded text; what is not encoded correctly stays, and bytes that are not UTF-8 are replaced.
#[must_use]
pub fn decode_lossy(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The decoded bytes; what is not encoded correctly stays.
#[must_use]
pub fn decode_bytes(text: &str) -> Vec<u8> {
    percent_decode_str(text).collect()
}

/// The decoded text; `None` where a `%` is not followed by two hex digits, or the bytes are not UTF-8.
#[must_use]
pub fn decode(text: &str) -> Option<String> {
    let has_digits = |after: &str| after.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
    let is_encoded = text.split('%').skip(1).all(has_digits);
    is_encoded.then(|| percent_decode_str(text).decode_utf8().ok()).flatten().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_kept_or_encoded_as_rfc_3986_says() {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let of_target = |byte: u8| byte.is_ascii_graphic() && !br#""<>\^`{|}"#.contains(&byte);
        for byte in 0..=127_u8 {
            let text = char::from(byte).to_string();
            let written = |stays: bool| if stays { text.clone() } else { format!("%{byte:02X}") };
            assert_eq!(encode(&text, COMPONENT).to_string(), written(unreserved(byte)));
            assert_eq!(encode(&text, TARGET).to_string(), written(of_target(byte)));
        }
        assert_eq!(encode("ü", TARGET).to_string(), "%C3%BC");
    }

    #[test]
    fn text_is_decoded_strictly_or_as_far_as_it_goes() {
        for (encoded, strict, lossy) in [
            ("a%20b+%c3%BC", Some("a b+ü"), "a b+ü"),
            ("%", None, "%"),
            ("%4", None, "%4"),
            ("%+A", None, "%+A"),
            ("%%41", None, "%A"),
            ("%4ü", None, "%4ü"),
            ("%FF", None, "\u{fffd}"),
        ] {
            assert_eq!((decode(encoded).as_deref(), &*decode_lossy(encoded)), (strict, lossy), "{encoded}");
        }
    }
}
