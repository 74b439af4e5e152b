//! Scripts of a collection: a few common statements have an exact equivalent, all others are reported.

use std::collections::BTreeMap;

use super::super::document::{as_text, is_true, items, list, member, text};
use super::super::draft::Notes;
use super::super::extraction::ValueSource;
use super::tokens::{Statement, Token, after, statements, tokens};
use crate::plan::json::Json;
use crate::plan::pointer;

/// What a script does, before a request or with its response.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Effect {
    Set(String, VariableScope, Assigned),
    Unset(String),
    /// Accepted statuses, as `expect` has them.
    Status(Json),
    /// Longest response time in milliseconds.
    Within(String),
    HeaderExists(String),
    BodyContains(String),
}

/// The new value of a variable.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Assigned {
    /// Text that may contain `{{variables}}`.
    Text(String),
    /// An expression of a scenario.
    Template(&'static str),
    Extracted(ValueSource),
}

/// Scopes that a script can set, the one that wins last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum VariableScope {
    Globals,
    Collection,
    Environment,
    Local,
}

/// The effects of the scripts of a collection, folder or item: before its requests, and with their responses.
#[derive(Clone, Debug, Default)]
pub(super) struct Scripts {
    pub(super) before: Vec<Effect>,
    pub(super) after: Vec<Effect>,
}

impl Scripts {
    /// Reads the `event` of `node`; `path` names it in notes.
    pub(super) fn read(node: &Json, path: &str, notes: &mut Notes) -> Self {
        let mut scripts = Self::default();
        for event in list(node, "event") {
            let Some(script) = member(event, "script").filter(|_| !is_true(event, "disabled")) else { continue };
            let source = match member(script, "exec").unwrap_or(script) {
                Json::Text(source) => source.clone(),
                lines => {
                    items(lines).iter().map(|line| as_text(line).unwrap_or_default()).collect::<Vec<_>>().join("\n")
                }
            };
            let is_test = text(event, "listen") != Some("prerequest");
            let kind = if is_test { "test script" } else { "pre-request script" };
            let mut reader = Reader { is_test, aliases: BTreeMap::new(), effects: Vec::new(), unknown: Vec::new() };
            reader.block(&statements(&tokens(&source), 1));
            for line in reader.unknown {
                notes.lost(format!("{path}: {kind}, line {line}: left out"));
            }
            if is_test { scripts.after.extend(reader.effects) } else { scripts.before.extend(reader.effects) }
        }
        scripts
    }
}

struct Reader {
    is_test: bool,
    /// Names of the script, and the JSON pointers of the response's values that they hold.
    aliases: BTreeMap<String, String>,
    effects: Vec<Effect>,
    /// Lines of statements that have no equivalent.
    unknown: Vec<usize>,
}

impl Reader {
    fn block(&mut self, all: &[Statement<'_>]) {
        for statement in all {
            let is_known = match after(statement.tokens, "pm.test(") {
                Some(rest) => self.test(rest, statement.line),
                None => self.statement(&statement.on_one_line()),
            };
            if is_known.is_none() {
                self.unknown.push(statement.line);
            }
        }
    }

    /// Takes a statement over; `None` if it has no equivalent.
    fn statement(&mut self, tokens: &[Token]) -> Option<()> {
        if after(tokens, "console.log(").is_some() || after(tokens, "console.info(").is_some() {
            return Some(());
        }
        if let [Token::Word(kind), Token::Word(name), equals, value @ ..] = tokens
            && matches!(kind.as_str(), "var" | "let" | "const")
            && equals.is("=")
        {
            return self.declaration(name, value);
        }
        if let Some(effect) = self.assignment(tokens) {
            self.effects.push(effect);
            return Some(());
        }
        if !self.is_test {
            return None;
        }
        if after(tokens, "pm.response.to.not.be.error").is_some_and(<[Token]>::is_empty) {
            return Some(());
        }
        self.effects.push(assertion(tokens)?);
        Some(())
    }

    /// `"name", function () { ... })`
    fn test(&mut self, tokens: &[Token], line: usize) -> Option<()> {
        let [Token::Text(_), rest @ ..] = tokens else { return None };
        let heads = [", function () {", ", () => {", ", function() {", ", async () => {", ", async function () {"];
        let body = heads.iter().find_map(|head| after(rest, head));
        if let Some(body) = body {
            let [body @ .., end, close] = body else { return None };
            if !end.is("}") || !close.is(")") {
                return None;
            }
            // Lines in a test are reported on their own.
            self.block(&statements(body, line));
            return Some(());
        }
        let [body @ .., close] = after(rest, ", () =>")? else { return None };
        if !close.is(")") {
            return None;
        }
        self.block(&statements(body, line));
        Some(())
    }

    /// `const data = pm.response.json()`
    fn declaration(&mut self, name: &str, value: &[Token]) -> Option<()> {
        if let Some(at) = self.json(value) {
            self.aliases.insert(name.to_owned(), at);
            return Some(());
        }
        self.aliases.remove(name);
        // Without a call it does nothing by itself.
        let is_inert = !value.iter().any(|token| token.is("("));
        is_inert.then_some(())
    }

    /// The JSON pointer of an expression that is the response's JSON, or a part of it.
    fn json(&self, tokens: &[Token]) -> Option<String> {
        const ROOTS: [&str; 3] = ["pm.response.json()", "JSON.parse(responseBody)", "JSON.parse(pm.response.text())"];
        let root = ROOTS.iter().find_map(|root| after(tokens, root)).map(|rest| (String::new(), rest));
        let (mut at, mut rest) = root.or_else(|| match tokens {
            [Token::Word(name), rest @ ..] => self.aliases.get(name).map(|at| (at.clone(), rest)),
            _ => None,
        })?;
        loop {
            let (step, further) = match rest {
                [] => return Some(at),
                [dot, Token::Word(name), further @ ..] if dot.is(".") => (name, further),
                [mark, dot, Token::Word(name), further @ ..] if mark.is("?") && dot.is(".") => (name, further),
                [open, Token::Text(name) | Token::Word(name), close, further @ ..] if open.is("[") && close.is("]") => {
                    let is_name = matches!(rest[1], Token::Text(_)) || name.bytes().all(|byte| byte.is_ascii_digit());
                    is_name.then_some((name, further))?
                }
                _ => return None,
            };
            at = format!("{at}/{}", pointer::escaped(step));
            rest = further;
        }
    }

    fn assignment(&self, tokens: &[Token]) -> Option<Effect> {
        const SETTERS: [(&str, VariableScope); 7] = [
            ("pm.environment.set(", VariableScope::Environment),
            ("pm.collectionVariables.set(", VariableScope::Collection),
            ("pm.globals.set(", VariableScope::Globals),
            ("pm.variables.set(", VariableScope::Local),
            ("postman.setEnvironmentVariable(", VariableScope::Environment),
            ("postman.setGlobalVariable(", VariableScope::Globals),
            ("pm.vault.set(", VariableScope::Local),
        ];
        const UNSETTERS: [&str; 5] = [
            "pm.environment.unset(",
            "pm.collectionVariables.unset(",
            "pm.globals.unset(",
            "pm.variables.unset(",
            "postman.clearEnvironmentVariable(",
        ];
        if let Some([Token::Text(key), close]) = UNSETTERS.iter().find_map(|call| after(tokens, call)) {
            return close.is(")").then(|| Effect::Unset(key.clone()));
        }
        let (arguments, scope) = SETTERS.iter().find_map(|(call, scope)| Some((after(tokens, call)?, *scope)))?;
        let [Token::Text(key), comma, value @ .., close] = arguments else { return None };
        if !comma.is(",") || !close.is(")") {
            return None;
        }
        Some(Effect::Set(key.clone(), scope, self.assigned(value)?))
    }

    fn assigned(&self, tokens: &[Token]) -> Option<Assigned> {
        const TEMPLATES: [(&str, &str); 7] = [
            ("Date.now()", "${now}"),
            ("new Date().getTime()", "${now}"),
            ("Math.floor(Date.now() / 1000)", "${now(%s)}"),
            ("new Date().toISOString()", "${now(%FT%T.%LZ)}"),
            ("(new Date()).toISOString()", "${now(%FT%T.%LZ)}"),
            ("Date.now().toString()", "${now}"),
            ("String(Date.now())", "${now}"),
        ];
        if let Some((_, template)) =
            TEMPLATES.iter().find(|(code, _)| after(tokens, code).is_some_and(<[Token]>::is_empty))
        {
            return Some(Assigned::Template(template));
        }
        match tokens {
            // A text that a script sets is resolved where it is used.
            [Token::Text(text)] => return Some(Assigned::Text(text.clone())),
            [Token::Word(word)] if is_plain(word) => return Some(Assigned::Text(word.clone())),
            _ => {}
        }
        if let Some([Token::Text(text), close]) = after(tokens, "pm.variables.replaceIn(") {
            return close.is(")").then(|| Assigned::Text(text.clone()));
        }
        if !self.is_test {
            return None;
        }
        let named = |calls: &[&str]| match calls.iter().find_map(|call| after(tokens, call)) {
            Some([Token::Text(name), close]) if close.is(")") => Some(name.clone()),
            _ => None,
        };
        if let Some(name) = named(&["pm.response.headers.get(", "postman.getResponseHeader("]) {
            return Some(Assigned::Extracted(ValueSource::Header(name)));
        }
        if let Some(name) = named(&["pm.cookies.get("]) {
            return Some(Assigned::Extracted(ValueSource::Cookie(name)));
        }
        let pointer = self.json(tokens).filter(|pointer| !pointer.is_empty() && !pointer.contains('*'))?;
        Some(Assigned::Extracted(ValueSource::Json(pointer)))
    }
}

/// An expectation that has an exact equivalent.
fn assertion(tokens: &[Token]) -> Option<Effect> {
    const STATUS: [&str; 6] = [
        "pm.response.to.have.status(",
        "pm.expect(pm.response.code).to.equal(",
        "pm.expect(pm.response.code).to.eql(",
        "pm.expect(pm.response.code).to.be.equal(",
        "pm.expect(pm.response.code).to.eq(",
        "pm.expect(pm.response).to.have.status(",
    ];
    if ["pm.response.to.be.ok", "pm.response.to.be.success"]
        .iter()
        .any(|code| after(tokens, code).is_some_and(<[Token]>::is_empty))
    {
        return Some(Effect::Status(Json::Text("2xx".to_owned())));
    }
    let number = |calls: &[&str]| match calls.iter().find_map(|call| after(tokens, call)) {
        Some([Token::Word(number), close]) if close.is(")") => Some(number.clone()),
        _ => None,
    };
    if let Some(code) = number(&STATUS) {
        return status(&code).map(Effect::Status);
    }
    if let Some(codes) = after(tokens, "pm.expect(pm.response.code).to.be.oneOf([") {
        let [codes @ .., end, close] = codes else { return None };
        let codes: Option<Vec<Json>> = codes
            .iter()
            .filter(|token| !token.is(","))
            .map(|token| if let Token::Word(code) = token { status(code) } else { None })
            .collect();
        return codes
            .filter(|codes| end.is("]") && close.is(")") && !codes.is_empty())
            .map(|codes| Effect::Status(Json::List(codes)));
    }
    let time = "pm.expect(pm.response.responseTime).to.be.";
    if let Some(limit) = number(&[&format!("{time}below("), &format!("{time}lessThan(")]) {
        let is_time = limit.bytes().all(|byte| byte.is_ascii_digit())
            && limit.len() < 8
            && limit.bytes().any(|byte| byte != b'0');
        return is_time.then_some(Effect::Within(limit));
    }
    let text = "pm.expect(pm.response.text()).to.";
    let named = |calls: &[&str]| match calls.iter().find_map(|call| after(tokens, call)) {
        Some([Token::Text(text), close]) if close.is(")") && !text.is_empty() => Some(text.clone()),
        _ => None,
    };
    if let Some(text) = named(&[&format!("{text}include("), &format!("{text}contain(")]) {
        return Some(Effect::BodyContains(text));
    }
    if let Some(name) = named(&["pm.response.to.have.header("]) {
        return crate::value::header_name(&name).is_ok().then_some(Effect::HeaderExists(name));
    }
    of_old_style(tokens)
}

/// `tests["name"] = responseCode.code === 200`
fn of_old_style(tokens: &[Token]) -> Option<Effect> {
    let [Token::Word(tests), open, Token::Text(_), close, rest @ ..] = tokens else { return None };
    if tests != "tests" || !open.is("[") || !close.is("]") {
        return None;
    }
    match ["= responseCode.code === ", "= responseCode.code == "].iter().find_map(|code| after(rest, code)) {
        Some([Token::Word(code)]) => status(code).map(Effect::Status),
        _ => None,
    }
}

/// A status of HTTP.
fn status(code: &str) -> Option<Json> {
    let number: u16 = code.parse().ok()?;
    Json::parse(number.to_string().as_bytes()).ok().filter(|_| (100..=599).contains(&number))
}

/// A number or a truth value.
fn is_plain(word: &str) -> bool {
    matches!(word, "true" | "false") || (!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()))
}
