//! A small shop for trying out complete journeys: log in, browse, order, log out. Its only state is the number of the
//! last order: a token contains its user's name.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::plan::random;

/// Items for sale, numbered from 1.
const ITEMS: u64 = 200;
/// Items per page.
const PAGE: u64 = 10;

/// An action of the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ShopAction {
    /// `POST /login`, with `user` (or `username`) and `password` in a JSON body.
    Login,
    /// `GET /items`, a page of them.
    Page(u64),
    /// `GET /items/ID`.
    Item(u64),
    /// `POST /orders`, with `item` in a JSON body; has the user of the token.
    Order(Option<String>),
    /// `POST /logout`.
    Logout(Option<String>),
    /// A method that the path does not support.
    WrongMethod,
}

/// The shop's response.
pub(super) struct ShopResponse {
    pub(super) status: u16,
    /// Header fields, each with its line end.
    pub(super) fields: String,
    pub(super) body: Value,
}

impl ShopResponse {
    fn new(status: u16, body: Value) -> Self {
        Self { status, fields: String::new(), body }
    }

    fn refusal(status: u16, why: &str) -> Self {
        Self::new(status, json!({ "error": why }))
    }
}

/// Performs an action; `next_order` returns the number of the next accepted order.
pub(super) fn serve(errand: &ShopAction, body: &[u8], next_order: impl FnOnce() -> u64) -> ShopResponse {
    match errand {
        ShopAction::Login => login(body),
        ShopAction::Page(page) => {
            ShopResponse::new(200, json!({ "page": page, "pages": ITEMS / PAGE, "items": items(*page) }))
        }
        ShopAction::Item(id) if (1..=ITEMS).contains(id) => ShopResponse::new(200, item(*id)),
        ShopAction::Item(_) => ShopResponse::refusal(404, "no such item"),
        ShopAction::Order(Some(user)) => order(user, body, next_order),
        ShopAction::Logout(Some(_)) => {
            let fields = "Set-Cookie: session=; Path=/; Max-Age=0\r\n".to_owned();
            ShopResponse { status: 200, fields, body: json!({ "ok": true }) }
        }
        ShopAction::Order(None) | ShopAction::Logout(None) => ShopResponse::refusal(401, "log in first"),
        ShopAction::WrongMethod => ShopResponse::refusal(405, "not with this method"),
    }
}

fn login(body: &[u8]) -> ShopResponse {
    let Ok(form) = serde_json::from_slice::<Value>(body) else {
        return ShopResponse::refusal(400, "expected JSON with user and password");
    };
    let word = |key: &str| form[key].as_str().filter(|text| !text.is_empty());
    let (Some(user), Some(_)) = (word("user").or_else(|| word("username")), word("password")) else {
        return ShopResponse::refusal(401, "user or password missing");
    };
    let token = token(user);
    let fields = format!("Set-Cookie: session={token}; Path=/; HttpOnly\r\n");
    ShopResponse { status: 200, fields, body: json!({ "user": user, "token": token }) }
}

fn order(user: &str, body: &[u8], next_order: impl FnOnce() -> u64) -> ShopResponse {
    let form = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let Some(id) = form["item"].as_u64().filter(|id| (1..=ITEMS).contains(id)) else {
        return ShopResponse::refusal(422, "item missing or unknown");
    };
    let number = next_order();
    let fields = format!("Location: /orders/{number}\r\n");
    ShopResponse { status: 201, fields, body: json!({ "order": number, "item": id, "user": user }) }
}

/// The items of a page, counted from 1; empty beyond the last page.
fn items(page: u64) -> Vec<Value> {
    let first = page.saturating_sub(1).saturating_mul(PAGE).saturating_add(1);
    (first..first.saturating_add(PAGE)).take_while(|id| *id <= ITEMS).map(item).collect()
}

fn item(id: u64) -> Value {
    json!({ "id": id, "name": format!("item {id}"), "price_cents": 100 + id * 37 % 900 })
}

/// The user's name, so that it need not be stored, and a checksum, so that not every text is accepted. It protects
/// nothing.
fn token(user: &str) -> String {
    format!("{}.{:016x}", BASE64_URL_SAFE_NO_PAD.encode(user), random::seed_of(user))
}

/// The user of a token; `authorization` is the value of that header.
pub(super) fn bearer(authorization: &str) -> Option<String> {
    let given = authorization.strip_prefix("Bearer ")?;
    let (name, _) = given.split_once('.')?;
    let user = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(name).ok()?).ok()?;
    (token(&user) == given).then_some(user)
}
