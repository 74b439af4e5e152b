//! The modules of a locustfile and what their names mean.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::python;
use super::syntax::{ClassBody, Expr, ExprKind, Function, Stmt, StmtKind};
use crate::error::{Error, Result};

/// Maximum number of modules that are followed.
const MAX_MODULES: usize = 200;

/// Modules that Locust imports before the locustfile: files of these names beside it are never imported.
const BEFORE: [&str; 26] = [
    "ast",
    "base64",
    "collections",
    "copy",
    "csv",
    "datetime",
    "flask",
    "functools",
    "gevent",
    "html",
    "itertools",
    "json",
    "locust",
    "logging",
    "math",
    "os",
    "random",
    "re",
    "requests",
    "secrets",
    "string",
    "sys",
    "time",
    "typing",
    "urllib",
    "uuid",
];

/// The user's own modules and classes.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) modules: Vec<Module>,
    pub(super) classes: Vec<Class>,
    /// The folder of the locustfile, where modules are looked for.
    pub(super) folder: PathBuf,
}

/// A module.
#[derive(Debug)]
pub(super) struct Module {
    /// The file as notes name it.
    pub(super) file: String,
    path: PathBuf,
    pub(super) names: BTreeMap<String, Binding>,
}

/// What a name of a module is bound to.
#[derive(Clone, Debug)]
pub(super) enum Binding {
    Class(usize),
    Function(Rc<Function>),
    Value(Rc<Expr>),
    /// A name of another package.
    External(String),
    Module(usize),
    /// A name of another module of the user.
    Imported(usize, String),
    /// A name that is bound to something that is not understood.
    Unknown(u32),
}

/// A class of the user.
#[derive(Debug)]
pub(super) struct Class {
    pub(super) module: usize,
    pub(super) body: Rc<ClassBody>,
    /// The class that it is defined in.
    pub(super) outer: Option<usize>,
}

impl Program {
    /// Reads a locustfile, or the one in a folder, and the modules beside it that it imports.
    ///
    /// # Errors
    /// A file cannot be read or parsed.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let file = if path.is_dir() { locustfile_in(path)? } else { path.to_owned() };
        let folder = file.parent().map(Path::to_owned).unwrap_or_default();
        let mut program = Self { folder, ..Self::default() };
        program.load(&file)?;
        Ok(program)
    }

    fn load(&mut self, path: &Path) -> Result<usize> {
        if let Some(known) = self.modules.iter().position(|module| module.path == path) {
            return Ok(known);
        }
        if self.modules.len() >= MAX_MODULES {
            return Err(Error::usage(
                path.display().to_string(),
                format!("more than {MAX_MODULES} modules are imported"),
            ));
        }
        let body = python::parse(path)?;
        let at = self.modules.len();
        let file = path.strip_prefix(&self.folder).unwrap_or(path).display().to_string();
        self.modules.push(Module { file, path: path.to_owned(), names: BTreeMap::new() });
        self.bind_block(at, &body)?;
        Ok(at)
    }

    fn bind_block(&mut self, module: usize, block: &[Stmt]) -> Result<()> {
        for stmt in block {
            match &stmt.kind {
                StmtKind::If(test, ..) if is_main(test) => {}
                StmtKind::Class(body) => {
                    let class = self.add_class(module, body, None);
                    self.bind(module, &body.name, Binding::Class(class));
                }
                StmtKind::Function(function) => {
                    self.bind(module, &function.name, Binding::Function(Rc::clone(function)));
                }
                StmtKind::Assign(targets, value) => {
                    for target in targets {
                        self.bind_target(module, target, value);
                    }
                }
                StmtKind::AugAssign(target, ..) => {
                    if let ExprKind::Name(name) = &target.kind {
                        self.bind(module, name, Binding::Unknown(stmt.line));
                    }
                }
                StmtKind::With(items, body) => {
                    for (item, target) in items {
                        if let Some(target) = target {
                            self.bind_target(module, target, item);
                        }
                    }
                    self.bind_block(module, body)?;
                }
                StmtKind::Import(names) => self.import(module, names)?,
                StmtKind::ImportFrom(from, level, names) => self.import_from(module, from, *level, names)?,
                _ => {
                    for inner in stmt.blocks() {
                        self.bind_block(module, inner)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn bind(&mut self, module: usize, name: &str, binding: Binding) {
        self.modules[module].names.insert(name.to_owned(), binding);
    }

    fn bind_target(&mut self, module: usize, target: &Expr, value: &Expr) {
        match (&target.kind, &value.kind) {
            (ExprKind::Name(name), _) => self.bind(module, name, Binding::Value(Rc::new(value.clone()))),
            (ExprKind::Tuple(targets), ExprKind::Tuple(values)) if targets.len() == values.len() => {
                for (target, value) in targets.iter().zip(values) {
                    self.bind_target(module, target, value);
                }
            }
            (ExprKind::Tuple(targets), _) => {
                for target in targets {
                    if let ExprKind::Name(name) = &target.kind {
                        self.bind(module, name, Binding::Unknown(target.line));
                    }
                }
            }
            _ => {}
        }
    }

    fn add_class(&mut self, module: usize, body: &Rc<ClassBody>, outer: Option<usize>) -> usize {
        let class = self.classes.len();
        self.classes.push(Class { module, body: Rc::clone(body), outer });
        for stmt in &body.body {
            if let StmtKind::Class(inner) = &stmt.kind {
                self.add_class(module, inner, Some(class));
            }
        }
        class
    }

    fn import(&mut self, module: usize, names: &[(String, Option<String>)]) -> Result<()> {
        for (name, other) in names {
            let own = find(&self.folder, name);
            let binding = match (own, other) {
                (Some(path), Some(_)) => Binding::Module(self.load(&path)?),
                // `import a.b` binds `a`; its modules are found by their whole name.
                (Some(path), None) if !name.contains('.') => Binding::Module(self.load(&path)?),
                (Some(path), None) => {
                    let at = self.load(&path)?;
                    self.bind(module, name, Binding::Module(at));
                    continue;
                }
                (None, Some(_)) => Binding::External(name.clone()),
                (None, None) => Binding::External(name.split('.').next().unwrap_or_default().to_owned()),
            };
            let bound = other.as_deref().unwrap_or_else(|| name.split('.').next().unwrap_or_default());
            self.bind(module, bound, binding);
        }
        Ok(())
    }

    fn import_from(
        &mut self,
        module: usize,
        from: &str,
        level: usize,
        names: &[(String, Option<String>)],
    ) -> Result<()> {
        let folder = match level {
            0 => self.folder.clone(),
            level => {
                let path = &self.modules[module].path;
                path.ancestors().nth(level).map(Path::to_owned).unwrap_or_default()
            }
        };
        let own = find(&folder, from);
        let own = own.map(|path| self.load(&path)).transpose()?;
        let package = folder.join(from.replace('.', "/"));
        for (name, other) in names {
            let bound = other.as_ref().unwrap_or(name);
            let inner = find(&package, name);
            let known = own.filter(|own| self.modules[*own].names.contains_key(name));
            let binding = match (known, inner) {
                (None, Some(path)) => Binding::Module(self.load(&path)?),
                _ => match own {
                    Some(own) if name == "*" => {
                        let all: Vec<_> = self.modules[own].names.keys().cloned().collect();
                        for name in &all {
                            self.bind(module, name, Binding::Imported(own, name.clone()));
                        }
                        continue;
                    }
                    Some(own) => Binding::Imported(own, name.clone()),
                    None if name == "*" && from == "locust" => {
                        for name in [
                            "HttpUser",
                            "FastHttpUser",
                            "TaskSet",
                            "SequentialTaskSet",
                            "task",
                            "between",
                            "constant",
                            "constant_pacing",
                            "constant_throughput",
                            "events",
                            "tag",
                            "LoadTestShape",
                            "User",
                        ] {
                            self.bind(module, name, Binding::External(format!("locust.{name}")));
                        }
                        continue;
                    }
                    None => Binding::External(format!("{from}.{name}")),
                },
            };
            self.bind(module, bound, binding);
        }
        Ok(())
    }

    /// What a name means in a module, with imports of the user's own modules followed.
    pub(super) fn lookup(&self, module: usize, name: &str) -> Option<(usize, Binding)> {
        let (mut module, mut name) = (module, name.to_owned());
        for _ in 0..MAX_MODULES {
            match self.modules[module].names.get(&name)? {
                Binding::Imported(other, imported) => (module, name) = (*other, imported.clone()),
                binding => return Some((module, binding.clone())),
            }
        }
        None
    }
}

/// The locustfile of a folder.
fn locustfile_in(folder: &Path) -> Result<PathBuf> {
    let usual = folder.join("locustfile.py");
    if usual.is_file() {
        return Ok(usual);
    }
    let refused = |why: String| Error::usage(folder.display().to_string(), why);
    let entries = std::fs::read_dir(folder).map_err(|why| refused(why.to_string()))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "py") && path.is_file())
        .collect();
    files.sort();
    match &*files {
        [one] => Ok(one.clone()),
        [] => Err(refused("has no locustfile.py, and no other Python file".to_owned())),
        _ => Err(refused("has no locustfile.py, and several Python files; name one".to_owned())),
    }
}

/// `__name__ == "__main__"`
fn is_main(test: &Expr) -> bool {
    matches!(&test.kind, ExprKind::Compare(left, _) if left.kind == ExprKind::Name("__name__".to_owned()))
}

/// The file of a module beside the locustfile.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    // Modules that Locust has imported itself before it looks beside the file.
    if BEFORE.contains(&name.split('.').next().unwrap_or_default()) {
        return None;
    }
    let base = if name.is_empty() { folder.to_owned() } else { folder.join(name.replace('.', "/")) };
    let file = base.with_extension("py");
    [file, base.join("__init__.py")].into_iter().find(|path| path.is_file())
}
