//! The environment variables that a generated scenario reads.

use std::collections::BTreeMap;

use swarmline::plan::json::Json;

/// Their names, each with a value that fits where it stands. A shell can set each of them.
pub(crate) fn of(scenario: &str) -> Result<BTreeMap<String, &'static str>, String> {
    let mut all = BTreeMap::new();
    let begins = ["${env.", "${raw(env."].into_iter().flat_map(|begin| scenario.match_indices(begin));
    for (at, begin) in begins.filter(|(at, _)| !scenario[..*at].ends_with('$')) {
        let name = scenario[at + begin.len()..].split(['}', ')']).next().unwrap_or_default();
        all.insert(name.to_owned(), fitting(scenario, &format!("env.{name}")));
    }
    let json = Json::parse(scenario.as_bytes()).map_err(|why| format!("the output of import: {why}"))?;
    for (variable, value) in members(&json, "variables") {
        if let [(_, Json::Text(name))] = members_of(value) {
            all.insert(name.clone(), fitting(scenario, variable));
        }
    }
    match all.keys().find(|name| !can_be_set(name)) {
        Some(name) => Err(format!("no shell would set {:?}", name.chars().take(100).collect::<String>())),
        None => Ok(all),
    }
}

fn members<'j>(json: &'j Json, name: &str) -> &'j [(String, Json)] {
    members_of(json).iter().find(|(known, _)| known == name).map_or(&[], |(_, value)| members_of(value))
}

fn members_of(json: &Json) -> &[(String, Json)] {
    if let Json::Object(members) = json { members } else { &[] }
}

fn can_be_set(name: &str) -> bool {
    let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_word && !name.is_empty() && name.len() <= 100 && !name.as_bytes()[0].is_ascii_digit()
}

/// A scheme, a URL, or any other text.
fn fitting(scenario: &str, expression: &str) -> &'static str {
    let begin = format!("\"${{{expression}}}");
    match scenario.contains(&begin) {
        true if scenario.contains(&format!("{begin}://")) => "http",
        true => "http://h.invalid",
        false => "1",
    }
}
