//! `--otlp`: what goes to the backend and to no other place, and how the last push ends. Others' backends are in tests/e2e.

use crate::server::{Peer, Server};
use crate::support::{Finished, Run, target};

/// A backend that takes every push.
const TAKEN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// A run of one request that pushes to this URL, with these variables.
fn pushed(url: &str, variables: &[(&str, &str)]) -> Finished {
    let target = target();
    let host = format!("http://{}", target.addr());
    let mut run = Run::new(["run", "-H", &host, "-n", "1", "--only-summary", "--otlp", url, "/ok"]);
    for (name, value) in variables {
        run = run.env(name, value);
    }
    run.finish()
}

#[test]
fn pushes_go_to_the_backend_whatever_proxy_the_environment_names() {
    let (backend, proxy) = (Server::responding(TAKEN), Server::start(Peer::hang));
    let url = proxy.host();
    let names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let variables = names.map(|name| (name, url.as_str()));
    let run = pushed(&backend.host(), &variables).exits(0);
    assert!(run.stderr.contains("the last has the complete run"), "{}", run.stderr);
    assert!(backend.count() > 0);
    assert_eq!(proxy.connections(), 0);
}
