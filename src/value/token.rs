//! Names of header fields and methods, which HTTP calls tokens.

/// Checks the name of a header that a request may have.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn header_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("the name of the header is missing; expected 'Name: value'".to_owned());
    }
    if !name.bytes().all(is_token) {
        // Up to what is wrong with it: the rest may be a token behind a colon that was forgotten.
        let good = name.bytes().take_while(|byte| is_token(*byte)).count();
        return Err(format!("{:?} and what follows it is not a header name; expected 'Name: value'", &name[..good]));
    }
    if ["content-length", "transfer-encoding"].contains(&name.to_ascii_lowercase().as_str()) {
        return Err(format!("{name} is made from the body and cannot be set"));
    }
    Ok(())
}

/// RFC 9110 section 5.6.2, `tchar`: what a method or a header name is made of.
#[must_use]
pub const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

/// A request method: a token, as written.
///
/// # Errors
/// A sentence that says what is expected.
pub fn method(text: &str) -> Result<String, String> {
    /// Longer methods exist nowhere, and the stream cuts at 32.
    const LONGEST_METHOD: usize = 32;
    if text.is_empty() || text.len() > LONGEST_METHOD || !text.bytes().all(is_token) {
        return Err(format!("{text:?} is not a method"));
    }
    if text.eq_ignore_ascii_case("CONNECT") {
        return Err("CONNECT opens a tunnel, it is not a request".to_owned());
    }
    Ok(text.to_owned())
}
