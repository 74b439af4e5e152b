use super::*;

fn words(text: &str) -> Vec<Vec<String>> {
    commands("x", text).unwrap().curl.into_iter().map(|command| command.words).collect()
}

fn shown(text: &str) -> Vec<String> {
    words(text).concat().iter().map(|word| marks::template(word)).collect()
}

fn refusal(text: &str) -> String {
    commands("x", text).unwrap_err().to_string()
}

#[test]
fn a_command_copied_for_a_posix_shell_is_split_like_the_shell_does() {
    let text =
        "curl 'http://h/a b' \\\n  -H \"x: \\\"y\\\" \\z\" --data-raw $'it\\'s\\u0021\\n\\x41\\101' --x=a'b'\"c\"d";
    let expected = ["http://h/a b", "-H", "x: \"y\" \\z", "--data-raw", "it's!\nAA", "--x=abcd"];
    assert_eq!(words(text), [expected]);
    assert_eq!(words("curl $'\\ud83d\\ude00'"), [["😀"]]);
    assert_eq!(words("curl a ;\ncurl b\n\n/usr/bin/curl c"), [["a"], ["b"], ["c"]]);
    assert_eq!(words("curl ''"), [[""]]);
}

#[test]
fn a_command_copied_for_cmd_is_split_like_cmd_does() {
    let old = "curl \"http://h/?a=1^%^20b\" ^\r\n  -H \"x: \\\"y\\\"\" ^\r\n  --data-raw \"a^\n\nb\"";
    assert_eq!(words(old), [["http://h/?a=1%20b", "-H", "x: \"y\"", "--data-raw", "a\nb"]]);
    let new = "curl ^\"http://h/^\" ^\n  -H ^\"x: ^\\^\"y^\\^\"^\"";
    assert_eq!(words(new), [["http://h/", "-H", "x: \"y\""]]);
}

#[test]
fn escapes_of_ansi_c_quotes_are_bytes() {
    assert_eq!(
        words("curl $'caf\\xc3\\xa9' $'\\0101\\cA\\e\\\"\\?\\q\\u00e9\\U0001f600'"),
        [["café", "\u{8}1\u{1}\u{1b}\"?\\qé😀"]]
    );
    assert_eq!(marks::bytes(&words("curl $'a\\xff\\377'")[0][0]).unwrap(), b"a\xff\xff");
}

#[test]
fn what_stands_around_a_command_is_not_part_of_it() {
    for text in [
        "$ curl a -s",
        "% curl a -s",
        "sudo -E -u root curl a -s",
        "A=b C='d e' curl a -s",
        "env A=b curl a -s",
        "time curl a -s",
        "# a comment\ncurl a -s # and more",
        "curl a -s > out 2>/dev/null",
        "curl a -s 2>&1 >>out",
        "curl a -s &>out",
        "curl a -s &",
        "curl a -s | jq '.x' | head",
        "set -e; curl a -s",
        "\\curl a -s",
    ] {
        assert_eq!(words(text), [["a", "-s"]], "{text}");
        assert_eq!(commands("x", text).unwrap().lost, Vec::<String>::new(), "{text}");
        assert!(is_command(text), "{text}");
    }
    assert_eq!(commands("x", "curl a | jq .").unwrap().notes, ["| jq: left out, it is about the response"]);
    for (text, lost) in [
        ("http_proxy=http://p curl a", "http_proxy=...: left out"),
        ("cd /x && curl a", "cd: left out"),
        ("curl a || curl b", "whether the first fails or not"),
        ("curl http://h/?a=1&b=2", "put the URL in quotes"),
    ] {
        let found = commands("x", text).unwrap().lost.join("\n").replace(" before curl", "");
        assert!(found.contains(lost), "{text}: {found}");
    }
}

#[test]
fn variables_come_from_the_environment_unless_the_text_sets_them() {
    assert_eq!(
        shown("curl $A \"x$B\" ${C}d '$E' \\$F \"$ \" ~/g"),
        ["${env.A}", "x${env.B}", "${env.C}d", "$E", "$F", "$ ", "${env.HOME}/g"]
    );
    assert_eq!(shown("TOKEN='a b'; export H=h\ncurl \"$TOKEN\" $H $A"), ["a b", "h", "${env.A}"]);
    assert_eq!(shown("A=1 curl $A"), ["${env.A}"], "the shell expands it before it is set");
    let notes = commands("x", "curl $A $A").unwrap().notes;
    assert_eq!(notes, ["$A: taken from the environment when it runs (${env.A})"]);
}

#[test]
fn the_value_of_a_variable_outside_quotes_is_split_at_blanks() {
    let split = |text: &str| shown(&format!("A='-H a:b -d x'; E=; L=' y '; Q=\"$A\"; S=$A\n{text}"));
    for (command, expected) in [
        ("curl $A h", "-H|a:b|-d|x|h"),
        ("curl \"$A\" h", "-H a:b -d x|h"),
        ("curl 1$A'2 3'", "1-H|a:b|-d|x2 3"),
        ("curl $E h $E\"$E\"", "h|"),
        ("curl a$L'b'", "a|y|b"),
        ("curl $Q $S", "-H|a:b|-d|x|-H|a:b|-d|x"),
        ("curl a=$A", "a=-H|a:b|-d|x"),
        ("curl <<< $A", ""),
    ] {
        assert_eq!(split(command).join("|"), expected, "{command}");
    }
}

#[test]
fn standard_input_may_be_part_of_the_text() {
    let stdin = |text: &str| commands("x", text).unwrap().curl.remove(0).stdin;
    assert_eq!(stdin("curl -d @- < f.txt"), Some(Stdin::File("f.txt".into())));
    assert_eq!(stdin("curl -d @- <<< 'a b'"), Some(Stdin::Text("a b\n".into())));
    assert_eq!(stdin("curl -d @- <<'E' a\n$x\n\\n\nE\n"), Some(Stdin::Text("$x\n\\n\n".into())));
    assert_eq!(stdin("x=1\ncurl -d @- <<-E\n\t$x \\$y\n\tE\n"), Some(Stdin::Text("1 $y\n".into())));
    assert_eq!(stdin("echo a | curl -d @-"), Some(Stdin::Pipe));
    assert_eq!(stdin("curl a"), None);
}

#[test]
fn unsupported_input_is_reported() {
    let doubled = format!("A=x\n{}curl $A", "A=$A$A\n".repeat(60));
    for (text, why) in [
        ("curl 'a", "not closed"),
        ("curl \"a", "not closed"),
        ("curl $'a", "not closed"),
        ("curl a \\", "escape"),
        ("curl $'\\ud83d'", "not a character"),
        ("curl $(date)", "$(date) is the output of a command"),
        ("curl \"x`date +%s`\"", "`date …` is the output of a command"),
        ("curl ${A:-b}", "${A...} is an expansion"),
        ("curl $((1+(2)))x", "$((1+(2))) is the output"),
        ("curl $1", "$1 is an expansion"),
        ("curl '$'$A", "directly before $A"),
        ("curl -K <(echo)", "is the output of a command"),
        ("curl <<E\na", "without its end"),
        (&doubled, "makes it longer than"),
        ("for i in 1 2; do curl a; done", "\"for\""),
        ("wget a", "only curl is understood"),
        ("# nothing", "no curl command"),
        ("curl \u{fdd0}", "U+FDD0"),
    ] {
        assert!(refusal(text).contains(why), "{text}: {}", refusal(text));
    }
    assert!(
        is_command("curl 'a")
            && is_command("for i in 1; do curl h; done")
            && !is_command("recording.har")
            && !is_command("wget a")
    );
}

#[test]
fn a_tilde_alone_or_before_a_slash_is_the_home_folder_and_any_other_is_itself() {
    let alone = words("curl -d ~ http://h/");
    let named = words("curl -d \"$HOME\" http://h/");
    assert_eq!(alone, named);
    assert_eq!(words("curl -d ~/f http://h/"), words("curl -d \"$HOME/f\" http://h/"));
    for text in ["a~", "~x"] {
        assert_eq!(words(&format!("curl -d {text} http://h/")), words(&format!("curl -d '{text}' http://h/")));
    }
    assert_ne!(words("curl -d '~' http://h/"), alone);
}
