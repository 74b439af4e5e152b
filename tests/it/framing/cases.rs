//! Responses, valid and broken, from a seed.

use std::fmt;

use swarmline::load::http::response::head::ResponseExtent;

/// splitmix64: the seed is the state.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// 0 to `bound` - 1.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// The bytes of a response, and the method of its request.
pub(super) struct Case {
    pub(super) asked: ResponseExtent,
    pub(super) bytes: Vec<u8>,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} \"{}\"", self.asked, self.bytes.escape_ascii())
    }
}

impl Case {
    /// A case that depends on the seed only; about half of them are valid.
    pub(super) fn random(random: &mut Random) -> Self {
        let asked = if random.one_in(8) { ResponseExtent::HeadOnly } else { ResponseExtent::HeadAndBody };
        let odd = random.one_in(4);
        let mut bytes = Vec::new();
        for _ in 0..if random.one_in(6) { 1 + random.below(2) } else { 0 } {
            interim(random, &mut bytes);
        }
        response(random, odd, &mut bytes);
        if random.one_in(4) {
            bytes.extend_from_slice(random.pick(&["HTTP/1.1 200 OK\r\n", "\r\n", "x", "0\r\n\r\n"]).as_bytes());
        }
        if random.one_in(3) {
            for _ in 0..=random.below(3) {
                mutate(random, &mut bytes);
            }
        }
        Self { asked, bytes }
    }
}

fn interim(random: &mut Random, bytes: &mut Vec<u8>) {
    let head = random.pick(&[
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 102 Processing\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nContent-Length: 7\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 100 Continue\r\nA: b\r\n\r\n",
        "HTTP/1.0 199 X\r\nContent-Length: x\r\n\r\n",
    ]);
    bytes.extend_from_slice(head.as_bytes());
}

/// A response whose headers match its framing, or with `odd` perhaps do not.
fn response(random: &mut Random, odd: bool, bytes: &mut Vec<u8>) {
    let eol = if random.one_in(12) { "\n" } else { "\r\n" };
    let version = if random.one_in(5) { "HTTP/1.0" } else { "HTTP/1.1" };
    let statuses =
        ["200", "200", "200", "200 OK", "201 Created", "204 No Content", "301 Moved", "302", "304", "404", "503"];
    let status =
        if odd { random.pick(&["200 OK", "200", "101", "099", "600", "20", "999"]) } else { random.pick(&statuses) };
    let payload = &b"abcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n"[..random.below(34)];

    let mut lines = vec![format!("{version} {status}")];
    let chunked = random.one_in(2) && (version == "HTTP/1.1" || odd);
    match random.below(8) {
        0 => {}
        1 if odd => lines.push(format!("Content-Length: {}, {}", payload.len(), random.below(34))),
        1 | 2 if !chunked => lines.extend(vec![format!("Content-Length: {}", payload.len()); 2]),
        _ if chunked => lines.push(format!("{}: chunked", random.pick(&["Transfer-Encoding", "transfer-encoding"]))),
        _ => lines.push(format!("{}: {}", random.pick(&["Content-Length", "CONTENT-LENGTH"]), payload.len())),
    }
    for _ in 0..random.below(4) {
        let fields =
            ["Connection: close", "Connection: keep-alive", "Connection: Keep-Alive, x", "Connection: x, CLOSE"];
        let others = ["Server: nginx", "A:", "Location: /a", "Location: \u{e9}", "Connection: ", "X-Content-Length: 5"];
        let choices = if random.one_in(2) { fields.as_slice() } else { others.as_slice() };
        lines.push(random.pick(choices).to_owned());
    }
    if odd {
        lines.push(random.pick(&ODD_FIELDS).to_owned());
    }
    for line in &lines {
        bytes.extend_from_slice(line.as_bytes());
        bytes.extend_from_slice(eol.as_bytes());
    }
    bytes.extend_from_slice(eol.as_bytes());
    if chunked { chunks(random, odd, payload, bytes) } else { bytes.extend_from_slice(payload) }
}

const ODD_FIELDS: [&str; 24] = [
    "Content-Length: 5",
    "Content-Length: 5, 5",
    "Content-Length: +5",
    "Content-Length: ",
    "Content-Length: 5,",
    "Content-Length: 18446744073709551616",
    "Content-Length: 18446744073709551615",
    "Transfer-Encoding: gzip",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: chunked, gzip",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: identity",
    "Transfer-Encoding: chunked;a=b",
    "Transfer-Encoding: \u{e9}, chunked",
    "Transfer-Encoding: ",
    "Transfer-Encoding: ,",
    "Transfer-Encoding: xchunked",
    "Connection: close, \u{e9}",
    "Connection: keep-alive, \u{e9}",
    "A : b",
    " folded",
    "A: b\0",
    "no field",
    "A: b\rc",
];

fn chunks(random: &mut Random, odd: bool, payload: &[u8], bytes: &mut Vec<u8>) {
    let oddities = ["+", " ", "0x", "\t", "0000000000000000000", ""];
    let tails = ["", "", "", ";a", ";a=b", " ;a=\"b\"", " ", "\t"];
    let odd_tails = [" x", "\n", ";a\nb", ";a\rb", "\u{b}", ";long-extension-beyond-20-bytes", "g"];
    let mut rest = payload;
    loop {
        let (chunk, after) = rest.split_at(if rest.is_empty() { 0 } else { 1 + random.below(rest.len()) });
        let before = if odd && random.one_in(6) { random.pick(&oddities) } else { random.pick(&["", "", "", "0"]) };
        let tail = if odd && random.one_in(6) { random.pick(&odd_tails) } else { random.pick(&tails) };
        let size = if random.one_in(2) { format!("{:x}", chunk.len()) } else { format!("{:X}", chunk.len()) };
        let end = if odd && random.one_in(12) { "\n" } else { "\r\n" };
        bytes.extend_from_slice(format!("{before}{size}{tail}{end}").as_bytes());
        if chunk.is_empty() {
            break;
        }
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(if odd && random.one_in(12) { b"\n" } else { b"\r\n" });
        rest = after;
    }
    for _ in 0..random.below(3) {
        let trailer =
            if odd { random.pick(&["A: b", "A: b\nc", "A: b\rc", "x"]) } else { random.pick(&["A: b", "C:"]) };
        bytes.extend_from_slice(format!("{trailer}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
}

/// Flips a bit, deletes, doubles or inserts a byte, or truncates.
fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let at = random.below(bytes.len());
    match random.below(8) {
        0 | 1 => bytes[at] ^= 1 << random.below(8),
        2 => drop(bytes.remove(at)),
        3 => bytes.insert(at, bytes[at]),
        4 => bytes.insert(at, random.pick(&["\r", "\n", "\0", " ", "\t", "0", ":", ",", ";", "+"]).as_bytes()[0]),
        5 => bytes[at] = random.pick(&["\r", "\n", " ", "0", "9", "f"]).as_bytes()[0],
        6 => bytes[at] = random.next().to_le_bytes()[0],
        _ => bytes.truncate(at),
    }
}

/// One response of each kind, to be cut at every byte.
pub(super) const REPRESENTATIVE: [&str; 15] = [
    "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\t\r\nB  \t: d\nContent-Length :\n 2\r\nE : f\r\n\r\n g",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhelloHTTP/1.1",
    "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.0 200 OK\r\n\r\nuntil close",
    "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n1 \r\n!\r\n0\r\nA: b\r\nC: d\r\n\r\nHTTP",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
    "HTTP/2.0 200 OK\r\n\r\n",
];
