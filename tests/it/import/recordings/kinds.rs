//! Kinds of entries: what is not a request that users make is left out, and said.

use serde_json::{Value, json};

use super::{entry, fields, imported, steps};

const PAGE: &str = "http://h.test/";

#[test]
fn the_recordings_that_were_imported_wrongly_once_are_imported_faithfully() {
    let file = |name: &str| format!("{}/tests/corpus/import/har-{name}.har", env!("CARGO_MANIFEST_DIR"));
    let form = "application/x-www-form-urlencoded";
    for (name, code, expected, said) in [
        (
            "body-not-recorded",
            1,
            json!([{"post": "/login"}]),
            "POST /login: sent without its body, which is not in the",
        ),
        ("connect", 2, Value::Null, "CONNECT h:443: left out, it opens the tunnel of a proxy"),
        ("form-name-template", 0, json!([{"post": "/a", "form": {"$${userName}": "x"}}]), ""),
        ("multipart-params", 0, json!([{"post": "/a", "multipart": [{"name": "hello", "value": "world"}]}]), ""),
        ("params-twice", 0, json!([{"post": "/a", "form": {"tag": ["1", "2"]}}]), ""),
        (
            "redirect-to-https",
            0,
            json!([
                {"get": "http://shop.example.com/"},
                {"pause": "2.4s..7.3s"},
                {"post": "/api/orders", "json": {"item": 1}},
            ]),
            "redirects: followed",
        ),
        ("websocket-101", 2, Value::Null, "https://h/ws: left out, a WebSocket"),
    ] {
        let done = crate::support::Run::new(["import", &file(name)]).finish_any();
        assert_eq!(done.code, code, "{name}: {}", done.stderr);
        let scenario: Value = serde_json::from_slice(&done.stdout).unwrap_or_default();
        assert_eq!(scenario["user_classes"][0]["tasks"][0]["requests"], expected, "{name} {form}");
        assert!(done.stderr.contains(said), "{name}: {}", done.stderr);
    }
}

#[test]
fn entries_that_are_not_requests_are_left_out_and_said() {
    let upgrade = fields(&[("Upgrade", "WebSocket")]);
    let preflight = fields(&[("Access-Control-Request-Method", "PUT")]);
    let internal = json!({"status": 307, "redirectURL": "https://h.test/x", "headers":
        fields(&[("Non-Authoritative-Reason", "HSTS")])});
    for (entry, code, said) in [
        (entry("GET", "data:image/png;base64,AA", json!({})), 0, "data: URLs: left out"),
        (entry("GET", "blob:http://h.test/1", json!({})), 0, "blob: URLs: left out"),
        (entry("GET", "chrome-extension://x/a.js", json!({})), 0, "chrome-extension: URLs: left out"),
        (entry("GET", "wss://h.test/ws?token=s", json!({})), 1, "wss://h.test/ws: left out, a WebSocket"),
        (entry("GET", "http://h.test/ws", json!({"response": {"status": 101}})), 1, "a WebSocket"),
        (entry("GET", "http://h.test/ws", json!({"_webSocketMessages": []})), 1, "a WebSocket"),
        (entry("GET", "http://h.test/ws", json!({"request": {"headers": upgrade}})), 1, "a WebSocket"),
        (entry("CONNECT", "h.test:443", json!({})), 0, "CONNECT h.test:443: left out"),
        (entry("OPTIONS", "http://h.test/x", json!({"request": {"headers": preflight}})), 0, "preflight requests"),
        (entry("GET", "http://h.test/x", json!({"_fromCache": "disk"})), 0, "the browser's cache"),
        (
            entry("POST", "http://h.test/x", json!({"response": {"status": 0, "_error": "net::ERR_ABORTED"}})),
            1,
            "POST http://h.test/x: left out, it was not answered in the recording (net::ERR_ABORTED)",
        ),
        (entry("GET", "http://h.test/x", json!({"response": {"status": -1}})), 1, "was not answered"),
        (
            entry("GET", "http://h.test/x", json!({"response": internal})),
            0,
            "the browser redirected it without sending",
        ),
        (entry("GET", "http://other.test/x", json!({})), 0, "http://other.test: left out, another host"),
    ] {
        let (exit, scenario, stderr) = imported("kinds", &[super::entry("GET", PAGE, json!({})), entry.clone()], &[]);
        assert_eq!(steps(&scenario), [json!({"get": "/"})], "{entry}");
        assert!(stderr.contains(said), "{entry}: {stderr}");
        assert_eq!((exit, stderr.lines().count()), (code, 1), "{entry}: {stderr}");
        let (exit, _, stderr) = imported("kinds", std::slice::from_ref(&entry), &["--no-pauses"]);
        let is_request = said.contains("another host");
        assert!(is_request || (exit == 2 && stderr.contains(said)), "alone, {entry}: {stderr}");
    }
    let (_, scenario, _) = imported("options", &[entry("OPTIONS", PAGE, json!({}))], &[]);
    assert_eq!(steps(&scenario), [json!({"options": "/"})], "one that a program sends is kept");
}

#[test]
fn static_files_are_told_by_kind_type_and_name_and_are_never_posted() {
    let is_left_out = |method: &str, path: &str, kind: &str, mime: &str| {
        let more = json!({"_resourceType": kind, "response": {"content": {"mimeType": mime}}});
        let url = format!("http://h.test{path}");
        let page = entry("GET", PAGE, json!({"_resourceType": "document"}));
        let (code, scenario, stderr) = imported("assets", &[page, entry(method, &url, more)], &[]);
        assert_eq!(code, 0, "{stderr}");
        assert_eq!(steps(&scenario).len() == 1, stderr.contains("images, fonts"), "{stderr}");
        steps(&scenario).len() == 1
    };
    for (path, kind, mime) in [
        ("/a", "image", ""),
        ("/a", "font", "application/octet-stream"),
        ("/a", "", "font/woff2"),
        ("/a", "", "application/font-woff"),
        ("/a", "", "application/x-font-ttf"),
        ("/a", "", "application/vnd.ms-fontobject"),
        ("/a", "", "application/x-shockwave-flash"),
        ("/a", "", "text/css; charset=utf-8"),
        ("/a", "", "application/javascript"),
        ("/a", "", "text/ecmascript"),
        ("/a", "", "video/mp4"),
        ("/a", "", "application/vnd.apple.mpegurl"),
        ("/a", "manifest", "application/manifest+json"),
        ("/a.woff2?v=1", "", "application/octet-stream"),
        ("/a.ico", "other", ""),
    ] {
        assert!(is_left_out("GET", path, kind, mime), "{path} {kind} {mime}");
        assert!(!is_left_out("POST", path, kind, mime), "POST {path} {kind} {mime}");
    }
    for (path, kind, mime) in [
        ("/a", "document", "text/html"),
        ("/a", "xhr", "application/json"),
        ("/a.js", "xhr", "application/json"),
        ("/report", "", "application/octet-stream"),
        ("/a", "", "application/pdf"),
        ("/a", "", ""),
    ] {
        assert!(!is_left_out("GET", path, kind, mime), "{path} {kind} {mime}");
    }
}

#[test]
fn headers_that_http_does_not_allow_are_left_out_with_their_names() {
    let headers = fields(&[
        (":authority", "h.test"),
        (":path", "/"),
        ("Host", "h.test:80"),
        ("Connection", "keep-alive"),
        ("na me", "1"),
        ("X-Bell", "a\u{7}"),
        ("X-Two", "1\n2"),
        ("X-Trace", "${x}"),
        ("Accept", "text/html"),
    ]);
    let (code, scenario, stderr) =
        imported("headers", &[entry("GET", PAGE, json!({"request": {"headers": headers}}))], &[]);
    let kept = json!({"X-Two": "1, 2", "X-Trace": "$${x}", "Accept": "text/html"});
    assert_eq!(steps(&scenario), [json!({"get": "/", "headers": kept})]);
    assert_eq!((code, stderr.lines().count()), (1, 3), "{stderr}");
    assert!(stderr.contains("GET /: header \"na me\": left out, its name is not allowed in HTTP"), "{stderr}");
    assert!(stderr.contains("GET /: header \"X-Bell\": left out, its value has a control character"), "{stderr}");
    let other = fields(&[("Host", "shop.test")]);
    let (_, scenario, _) = imported("host", &[entry("GET", PAGE, json!({"request": {"headers": other}}))], &[]);
    assert_eq!(steps(&scenario)[0]["headers"], json!({"Host": "shop.test"}), "it is another than the URL's");
}

#[test]
fn cookies_and_credentials_of_a_recording_are_those_of_the_run_or_said() {
    let with = |cookie: &str| json!({"request": {"headers": fields(&[("Cookie", cookie)])}});
    let set = json!({"response": {"headers": fields(&[("Set-Cookie", "sid=abc; Path=/\nlang=en")])}});
    let entries =
        [entry("GET", PAGE, set), entry("GET", "http://h.test/a", with("sid=abc; lang=en; _ga=1; old=secret"))];
    let (code, scenario, stderr) = imported("cookies", &entries, &[]);
    assert_eq!(steps(&scenario), [json!({"get": "/"}), json!({"get": "/a"})]);
    assert!(stderr.contains("users do not have them: _ga, old"), "{stderr}");
    assert!(!stderr.contains("secret") && code == 0, "{stderr}");
    let (_, scenario, stderr) =
        imported("userinfo", &[entry("GET", "http://jo:a%40b@h.test/", json!({}))], &["--keep-secrets"]);
    assert_eq!(steps(&scenario), [json!({"get": "/", "headers": {"Authorization": "Basic am86YUBi"}})], "{stderr}");
}
