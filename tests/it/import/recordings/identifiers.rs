//! Values of earlier responses: identifiers are extracted, and what only looks alike stays.

use serde_json::{Value, json};

use super::{entry, fields, imported, steps};

/// What an answer has, as its media type and text.
fn answer(text: &str) -> Value {
    let mime = if text.starts_with(['{', '[']) { "application/json" } else { "text/html" };
    json!({"response": {"content": {"mimeType": mime, "text": text}}})
}

/// A request with a JSON body.
fn sends(body: &Value) -> Value {
    json!({"request": {"postData": {"mimeType": "application/json", "text": body.to_string()}}})
}

/// The steps of a GET of `first`, which `text` answers, and of a second request; and stderr.
fn two(first: &str, text: &str, method: &str, second: &str, more: Value) -> (Vec<Value>, String) {
    let entries = [
        entry("GET", &format!("http://h.test{first}"), answer(text)),
        entry(method, &format!("http://h.test{second}"), more),
    ];
    let (_, scenario, stderr) = imported("ids", &entries, &[]);
    (steps(&scenario).to_vec(), stderr)
}

#[test]
fn numbers_and_short_texts_are_extracted_where_both_names_say_that_they_are_the_same() {
    for (first, text, second, extract, target) in [
        (
            "/items",
            r#"{"items":[{"id":3},{"id":7}]}"#,
            "/items/7",
            json!({"id": {"json": "/items/1/id"}}),
            "/items/${id}",
        ),
        ("/items", r#"[{"id":7}]"#, "/items/7/parts", json!({"id": {"json": "/0/id"}}), "/items/${id}/parts"),
        ("/x", r#"{"orderId":7}"#, "/orders/7", json!({"orderId": {"json": "/orderId"}}), "/orders/${orderId}"),
        (
            "/x",
            r#"{"order_id":7}"#,
            "/a?orderId=7",
            json!({"order_id": {"json": "/order_id"}}),
            "/a?orderId=${order_id}",
        ),
        ("/x", r#"{"order":{"id":7}}"#, "/a?order=7", json!({"id": {"json": "/order/id"}}), "/a?order=${id}"),
        ("/x", r#"{"data":{"id":48151}}"#, "/things/48151", json!({"id": {"json": "/data/id"}}), "/things/${id}"),
        (
            "/categories",
            r#"[{"slug":"shoes"}]"#,
            "/categories/shoes",
            json!({"slug": {"json": "/0/slug"}}),
            "/categories/${slug}",
        ),
        ("/x", r#"{"n":123456789}"#, "/a/123456789", json!({"n": {"json": "/n"}}), "/a/${n}"),
        (
            "/x",
            r#"<a href="/orders/9">a</a>"#,
            "/orders/9/pay",
            json!({"order_id": {"regex": "href=\"/orders/([^/?&#\"'<> ]+)"}}),
            "/orders/${order_id}/pay",
        ),
        (
            "/x",
            r#"<meta name="csrf-token" content="abcd1234">"#,
            "/a?t=abcd1234",
            json!({"csrf_token": {"regex": "<meta name=\"csrf-token\" content=\"([^\"]+)"}}),
            "/a?t=${csrf_token}",
        ),
    ] {
        let (steps, stderr) = two(first, text, "GET", second, json!({}));
        assert_eq!(steps[0]["extract"], extract, "{text} {second}: {stderr}");
        assert_eq!(steps[1]["get"], target, "{text}");
        assert!(!stderr.contains("look"), "{text}: {stderr}");
    }
}

#[test]
fn a_value_that_is_the_same_by_coincidence_stays() {
    for (text, second) in [
        (r#"{"status":"1","ok":true,"count":7}"#, "/a?page=1&ok=true&n=7"),
        (r#"{"status":1}"#, "/items/1"),
        (r#"{"user":{"id":7}}"#, "/orders/7"),
        (r#"{"user":{"id":7}}"#, "/a?page=7"),
        (r#"{"code":200}"#, "/a?code=200"),
        (r#"{"items":[{"id":3}]}"#, "/a?items=3"),
        (r#"{"price":48151}"#, "/a?amount=48151"),
        (r#"{"state":"delivered"}"#, "/a?state=delivered"),
        (r#"{"sort":{"key":"price"}}"#, "/a?key=price"),
        (r#"{"day":"2026-11-26"}"#, "/a?day=2026-11-26"),
        (r#"{"id":"12345678"}"#, "/a?n=123456789"),
        (r#"{"base":"http://h.test/"}"#, "/a?x=http://h.test/"),
        (r#"{"user":{"id":7},"cart":{"id":7}}"#, "/a?id=7"),
        (r#"{"user":{"id":48151},"cart":{"id":48151}}"#, "/things/48151"),
        (r#"<input name="qty" value="1"><a href="/p/new">"#, "/a?qty=1"),
        (r#"<a href="/orders/8"></a><a href="/orders/9"></a>"#, "/orders/9"),
    ] {
        let (steps, stderr) = two("/x", text, "GET", second, json!({}));
        assert_eq!((steps[0].get("extract"), &steps[1]["get"]), (None, &json!(second)), "{text}: {stderr}");
    }
    let (steps, _) = two("/items/7", r#"{"item":{"id":7}}"#, "GET", "/items/7/parts", json!({}));
    assert_eq!(steps[1]["get"], "/items/7/parts", "the client knew it before");
}

#[test]
fn the_shortest_pointer_that_is_the_values_alone_is_taken() {
    let text = r#"{"included":{"owner":{"guid":"aaaa-1111"}},"guid":"aaaa-1111","name":"aaaa-1111"}"#;
    let (steps, _) = two("/x", text, "GET", "/a/aaaa-1111", json!({}));
    assert_eq!(steps[0]["extract"], json!({"guid": {"json": "/guid"}}));
    let text = r#"{"user":{"id":7},"cart":{"id":7,"links":{"cart_id":7}}}"#;
    let (steps, _) = two("/x", text, "GET", "/carts/7", json!({}));
    assert_eq!(steps[0]["extract"], json!({"id": {"json": "/cart/id"}}), "the user's is another by its name");
}

#[test]
fn bodies_and_headers_get_values_in_the_type_that_they_had() {
    let body = json!({"item_id": 7, "quantity": 7, "ids": [3, 7], "note": "7"});
    let (steps, _) = two("/items", r#"[{"id":3},{"id":7}]"#, "POST", "/items", sends(&body));
    let expected =
        json!({"item_id": "${number(id_2)}", "quantity": 7, "ids": ["${number(id)}", "${number(id_2)}"], "note": "7"});
    assert_eq!((&steps[1]["json"], &steps[0]["extract"]["id"]), (&expected, &json!({"json": "/0/id"})));
    let token = r#"{"token":"abc-12345/+=","session_id":"s1234567"}"#;
    let headers = fields(&[("Authorization", "Bearer abc-12345/+="), ("X-Session-Id", "s1234567")]);
    let more = json!({"request": {"headers": headers, "postData": {"text": "t=abc-12345%2F%2B%3D&u=1",
        "mimeType": "application/x-www-form-urlencoded"}}});
    let (steps, stderr) = two("/x", token, "POST", "/a", more);
    let sent = json!({"Authorization": "Bearer ${token}", "X-Session-Id": "${session_id}"});
    assert_eq!((&steps[1]["headers"], &steps[1]["form"]), (&sent, &json!({"t": "${token}", "u": "1"})), "{stderr}");
}

#[test]
fn fields_headers_cookies_and_redirects_give_values_too() {
    let form = r#"<form><input type=hidden name="csrf_token" value="ab+/12=="><input name="step" value="2"></form>"#;
    let post = json!({"request": {"postData": {"mimeType": "application/x-www-form-urlencoded",
        "text": "csrf_token=ab%2B%2F12%3D%3D&step=2"}}});
    let (steps, _) = two("/x", form, "POST", "/a", post);
    assert_eq!(steps[0]["extract"], json!({"csrf_token": {"input": "csrf_token"}}));
    assert_eq!(steps[1]["form"], json!({"csrf_token": "${csrf_token}", "step": "2"}));
    let headers = fields(&[
        ("Location", "http://h.test/orders/7"),
        ("Set-Cookie", "XSRF-TOKEN=abcd-1234; Path=/"),
        ("ETag", "\"v-123456\""),
    ]);
    let entries = [
        entry("POST", "http://h.test/orders", json!({"response": {"status": 201, "headers": headers}})),
        entry(
            "PUT",
            "http://h.test/orders/7",
            json!({"request": {"headers":
            fields(&[("X-XSRF-TOKEN", "abcd-1234"), ("If-Match", "\"v-123456\"")])}}),
        ),
        entry("POST", "http://h.test/carts", json!({"response": {"status": 303, "redirectURL": "/carts/12?new=1"}})),
        entry("GET", "http://h.test/carts/12?new=1", json!({})),
        entry("GET", "http://h.test/carts/12/total", json!({})),
    ];
    let (code, scenario, stderr) = imported("sources", &entries, &[]);
    let steps = super::steps(&scenario);
    let extract = json!({
        "order_id": {"regex": "/orders/([^/?&#\"'<> ]+)", "header": "Location"},
        "XSRF_TOKEN": {"cookie": "XSRF-TOKEN"},
        "ETag": {"header": "ETag"},
    });
    assert_eq!(steps[0]["extract"], extract, "{stderr}");
    let sent = json!({"X-XSRF-TOKEN": "${XSRF_TOKEN}", "If-Match": "${ETag}"});
    assert_eq!((&steps[1]["put"], &steps[1]["headers"]), (&json!("/orders/${order_id}"), &sent));
    assert_eq!(steps[2]["extract"], json!({"cart_id": {"regex": "/carts/([^/?&#\"'<> ]+)", "from": "url"}}));
    assert_eq!(
        (&steps[3]["get"], &steps[3]["name"], code),
        (&json!("/carts/${cart_id}/total"), &json!("/carts/:id/total"), 0)
    );
}

#[test]
fn what_looks_like_an_identifier_and_stays_is_counted() {
    let (_, stderr) =
        two("/x", r#"{"user":{"id":48151}}"#, "POST", "/orders/7?key=s3cret", sends(&json!({"n": 48151, "page": 2})));
    let said = "3 values that look like identifiers stay as recorded, because no earlier response of the recording clearly \
                has it: POST /orders/:id (key in the query), POST /orders/:id (n in the body), POST /orders/:id (path)";
    assert!(stderr.contains(said) && !stderr.contains("s3cret"), "{stderr}");
    let (_, stderr) = two("/x", "{}", "GET", "/a/2024/v2?page=2", json!({}));
    assert!(!stderr.contains("look"), "{stderr}");
}
