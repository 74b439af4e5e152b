//! `--proxy http://…`: absolute URLs for plain HTTP, tunnels for TLS.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::process::{Process, ms, run_alone};
use crate::server::{BlackHole, CA_FILE, OK, Server, is_connect};
use crate::support::{Run, Scratch};

/// The promise is a second, or the timeout that was set; the rest is for a busy machine.
const ROOM: Duration = Duration::from_secs(1 + 14);

const ESTABLISHED: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

fn at(proxy: SocketAddr) -> String {
    format!("http://{proxy}")
}

/// A TLS server for shop.test.
fn secure_origin() -> Server {
    Server::start(|peer| {
        let mut peer = peer.accept_tls();
        while peer.respond(OK) {}
    })
}

#[test]
fn plain_http_goes_to_the_proxy_with_the_absolute_url() {
    let proxy = Server::responding(OK);
    let url = at(proxy.addr());
    let run = run_alone(&["--proxy", &url, "-n", "4", "http://shop.test:81/a?b"]).exits(0);
    assert_eq!((run.count("ok"), proxy.count(), proxy.connections()), (4, 4, 1), "the connection is kept");
    let request = &proxy.requests()[3];
    assert_eq!((request.line(), request.header("host")), ("GET http://shop.test:81/a?b", Some("shop.test:81")));
    assert_eq!(request.header("proxy-authorization"), None);
    assert_eq!(run.stream().setting("proxy"), Some((url.as_str(), "flag")));
    let no_addresses = serde_json::json!([{"host": "shop.test:81", "addresses": []}]);
    assert_eq!(*run.stream().only("config").get("targets"), no_addresses);
}

#[test]
fn tls_goes_through_a_tunnel_to_the_host_of_the_url() {
    let origin = secure_origin();
    let proxy = Server::tunnel(origin.addr(), ESTABLISHED);
    let proxy_url = at(proxy.addr());
    let flags = ["--proxy", &proxy_url, "--cacert", CA_FILE, "-n", "4"];
    let run = run_alone(&[&flags[..], &["https://shop.test/a"]].concat()).exits(0);
    assert_eq!((run.count("ok"), origin.count()), (4, 4));
    assert_eq!((proxy.request_lines(), origin.connections()), (vec!["CONNECT shop.test:443".to_owned()], 1));
    assert_eq!(proxy.requests()[0].header("host"), Some("shop.test:443"));
    let first = &origin.requests()[0];
    assert_eq!((first.line(), first.header("host")), ("GET /a", Some("shop.test")));
    // The certificate is the origin's, not the proxy's.
    let run = run_alone(&[&flags[..], &["https://other.test:8443/"]].concat()).exits(4);
    assert_eq!(run.errors(), [("tls: certificate for another name", 4)]);
    assert_eq!(proxy.request_lines()[1], "CONNECT other.test:8443");
    run_alone(&[&flags[..], &["https://[::1]/"]].concat()).exits(4);
    assert!(proxy.request_lines().contains(&"CONNECT [::1]:443".to_owned()), "{:?}", proxy.request_lines());
}

#[test]
fn credentials_reach_only_the_proxy() {
    let origin = secure_origin();
    let origin_addr = origin.addr();
    let proxy = Server::start(move |mut peer| {
        while let Some(request) = peer.read() {
            if is_connect(&request) {
                peer.send(ESTABLISHED);
                return peer.relay(origin_addr);
            }
            peer.send(OK);
        }
    });
    let url = format!("http://amy:p%40%3Ass@{}", proxy.addr());
    let flags = ["--proxy", &url, "--cacert", CA_FILE, "-n", "20", "http://shop.test/", "https://shop.test/"];
    let run = run_alone(&flags).exits(0);
    // printf 'amy:p@:ss' | base64
    let basic = Some("Basic YW15OnBAOnNz");
    assert!(proxy.requests().iter().all(|request| request.header("proxy-authorization") == basic));
    assert!(origin.requests().iter().all(|request| request.header("proxy-authorization").is_none()));
    let tunnels = proxy.requests().iter().filter(|request| is_connect(request)).count() as u64;
    assert_eq!((proxy.count() - tunnels + origin.count(), run.count("ok")), (20, 20));
    let masked = format!("http://***@{}", proxy.addr());
    assert_eq!(run.stream().setting("proxy"), Some((masked.as_str(), "flag")));
    let output = format!("{}{}", run.text(), run.stderr());
    assert!(!output.contains("p@:ss") && !output.contains("p%40") && !output.contains("YW15"), "{output}");
}

#[test]
fn a_large_body_reaches_the_proxy_byte_for_byte() {
    let proxy = Server::responding(OK);
    let scratch = Scratch::new("proxy-body");
    let body: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let file = format!("@{}", scratch.write("body", &body));
    let url = format!("http://amy:pass@{}", proxy.addr());
    run_alone(&["--proxy", &url, "-n", "2", "--data", &file, "http://shop.test/"]).exits(0);
    assert!(
        proxy.requests().iter().all(|request| request.body == body && request.header("proxy-authorization").is_some())
    );
    // As in curl, a custom header wins over the credentials in the URL.
    let own = ["--header", "proxy-authorization: Bearer x", "-n", "1", "http://shop.test/"];
    run_alone(&[&["--proxy", &url][..], &own].concat()).exits(0);
    assert_eq!(proxy.requests()[2].head.to_lowercase().matches("proxy-authorization").count(), 1);
    assert_eq!(proxy.requests()[2].header("proxy-authorization"), Some("Bearer x"));
}

#[test]
fn cookies_work_with_absolute_urls() {
    let set = "HTTP/1.1 200 OK\r\nSet-Cookie: id=7; Path=/a\r\nContent-Length: 0\r\n\r\n";
    let proxy = Server::responding(set);
    let url = format!("http://amy:pass@{}", proxy.addr());
    run_alone(&["--proxy", &url, "-n", "2", "http://shop.test/a/b"]).exits(0);
    let request = &proxy.requests()[1];
    assert_eq!((request.line(), request.header("cookie")), ("GET http://shop.test/a/b", Some("id=7")));
    assert!(request.header("proxy-authorization").is_some());
}

#[test]
fn a_redirect_from_plain_http_to_tls_opens_a_tunnel() {
    let origin = secure_origin();
    let origin_addr = origin.addr();
    let proxy = Server::start(move |mut peer| {
        while let Some(request) = peer.read() {
            if is_connect(&request) {
                peer.send(ESTABLISHED);
                return peer.relay(origin_addr);
            }
            peer.send("HTTP/1.1 301 Moved\r\nLocation: https://shop.test/b\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let proxy_url = at(proxy.addr());
    let flags = ["--proxy", &proxy_url, "--cacert", CA_FILE, "-n", "2", "http://shop.test/a"];
    let run = run_alone(&flags).exits(0);
    assert_eq!((run.count("ok"), run.count("redirects"), origin.request_lines()), (2, 2, vec!["GET /b".to_owned(); 2]));
}

#[test]
fn any_2xx_opens_a_tunnel_and_its_headers_announce_no_body() {
    for response in [
        "HTTP/1.0 200 OK\r\nProxy-Agent: x\r\n\r\n",
        "HTTP/1.1 299 Fine\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ] {
        let origin = secure_origin();
        let proxy = Server::tunnel(origin.addr(), response);
        let proxy_url = at(proxy.addr());
        run_alone(&["--proxy", &proxy_url, "-k", "-n", "2", "https://shop.test/"]).exits(0);
        assert_eq!(origin.count(), 2, "{response}");
    }
}

#[test]
fn each_way_of_not_opening_a_tunnel_has_an_error_of_its_own() {
    for (response, error) in [
        ("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad", "connect_other: refused by the proxy"),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "connect_other: refused by the proxy"),
        ("HTTP/1.1 302 Found\r\nLocation: http://login.test/\r\n\r\n", "connect_other: refused by the proxy"),
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n",
            "connect_other: the proxy wants other credentials",
        ),
        ("SSH-2.0-OpenSSH_9.2\r\n", "connect_other: no proper answer from the proxy"),
        ("HTTP/1.1 200 OK\r\n\r\nand more", "connect_other: no proper answer from the proxy"),
        ("HTTP/1.1 200 OK\r\n", "connect_other: closed by the proxy"),
        ("", "connect_other: closed by the proxy"),
    ] {
        let proxy = Server::start(move |mut peer| {
            peer.respond(response);
            peer.finish_sending();
            peer.drain();
        });
        let proxy_url = at(proxy.addr());
        let run = run_alone(&["--proxy", &proxy_url, "-n", "2", "https://shop.test/"]).exits(4);
        assert_eq!(run.errors(), [(error, 2)], "{response}");
    }
}

#[test]
fn the_response_of_a_proxy_to_plain_http_counts_as_the_response() {
    let proxy = Server::responding("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n");
    let run = run_alone(&["--proxy", &at(proxy.addr()), "-n", "2", "http://shop.test/"]).exits(1);
    assert_eq!(run.errors(), [("http_4xx: 407", 2)]);
}

#[test]
fn a_proxy_that_cannot_be_reached_is_a_failure_to_connect() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let full = BlackHole::new();
    for url in ["http://shop.test/", "https://shop.test/"] {
        let run = run_alone(&["--proxy", &at(free), "-n", "2", url]).exits(4);
        assert_eq!(run.errors(), [("connect_refused: connection refused", 2)], "{url}");
        let run = run_alone(&["--proxy", &at(full.addr()), "--connect-timeout", "400ms", "-n", "2", url]).exits(4);
        assert_eq!(run.errors(), [("connect_timeout: not connected in time", 2)], "{url}");
    }
    let run = run_alone(&["--proxy", "http://127.0.0.1:1", "-6", "-n", "2", "http://shop.test/"]).exits(4);
    assert_eq!(run.errors(), [("dns: no address", 2)], "the address family applies to the proxy");
}

/// A proxy that reads the request and never completes its response.
fn silent(drips: bool) -> Server {
    Server::start(move |mut peer| {
        peer.respond(if drips { "HTTP/1.1 200 " } else { "" });
        while drips && peer.pause(Duration::from_millis(50)) {
            peer.send("x");
        }
        peer.hang();
    })
}

#[test]
fn a_proxy_that_never_responds_is_a_connect_timeout() {
    for drips in [false, true] {
        let proxy = silent(drips);
        let flags = ["--proxy", &at(proxy.addr()), "--connect-timeout", "400ms", "-n", "2", "https://shop.test/"];
        let run = run_alone(&flags).exits(4);
        assert_eq!(run.errors(), [("connect_timeout: not connected in time", 2)], "drips: {drips}");
        let (shortest, longest) = (run.statistic("min_response_time"), run.statistic("max_response_time"));
        assert!(shortest >= 400.0 && longest < ms(ROOM), "{shortest} to {longest}");
        let flags = ["--proxy", &at(proxy.addr()), "--timeout", "400ms", "-n", "1", "https://shop.test/"];
        let run = run_alone(&flags).exits(4);
        assert_eq!(run.errors(), [("timeout: not connected within 0.4s", 1)], "drips: {drips}");
    }
}

#[test]
fn a_proxy_that_never_responds_does_not_delay_the_end() {
    for drips in [false, true] {
        let proxy = silent(drips);
        let proxy_url = at(proxy.addr());
        let flags = ["run", "--proxy", &proxy_url, "--connect-timeout", "10m", "--timeout", "10m", "-u", "20"];
        let process = Process::start(Run::new(flags).with(["-r", "1000", "https://shop.test/"]));
        proxy.wait_for_requests(20);
        let signalled = Instant::now();
        process.signal(Signal::TERM);
        let run = process.finish().exits(4);
        assert!(run.ended - signalled < ROOM, "{:?}", run.ended - signalled);
        assert_eq!((run.count("sent"), run.count("failed"), run.count("aborted")), (20, 0, 20));
    }
}

#[test]
fn the_time_to_open_a_tunnel_counts_as_connecting() {
    let origin = secure_origin();
    let origin_addr = origin.addr();
    let proxy = Server::start(move |mut peer| {
        peer.read();
        peer.pause(Duration::from_millis(300));
        peer.send(ESTABLISHED);
        peer.relay(origin_addr);
    });
    let run = run_alone(&["--proxy", &at(proxy.addr()), "-k", "-n", "2", "https://shop.test/"]).exits(0);
    let interval = run.stream().only("interval");
    let made = interval.get("connections");
    assert_eq!((&made["count"], &made["connect"]["count"]), (&1.into(), &1.into()));
    assert!(made["connect"]["sum_us"].as_u64().unwrap() >= 300_000, "{made}");
    assert!(run.statistic("max_response_time") >= 300.0);
}

#[test]
fn proxy_variables_of_the_environment_are_ignored() {
    let server = Server::responding(OK);
    let host = server.host();
    let mut run = Run::new(["run", "--host", &host, "-n", "2", "/"]);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        run = run.env(name, "http://127.0.0.1:1");
    }
    Process::start(run).finish().exits(0);
    assert_eq!(server.request_lines(), ["GET /", "GET /"]);
}

#[test]
fn a_wrong_url_is_refused_before_the_run_without_quoting_it() {
    let form = "expected http://[NAME:PASS@]HOST:PORT, or socks5://";
    for (url, why) in [
        ("127.0.0.1:3128", "has no scheme"),
        ("amy:sesame@127.0.0.1:3128", "has no scheme"),
        ("", "has no scheme"),
        ("https://amy:sesame@127.0.0.1:3128", "TLS to a proxy is not supported"),
        ("ftp://amy:sesame@127.0.0.1:3128", form),
        ("http://", form),
        ("http://proxy.test", form),
        ("http://proxy.test:", form),
        ("http://proxy.test:0", form),
        ("http://proxy.test:99999", form),
        ("http://amy:sesame", form),
        ("http://amy:sesame@proxy.test", form),
        ("http://amy:sesame@proxy.test:3128/path", form),
        ("http://amy:sesame@proxy.test:3128?q", form),
        ("http://amy:sesame@:3128", form),
        ("http://amy:sesame@[::1]", form),
        ("http://amy:sesame@[::1:3128", form),
        ("http://amy:sesame@::1:3128", form),
        ("http://amy:sesame@a b:3128", form),
    ] {
        let finished = Run::new(["run", "--proxy", url, "-n", "1", "http://127.0.0.1:1/"]).finish().exits(2);
        let line = finished.complaint();
        assert!(line.starts_with("--proxy: ") && line.contains(why), "{url}: {line}");
        assert!(!line.contains("sesame"), "{line}");
    }
    let both = ["run", "--proxy", "http://127.0.0.1:1", "--unix-socket", "/dev/null", "http://127.0.0.1:1/"];
    let finished = Run::new(both).finish().exits(2);
    assert_eq!(finished.complaint(), "--proxy and --unix-socket: cannot be combined");
}
