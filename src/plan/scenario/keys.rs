//! The keys of the objects in a scenario file: those that the reader knows, the suggestions come from, and the schema is held to.

/// Keys of a stage.
pub const STAGE: [&str; 2] = ["duration", "target"];

/// Keys of a variable that comes from the environment.
pub const VARIABLE: [&str; 2] = ["env", "default"];

/// Keys of a data source.
pub const DATA: [&str; 5] = ["csv", "json", "ndjson", "pick", "on_end"];

/// Keys of a user class.
pub const CLASS: [&str; 8] = ["name", "weight", "fixed_count", "wait", "tags", "on_start", "tasks", "on_stop"];

/// Keys of a task.
pub const TASK: [&str; 4] = ["name", "weight", "tags", "requests"];

/// Keys of a request.
pub const REQUEST: [&str; 19] = [
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
    "headers",
    "json",
    "form",
    "body",
    "body_file",
    "timeout",
    "redirects",
    "expect",
    "extract",
];

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
pub const EXPECT: [&str; 7] = ["status", "header", "body_contains", "body_not_contains", "json", "within", "size"];

/// Keys of a condition on a header field.
pub const EXPECT_HEADER: [&str; 2] = ["contains", "exists"];

/// Keys of a condition on a value in a JSON body.
pub const EXPECT_JSON: [&str; 2] = ["equals", "exists"];

/// Keys of a condition on a body's size.
pub const SIZE: [&str; 2] = ["min", "max"];

/// Keys of an extraction.
pub const EXTRACT: [&str; 4] = ["json", "header", "cookie", "between"];

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
}
