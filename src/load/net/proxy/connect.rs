//! A tunnel through an HTTP proxy (RFC 9110 section 9.3.6).

use super::{Handshake, trouble};
use crate::load::http::response::head::{HeadScan, ResponseExtent, Unfolded, unfold};
use crate::outcome::{Failure, ProxyTrouble};
use crate::plan::url::Origin;

/// Requests a tunnel to `origin`; `authorization` is the value of `Proxy-Authorization`.
///
/// # Errors
/// `ConnectTimeout`; or `ConnectOther` with what the proxy did.
pub(in crate::load) fn open(
    mut handshake: Handshake<'_>,
    origin: &Origin,
    authorization: Option<&str>,
) -> Result<(), Failure> {
    handshake.send(request(origin, authorization).as_bytes())?;
    let mut answer = Vec::new();
    let mut scan = HeadScan::default();
    loop {
        let mut piece = [0; 1024];
        let received = handshake.receive(&mut piece)?;
        answer.extend_from_slice(&piece[..received]);
        // Once per connection, so it is not worth checking first whether it is needed.
        if unfold(&mut answer) == Unfolded::Unfinished {
            continue;
        }
        // A successful response has no body, whatever its fields say; of other responses only the status matters.
        while let Some(head) =
            scan.parse(&answer, ResponseExtent::HeadOnly).map_err(|_| trouble(ProxyTrouble::Broken))?
        {
            match head.status {
                // The origin does not speak first, so further bytes are an error.
                200..=299 if head.len == answer.len() => return Ok(()),
                200..=299 => return Err(trouble(ProxyTrouble::Broken)),
                407 => return Err(trouble(ProxyTrouble::Credentials)),
                _ if head.is_interim() => {
                    let length = head.len;
                    answer.drain(..length);
                    scan = HeadScan::default();
                }
                _ => return Err(trouble(ProxyTrouble::Refused)),
            }
        }
    }
}

fn request(origin: &Origin, authorization: Option<&str>) -> String {
    let target = origin.host_port();
    let credentials = authorization.map(|value| format!("Proxy-Authorization: {value}\r\n")).unwrap_or_default();
    let agent = concat!("User-Agent: swarmline/", env!("CARGO_PKG_VERSION"));
    format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{agent}\r\n{credentials}\r\n")
}
