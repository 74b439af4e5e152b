//! The URLs of a command, as curl reads them: ranges and sets, where no scheme is written, dots in paths.

use super::super::draft::{MAX_REQUESTS, Notes};
use super::super::marks;
use crate::error::{Error, Result};
use crate::plan::url::{Url, remove_dot_segments};
use crate::plan::{percent, scenario};
use crate::secret::{masked, masked_url};

/// A URL taken apart.
#[derive(Debug)]
pub(super) struct CurlUrl {
    /// Scheme and authority, as template text.
    pub(super) origin: String,
    /// With marks; begins with a slash.
    pub(super) path: String,
    /// With marks.
    pub(super) query: Option<String>,
    /// `name:password`, percent-decoded, with marks.
    pub(super) userinfo: Option<String>,
    /// The value of `Host`, where it is not that of the origin: curl sends upper case as it is written.
    pub(super) host: Option<String>,
}

/// How a URL is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct UrlRules<'c> {
    /// The scheme of a URL that has none.
    pub(super) scheme: &'c str,
    pub(super) keeps_dots: bool,
}

/// Takes a URL apart.
///
/// # Errors
/// It is not an HTTP URL.
pub(super) fn parse(text: &str, rules: UrlRules<'_>, notes: &mut Notes) -> Result<CurlUrl> {
    let shown = || format!("URL {:?}", masked_url(&marks::shown(text)));
    let text = text.split('#').next().unwrap_or_default().trim_ascii();
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?']) => (scheme.to_ascii_lowercase(), rest),
        _ => (rules.scheme.to_owned(), text),
    };
    let is_written = rest.len() < text.len();
    let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (userinfo, host) = match authority.rsplit_once('@') {
        Some((userinfo, host)) => (Some(decoded(userinfo)), host),
        None => (None, authority),
    };
    let mut sent_host = None;
    let origin = if marks::has_variable(host) || marks::has_variable(&scheme) {
        // A variable in front may hold the scheme, too, which a scenario cannot do without.
        let holds_scheme = !is_written && marks::has_variable(&host[..host.find([':', '.']).unwrap_or(host.len())]);
        if holds_scheme {
            notes.add(format!("{}: its value must begin with http:// or https://", marks::shown(host)));
            marks::template(host)
        } else {
            format!("{}://{}", marks::template(&scheme), marks::template(host))
        }
    } else {
        let parsed = Url::parse(&format!("{scheme}://{host}")).map_err(|why| Error::usage(shown(), why))?;
        let authority = parsed.url.origin().authority();
        // Only of a name whose port is as written: all else is changed by curl, too.
        sent_host = (authority != host && authority.eq_ignore_ascii_case(host)).then(|| host.to_owned());
        format!("{scheme}://{authority}")
    };
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    };
    let path = if path.is_empty() { "/" } else { path };
    let path = if rules.keeps_dots { path.to_owned() } else { remove_dot_segments(path) };
    Ok(CurlUrl { origin, path, query, userinfo, host: sent_host })
}

impl CurlUrl {
    /// Path and query as template text; notes what is sent in another way than by curl.
    pub(super) fn target(&self, notes: &mut Notes) -> String {
        let query = self.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        let target = format!("{}{query}", self.path);
        let encoded = |c: char| percent::encode(c.encode_utf8(&mut [0; 4]), percent::TARGET).to_string();
        let is_encoded = |c: char| c.is_ascii() && encoded(c).len() > 1;
        // curl encodes what is beyond ASCII, but not in the query.
        let is_beyond = |c: &char| !c.is_ascii() && !marks::has_any(c.encode_utf8(&mut [0; 4]));
        let differs = target.chars().find(|c| is_encoded(*c)).or_else(|| query.chars().find(is_beyond));
        if let Some(c) = differs {
            let why = if c.is_ascii_control() || matches!(c, ' ' | '\\') {
                "which curl refuses"
            } else {
                "and by curl as it is"
            };
            notes.lost(format!("{}: {c:?} in a URL is sent encoded, {why}", masked(&marks::shown(&target))));
        }
        let encoded: String = target.chars().map(|c| if is_encoded(c) { encoded(c) } else { c.to_string() }).collect();
        marks::target_template(&encoded)
    }

    /// Appends to the query. A `#` begins the fragment, which is not sent.
    pub(super) fn add_query(&mut self, text: &str, notes: &mut Notes) {
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        if !fragment.is_empty() {
            notes.add("-G: data behind a # is left out, as by curl; write %23");
        }
        match &mut self.query {
            Some(query) if !query.is_empty() => {
                query.push('&');
                query.push_str(text);
            }
            query => *query = Some(text.to_owned()),
        }
    }

    /// Appends the name of an uploaded file to a path that is a folder.
    pub(super) fn add_file_name(&mut self, file: &str) {
        if self.path.ends_with('/') {
            let name = file.rsplit(['/', '\\']).next().unwrap_or_default();
            self.path.push_str(&marks::form_encoded(name).replace('+', "%20"));
        }
    }
}

/// Percent-decoded, with marks for bytes that are not UTF-8.
fn decoded(text: &str) -> String {
    let mut decoded = String::new();
    for piece in marks::pieces(text) {
        match piece {
            marks::Piece::Text(text) => marks::push_bytes(&mut decoded, &percent::decode_bytes(text)),
            marks::Piece::Byte(byte) => marks::push_bytes(&mut decoded, &[byte]),
            marks::Piece::Variable(name) | marks::Piece::EncodedVariable(name) => {
                marks::push_variable(&mut decoded, name);
            }
        }
    }
    decoded
}

/// The texts that ranges (`[1-3]`) and sets (`{a,b}`) stand for, the last one changing fastest.
///
/// # Errors
/// curl does not accept the text, or it stands for too many.
pub(super) fn expand(text: &str) -> Result<Vec<String>> {
    let refused = |why: &str| Error::usage(format!("URL {:?}", masked_url(&marks::shown(text))), why);
    let mut all = vec![String::new()];
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let (options, left) = match c {
            '{' => set(after).map_err(refused)?,
            '[' if ipv6_end(after).is_some() => {
                let end = ipv6_end(after).unwrap_or_default();
                (vec![format!("[{}", &after[..end])], &after[end..])
            }
            // Frameworks write lists so (`?id[]=1`), and curl lets it stand.
            '[' if after.starts_with(']') => (vec!["[]".to_owned()], &after[1..]),
            '[' => range(after).map_err(refused)?,
            ']' | '}' => return Err(refused("has a closing bracket without its opening one; -g takes them literally")),
            '\\' if after.starts_with(['{', '}', '[', ']']) => (vec![after[..1].to_owned()], &after[1..]),
            _ => {
                let end = after.find(['{', '}', '[', ']', '\\']).unwrap_or(after.len()) + c.len_utf8();
                (vec![rest[..end].to_owned()], &rest[end..])
            }
        };
        let count = all.len().saturating_mul(options.len());
        if options.len() > 1 && count.saturating_mul(text.len()) as u64 > scenario::MAX_SIZE.bytes() {
            return Err(refused("stands for more than a scenario can have"));
        }
        if let [option] = &*options {
            for begin in &mut all {
                begin.push_str(option);
            }
            rest = left;
            continue;
        }
        if count > MAX_REQUESTS {
            return Err(refused(&format!("stands for more than {MAX_REQUESTS} requests")));
        }
        all = all.iter().flat_map(|begin| options.iter().map(move |option| format!("{begin}{option}"))).collect();
        rest = left;
    }
    Ok(all)
}

type Options<'t> = std::result::Result<(Vec<String>, &'t str), &'static str>;

/// The end of an IPv6 address, behind its bracket.
fn ipv6_end(text: &str) -> Option<usize> {
    let end = text.find(']')?;
    let address = text[..end].split('%').next()?;
    Url::parse(&format!("http://[{address}]")).ok().map(|_| end + 1)
}

fn set(text: &str) -> Options<'_> {
    let (mut options, mut option) = (Vec::new(), String::new());
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' if text[at + 1..].starts_with(['{', '}', ',', '[', ']', '\\']) => {
                option.extend(chars.next().map(|(_, c)| c));
            }
            '{' | '[' => return Err("has brackets within braces; -g takes them literally"),
            ']' => return Err("has a closing bracket without its opening one; -g takes them literally"),
            ',' => options.push(std::mem::take(&mut option)),
            '}' if at == 0 => return Err("has empty braces; -g takes them literally"),
            '}' => {
                options.push(option);
                return Ok((options, &text[at + 1..]));
            }
            c => option.push(c),
        }
    }
    Err("has a { without its }; -g takes it literally")
}

fn range(text: &str) -> Options<'_> {
    const BAD: &str = "has a bad range in brackets; -g takes them literally";
    let (inside, rest) = text.split_once(']').ok_or(BAD)?;
    let (range, step) = inside.split_once(':').map_or((inside, Ok(1)), |(range, step)| (range, step.parse::<u64>()));
    let (from, to) = range.split_once('-').ok_or(BAD)?;
    let step = usize::try_from(step.map_err(|_| BAD)?).map_err(|_| BAD)?;
    if step == 0 {
        return Err(BAD);
    }
    let letter = |text: &str| text.chars().next().filter(|c| text.len() == 1 && c.is_ascii_alphabetic());
    if let (Some(from), Some(to)) = (letter(from), letter(to)) {
        if from > to {
            return Err(BAD);
        }
        return Ok(((from..=to).step_by(step).map(String::from).collect(), rest));
    }
    let number = |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let (Some(first), Some(last)) = (number(from), number(to)) else { return Err(BAD) };
    if first > last {
        return Err(BAD);
    }
    let width = if from.starts_with('0') { from.len() } else { 0 };
    // More than are taken over anyway.
    let numbers = (first..=last).step_by(step).take(MAX_REQUESTS + 1);
    Ok((numbers.map(|number| format!("{number:0width$}")).collect(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_sets_stand_for_several_urls() {
        for (text, all) in [
            ("h/[1-3]", "h/1 h/2 h/3"),
            ("h/[01-05:2]/{a,b}", "h/01/a h/01/b h/03/a h/03/b h/05/a h/05/b"),
            ("[a-e:2]x", "ax cx ex"),
            ("http://[::1]:80/{,x}", "http://[::1]:80/ http://[::1]:80/x"),
            ("h/\\{a\\}/{b\\,c,d}", "h/{a}/b,c h/{a}/d"),
            ("é", "é"),
        ] {
            assert_eq!(expand(text).unwrap().join(" "), all);
        }
        for text in [
            "{",
            "}",
            "]",
            "[",
            "[1]",
            "[3-1]",
            "[1-z]",
            "{a{b}}",
            "{}",
            "[0-99999999]",
            "[1-2:0]",
            "[1-300]{1,2}[1-300]",
        ] {
            assert!(expand(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_url_is_taken_apart_as_curl_does() {
        let rules = UrlRules { scheme: "http", keeps_dots: false };
        let of = |text: &str| {
            let url = parse(text, rules, &mut Notes::default()).unwrap();
            (format!("{} {}", url.origin, url.target(&mut Notes::default())), url.userinfo.unwrap_or_default())
        };
        for (text, expected, userinfo) in [
            ("h.test", "http://h.test /", ""),
            ("HTTPS://h.test:443/a/../b/.?q=${x#f", "https://h.test /b/?q=$%7Bx", ""),
            ("http://u:p%40ss@h.test?x=/../y", "http://h.test /?x=/../y", "u:p@ss"),
            ("h.test/é", "http://h.test /%c3%a9", ""),
        ] {
            assert_eq!(of(text), (expected.to_owned(), userinfo.to_owned()), "{text}");
        }
        for text in ["ftp://h.test", "http://", "http://h:x"] {
            assert!(parse(text, rules, &mut Notes::default()).is_err(), "{text}");
        }
    }
}
