//! `--await-host`: a service that is still starting is waited for, before the run.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::process::{Process, run_alone};
use crate::server::{OK, Reply, Server, Socks};
use crate::support::{Run, dead_host};

/// A proxy stands for a host that is still starting: it refuses as many connections as it is told to, and then connects.
fn starting(origin: &Server, refusals: u32) -> Socks {
    let (origin, asked) = (origin.addr(), AtomicU32::new(0));
    Socks::start(None, move |_| {
        if asked.fetch_add(1, Ordering::SeqCst) < refusals { Reply::Failed(5) } else { Reply::Connected(origin) }
    })
}

#[test]
fn the_run_starts_when_the_host_accepts_connections() {
    let origin = Server::responding(OK);
    let proxy = starting(&origin, 3);
    let url = format!("socks5h://{}", proxy.addr());
    let run = run_alone(&["--proxy", &url, "--await-host", "60s", "-n", "2", "http://shop.test/"]).exits(0);
    assert_eq!((run.count("ok"), run.count("failed"), origin.count()), (2, 0, 2), "the attempts are no requests");
    assert_eq!(run.stream().setting("await-host"), Some(("60s", "flag")));
    assert_eq!(proxy.destinations().len(), 5, "three refused, one to see that it accepts, and that of the user");
}

#[test]
fn a_host_that_never_accepts_ends_it_before_anything_is_sent_with_exit_4() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/");
    let run = |flags: &[&str]| {
        Run::new(["run", "--await-host", "300ms", "-n", "2", &url]).with(flags.iter().copied()).finish()
    };
    let over = run(&[]).exits(4);
    let complaint = format!("--await-host 0.3s: 127.0.0.1:{port} does not accept connections: connection refused\n");
    assert!(over.stderr.contains(&complaint), "{}", over.stderr);
    assert!(over.text().is_empty(), "a run that did not start has no stream: {}", over.text());
    for flag in ["--start-at=2099-01-01T00:00:00Z", "--start-align=1s"] {
        let refused = run(&[flag]).exits(2);
        assert!(refused.stderr.contains("cannot be combined"), "{}", refused.stderr);
    }
}

#[test]
fn what_keeps_the_connection_is_named_the_proxy_or_the_name_of_the_host() {
    let origin = Server::responding(OK);
    let refusing = starting(&origin, u32::MAX);
    let (socks, dead) = (format!("socks5h://{}", refusing.addr()), dead_host());
    for (arguments, complaint) in [
        (
            vec!["--proxy", &socks, "http://shop.test/"],
            "no connection to shop.test through the proxy: connection refused",
        ),
        (
            vec!["--proxy", &dead, "http://shop.test/"],
            "no connection to shop.test through the proxy: connection refused",
        ),
        (vec!["http://no-such-host.invalid/"], "no-such-host.invalid: dns: "),
    ] {
        let over = Run::new(["run", "--await-host", "300ms", "-n", "2"]).with(arguments).finish().exits(4);
        assert!(over.stderr.contains(&format!("--await-host 0.3s: {complaint}")), "{}", over.stderr);
    }
}

#[test]
fn the_time_is_used_up_before_the_host_is_given_up() {
    let began = Instant::now();
    Run::new(["run", "--await-host", "1s", "-n", "2", &dead_host()]).finish().exits(4);
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
}

#[test]
fn a_signal_during_the_wait_ends_the_run_in_order() {
    let (sender, asked) = channel();
    let sender = Mutex::new(sender);
    let proxy = Socks::start(None, move |_| {
        let _ = sender.lock().unwrap().send(());
        Reply::Failed(5)
    });
    let url = format!("socks5h://{}", proxy.addr());
    let run = Run::new(["run", "--proxy", &url, "--await-host", "1h", "-n", "2", "http://shop.test/"]);
    let run = Process::start(run);
    asked.recv().unwrap();
    run.signal(Signal::TERM);
    let run = run.finish().exits(4);
    assert_eq!(run.count("sent"), 0);
    assert!(run.text().contains("\"reason\":\"signal\""), "{}", run.text());
    assert!(run.stderr().contains("no request completed before a signal ended the run"), "{}", run.stderr());
}
