//! Files in bodies: what arrives, and what becomes of a request whose file or server does not last.

use std::fs::{self, File};
use std::time::Duration;

use crate::process::{Finished, Process, prepare, run, run_alone};
use crate::server::{CA_FILE, OK, Peer, Server};
use crate::support::{Run, Scratch};

/// A file that is too large to be kept in memory, and not the same at any two places.
fn large() -> Vec<u8> {
    (0..300_000_u32).flat_map(u32::to_be_bytes).collect()
}

/// A file of zeros that takes no room on disk; its size exceeds the buffers of two sockets.
fn sparse(scratch: &Scratch, name: &str) -> String {
    let path = scratch.file(name);
    File::create(&path).unwrap().set_len(64 << 20).unwrap();
    path
}

/// A scenario with one request to `host`.
fn scenario(scratch: &Scratch, host: &str, request: &str) -> String {
    let text = format!(r#"{{"host": "{host}", "user_classes": [{{"tasks": [{{"requests": [{request}]}}]}}]}}"#);
    scratch.write("scenario.json", text)
}

/// Bytes of bodies sent, as the stream counts them.
fn bytes_sent(finished: &Finished) -> u64 {
    finished.stream().of("interval").iter().map(|line| line.count("bytes_sent")).sum()
}

#[test]
fn parts_of_a_form_arrive_as_they_are_written() {
    let (server, scratch) = (Server::responding(OK), Scratch::new("multipart"));
    scratch.write("photo.JPG", [0, 255, b'\r', b'\n']);
    scratch.write("large.bin", large());
    let parts = r#"{"post": "/", "headers": {"X": "y"}, "multipart": [
        {"name": "title", "value": "two\nlines"}, {"name": "n", "value": 1.50}, {"name": "a\"b", "file": "photo.JPG"},
        {"name": "large", "file": "large.bin", "filename": "user-${user}"}, {"name": "j", "json": {"a": ["${user}"]}},
        {"name": "plain", "file": "photo.JPG", "filename": null}, {"name": "t", "value": "", "content_type": "x/y"}]}"#;
    let file = scenario(&scratch, &server.host(), parts);
    run_alone(&["-f", &file, "-n", "2", "--header", "Content-Type: text/plain"]).exits(0);
    for request in server.requests() {
        let content_type = request.header("content-type").unwrap();
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=").expect(content_type);
        assert!(boundary.len() == 32 && boundary.bytes().all(|byte| byte.is_ascii_hexdigit()), "{boundary}");
        let field = |name: &str, more: &str, content: &[u8]| {
            let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n");
            [head.as_bytes(), content, b"\r\n"].concat()
        };
        let expected = [
            field("title", "", b"two\nlines"),
            field("n", "", b"1.50"),
            field("a%22b", "; filename=\"photo.JPG\"\r\nContent-Type: image/jpeg", &[0, 255, b'\r', b'\n']),
            field("large", "; filename=\"user-0\"\r\nContent-Type: application/octet-stream", &large()),
            field("j", "\r\nContent-Type: application/json", b"{\"a\":[\"0\"]}"),
            field("plain", "", &[0, 255, b'\r', b'\n']),
            field("t", "\r\nContent-Type: x/y", b""),
            format!("--{boundary}--\r\n").into_bytes(),
        ];
        assert!(request.body == expected.concat(), "{}", String::from_utf8_lossy(&request.body[..500]));
        assert_eq!(request.head.to_lowercase().matches("content-type").count(), 1);
    }
    assert_eq!(server.count(), 2);
}

#[test]
fn a_large_file_arrives_complete_each_time_by_any_route() {
    let scratch = Scratch::new("large-file");
    let body = format!("@{}", scratch.write("large.bin", large()));
    let is_whole = |server: &Server, count: u64| {
        assert_eq!(server.count(), count);
        for request in server.requests() {
            assert_eq!(request.header("content-length"), Some("1200000"));
            assert!(request.body == large());
        }
    };
    let server = Server::responding(OK);
    let finished = run(&server, &["-n", "3", "-d", &body, "/"]).exits(0);
    is_whole(&server, 3);
    assert_eq!((server.connections(), bytes_sent(&finished)), (1, 3_600_000));
    let server = Server::start(|peer| {
        let mut peer = peer.accept_tls();
        while peer.respond(OK) {}
    });
    let url = format!("https://{}/", server.addr());
    run_alone(&["--cacert", CA_FILE, "-n", "3", "-d", &body, &url]).exits(0);
    is_whole(&server, 3);
    let proxy = Server::responding(OK);
    run_alone(&["--proxy", &proxy.host(), "-n", "3", "-d", &body, "http://shop.test/a"]).exits(0);
    is_whole(&proxy, 3);
    assert!(proxy.request_lines().iter().all(|line| line == "POST http://shop.test/a"));
}

#[test]
fn a_large_json_file_is_checked_and_sent_without_its_byte_order_mark() {
    let (server, scratch) = (Server::responding(OK), Scratch::new("large-json"));
    let json = format!("[{}0]", "12345, ".repeat(20_000));
    let marked = format!("@{}", scratch.write("marked.json", format!("\u{feff}{json}")));
    run(&server, &["-n", "1", "--json", &marked, "/"]).exits(0);
    assert!(server.requests()[0].body == json.as_bytes());
    let broken = scratch.write("broken.json", format!("{json}]"));
    let refused = Run::new(["run", "--json", &format!("@{broken}"), "http://127.0.0.1:9/"]).finish().exits(2);
    let start = format!("--json @{broken}: not JSON: line 1, column 140004: trailing");
    assert!(refused.complaint().starts_with(&start), "{}", refused.stderr);
}

#[test]
fn a_redirect_and_a_reopened_connection_send_a_file_again() {
    let scratch = Scratch::new("again");
    let body = format!("@{}", scratch.write("large.bin", large()));
    for status in ["307 Temporary Redirect", "308 Permanent Redirect"] {
        // The cookie is added to the second request, and the third.
        let away = format!("HTTP/1.1 {status}\r\nLocation: /next\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n");
        let server = Server::start(move |mut peer| {
            while let Some(request) = peer.read() {
                peer.send(if request.line().ends_with(" /") { &away } else { OK });
            }
        });
        run(&server, &["-n", "2", "-d", &body, "/"]).exits(0);
        assert_eq!(server.request_lines(), ["POST /", "POST /next", "POST /", "POST /next"]);
        let requests = server.requests();
        assert!(requests.iter().all(|request| request.body == large()), "{status}");
        let cookies: Vec<_> = requests.iter().map(|request| request.header("cookie")).collect();
        assert_eq!(cookies, [None, Some("a=1"), Some("a=1"), Some("a=1")]);
    }
    let server = Server::start(|mut peer| {
        if peer.number == 0 {
            peer.respond(OK);
            peer.read_head();
            return;
        }
        while peer.respond(OK) {}
    });
    let finished = run(&server, &["-n", "2", "-X", "PUT", "-d", &body, "/"]).exits(0);
    assert_eq!((finished.count("reopened"), server.connections()), (1, 2));
    assert!(server.requests().last().unwrap().body == large());
}

#[test]
fn a_complete_response_ends_an_upload_that_the_server_still_reads() {
    let scratch = Scratch::new("early-upload");
    let body = format!("@{}", sparse(&scratch, "zeros"));
    let server = Server::start(|mut peer| {
        peer.read_head();
        peer.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
        peer.drain();
    });
    let finished = run(&server, &["-n", "2", "-d", &body, "/"]).exits(1);
    assert_eq!(finished.errors(), [("http_4xx: 413", 2)]);
    assert!(bytes_sent(&finished) < 2 * (64 << 20), "not all was sent");
    assert_eq!((server.count(), server.connections()), (2, 2), "the rest of a body is not a request");
}

#[test]
fn a_timeout_and_the_end_of_the_run_cut_an_upload() {
    let scratch = Scratch::new("cut-upload");
    let body = format!("@{}", sparse(&scratch, "zeros"));
    // Reads a little at a time, so that the socket accepts more again and again.
    let slow = |mut peer: Peer| {
        peer.read_head();
        while peer.read_some(4096) && peer.pause(Duration::from_millis(5)) {}
    };
    let server = Server::start(slow);
    let finished = run(&server, &["-n", "1", "--timeout", "400ms", "-d", &body, "/"]).exits(4);
    assert_eq!(finished.errors(), [("timeout: request not sent within 0.4s", 1)]);
    let server = Server::start(slow);
    let process = Process::start(prepare(&server, &["-t", "1s", "-d", &body, "/"]));
    let finished = process.finish().exits(4);
    assert_eq!((finished.count("sent"), finished.count("aborted")), (1, 1));
}

#[test]
fn a_file_that_changes_its_size_fails_the_request_and_is_named() {
    const ERROR: &str = "send: body file changed its size";
    let scratch = Scratch::new("resized");
    for size in [100_000, 1_200_001] {
        let file = scratch.write("large.bin", large());
        let resized = file.clone();
        // After the first request, while the connection is kept.
        let server = Server::start(move |mut peer| {
            while peer.read().is_some() {
                File::options().write(true).open(&resized).unwrap().set_len(size).unwrap();
                peer.send(OK);
            }
        });
        let finished = run(&server, &["-n", "3", "-d", &format!("@{file}"), "/"]).exits(1);
        assert_eq!(finished.errors(), [(ERROR, 2)]);
        assert_eq!((server.count(), finished.stream().warnings()), (1, vec!["body_file"]));
        let warning = format!("{file}: body file changed its size; requests that send it fail");
        assert!(finished.stderr().contains(&warning), "{}", finished.stderr());
    }
}

#[test]
fn a_file_that_is_cut_off_while_it_is_sent_closes_the_connection() {
    let scratch = Scratch::new("cut-off");
    let file = sparse(&scratch, "zeros");
    let cut = file.clone();
    let server = Server::start(move |mut peer| {
        peer.read_head();
        File::options().write(true).open(&cut).unwrap().set_len(1).unwrap();
        peer.drain();
    });
    let finished = run(&server, &["-n", "1", "-d", &format!("@{file}"), "/"]).exits(4);
    assert_eq!(finished.errors(), [("send: body file changed its size", 1)]);
    assert_eq!(finished.stream().warnings(), ["body_file"]);
    assert!(bytes_sent(&finished) < 64 << 20);
    assert_eq!(fs::metadata(&file).unwrap().len(), 1);
}

#[test]
fn a_file_that_is_replaced_is_sent_as_it_was() {
    let scratch = Scratch::new("replaced");
    let file = scratch.write("large.bin", large());
    let (old, new) = (file.clone(), scratch.write("new.bin", vec![b'x'; 100_000]));
    let server = Server::start(move |mut peer| {
        while peer.read().is_some() {
            // The second time there is none.
            let _ = fs::rename(&new, &old);
            peer.send(OK);
        }
    });
    run(&server, &["-n", "2", "-d", &format!("@{file}"), "/"]).exits(0);
    assert!(server.requests().iter().all(|request| request.body == large()));
    assert_eq!(fs::read(&file).unwrap().len(), 100_000);
}

#[test]
fn a_file_of_over_4_gib_is_refused() {
    let scratch = Scratch::new("too-large");
    let path = scratch.file("zeros");
    File::create(&path).unwrap().set_len((4 << 30) + 1).unwrap();
    let refused = Run::new(["run", "-d", &format!("@{path}"), "http://127.0.0.1:9/"]).finish().exits(2);
    let expected = format!("--data @{path}: is longer than 4 GiB, the maximum for a file in a body");
    assert_eq!(refused.complaint(), expected);
}
