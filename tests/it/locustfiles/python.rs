//! What runs Python, and what does not run.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::Imported;
use crate::support::{Run, Scratch};

const ONE: &str = "from locust import HttpUser, task\nclass U(HttpUser):\n    host = 'http://h.test'\n    @task\n    def t(self):\n        self.client.get('/')\n";

/// The one line about a file that is refused with exit code 2.
fn refused(run: Run) -> String {
    let finished = run.finish().exits(2);
    assert!(finished.stdout.is_empty());
    assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
    finished.stderr
}

/// A folder with a program called python3, which is all of PATH but for what the program itself needs.
fn with_python(scratch: &Scratch, script: &str) -> Run {
    let bin = scratch.file("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let program = scratch.write("bin/python3", format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let file = scratch.write("locustfile.py", ONE);
    Run::new(["import", &file]).env("PATH", &format!("{bin}:/bin:/usr/bin"))
}

#[test]
fn modules_beside_a_locustfile_are_never_imported_by_python() {
    let scratch = Scratch::new("locustfile-beside");
    let trap = format!("open({:?}, 'w').close()\n", scratch.file("trapped"));
    for name in ["ast.py", "json.py", "sitecustomize.py", "locust.py"] {
        scratch.write(name, &trap);
    }
    scratch.write("locustfile.py", ONE);
    let run = Run::new(["import", "."]).in_folder(&scratch.file("")).env("PYTHONPATH", &scratch.file(""));
    run.finish().exits(0);
    assert!(!std::path::Path::new(&scratch.file("trapped")).exists());
}

#[test]
fn nothing_of_a_locustfile_is_executed() {
    let scratch = Scratch::new("locustfile-executed");
    let kept = scratch.write("kept", "");
    let source = format!("import os, shutil\nos.remove({kept:?})\nraise SystemExit(7)\n{ONE}");
    let file = scratch.write("locustfile.py", source);
    Run::new(["import", &file]).finish().exits(0);
    assert!(std::path::Path::new(&kept).exists());
}

#[test]
fn what_is_not_python_is_refused_with_its_line() {
    let scratch = Scratch::new("locustfile-syntax");
    let file = scratch.write("locustfile.py", "import os\nclass A(:\n");
    let line = refused(Run::new(["import", &file]));
    assert!(line.contains("locustfile.py: line 2: not Python: "), "{line}");
    let file = scratch.write("zero.py", "a = 1\0");
    let line = refused(Run::new(["import", &file]));
    assert!(line.contains("not Python"), "{line}");
}

#[test]
fn a_file_of_over_64_mib_is_refused() {
    let scratch = Scratch::new("locustfile-size");
    let file = scratch.write("locustfile.py", "");
    std::fs::File::options().write(true).open(&file).unwrap().set_len((64 << 20) + 1).unwrap();
    let line = refused(Run::new(["import", &file]));
    assert!(line.contains("is longer than 64 MiB, the maximum for a Python file"), "{line}");
}

#[test]
fn without_python_3_8_nothing_runs_and_one_line_says_so() {
    let scratch = Scratch::new("locustfile-no-python");
    let file = scratch.write("locustfile.py", ONE);
    let line = refused(Run::new(["import", &file]).env("PATH", &scratch.file("nowhere")));
    assert!(line.contains("python3 was not found; locustfiles are parsed by Python 3.8 or later"), "{line}");
    let line = refused(with_python(&scratch, r#"echo '{"error": "version", "why": "3.6"}'"#));
    assert!(line.contains("python3 is Python 3.6; locustfiles are parsed by Python 3.8 or later"), "{line}");
    let line = refused(with_python(&scratch, "echo 'Unknown option: -I' >&2; exit 2"));
    assert!(line.contains("it ended without a syntax tree"), "{line}");
}

#[test]
fn a_python_that_hangs_is_ended_after_ten_seconds() {
    let scratch = Scratch::new("locustfile-hangs");
    let line = refused(with_python(&scratch, "exec tail -f /dev/null"));
    assert!(line.contains("python3 took over 10 s to parse it"), "{line}");
}

#[test]
fn a_folder_stands_for_its_locustfile_and_imports_beside_it_are_followed() {
    let scratch = Scratch::new("locustfile-folder");
    for folder in ["common", "common/deep"] {
        std::fs::create_dir_all(scratch.file(folder)).unwrap();
    }
    scratch.write("common/__init__.py", "");
    scratch.write("common/base.py", "from locust import HttpUser\nfrom .deep.paths import *\nclass Base(HttpUser):\n    abstract = True\n    host = 'http://h.test'\n    def go(self, path):\n        self.client.get(PREFIX + path)\n");
    scratch.write("common/deep/paths.py", "PREFIX = '/v1'\n");
    scratch.write("locustfile.py", "import common.base as b\nfrom locust import task\nclass U(b.Base):\n    @task\n    def t(self):\n        self.go('/a')\n");
    let imported = Imported::from(&scratch.file("")).whole();
    assert_eq!(imported.task(0), &json!([{"get": "/v1/a"}]));
    let empty = Scratch::new("locustfile-empty");
    let line = refused(Run::new(["import", &empty.file("")]));
    assert!(line.contains("has no locustfile.py"), "{line}");
}

#[test]
fn a_file_without_users_gives_nothing() {
    let scratch = Scratch::new("locustfile-nothing");
    let file = scratch.write("locustfile.py", "print('hello')\n");
    let line = refused(Run::new(["import", &file]));
    assert!(line.contains("nothing can be taken over: it has no HttpUser with tasks"), "{line}");
}
