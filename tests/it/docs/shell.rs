//! The command lines of a code block, as far as a shell would begin `swarmline` with them.

use super::page::Block;

/// What stands for what a shell would have put in its place, such as `$(date +%s)`.
const COMPUTED: &str = "1800000000";

/// The arguments of each `swarmline` in a block, its own name first.
pub(crate) fn invocations(block: &Block<'_>) -> Vec<Vec<String>> {
    match block.language {
        "sh" => of_script(&block.text),
        "console" => of_script(&typed(&block.text)),
        _ => Vec::new(),
    }
}

/// What a person types in a transcript: the lines after `$ `, and those that go on with one.
fn typed(transcript: &str) -> String {
    let mut script = String::new();
    let mut goes_on = false;
    for line in transcript.lines() {
        let command = line.strip_prefix("$ ").or_else(|| goes_on.then_some(line));
        goes_on = command.is_some_and(|command| command.ends_with('\\'));
        if let Some(command) = command {
            script.push_str(command);
            script.push('\n');
        }
    }
    script
}

fn of_script(script: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for command in commands(&script.replace("\\\n", " ")) {
        if let Some(at) = command.iter().position(|word| word == "swarmline") {
            found.push(command[at..].to_vec());
        } else {
            // What another program begins, given as one word.
            let quoted = command.iter().filter(|word| word.starts_with("swarmline "));
            found.extend(quoted.flat_map(|word| of_script(word)));
        }
    }
    found
}

/// The words of each command, redirections left out.
fn commands(script: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    for word in Words(script) {
        match word {
            Word::End => commands.push(Vec::new()),
            Word::Text(text) => commands.last_mut().unwrap().push(text),
        }
    }
    commands.iter_mut().for_each(leave_out_redirections);
    commands.retain(|command| !command.is_empty());
    commands
}

fn leave_out_redirections(words: &mut Vec<String>) {
    while let Some(at) = words.iter().position(|word| [">", "2>", "<"].contains(&word.as_str())) {
        words.drain(at..words.len().min(at + 2));
    }
}

enum Word {
    Text(String),
    /// Of a command.
    End,
}

/// The words that are left.
struct Words<'a>(&'a str);

impl Iterator for Words<'_> {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        self.0 = self.0.trim_start_matches(' ');
        let first = self.0.chars().next()?;
        if first == '#' {
            self.0 = &self.0[self.0.find('\n').unwrap_or(self.0.len())..];
        }
        if let Some(rest) = self.0.strip_prefix(['\n', '|', ';', '&']) {
            self.0 = rest;
            return Some(Word::End);
        }
        Some(Word::Text(self.text()))
    }
}

impl Words<'_> {
    fn text(&mut self) -> String {
        let mut text = String::new();
        while let Some(next) = self.0.chars().next().filter(|c| !" \n|;&".contains(*c)) {
            match next {
                '\'' => text.push_str(self.until('\'')),
                '"' => text.push_str(&self.quoted()),
                '$' if self.0.starts_with("$(") => {
                    self.until(')');
                    text.push_str(COMPUTED);
                }
                '\\' => text.extend(self.0.chars().nth(1)),
                _ => text.push(next),
            }
            let taken = if next == '\\' { 2 } else { next.len_utf8() };
            self.0 = self.0.get(taken..).unwrap_or_default();
        }
        text.replace("{}", "0")
    }

    /// From behind the first character to this one, at which it stops.
    fn until(&mut self, end: char) -> &str {
        let inside = &self.0[1..];
        let at = inside.find(end).unwrap_or_else(|| panic!("no {end} in {inside}"));
        self.0 = &inside[at..];
        &inside[..at]
    }

    /// Between double quotes, at the last of which it stops.
    fn quoted(&mut self) -> String {
        let mut text = String::new();
        self.0 = &self.0[1..];
        while !self.0.starts_with('"') {
            if self.0.starts_with("$(") {
                self.until(')');
                text.push_str(COMPUTED);
            } else {
                text.extend(self.0.chars().next());
            }
            let taken = self.0.chars().next().expect("a quote that ends").len_utf8();
            self.0 = &self.0[taken..];
        }
        text
    }
}
