//! One test for each rule.

use super::*;

fn whole(fields: &str) -> Result<ResponseHead<'_>, ProtocolTrouble> {
    parse_head(fields.as_bytes(), ResponseExtent::HeadAndBody).map(|head| head.expect("a complete head"))
}

/// The framing of a 200 in HTTP/1.1 with these lines.
fn framed(lines: &str) -> Result<Framing, ProtocolTrouble> {
    whole(&format!("HTTP/1.1 200 OK\r\n{lines}\r\n")).map(|head| head.framing)
}

fn kept(head: &str) -> bool {
    whole(head).unwrap().keep_alive
}

#[test]
fn a_head_gives_status_length_framing_and_location() {
    let input = b"HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 5\r\nlocation: /b\r\n\r\nhello";
    let head = parse_head(input, ResponseExtent::HeadAndBody).unwrap().unwrap();
    let expected = ResponseHead {
        status: 302,
        len: 69,
        framing: Framing::Length(5),
        keep_alive: true,
        location: Some(b"/b".as_slice()),
        sets_cookies: false,
    };
    assert_eq!(head, expected);
    assert_eq!(&input[head.len..], b"hello");
}

#[test]
fn a_head_tells_whether_it_sets_cookies() {
    assert!(whole("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nset-Cookie: a=b\r\n\r\n").unwrap().sets_cookies);
    assert!(!whole("HTTP/1.1 200 OK\r\nConnection: close\r\nGet-Cookie: a=b\r\n\r\n").unwrap().sets_cookies);
}

#[test]
fn an_incomplete_head_needs_more_input() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    for len in 0..head.len() {
        assert_eq!(parse_head(&head[..len], ResponseExtent::HeadAndBody), Ok(None), "{len}");
    }
}

#[test]
fn input_that_cannot_be_http_1_is_refused_at_once() {
    for input in ["PRI * HTTP/2.0\r\n", "P", "HTTX", "HTTP/2", "HTTP/1.2 ", "SSH-2.0", "\x16\x03\x01"] {
        assert_eq!(
            parse_head(input.as_bytes(), ResponseExtent::HeadAndBody),
            Err(ProtocolTrouble::BadVersion),
            "{input:?}"
        );
        assert_eq!(
            HeadScan::default().parse(input.as_bytes(), ResponseExtent::HeadAndBody),
            Err(ProtocolTrouble::BadVersion),
            "{input:?}"
        );
    }
    let mut scan = HeadScan::default();
    assert_eq!(scan.parse(b"HT", ResponseExtent::HeadAndBody), Ok(None));
    assert_eq!(scan.parse(b"HTX", ResponseExtent::HeadAndBody), Err(ProtocolTrouble::BadVersion));
}

#[test]
fn a_status_has_three_digits_from_100_on() {
    for status in ["099", "20", "2000", "2x0", "-20"] {
        assert_eq!(whole(&format!("HTTP/1.1 {status} OK\r\n\r\n")), Err(ProtocolTrouble::BadStatusLine), "{status}");
    }
    assert_eq!(whole("HTTP/1.1 999\r\n\r\n").unwrap().status, 999);
}

#[test]
fn folded_fields_spaces_before_the_colon_and_nul_are_refused() {
    for field in ["A: b\r\n c\r\n", "A : b\r\n", "A: b\0\r\n", " A: b\r\n", "A\r\n", ": b\r\n", "A: b\rc\r\n"] {
        assert_eq!(framed(field), Err(ProtocolTrouble::BadField), "{field:?}");
    }
}

#[test]
fn bare_line_feeds_and_empty_lines_before_the_head_are_read() {
    let head = whole("\r\n\nHTTP/1.1 200 OK\nContent-Length: 5\n\n").unwrap();
    assert_eq!((head.len, head.framing), (38, Framing::Length(5)));
}

#[test]
fn head_1xx_204_and_304_have_no_body_whatever_the_headers() {
    let fields = "Content-Length: 5\r\nContent-Length: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    for status in [100, 102, 103, 199, 204, 304] {
        let input = format!("HTTP/1.1 {status} X\r\n{fields}");
        let head = whole(&input).unwrap();
        assert_eq!((head.framing, head.keep_alive, head.is_interim()), (Framing::None, true, status < 200), "{status}");
    }
    let input = format!("HTTP/1.1 200 OK\r\n{fields}");
    let head = parse_head(input.as_bytes(), ResponseExtent::HeadOnly).unwrap().unwrap();
    assert_eq!((head.framing, head.keep_alive), (Framing::None, true));
    assert!(whole(&input).is_err());
}

#[test]
fn an_unrequested_upgrade_is_broken() {
    assert_eq!(whole("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), Err(ProtocolTrouble::Upgrade));
}

#[test]
fn without_length_or_encoding_the_body_ends_with_the_connection() {
    assert_eq!(framed(""), Ok(Framing::UntilClose));
    assert!(!kept("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n"));
}

#[test]
fn a_repeated_content_length_is_accepted_if_all_agree() {
    for lines in ["5\r\nContent-Length: 5", "5, 5", "5,\t05", "5,5\r\ncontent-length:5", "  5  "] {
        assert_eq!(framed(&format!("Content-Length: {lines}\r\n")), Ok(Framing::Length(5)), "{lines:?}");
    }
    for lines in ["5\r\nContent-Length: 6", "5, 6", "5, 5\r\nContent-Length: 5, 6"] {
        assert_eq!(
            framed(&format!("Content-Length: {lines}\r\n")),
            Err(ProtocolTrouble::ConflictingLengths),
            "{lines:?}"
        );
    }
}

#[test]
fn a_content_length_is_digits_of_at_most_64_bits() {
    for value in ["", "+5", "-5", "5 5", "0x5", "5.0", "5,", ",5", "5,,5", "five", "18446744073709551616"] {
        assert_eq!(framed(&format!("Content-Length: {value}\r\n")), Err(ProtocolTrouble::BadLength), "{value:?}");
    }
    assert_eq!(framed("Content-Length: 18446744073709551615\r\n"), Ok(Framing::Length(u64::MAX)));
}

#[test]
fn chunked_as_the_last_coding_means_chunks() {
    for value in
        ["chunked", "ChunKed", "gzip, chunked", "gzip;q=1 , chunked", "gzip\r\nTransfer-Encoding: chunked", "chunked,"]
    {
        assert_eq!(framed(&format!("Transfer-Encoding: {value}\r\n")), Ok(Framing::Chunked), "{value:?}");
    }
}

#[test]
fn another_last_coding_means_until_close() {
    for value in ["gzip", "identity", "xchunked", ""] {
        assert_eq!(framed(&format!("Transfer-Encoding: {value}\r\n")), Ok(Framing::UntilClose), "{value:?}");
    }
}

#[test]
fn chunked_comes_once_and_last_and_without_parameters() {
    for value in ["chunked, gzip", "chunked, chunked", "chunked\r\nTransfer-Encoding: gzip"] {
        assert_eq!(
            framed(&format!("Transfer-Encoding: {value}\r\n")),
            Err(ProtocolTrouble::ChunkedNotLast),
            "{value:?}"
        );
    }
    for value in ["chunked;q=1", "chunked ; a", "chun ked", "\"chunked\"", "\u{e9}, chunked", ";, chunked"] {
        assert_eq!(framed(&format!("Transfer-Encoding: {value}\r\n")), Err(ProtocolTrouble::BadEncoding), "{value:?}");
    }
}

#[test]
fn length_beside_encoding_is_broken() {
    for encoding in ["chunked", "gzip", ""] {
        let lines = format!("Content-Length: 5\r\nTransfer-Encoding: {encoding}\r\n");
        assert_eq!(framed(&lines), Err(ProtocolTrouble::LengthAndEncoding), "{encoding:?}");
    }
}

#[test]
fn an_encoding_in_http_1_0_is_broken() {
    assert_eq!(whole("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), Err(ProtocolTrouble::EncodingInHttp10));
}

#[test]
fn http_1_1_is_kept_alive_unless_it_has_close() {
    let says = |lines: &str| kept(&format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{lines}\r\n"));
    assert!(says(""));
    assert!(says("Connection: upgrade\r\n"));
    assert!(says("Connection: closed\r\n"));
    assert!(!says("Connection: close\r\n"));
    assert!(!says("Connection: x ,\tCLOSE, y\r\n"));
    assert!(!says("Connection: keep-alive\r\nConnection: close\r\n"));
    assert!(!says("Connection: close\r\nConnection: keep-alive\r\n"));
}

#[test]
fn http_1_0_is_kept_alive_only_if_it_has_keep_alive() {
    let says = |lines: &str| kept(&format!("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n{lines}\r\n"));
    assert!(!says(""));
    assert!(says("Connection: Keep-Alive\r\n"));
    assert!(!says("Connection: keep-alive, close\r\n"));
}

#[test]
fn a_head_may_have_any_number_of_fields_within_64_kib() {
    let status = "HTTP/1.1 200 OK\r\n";
    for count in [USUAL_FIELDS - 1, USUAL_FIELDS, 1_000, (MAX_HEAD - status.len() - 34) / 3] {
        let input = format!("{status}Content-Length: 5\r\n{}location: /\n\n", "a:\n".repeat(count - 2));
        let head = whole(&input).unwrap();
        assert_eq!((head.len, head.framing), (input.len(), Framing::Length(5)));
        assert_eq!(head.location, Some(b"/".as_slice()), "{count}");
    }
}

#[test]
fn a_head_may_have_64_kib_and_no_more() {
    let padded = |len: usize| format!("HTTP/1.1 200 OK\r\na: {}\r\n\r\n", "b".repeat(len - 24));
    assert_eq!(whole(&padded(MAX_HEAD)).unwrap().len, MAX_HEAD);
    assert_eq!(whole(&(padded(MAX_HEAD) + "body")).unwrap().len, MAX_HEAD);
    assert_eq!(whole(&padded(MAX_HEAD + 1)), Err(ProtocolTrouble::HeadTooLong));
    let unfinished = &padded(MAX_HEAD + 100)[..MAX_HEAD];
    assert_eq!(parse_head(&unfinished.as_bytes()[..MAX_HEAD - 1], ResponseExtent::HeadAndBody), Ok(None));
    assert_eq!(parse_head(unfinished.as_bytes(), ResponseExtent::HeadAndBody), Err(ProtocolTrouble::HeadTooLong));
}

/// Feeds `input` byte by byte: the result, after how many bytes, and how often it was parsed.
fn drip(input: &[u8]) -> (Result<Option<ResponseHead<'_>>, ProtocolTrouble>, usize, usize) {
    let (mut scan, mut parses) = (HeadScan::default(), 0);
    for len in 1..=input.len() {
        let verdict = scan.parse(&input[..len], ResponseExtent::HeadAndBody);
        parses += usize::from(scan.parsed == len);
        if verdict != Ok(None) {
            return (verdict, len, parses);
        }
    }
    (Ok(None), input.len(), parses)
}

#[test]
fn a_head_that_arrives_slowly_is_parsed_few_times() {
    // 16 short ones, 12 doublings to 64 KiB, and the last one.
    let few = STATUS_LINE_START + 12 + 1;
    for filler in ["a: b\r\n", "a:\n", "abcdefgh", "\r\n"] {
        let long = format!("HTTP/1.1 200 OK\r\n{}", filler.repeat(MAX_HEAD / filler.len()));
        let (_, _, parses) = drip(long.as_bytes());
        assert!(parses <= few, "{filler:?}: {parses}");
    }
    let empty = "\r\n".repeat(MAX_HEAD / 2);
    let (verdict, len, parses) = drip(empty.as_bytes());
    assert_eq!((verdict, len), (Err(ProtocolTrouble::HeadTooLong), MAX_HEAD));
    assert!(parses <= few, "{parses}");
}

#[test]
fn a_head_that_arrives_slowly_is_complete_with_its_last_byte() {
    for end in ["\r\n\r\n", "\n\r\n", "\n\n", "\r\n\n"] {
        let input = format!("\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b{end}");
        let (verdict, len, _) = drip(input.as_bytes());
        assert_eq!(verdict.unwrap().unwrap().len, input.len(), "{end:?}");
        assert_eq!(len, input.len(), "{end:?}");
    }
}

#[test]
fn a_close_within_the_head_is_early_unless_the_head_was_broken() {
    assert_eq!(closed_within(b"", ResponseExtent::HeadAndBody), ProtocolTrouble::ClosedEarly);
    assert_eq!(closed_within(b"HTTP/1.1 200 OK\r\nA: b", ResponseExtent::HeadAndBody), ProtocolTrouble::ClosedEarly);
    assert_eq!(closed_within(b"HTTP/1.1 200 OK\r\nA : b", ResponseExtent::HeadAndBody), ProtocolTrouble::BadField);
}

fn unfolded(head: &str) -> (Unfolded, String) {
    let mut bytes = head.as_bytes().to_vec();
    let how = unfold(&mut bytes);
    (how, String::from_utf8(bytes).unwrap())
}

#[test]
fn folded_lines_become_one_and_spaces_before_colons_are_removed() {
    for (head, expected) in [
        ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b   c\r\n\r\n"),
        ("HTTP/1.1 200 OK\nA: b\n\tc\n\n", "HTTP/1.1 200 OK\nA: b  c\n\n"),
        ("HTTP/1.1 200 OK\r\nA:\r\n \r\n  b\r\n\r\n", "HTTP/1.1 200 OK\r\nA:       b\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\nA \t: b\r\n\r\n", "HTTP/1.1 200 OK\r\nA:   b\r\n\r\n"),
        ("\r\nHTTP/1.1 200 OK\r\nA : b\r\n", "\r\nHTTP/1.1 200 OK\r\nA:  b\r\n"),
        // What follows the head is not part of it.
        ("HTTP/1.1 200 OK\r\nA : b\r\n\r\n c : d\r\n e", "HTTP/1.1 200 OK\r\nA:  b\r\n\r\n c : d\r\n e"),
    ] {
        let (how, text) = unfolded(head);
        assert_eq!((how, text.as_str()), (Unfolded::Rewritten, expected));
        assert_ne!(unfolded(&text).0, Unfolded::Rewritten, "it is done once");
    }
}

#[test]
fn a_line_that_is_not_a_field_is_unchanged() {
    for head in [
        "HTTP/1.1 200 OK\r\n a: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n : b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA\r\n : b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA b : c\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n a : b",
        "HTTP/1.1 200 OK",
        "",
    ] {
        assert_eq!(unfolded(head), (Unfolded::Unchanged, head.to_owned()), "{head:?}");
    }
    for head in ["HTTP/1.1 200 OK\r\nA ", "HTTP/1.1 200 OK\r\nA: b\r\nA\t "] {
        assert_eq!(unfolded(head).0, Unfolded::Unfinished, "{head:?}");
    }
}
