//! Tests of the shop.

use serde_json::{Value, json};

use crate::server::tests::client::{Client, Response, field};
use crate::server::tests::server;

fn post(client: &mut Client, path: &str, token: &str, body: &Value) -> (u16, Value, Response) {
    let body = body.to_string();
    let head = format!("POST {path} HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {token}\r\n");
    let answer = client.send(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())).answer();
    (answer.status, serde_json::from_slice(&answer.body).unwrap(), answer)
}

fn get(client: &mut Client, path: &str) -> (u16, Value) {
    let answer = client.get(path);
    (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
}

#[test]
fn a_token_works_for_the_user_that_received_it() {
    let server = server();
    let mut client = Client::connect(&server);
    let (status, login, answer) = post(&mut client, "/login", "", &json!({"user": "jo ü", "password": "x"}));
    let token = login["token"].as_str().unwrap();
    assert_eq!((status, &login["user"]), (200, &json!("jo ü")));
    assert_eq!(field(&answer.head, "Set-Cookie"), Some(format!("session={token}; Path=/; HttpOnly").as_str()));

    let (status, first, answer) = post(&mut client, "/orders", token, &json!({"item": 7}));
    assert_eq!((status, first), (201, json!({"order": 1, "item": 7, "user": "jo ü"})));
    assert_eq!(field(&answer.head, "Location"), Some("/orders/1"));
    assert_eq!(post(&mut client, "/orders", token, &json!({"item": 200})).1["order"], 2);
    assert_eq!(post(&mut client, "/orders", token, &json!({"item": 201})).0, 422);
    assert_eq!(post(&mut client, "/logout", token, &json!(null)).0, 200);

    let forged = token.replace('.', "x.");
    for wrong in ["", "x", ".", "a.b", &forged, &token[1..]] {
        assert_eq!(post(&mut client, "/orders", wrong, &json!({"item": 7})).0, 401, "{wrong}");
        assert_eq!(post(&mut client, "/logout", wrong, &json!(null)).0, 401, "{wrong}");
    }
    assert_eq!(server.requests_to("orders"), 9);
}

#[test]
fn a_login_needs_user_and_password_as_json() {
    let server = server();
    let mut client = Client::connect(&server);
    for (body, status) in
        [(json!({"user": "a"}), 401), (json!({"user": "", "password": "b"}), 401), (json!(["a", "b"]), 401)]
    {
        assert_eq!(post(&mut client, "/login", "", &body).0, status);
    }
    assert_eq!(client.send("POST /login HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\n\r\n{").answer().status, 400);
}

#[test]
fn items_are_available_in_pages_and_one_by_one() {
    let server = server();
    let mut client = Client::connect(&server);
    let (status, page) = get(&mut client, "/items?page=20");
    let ids: Vec<u64> = page["items"].as_array().unwrap().iter().map(|item| item["id"].as_u64().unwrap()).collect();
    assert_eq!((status, &page["pages"], ids), (200, &json!(20), (191..=200).collect()));
    assert_eq!(get(&mut client, "/items").1["items"][0]["id"], 1);
    assert_eq!(get(&mut client, "/items?page=18446744073709551615").1["items"], json!([]));
    assert_eq!(get(&mut client, "/items/3").1["name"], "item 3");
    let statuses = ["/items/0", "/items/201", "/items/x", "/items?page=x", "/items/1/2", "/orders", "/login/1"];
    assert_eq!(statuses.map(|path| get(&mut client, path).0), [404, 404, 400, 400, 404, 405, 404]);
}
