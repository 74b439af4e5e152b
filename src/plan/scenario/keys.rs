//! The keys of the objects in a scenario file: those that the reader knows, the suggestions come from, and the schema is held to.

/// Keys of a stage.
pub const STAGE: [&str; 2] = ["duration", "target"];

/// Keys of a variable that comes from the environment.
pub const VARIABLE: [&str; 2] = ["env", "default"];

/// Keys of a data source.
pub const DATA: [&str; 8] = ["csv", "json", "ndjson", "lines", "delimiter", "pick", "per", "on_end"];

/// Keys of a user class.
pub const CLASS: [&str; 8] = ["name", "weight", "fixed_count", "wait", "tags", "on_start", "tasks", "on_stop"];

/// Keys of a task.
pub const TASK: [&str; 4] = ["name", "weight", "tags", "requests"];

/// Keys of a request.
pub const REQUEST: [&str; 21] = [
    "get",
    "post",
    "put",
    "patch",
    "delete",
    "head",
    "options",
    "request",
    "method",
    "name",
    "query",
    "headers",
    "json",
    "form",
    "multipart",
    "body",
    "body_file",
    "timeout",
    "redirects",
    "expect",
    "extract",
];

/// Keys of a part of a multipart body.
pub const PART: [&str; 6] = ["name", "value", "file", "json", "filename", "content_type"];
/// Keys of a pause.
pub const PAUSE: [&str; 1] = ["pause"];

/// Keys of a loop that counts.
pub const REPEAT: [&str; 3] = ["repeat", "as", "requests"];

/// Keys of a loop over a list.
pub const FOR_EACH: [&str; 3] = ["for_each", "as", "requests"];

/// Keys of steps that depend on a condition.
pub const WHEN: [&str; 3] = ["when", "requests", "else"];

/// Keys of a loop that polls.
pub const UNTIL: [&str; 4] = ["until", "every", "at_most", "requests"];

/// Keys of the end of a task or loop.
pub const LEAVE: [&str; 1] = ["leave"];

/// Keys of the end of a user.
pub const STOP: [&str; 1] = ["stop"];

/// Keys of new values of variables.
pub const SET: [&str; 1] = ["set"];

/// Keys of new items of lists.
pub const APPEND: [&str; 1] = ["append"];

/// Keys of an expectation.
pub const EXPECT: [&str; 8] =
    ["status", "header", "body_contains", "body_not_contains", "body_matches", "json", "within", "size"];

/// Keys of a condition on a header field.
pub const EXPECT_HEADER: [&str; 2] = ["contains", "exists"];

/// Keys of a condition on a value in a JSON body.
pub const EXPECT_JSON: [&str; 2] = ["equals", "exists"];

/// Keys of a condition on a body's size.
pub const SIZE: [&str; 2] = ["min", "max"];

/// Keys of an extraction.
pub const EXTRACT: [&str; 10] =
    ["json", "header", "cookie", "between", "regex", "group", "input", "from", "pick", "default"];

/// Keys of a field of a form or a query that is sent by chance.
pub const OPTIONAL_FIELD: [&str; 2] = ["value", "optional"];

/// A key of another tool, and what is written here in its place.
type Answer = (&'static str, &'static str);

/// Keys of other tools, and what is written here in their place, by the keys of the object that they stand in.
const FOREIGN: [(&[&str], &[Answer]); 5] = [
    (
        &REQUEST,
        &[
            ("params", "write the query in the URL, or as \"query\": {\"page\": 2}"),
            ("url", "write the method as the key: {\"get\": \"/items\"}, or \"request\" with \"method\""),
            ("path", "write the method as the key: {\"get\": \"/items\"}, or \"request\" with \"method\""),
            ("data", "write \"json\", \"form\" or \"body\""),
            ("content", "write \"json\", \"form\" or \"body\""),
            ("files", "write a list \"multipart\" of {\"name\": \"file\", \"file\": \"a.png\"}"),
            ("auth", "write \"headers\": {\"Authorization\": \"…\"}, --basic-auth, or NAME:PASS@ in \"host\""),
            (
                "cookies",
                "write \"headers\": {\"Cookie\": \"a=b\"}; cookies of responses are kept and sent by themselves",
            ),
            ("verify", "write \"insecure\": true at the top of the file, or --cacert for another root"),
            ("cert", "use --cert and --key"),
            ("proxies", "use --proxy"),
            ("allow_redirects", "write \"redirects\": 0 for false"),
            ("catch_response", "an \"expect\" decides which responses are ok"),
            ("validate", "write \"expect\": {\"status\": 200}"),
            ("check", "write \"expect\""),
            ("checks", "write \"expect\"; \"checks\" are about the whole run, at the top of the file"),
            ("assert", "write \"expect\""),
            ("if", "write a step {\"when\": \"${status} == 200\", \"requests\": […]}"),
            ("loop", "write a step {\"repeat\": 10, \"requests\": […]}"),
            ("for", "write a step {\"repeat\": 10, \"requests\": […]}"),
            ("foreach", "write a step {\"for_each\": \"ids\", \"as\": \"id\", \"requests\": […]}"),
            ("while", "write a step {\"until\": \"${state} == done\", \"requests\": […]}"),
            ("break", "write a step {\"leave\": \"loop\"}"),
            ("sleep", "write a step {\"pause\": \"1s\"}"),
            ("think", "write a step {\"pause\": \"1s\"}"),
            ("wait", "write a step {\"pause\": \"1s\"}; \"wait\" is between two tasks of a class"),
            ("wait_time", "write a step {\"pause\": \"1s\"}; \"wait\" is between two tasks of a class"),
            ("tags", "write them at the task"),
            ("capture", "write \"extract\""),
            ("stream", "bodies are never kept beyond what an expectation or extraction needs"),
        ],
    ),
    (
        &TASK,
        &[
            ("wait_time", "write \"wait\" at the class, or a step {\"pause\": \"1s\"}"),
            ("wait", "write it at the class, or a step {\"pause\": \"1s\"}"),
            ("steps", "write \"requests\""),
            ("flow", "write \"requests\""),
            ("exec", "write \"requests\""),
            ("tag", "write \"tags\": [\"a\"]"),
            ("extract", "write it at a request"),
            ("expect", "write it at a request, or at the top of the file"),
            ("data", "write it at the top of the file"),
        ],
    ),
    (
        &CLASS,
        &[
            (
                "wait_time",
                "write \"wait\": \"1s..5s\" for between(1, 5), \"1s\" for constant(1), \"pacing:1s\" for constant_pacing(1)",
            ),
            ("between", "write \"wait\": \"1s..5s\""),
            ("host", "write it at the top of the file, or a whole URL at a request"),
            ("task_set", "write \"tasks\": [{\"requests\": […]}]"),
            ("steps", "write \"tasks\": [{\"requests\": […]}]"),
            ("requests", "write \"tasks\": [{\"requests\": […]}]"),
            ("data", "write it at the top of the file"),
            ("headers", "write them at the top of the file, or at a request"),
            ("abstract", "leave the class out"),
        ],
    ),
    (
        &EXPECT,
        &[
            ("body", "write \"body_contains\", \"body_matches\" or \"json\""),
            ("text", "write \"body_contains\" or \"body_matches\""),
            ("contains", "write \"body_contains\""),
            ("regex", "write \"body_matches\""),
            ("headers", "write \"header\": {\"Name\": \"value\"}"),
            ("status_code", "write \"status\""),
            ("max_time", "write \"within\": \"500ms\""),
            ("duration", "write \"within\": \"500ms\""),
        ],
    ),
    (
        &EXTRACT,
        &[
            ("jsonpath", "write \"json\" with a pointer: $.items[0].id is \"/items/0/id\""),
            ("json_path", "write \"json\" with a pointer: $.items[0].id is \"/items/0/id\""),
            ("jmespath", "write \"json\" with a pointer: items[0].id is \"/items/0/id\""),
            ("css", "write \"input\" for a form field, or \"regex\""),
            ("xpath", "write \"input\" for a form field, or \"regex\""),
            ("status", "write \"from\": \"status\""),
            ("url", "write \"from\": \"url\""),
            ("match", "write \"pick\": \"first\", \"last\", \"random\", \"all\" or an index from 0"),
            ("index", "write \"pick\": an index from 0"),
            ("pointer", "write \"json\""),
        ],
    ),
];

/// Keys of other tools on top of the file, whose own keys are with the settings.
const FOREIGN_ON_TOP: [Answer; 14] = [
    ("vus", "write \"users\""),
    ("duration", "write \"run_time\""),
    ("iterations", "write \"requests\""),
    ("thresholds", "write \"checks\": [\"p95 < 300ms\"]"),
    ("scenarios", "write \"user_classes\""),
    ("classes", "write \"user_classes\""),
    ("tasks", "write \"user_classes\": [{\"tasks\": […]}]"),
    ("hatch_rate", "write \"spawn_rate\""),
    ("base_url", "write \"host\""),
    ("target", "write \"host\""),
    ("phases", "write \"stages\""),
    ("wait_time", "write \"wait\": \"1s..5s\" for between(1, 5)"),
    ("verify", "write \"insecure\": true for false"),
    ("env", "write \"variables\": {\"x\": {\"env\": \"NAME\"}}"),
];

/// A key that only the top of the file has.
const TOP: &str = "user_classes";

/// What to write in place of an unknown key in an object that may have these keys: the answer for a key of another tool,
/// or the nearest known one.
pub(super) fn instead_of(key: &str, known: &[&str]) -> String {
    let answers =
        FOREIGN.iter().filter(|(keys, _)| keys.iter().all(|key| known.contains(key))).flat_map(|(_, answers)| *answers);
    let on_top = FOREIGN_ON_TOP.iter().filter(|_| known.contains(&TOP));
    let answer = answers.chain(on_top).find(|(foreign, _)| *foreign == key);
    answer.map_or_else(|| suggestion(key, known.iter().copied()), |(_, answer)| format!(": {answer}"))
}

/// `, did you mean "x"?` if a known word is similar; otherwise the list of known words.
#[must_use]
pub fn suggestion<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    /// The same threshold that clap uses for flags.
    const NEAR: f64 = 0.7;
    let known: Vec<&str> = known.into_iter().collect();
    // In a short word, Jaro-Winkler rates two swapped letters as a different word.
    let slip = |known: &str| if strsim::osa_distance(word, known) == 1 { 0.9 } else { 0.0 };
    let likeness = known.iter().map(|known| (strsim::jaro_winkler(word, known).max(slip(known)), *known));
    match likeness.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((likeness, nearest)) if likeness > NEAR => format!(", did you mean {nearest:?}?"),
        Some(_) => format!("; known: {}", known.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_suggested() {
        assert_eq!(suggestion("staus", EXPECT), ", did you mean \"status\"?");
        assert_eq!(suggestion("on_starts", CLASS), ", did you mean \"on_start\"?");
        assert_eq!(suggestion("cvs", DATA), ", did you mean \"csv\"?");
        assert_eq!(suggestion("xyz", SIZE), "; known: min, max");
        assert_eq!(suggestion("xyz", []), "");
    }

    #[test]
    fn a_key_of_another_tool_has_an_answer_of_its_own_and_is_none_of_ours() {
        assert!(instead_of("params", &REQUEST).contains("\"query\""));
        assert_eq!(instead_of("vus", &["users", TOP]), ": write \"users\"");
        assert_eq!(instead_of("headrs", &REQUEST), ", did you mean \"headers\"?");
        assert_eq!(instead_of("wait_tme", &CLASS), ", did you mean \"wait\"?", "answers are for exact words");
        for (known, answers) in FOREIGN {
            assert!(answers.iter().all(|(key, _)| !known.contains(key)), "{known:?}");
        }
    }
}
