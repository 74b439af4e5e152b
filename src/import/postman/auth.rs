//! Authorization of a request: its own, or that of the folder or collection around it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::super::document::{items, member, members, scalar, text};
use super::text::{Piece, known, literal, template};
use super::variables::{Place, Variables};
use crate::plan::json::Json;

/// What authorization adds to a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Credential {
    None,
    /// A header field; the value is template text.
    Header(String, String),
    /// A field of the query, as written.
    Query(String, String),
}

const AUTHORIZATION: &str = "Authorization";

/// The credential of the first `auth` in a chain from the item outwards.
pub(super) fn credential(chain: &[&Json], variables: &mut Variables, place: &mut Place<'_, '_>) -> Credential {
    let own = |node: &&Json| member(member(node, "request").unwrap_or(node), "auth").is_some();
    let Some(auth) = chain
        .iter()
        .rev()
        .find(|node| own(node))
        .and_then(|node| member(member(node, "request").unwrap_or(node), "auth"))
    else {
        return Credential::None;
    };
    let kind = text(auth, "type").unwrap_or_default();
    let setting = |name: &str| setting(auth, kind, name);
    match kind {
        "noauth" => Credential::None,
        "basic" => {
            basic(&setting("username").unwrap_or_default(), &setting("password").unwrap_or_default(), variables, place)
        }
        "bearer" => bearer("Bearer", &setting("token").unwrap_or_default(), variables, place),
        "oauth2" => match setting("accessToken").filter(|token| !token.is_empty()) {
            Some(token) if setting("addTokenTo").as_deref() == Some("queryParams") => {
                Credential::Query("access_token".to_owned(), token)
            }
            Some(token) => {
                bearer(setting("headerPrefix").as_deref().unwrap_or("Bearer").trim(), &token, variables, place)
            }
            None => lost("oauth2 without an access token", place),
        },
        "apikey" => {
            let (key, value) = (setting("key").unwrap_or_default(), setting("value").unwrap_or_default());
            if setting("in").as_deref() == Some("query") {
                return Credential::Query(key, value);
            }
            let Some(key) = known(&variables.pieces(&key, place)) else { return lost("apikey", place) };
            if key.is_empty() {
                return Credential::None;
            }
            let pieces = variables.pieces(&value, place);
            Credential::Header(key.clone(), secret(&key, &pieces, place))
        }
        other => lost(other, place),
    }
}

fn lost(kind: &str, place: &mut Place<'_, '_>) -> Credential {
    let kind: String = kind.chars().filter(|c| c.is_ascii_alphanumeric() || *c == ' ').take(40).collect();
    place.notes.lost(format!("{}: authorization by {kind}: left out", place.path));
    Credential::None
}

/// A setting of v2.1 (a list of key and value) or v2.0 (an object).
fn setting(auth: &Json, kind: &str, name: &str) -> Option<String> {
    let settings = member(auth, kind)?;
    let of_object = members(settings).iter().find(|(key, _)| key == name).map(|(_, value)| value);
    let of_list =
        || items(settings).iter().find(|one| text(one, "key") == Some(name)).and_then(|one| member(one, "value"));
    of_object.or_else(of_list).and_then(scalar)
}

/// Basic authentication; its value can be made only if name and password are known.
pub(super) fn basic(name: &str, password: &str, variables: &mut Variables, place: &mut Place<'_, '_>) -> Credential {
    let both = [variables.pieces(name, place), vec![Piece::Literal(":".to_owned())], variables.pieces(password, place)]
        .concat();
    let value = if let Some(both) = known(&both) {
        let value = format!("Basic {}", BASE64_STANDARD.encode(both));
        secret(AUTHORIZATION, &[Piece::Literal(value)], place)
    } else {
        let env = place.vault.reserve(AUTHORIZATION);
        place.notes.add(format!(
            "{}: Basic authentication by variables: set {env} to \"Basic \" and NAME:PASSWORD in base64 before the run",
            place.path
        ));
        format!("${{env.{env}}}")
    };
    Credential::Header(AUTHORIZATION.to_owned(), value)
}

fn bearer(prefix: &str, token: &str, variables: &mut Variables, place: &mut Place<'_, '_>) -> Credential {
    let mut pieces = variables.pieces(token, place);
    pieces.insert(0, Piece::Literal(format!("{prefix} ")));
    Credential::Header(AUTHORIZATION.to_owned(), secret(AUTHORIZATION, &pieces, place))
}

/// The value of a header as the scenario may have it: a secret that is written in the collection is left out.
pub(super) fn secret(name: &str, pieces: &[Piece], place: &mut Place<'_, '_>) -> String {
    match literal(pieces) {
        Some(text) => place.vault.hide(name, &text, place.notes),
        None => template(pieces),
    }
}
