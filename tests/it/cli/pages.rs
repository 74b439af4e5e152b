//! What is made of the command line's definition: help, manual pages, completions.

use crate::support::Run;

#[test]
fn shells_complete_every_command_and_manual_pages_describe_them() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = Run::new(["completions", shell]).finish().exits(0);
        for word in ["spawn-rate", "allow-missing", "completions", "poisson"] {
            assert!(script.text().contains(word), "{shell}: {word}");
        }
    }
    let refused = Run::new(["completions", "csh"]).finish().exits(2);
    assert!(refused.complaint().contains("possible values: bash, elvish, fish"), "{}", refused.stderr);
    let page = Run::new(["man"]).finish().exits(0);
    assert!(page.text().starts_with(".ie") && page.text().contains("swarmline\\-merge(1)"), "{}", page.text());
    let page = Run::new(["man", "run"]).finish().exits(0);
    for word in ["swarmline\\-run", "\\-\\-spawn\\-rate", "LOCUST_USERS"] {
        assert!(page.text().contains(word), "{word}: {}", page.text());
    }
    assert!(Run::new(["man", "rum"]).finish().exits(2).complaint().starts_with("\"rum\": is not a command"));
}

#[test]
fn help_and_manual_page_of_a_command_have_only_the_flags_that_it_takes() {
    for (command, refused, taken) in [
        (
            "capacity",
            &["--spawn-rate", "--run-time", "--rate", "--stages", "--wait", "--warmup", "--shard"][..],
            "--from",
        ),
        ("try", &["--users", "--run-time", "--rate", "--telemetry", "--html", "--shard"], "--show-secrets"),
    ] {
        let page = Run::new(["man", command]).finish().exits(0).text().replace("\\fR", " ").replace('\\', "");
        let help = Run::new([command, "--help"]).finish().exits(0).text().to_owned();
        // A word goes on with letters and dashes.
        let has = |text: &str, flag: &str| {
            text.match_indices(flag)
                .any(|(at, _)| !text[at + flag.len()..].starts_with(|c: char| c == '-' || c.is_alphanumeric()))
        };
        for flag in refused {
            assert!(!has(&help, flag), "{command} {flag}: {help}");
            assert!(!has(&page, flag), "{command} {flag}: {page}");
            assert_ne!(Run::new([command, "http://127.0.0.1:1/", flag, "1"]).finish().code, 0, "{command} {flag}");
        }
        assert!(has(&help, taken) && has(&page, taken), "{command} {taken}");
    }
    let help = Run::new(["capacity", "-h"]).finish().exits(0);
    let help = help.text().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("[default: 1000]") && !help.contains("[default: 1;"), "{help}");
}
