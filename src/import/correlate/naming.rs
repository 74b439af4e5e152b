//! Rules for what is an identifier: by its value, and by the name that it has in a response or in a request.
//!
//! A wrong extraction is worse than one that is missing: it sends what the recording did not send, and works by
//! coincidence until the data changes. So the shorter a value, the more its names have to agree.

/// How improbable it is that a value recurs by coincidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::import) enum Rarity {
    /// `7`, `200`, `shoes`: recurs everywhere. Both names must say that it identifies the same kind of thing.
    Common,
    /// `48151`, `ab12c`: both places must be those of an identifier.
    Short,
    /// Tokens, UUIDs and long numbers: taken wherever they stand, also within a longer text.
    Rare,
}

/// Minimum length of a value that is searched for within texts.
pub(super) const MIN_RARE: usize = 8;

/// Maximum length of a value; longer texts are documents.
pub(super) const MAX_LENGTH: usize = 4096;

/// Length from which a value with a digit is not common: below it are years, ports, prices and counts.
const MIN_SHORT: usize = 5;

/// Length from which a text of letters alone is not an ordinary word.
const MIN_LETTERS: usize = 20;

/// The rarity of a value; `None` if it cannot be an identifier.
pub(in crate::import) fn rarity(text: &str) -> Option<Rarity> {
    // A dollar sign at the end would take part in an escape that follows it.
    let is_torn =
        text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) || text.ends_with('$');
    if is_torn || text.len() > MAX_LENGTH || is_constant(text) {
        return None;
    }
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    // Values with slashes are links, which servers give so that clients follow them.
    let is_link = text.contains('/');
    Some(match text.len() {
        MIN_RARE.. if has_digit || is_link || text.len() >= MIN_LETTERS => Rarity::Rare,
        MIN_SHORT.. if has_digit => Rarity::Short,
        _ => Rarity::Common,
    })
    .filter(|rarity| *rarity == Rarity::Rare || text.bytes().all(is_unreserved))
}

/// Values that state something and identify nothing: truth values, decimals, dates, versions, hosts.
fn is_constant(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.strip_prefix('-').unwrap_or(text);
    let is_decimal = number.split_once('.').is_some_and(|(whole, fraction)| digits(whole) && digits(fraction));
    let is_negative = text.starts_with('-') && digits(number);
    let is_version = text.split('.').count() > 2 && text.split('.').all(digits);
    // 2026-11-26, with or without a time.
    let is_date = text.len() >= 10
        && text.is_char_boundary(10)
        && text[..10].bytes().enumerate().all(
            |(at, byte)| {
                if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() }
            },
        )
        && (text.len() == 10 || text[10..].starts_with('T'));
    // The Origin and Referer of each request begin with one.
    let is_origin = text.split_once("://").is_some_and(|(_, rest)| !rest.trim_end_matches('/').contains('/'));
    let is_word = matches!(text, "true" | "false" | "null" | "undefined" | "NaN");
    is_word || is_decimal || is_negative || is_version || is_date || is_origin
}

/// Characters that no context encodes (RFC 3986 section 2.3), so that the value looks the same everywhere.
pub(super) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Last words of names that mean an identifier.
const ID_WORDS: [&str; 17] = [
    "id",
    "uuid",
    "guid",
    "token",
    "nonce",
    "csrf",
    "xsrf",
    "slug",
    "handle",
    "key",
    "ref",
    "sku",
    "hash",
    "ticket",
    "cursor",
    "session",
    "sessionid",
];

/// Those of them whose values may be ordinary words: a `key` of a sort order is not an identifier.
const WORD_IDS: usize = 9;

/// Last words that mean an identifier behind another word: an `order_number`, and not a `number`.
const ID_WORDS_BEHIND: [&str; 3] = ["number", "no", "code"];

/// Returns whether a field of this name has an identifier, given its value.
pub(super) fn is_id(name: &str, value: &str) -> bool {
    let words = words(name);
    let Some((last, before)) = words.split_last() else { return false };
    let last = singular(last);
    let has_digit = value.bytes().any(|byte| byte.is_ascii_digit());
    let of = |words: &[&str]| words.contains(&&*last);
    of(&ID_WORDS[..WORD_IDS]) || has_digit && (of(&ID_WORDS) || !before.is_empty() && of(&ID_WORDS_BEHIND))
}

/// What a name is about: `order` of `orderId`, `order_number`, `orders` and `order`; empty for `id`.
pub(super) fn stem(name: &str) -> String {
    let mut words = words(name);
    if let Some(last) = words.pop() {
        let last = singular(&last);
        let is_id = ID_WORDS.contains(&&*last) || !words.is_empty() && ID_WORDS_BEHIND.contains(&&*last);
        if !is_id {
            words.push(last);
        }
    }
    words.concat()
}

/// Returns whether two stems are about the same thing: `address` and `shippingaddress`.
pub(super) fn is_same_stem(a: &str, b: &str) -> bool {
    /// Shorter ends are shared by unrelated words.
    const MIN_END: usize = 4;
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    !short.is_empty() && (short == long || short.len() >= MIN_END && long.ends_with(short))
}

/// Returns whether two names are the same but for their spelling: `order_id` and `orderId`.
pub(super) fn is_same_name(a: &str, b: &str) -> bool {
    let (a, b) = (words(a).concat(), words(b).concat());
    !a.is_empty() && a == b
}

/// Returns whether a name is a plural.
pub(super) fn is_plural(name: &str) -> bool {
    words(name).last().is_some_and(|last| *last != singular(last))
}

/// The words of a name in lower case: `orderId`, `order-id` and `ORDER_ID` have two.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let chars: Vec<char> = name.chars().collect();
    let mut is_inside = false;
    for (at, char) in chars.iter().enumerate() {
        if !char.is_alphanumeric() {
            is_inside = false;
            continue;
        }
        let before = at.checked_sub(1).map(|at| chars[at]);
        let after = chars.get(at + 1);
        let begins = char.is_uppercase()
            && (before.is_some_and(|before| !before.is_uppercase()) || after.is_some_and(|after| after.is_lowercase()));
        match words.last_mut() {
            Some(word) if is_inside && !begins => word.extend(char.to_lowercase()),
            _ => words.push(char.to_lowercase().collect()),
        }
        is_inside = true;
    }
    words
}

/// The singular of an English word, as far as names of resources need it.
fn singular(word: &str) -> String {
    match word {
        word if word.ends_with("ies") && word.len() > 4 => format!("{}y", &word[..word.len() - 3]),
        word if ["sses", "xes", "ches", "shes"].iter().any(|end| word.ends_with(end)) => {
            word[..word.len() - 2].to_owned()
        }
        word if word.ends_with('s') && !word.ends_with("ss") && word.len() > 2 => word[..word.len() - 1].to_owned(),
        word => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_rare_short_common_or_not_an_identifier() {
        for (text, expected) in [
            ("7", Some(Rarity::Common)),
            ("2026", Some(Rarity::Common)),
            ("shoes", Some(Rarity::Common)),
            ("delivered", Some(Rarity::Common)),
            ("48151", Some(Rarity::Short)),
            ("ab12c", Some(Rarity::Short)),
            ("12345678", Some(Rarity::Rare)),
            ("tok-123456/ü", Some(Rarity::Rare)),
            ("/items/a", Some(Rarity::Rare)),
            ("abcdefghijklmnopqrstuvwxyz", Some(Rarity::Rare)),
            ("true", None),
            ("", None),
            ("two words", None),
            ("1299.9999", None),
            ("-12", None),
            ("2026-11-26", None),
            ("2026-11-26T10:00:00Z", None),
            ("10.20.30", None),
            ("12345678$", None),
            ("a/b", None),
            ("https://shop.example.com/", None),
        ] {
            assert_eq!(rarity(text), expected, "{text}");
        }
    }

    #[test]
    fn names_that_end_in_an_identifiers_word_have_identifiers() {
        for name in ["id", "orderId", "order_id", "ORDER-ID", "orderID", "uuid", "ids", "csrf_token", "orderNumber"] {
            assert!(is_id(name, "7"), "{name}");
        }
        for name in ["paid", "grid", "valid", "number", "code", "status", "page", ""] {
            assert!(!is_id(name, "7"), "{name}");
        }
        assert!(is_id("slug", "shoes") && is_id("id", "shoes"));
        assert!(!is_id("key", "price"), "a key that is a word is a name, not an identifier");
    }

    #[test]
    fn stems_tell_what_an_identifier_is_of() {
        for (name, expected) in [
            ("orderId", "order"),
            ("orders", "order"),
            ("order_number", "order"),
            ("shippingAddressId", "shippingaddress"),
            ("addresses", "address"),
            ("categories", "category"),
            ("boxes", "box"),
            ("id", ""),
            ("number", "number"),
        ] {
            assert_eq!(stem(name), expected, "{name}");
        }
        assert!(is_same_stem("shippingaddress", "address") && is_same_stem("item", "item"));
        assert!(!is_same_stem("", "") && !is_same_stem("user", "order") && !is_same_stem("cat", "bobcat"));
        assert!(is_same_name("order_id", "orderId") && !is_same_name("", ""));
    }
}
