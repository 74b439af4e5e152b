//! Values of flags and of the keys of scenario files: how each is written, and what it means.

pub mod count;
pub mod shard;
pub mod share;
pub mod size;
pub mod stages;
mod token;
pub mod wall_time;

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::secret::masked_url;
pub use token::{header_name, is_token, method};

/// A length of time as people write it: `90`, `1.5`, `300s`, `20m`, `1h30m`, `500ms`; a bare number means seconds.
///
/// # Errors
/// A sentence that says what is expected.
pub fn duration(text: &str) -> Result<Duration, String> {
    const HINT: &str = "expected a time such as 90, 300s, 20m, 1h30m or 500ms";
    if let Ok(seconds) = decimal(text) {
        return from_seconds(seconds).ok_or_else(|| HINT.to_owned());
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    let mut smallest_so_far = f64::INFINITY;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or(HINT)?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let unit_seconds = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(HINT.to_owned()),
        };
        // 1h30m, not 30m1h and not 1s1s: the same check that catches a unit typed twice.
        if unit_seconds >= smallest_so_far {
            return Err(HINT.to_owned());
        }
        smallest_so_far = unit_seconds;
        let part = from_seconds(decimal(number)? * unit_seconds).ok_or(HINT)?;
        total = total.checked_add(part).filter(|sum| *sum <= LONGEST).ok_or(HINT)?;
        rest = after;
    }
    if smallest_so_far.is_infinite() { Err(HINT.to_owned()) } else { Ok(total) }
}

/// As [`duration`], but not zero.
///
/// # Errors
/// A sentence that says what is expected.
pub fn positive_duration(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("must be longer than 0".to_owned()),
        longer => Ok(longer),
    }
}

/// The longest time a flag takes, a year: adding it to any clock is far from overflow.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

fn decimal(text: &str) -> Result<f64, String> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    plain.then(|| text.parse().ok()).flatten().ok_or_else(|| format!("{text:?} is not a number"))
}

/// A length of time in seconds.
///
/// # Errors
/// A sentence that says what is expected.
pub fn seconds(seconds: f64) -> Result<Duration, String> {
    from_seconds(seconds)
        .ok_or_else(|| format!("{seconds} is not a time; expected seconds from 0, or text such as \"20m\""))
}

fn from_seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().filter(|d| *d <= LONGEST)
}

/// The highest rate that schedules take: one each nanosecond.
const FASTEST: f64 = 1e9;

/// Something a second: a number above 0, at most 1e9.
///
/// # Errors
/// A sentence that says what is expected.
pub fn rate(text: &str) -> Result<f64, String> {
    checked_rate(text.parse::<f64>().map_err(|_| format!("{text:?} is not a number"))?)
}

/// As [`rate`], read already.
///
/// # Errors
/// A sentence that says what is expected.
pub fn checked_rate(rate: f64) -> Result<f64, String> {
    if rate > 0.0 && rate <= FASTEST { Ok(rate) } else { Err("must be above 0 and at most 1e9".to_owned()) }
}

/// A number from 0.
///
/// # Errors
/// A sentence that says what is expected.
pub fn amount(text: &str) -> Result<f64, String> {
    match text.strip_prefix('-').map(decimal) {
        Some(Ok(_)) => Err("must not be negative".to_owned()),
        _ => decimal(text),
    }
}

/// A share: `10%` or `0.1`.
///
/// # Errors
/// A sentence that says what is expected.
pub fn share(text: &str) -> Result<f64, String> {
    let share = text.strip_suffix('%').map_or_else(|| decimal(text), |percent| decimal(percent).map(|p| p / 100.0));
    share.map_err(|_| "expected a share such as 10% or 0.1".to_owned())
}

/// Think time of a user between two tasks (Locust's wait times).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wait {
    /// The next task begins at once.
    None,
    /// The same pause after each task (Locust's `constant`).
    Constant(Duration),
    /// A pause drawn evenly from a range after each task (Locust's `between`).
    Between(Duration, Duration),
    /// Tasks *begin* this far apart, unless one takes longer (Locust's `constant_pacing`).
    Pacing(Duration),
}

impl FromStr for Wait {
    type Err = String;

    /// `1s`, `1s..3s`, `pacing:2s`, `throughput:0.5` (tasks a second, which is pacing by its inverse, as in Locust).
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(pace) = text.strip_prefix("pacing:") {
            return positive_duration(pace).map(Self::Pacing);
        }
        if let Some(tasks_a_second) = text.strip_prefix("throughput:") {
            let pace = from_seconds(1.0 / rate(tasks_a_second)?);
            return pace.filter(|p| !p.is_zero()).map(Self::Pacing).ok_or_else(|| "out of range".to_owned());
        }
        if let Some((low, high)) = text.split_once("..") {
            let (low, high) = (duration(low)?, duration(high)?);
            return if low <= high {
                Ok(Self::Between(low, high))
            } else {
                Err("the shorter time comes first, as in 1s..3s".to_owned())
            };
        }
        match duration(text) {
            Ok(Duration::ZERO) => Ok(Self::None),
            Ok(pause) => Ok(Self::Constant(pause)),
            Err(_) => Err("expected 1s, 1s..3s, pacing:2s or throughput:0.5".to_owned()),
        }
    }
}

impl fmt::Display for Wait {
    /// As the flag is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => write!(f, "0"),
            Self::Constant(pause) => write!(f, "{}s", pause.as_secs_f64()),
            Self::Between(low, high) => write!(f, "{}s..{}s", low.as_secs_f64(), high.as_secs_f64()),
            Self::Pacing(pace) => write!(f, "pacing:{}s", pace.as_secs_f64()),
        }
    }
}

/// Which statuses are an answer as wanted: `200,404,3xx`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusSet(Vec<(u16, u16)>);

impl StatusSet {
    /// Whether `status` is among them.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|(low, high)| (*low..=*high).contains(&status))
    }
}

impl Default for StatusSet {
    /// Below 400, as Locust judges an answer.
    fn default() -> Self {
        Self(vec![(0, 399)])
    }
}

impl fmt::Display for StatusSet {
    /// As the flag is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (low, high)) in self.0.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            if low == high {
                write!(f, "{comma}{low}")?;
            } else {
                write!(f, "{comma}{}xx", low / 100)?;
            }
        }
        Ok(())
    }
}

impl FromStr for StatusSet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',').map(|part| status_range(part.trim())).collect::<Result<_, _>>().map(Self)
    }
}

fn status_range(text: &str) -> Result<(u16, u16), String> {
    let bad = || format!("{text:?} is not a status; expected 200, 404 or a class such as 3xx");
    if text.len() != 3 {
        return Err(bad());
    }
    if let Some(class) = text.strip_suffix("xx").or_else(|| text.strip_suffix("XX")) {
        let class: u16 = class.parse().map_err(|_| bad())?;
        return if (1..=9).contains(&class) { Ok((class * 100, class * 100 + 99)) } else { Err(bad()) };
    }
    let status: u16 = text.parse().map_err(|_| bad())?;
    if (100..=999).contains(&status) { Ok((status, status)) } else { Err(bad()) }
}

/// `HOST:PORT:ADDR[,ADDR]...`: connections to that host and port go to these addresses, as curl's `--resolve`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolve {
    /// Host name, in lower case.
    pub host: String,
    /// Port of the URL.
    pub port: u16,
    /// Where connections go, in turn.
    pub addresses: Vec<IpAddr>,
}

impl FromStr for Resolve {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, ':');
        let (Some(host), Some(port), Some(addresses)) = (parts.next(), parts.next(), parts.next()) else {
            return Err("expected HOST:PORT:ADDR".to_owned());
        };
        if host.is_empty() {
            return Err("expected HOST:PORT:ADDR, the host is empty".to_owned());
        }
        let port = port.parse().map_err(|_| "expected HOST:PORT:ADDR, where PORT is from 0 to 65535")?;
        let addresses = addresses.split(',').map(address).collect::<Result<_, _>>()?;
        Ok(Self { host: host.to_ascii_lowercase(), port, addresses })
    }
}

fn address(text: &str) -> Result<IpAddr, String> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    bare.parse().map_err(|_| "expected HOST:PORT:ADDR, where ADDR is an IP address".to_owned())
}

/// `Name: value` for every request. As in curl, `Name:` leaves out a header sent by default and `Name;` sends it empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Field name as written.
    pub name: String,
    /// Field value without surrounding blanks; `None` leaves the header out.
    pub value: Option<String>,
}

impl FromStr for Header {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = match (text.split_once(':'), text.strip_suffix(';')) {
            (Some((name, value)), _) => (name, Some(value.trim()).filter(|v| !v.is_empty())),
            (None, Some(name)) => (name, Some("")),
            (None, None) => return Err("expected 'Name: value'".to_owned()),
        };
        header_name(name)?;
        // RFC 9110 section 5.5: no control characters; a line break would be a second header.
        if value.is_some_and(|v| v.bytes().any(|b| b.is_ascii_control() && b != b'\t')) {
            return Err(format!("the value of {name} has a control character"));
        }
        Ok(Self { name: name.to_owned(), value: value.map(str::to_owned) })
    }
}

/// `NAME:PASSWORD` for basic authentication.
///
/// # Errors
/// A sentence that says what is expected.
pub fn credentials(text: &str) -> Result<String, String> {
    if text.contains(':') { Ok(text.to_owned()) } else { Err("expected NAME:PASSWORD".to_owned()) }
}

/// The file of a client certificate. curl takes a password behind a colon, which is not taken here and not repeated.
///
/// # Errors
/// A sentence that says what is expected.
pub fn certificate(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if text.contains(':') && !path.exists() {
        return Err("no such file; a password after a colon, as in curl, is not supported".to_owned());
    }
    Ok(path)
}

/// The id of a run: 1 to 64 of `A-Z a-z 0-9 . _ -`.
///
/// # Errors
/// A sentence that says what is expected.
pub fn run_id(text: &str) -> Result<String, String> {
    let fits = (1..=64).contains(&text.len());
    if fits && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b)) {
        return Ok(text.to_owned());
    }
    Err("expected 1 to 64 of A-Z a-z 0-9 . _ -".to_owned())
}

/// Base of relative requests. A header given by mistake (`-H`, as in curl) gets its own hint. A query or a
/// fragment is refused: paths are appended to the base, so it would never be sent.
///
/// # Errors
/// A sentence that says what is expected.
pub fn host(text: &str) -> Result<String, String> {
    if text.starts_with("http://") || text.starts_with("https://") {
        return match text.find(['?', '#']) {
            // The query is not repeated: it may hold a secret.
            Some(at) if text[at..].starts_with('?') => {
                Err("a host has no query (?...); write the query in the requests".to_owned())
            }
            Some(_) => Err("a host has no fragment (#...); leave it out".to_owned()),
            None => Ok(text.to_owned()),
        };
    }
    if let Some((name, value)) = text.split_once(':') {
        let is_header = !name.is_empty() && name.bytes().all(is_token);
        if is_header && !value.starts_with("//") && !value.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(format!(
                "that is a header; did you mean --header '{name}: ...'? (-H is the host, as in Locust)"
            ));
        }
    }
    if text.contains("://") {
        return Err("only http:// and https:// are supported".to_owned());
    }
    Err(format!("expected a URL; did you mean http://{}?", masked_url(text)))
}

#[cfg(test)]
mod tests;
