//! SOCKS 5 (RFC 1928), with name and password if given (RFC 1929).

use std::net::{IpAddr, SocketAddr};

use super::{Handshake, trouble};
use crate::outcome::{ConnectTrouble, DnsTrouble, Failure, ProxyTrouble};
use crate::plan::route::Login;
use crate::plan::url::Origin;

/// The destination that the proxy is to connect to.
#[derive(Clone, Copy, Debug)]
pub(in crate::load) enum Destination<'g> {
    /// An address, resolved here.
    Address(SocketAddr),
    /// A name, resolved by the proxy.
    Name(&'g str, u16),
}

impl<'g> Destination<'g> {
    /// The origin by name, unless its host is an address.
    pub(in crate::load) fn unresolved(origin: &'g Origin) -> Self {
        match origin.host().parse::<IpAddr>() {
            Ok(address) => Self::Address(SocketAddr::new(address, origin.port())),
            Err(_) => Self::Name(origin.host(), origin.port()),
        }
    }
}

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const BY_PASSWORD: u8 = 2;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Requests a connection to `goal`.
///
/// # Errors
/// `ConnectTimeout`; what the proxy reports about the server (refused, unreachable); `ConnectOther` with what the proxy
/// did; `Dns` if the name is too long to exist.
pub(in crate::load) fn open(
    mut handshake: Handshake<'_>,
    login: Option<&Login>,
    goal: Destination<'_>,
) -> Result<(), Failure> {
    let request = request(goal)?;
    handshake.send(if login.is_some() { &[VERSION, 2, NO_LOGIN, BY_PASSWORD] } else { &[VERSION, 1, NO_LOGIN] })?;
    match (handshake.receive_exactly()?, login) {
        ([VERSION, NO_LOGIN], _) => {}
        ([VERSION, BY_PASSWORD], Some(login)) => log_in(&mut handshake, login)?,
        // RFC 1928 section 3: none of the offered methods is acceptable.
        ([VERSION, 0xff], _) => return Err(trouble(ProxyTrouble::Credentials)),
        _ => return Err(trouble(ProxyTrouble::Broken)),
    }
    handshake.send(&request)?;
    // Two bytes first: some proxies end a refusal there.
    match handshake.receive_exactly()? {
        [VERSION, 0] => {}
        [VERSION, reply] => return Err(refusal(reply)),
        _ => return Err(trouble(ProxyTrouble::Broken)),
    }
    // The address that the proxy connects from, which is not needed.
    match handshake.receive_exactly()? {
        [_, IPV4] => handshake.receive_exactly::<{ 4 + 2 }>().map(drop),
        [_, IPV6] => handshake.receive_exactly::<{ 16 + 2 }>().map(drop),
        [_, NAME] => {
            let [length] = handshake.receive_exactly()?;
            (0..usize::from(length) + 2).try_for_each(|_| handshake.receive_exactly::<1>().map(drop))
        }
        _ => Err(trouble(ProxyTrouble::Broken)),
    }
}

/// RFC 1929 section 2.
fn log_in(handshake: &mut Handshake<'_>, login: &Login) -> Result<(), Failure> {
    let mut bytes = vec![1];
    for text in [login.name(), login.password()] {
        push(&mut bytes, text).ok_or(trouble(ProxyTrouble::Credentials))?;
    }
    handshake.send(&bytes)?;
    let [_, status] = handshake.receive_exactly()?;
    if status == 0 { Ok(()) } else { Err(trouble(ProxyTrouble::Credentials)) }
}

/// RFC 1928 section 4.
fn request(goal: Destination<'_>) -> Result<Vec<u8>, Failure> {
    let mut bytes = vec![VERSION, CONNECT, 0];
    let port = match goal {
        Destination::Address(SocketAddr::V4(address)) => {
            bytes.push(IPV4);
            bytes.extend(address.ip().octets());
            address.port()
        }
        Destination::Address(SocketAddr::V6(address)) => {
            bytes.push(IPV6);
            bytes.extend(address.ip().octets());
            address.port()
        }
        Destination::Name(name, port) => {
            bytes.push(NAME);
            push(&mut bytes, name).ok_or(Failure::Dns(DnsTrouble::NotFound))?;
            port
        }
    };
    bytes.extend(port.to_be_bytes());
    Ok(bytes)
}

/// Appends a text preceded by its length; `None` if the length does not fit in a byte.
fn push(bytes: &mut Vec<u8>, text: &str) -> Option<()> {
    bytes.push(u8::try_from(text.len()).ok()?);
    bytes.extend(text.as_bytes());
    Some(())
}

/// RFC 1928 section 6. What the proxy reports about the server gets the class that it would have without a proxy.
const fn refusal(reply: u8) -> Failure {
    match reply {
        // Network unreachable, host unreachable, time to live expired.
        3 | 4 | 6 => Failure::ConnectOther(ConnectTrouble::Unreachable),
        5 => Failure::ConnectRefused,
        _ => trouble(ProxyTrouble::Refused),
    }
}
