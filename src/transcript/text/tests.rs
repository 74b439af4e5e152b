use std::time::Duration;

use super::super::{Answer, ConnectPhases, Extracted};
use super::*;
use crate::outcome::Failure;
use crate::plan::expect::explain::Finding;

fn hop(request: &str, answer: &str, body: &[u8]) -> Hop {
    let (head, sent) = request.split_once("\r\n\r\n").unwrap();
    Hop {
        request_head: Kept::beginning(head.as_bytes(), 1000),
        request_body: Kept::beginning(sent.as_bytes(), 1000),
        phases: Phases {
            connecting: Some(ConnectPhases { connect: Duration::from_micros(250), ..ConnectPhases::default() }),
            first_byte: Duration::from_millis(12),
            body: Some(Duration::ZERO),
        },
        answer: Some(Answer {
            head: Kept::beginning(answer.as_bytes(), 1000),
            body: Kept::beginning(body, 2000),
            is_coded: false,
        }),
    }
}

fn transcript(hops: Vec<Hop>) -> Transcript {
    Transcript {
        endpoint: "POST /orders".to_owned(),
        hops,
        omitted_hops: 0,
        took: Duration::from_micros(12_500),
        ending: Ending::Failed(Failure::Status(400)),
        findings: vec![Finding { is_met: false, text: "status is 400, not below 400".to_owned() }],
        extracted: vec![
            Extracted { name: "id".to_owned(), value: Ok("7".to_owned()), is_secret: false },
            Extracted { name: "token".to_owned(), value: Ok("t1t2".to_owned()), is_secret: true },
            Extracted { name: "next".to_owned(), value: Err("there is no /next".to_owned()), is_secret: false },
        ],
    }
}

fn plain_style(secrets: Option<&KnownSecrets>) -> Style<'_> {
    Style { secrets, colours: Colours::None, max_body: MAX_BODY }
}

#[test]
fn a_transcript_shows_what_was_sent_received_expected_and_extracted() {
    let one = hop(
        "POST /orders HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer x\r\n\r\n{\"item\":\"x\",\"password\":\"p\"}",
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json",
        b"{\"error\":\"item must be an integer\"}",
    );
    let told = text(&transcript(vec![one]), plain_style(Some(&KnownSecrets::default())));
    let lines = [
        "POST /orders: http_4xx: 400, 12.5 ms",
        "  > POST /orders HTTP/1.1",
        "  > Host: h",
        "  > Authorization: ***",
        "  >",
        "  > {",
        "  >   \"item\": \"x\",",
        "  >   \"password\": \"***\"",
        "  > }",
        "  dns 0.00 ms, connect 0.25 ms, tls 0.00 ms, first byte 12.0 ms, body 0.00 ms",
        "  < HTTP/1.1 400 Bad Request",
        "  < Content-Type: application/json",
        "  <",
        "  < {",
        "  <   \"error\": \"item must be an integer\"",
        "  < }",
        "  NOT  status is 400, not below 400",
        "  ok   id = 7",
        "  ok   token = ***",
        "  NOT  next extracted: there is no /next",
    ];
    assert_eq!(told, lines.join("\n") + "\n");
}

#[test]
fn a_hostile_server_cannot_control_the_terminal() {
    let hostile = hop(
        "GET / HTTP/1.1\r\n\r\n",
        "HTTP/1.1 200 \u{1b}[2J\r\nX: \u{9b}31m\u{202e}",
        "\u{1b}]0;title\u{7}\r\n\u{8}x".as_bytes(),
    );
    let told = text(&transcript(vec![hostile]), plain_style(None));
    assert!(!told.contains(|c: char| c.is_control() && c != '\n'), "{told:?}");
    assert!(told.contains("  < HTTP/1.1 200 \\u{1b}[2J\n") && told.contains("  < \\u{1b}]0;title\\u{7}\n"), "{told}");
}

#[test]
fn colours_are_for_terminals() {
    let one = hop("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK", b"");
    let style = Style { colours: Colours::Ansi, ..plain_style(None) };
    let told = text(&transcript(vec![one]), style);
    assert!(told.starts_with("\x1b[31mPOST /orders: http_4xx: 400, 12.5 ms\x1b[0m\n"), "{told}");
    assert!(told.contains("token = t1t2"), "secrets are shown on request");
}

#[test]
fn the_text_for_the_stream_keeps_within_its_limit_and_shows_what_failed() {
    let long = "x".repeat(1000);
    let hops = (0..4).map(|_| hop(&format!("GET /{long} HTTP/1.1\r\n\r\n{long}"), "HTTP/1.1 400 x", long.as_bytes()));
    let told = stream_text(&transcript(hops.collect()), &KnownSecrets::default());
    assert!(told.len() <= MAX_STREAM_TEXT && told.ends_with(" more)\n"), "{} {told}", told.len());
    let one = hop(&format!("GET / HTTP/1.1\r\n\r\n{long}"), "HTTP/1.1 400 x", "\u{1}".repeat(2000).as_bytes());
    let told = stream_text(&transcript(vec![one]), &KnownSecrets::default());
    assert!(told.len() <= MAX_STREAM_TEXT && told.contains("NOT  status is 400"), "{told}");
}
