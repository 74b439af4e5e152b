//! Which file uses which, by the paths that it names, and the circles among them.
//!
//! A file uses another if it names something that is defined there. A re-export is followed to the definition:
//! `crate::plan::Load` is an item of `plan/load.rs`, so `plan/mod.rs`, which only passes it on, is not used. A parent
//! that defines something is a file like any other: if it calls its child, the child must not use what the parent
//! defines. Not counted are the modules that a file declares, tests, and methods called on a value whose type is not
//! named. Files are named below `src`.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;

/// What a module's file declares, and the paths in it.
struct Module {
    items: BTreeSet<String>,
    imports: BTreeMap<String, Vec<String>>,
    paths: Vec<Vec<String>>,
}

/// Files, and the files that each uses.
pub(crate) type Uses<'s> = BTreeMap<&'s str, BTreeSet<&'s str>>;

type Modules<'s> = BTreeMap<Vec<String>, (&'s str, Module)>;

/// For each file, the files that it uses.
pub(crate) fn uses<'s>(sources: &'s [Source]) -> Uses<'s> {
    let name = |source: &'s Source| source.path.strip_prefix("src/").unwrap();
    let modules: Modules<'s> =
        sources.iter().map(|source| (source.module(), (name(source), Module::read(source.product())))).collect();
    let mut uses = BTreeMap::new();
    for (at, (file, module)) in &modules {
        let definers = module.paths.iter().filter_map(|path| definer(&modules, at, path));
        uses.insert(*file, definers.filter(|definer| definer != file).collect());
    }
    uses
}

/// Groups of files each of which uses all others of its group, directly or over others.
pub(crate) fn circles<'s>(uses: &Uses<'s>) -> BTreeSet<BTreeSet<&'s str>> {
    let reached: Uses<'s> = uses.keys().map(|file| (*file, reach(uses, file))).collect();
    let circle = |file| reached[file].iter().copied().filter(|other| reached[other].contains(file)).collect();
    uses.keys().map(|file| circle(*file)).filter(|circle: &BTreeSet<&str>| !circle.is_empty()).collect()
}

fn reach<'s>(uses: &Uses<'s>, from: &'s str) -> BTreeSet<&'s str> {
    let (mut reached, mut left) = (BTreeSet::new(), vec![from]);
    while let Some(file) = left.pop() {
        left.extend(uses[file].iter().filter(|used| reached.insert(**used)));
    }
    reached
}

/// The file that defines what a path written in module `at` names; none where that is another crate or a module.
fn definer<'s>(modules: &Modules<'s>, at: &[String], path: &[String]) -> Option<&'s str> {
    let mut at = at.to_vec();
    for (place, name) in path.iter().enumerate() {
        let (file, module) = modules.get(&at)?;
        match name.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => drop(at.pop()),
            _ => {
                at.push(name.clone());
                if modules.contains_key(&at) {
                    continue;
                }
                at.pop();
                if module.items.contains(name) {
                    return Some(file);
                }
                let import = module.imports.get(name).filter(|import| import[0] != *name)?;
                return definer(modules, &at, &[import, &path[place + 1..]].concat());
            }
        }
    }
    None
}

impl Module {
    fn read(code: &str) -> Self {
        let words = words(code);
        let mut module = Self { items: items(&words), imports: BTreeMap::new(), paths: Vec::new() };
        let (mut named, mut passed_on) = (BTreeSet::new(), BTreeSet::new());
        let mut at = 0;
        while at < words.len() {
            if words[at] == "use" && words.get(at + 1) != Some(&"<") {
                let is_export = at > 0 && matches!(words[at - 1], "pub" | ")");
                let end = at + words[at..].iter().position(|word| *word == ";").expect("a use ends");
                for (name, path) in imports(&words[at + 1..end]) {
                    if is_export {
                        passed_on.insert(name.clone());
                    } else {
                        module.paths.push(path.clone());
                    }
                    module.imports.insert(name, path);
                }
                at = end;
            } else if is_name(words[at]) {
                let pairs = words[at..].chunks(2).take_while(|pair| is_name(pair[0]));
                let len = pairs.clone().take_while(|pair| pair.get(1) == Some(&"::")).count();
                let path: Vec<String> = pairs.take(len + 1).map(|pair| pair[0].to_owned()).collect();
                at += 2 * path.len() - 2;
                named.insert(path[0].clone());
                module.paths.extend((path.len() > 1).then_some(path));
            }
            at += 1;
        }
        module.paths.extend(passed_on.intersection(&named).map(|name| module.imports[name].clone()));
        module
    }
}

/// Names, paths' colons and other characters, each a word.
fn words(code: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let name = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let len = if name > 0 {
            name
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        words.push(&rest[..len]);
        rest = rest[len..].trim_start();
    }
    words
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// What a file defines outside of its functions, types and impl blocks.
fn items(words: &[&str]) -> BTreeSet<String> {
    const KINDS: [&str; 8] = ["const", "enum", "fn", "static", "struct", "trait", "type", "union"];
    let (mut items, mut braces) = (BTreeSet::new(), 0);
    for pair in words.windows(2) {
        match pair[0] {
            "{" => braces += 1,
            "}" => braces -= 1,
            kind if braces == 0 && KINDS.contains(&kind) && pair[1] != "fn" => drop(items.insert(pair[1].to_owned())),
            _ => {}
        }
    }
    items
}

/// Names that a `use` binds, and their paths.
fn imports(tree: &[&str]) -> Vec<(String, Vec<String>)> {
    let Some(open) = tree.iter().position(|word| *word == "{") else {
        let mut path: Vec<String> = tree.iter().filter(|word| is_name(word)).map(|word| (*word).to_owned()).collect();
        let renamed = tree.contains(&"as").then(|| path.pop()).flatten();
        path.retain(|word| word != "as");
        path.truncate(path.len() - usize::from(path.len() > 1 && path.last().is_some_and(|last| last == "self")));
        return path.last().cloned().map(|last| (renamed.unwrap_or(last), path)).into_iter().collect();
    };
    let (mut branches, mut braces) = (vec![Vec::new()], 0);
    for word in &tree[open + 1..tree.len() - 1] {
        match *word {
            "{" => braces += 1,
            "}" => braces -= 1,
            _ => {}
        }
        if *word == "," && braces == 0 {
            branches.push(Vec::new());
        } else {
            branches.last_mut().expect("one at least").push(*word);
        }
    }
    branches.iter().flat_map(|branch| imports(&[&tree[..open], branch].concat())).collect()
}

fn sources(files: [(&str, &str); 4]) -> Vec<Source> {
    let files = [("lib.rs", "mod a;\nmod d;")].into_iter().chain(files);
    let source = |(path, code): (&str, &str)| Source { path: format!("src/{path}"), lines: 0, code: code.to_owned() };
    files.map(source).collect()
}

#[test]
fn a_file_uses_the_file_that_defines_what_it_names() {
    let sources = sources([
        ("a/mod.rs", "mod b;\nmod c;\npub use b::{B, Unused as Other};\nuse c::f as g;\nfn a() -> B { g() }"),
        ("a/b.rs", "pub struct B;\npub struct Unused;\nimpl B { fn of() { super::c::f(); crate::d::x::y() } }"),
        ("a/c.rs", "pub fn f() {}"),
        ("d.rs", "use crate::a::{self, Other};\nfn d() { a::B::of(); std::mem::take() }"),
    ]);
    let uses = uses(&sources);
    let expected = [("a/b.rs", vec!["a/c.rs"]), ("a/c.rs", vec![]), ("a/mod.rs", vec!["a/b.rs", "a/c.rs"])];
    let expected = expected.into_iter().chain([("d.rs", vec!["a/b.rs"]), ("lib.rs", vec![])]);
    assert_eq!(uses, expected.map(|(file, used)| (file, BTreeSet::from_iter(used))).collect());
}

#[test]
fn a_circle_is_found_over_other_files_and_one_that_only_passes_on_is_none() {
    let sources = sources([
        ("a/mod.rs", "mod b;\nmod c;\npub use c::C;"),
        ("a/b.rs", "use super::C;\npub struct B(C);"),
        ("a/c.rs", "use crate::d::D;\npub struct C(D);"),
        ("d.rs", "use crate::a::b::B;\npub struct D(Box<B>);"),
    ]);
    assert_eq!(circles(&uses(&sources)), BTreeSet::from([BTreeSet::from(["a/b.rs", "a/c.rs", "d.rs"])]));
}
