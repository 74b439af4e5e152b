//! The syntax of a Python file, as far as a locustfile is understood.

use std::rc::Rc;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expr {
    pub(super) line: u32,
    pub(super) kind: ExprKind,
}

/// The kinds of expressions.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ExprKind {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// Bytes, each as the character with its number.
    Bytes(String),
    Name(String),
    Attribute(Box<Expr>, String),
    Call(Box<Call>),
    /// An f-string.
    Joined(Vec<Expr>),
    /// `{value!r:spec}` in an f-string.
    Formatted(Box<Expr>, Option<Box<Expr>>),
    Binary(Box<Expr>, String, Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Compare(Box<Expr>, Vec<(String, Expr)>),
    Unary(String, Box<Expr>),
    Subscript(Box<Expr>, Box<Expr>),
    Slice(Option<Box<Expr>>, Option<Box<Expr>>, Option<Box<Expr>>),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    /// A member without a key is `**other`.
    Dict(Vec<(Option<Expr>, Expr)>),
    IfElse(Box<[Expr; 3]>),
    Lambda(Rc<Function>),
    Comprehension(Box<Comprehension>),
    Starred(Box<Expr>),
    /// What is not understood, by its type.
    Unknown(String),
}

/// A call.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) function: Expr,
    pub(super) arguments: Vec<Expr>,
    /// Without a name for `**other`.
    pub(super) keywords: Vec<(Option<String>, Expr)>,
}

/// `[element for target in source if condition]`, or `{element: value for …}`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Comprehension {
    pub(super) element: Expr,
    pub(super) value: Option<Expr>,
    pub(super) target: Expr,
    pub(super) source: Expr,
    pub(super) conditions: Vec<Expr>,
    /// Whether there is more than one `for`.
    pub(super) is_nested: bool,
}

/// A function, method or lambda.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) line: u32,
    pub(super) parameters: Vec<Parameter>,
    /// The name of `*rest`, and that of `**more`.
    pub(super) rest: [Option<String>; 2],
    pub(super) decorators: Vec<Expr>,
    pub(super) body: Vec<Stmt>,
}

/// A parameter with its default.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) default: Option<Expr>,
}

/// A class.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ClassBody {
    pub(super) name: String,
    pub(super) line: u32,
    pub(super) bases: Vec<Expr>,
    pub(super) decorators: Vec<Expr>,
    pub(super) body: Vec<Stmt>,
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stmt {
    pub(super) line: u32,
    pub(super) kind: StmtKind,
}

/// The kinds of statements.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum StmtKind {
    Function(Rc<Function>),
    Class(Rc<ClassBody>),
    Return(Option<Expr>),
    Assign(Vec<Expr>, Expr),
    AugAssign(Expr, String, Expr),
    For(Box<For>),
    While(Expr, Vec<Stmt>),
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    With(Vec<(Expr, Option<Expr>)>, Vec<Stmt>),
    Raise(Option<Expr>),
    Try(Box<Try>),
    /// Modules and the names that they get.
    Import(Vec<(String, Option<String>)>),
    /// Module, level, and names with those that they get.
    ImportFrom(String, usize, Vec<(String, Option<String>)>),
    Expr(Expr),
    Pass,
    Break,
    Continue,
    Assert(Expr),
    Global,
    Delete,
    Unknown(String),
}

/// `for target in source`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct For {
    pub(super) target: Expr,
    pub(super) source: Expr,
    pub(super) body: Vec<Stmt>,
    pub(super) otherwise: Vec<Stmt>,
}

/// `try`, with the exception that each handler is for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Try {
    pub(super) body: Vec<Stmt>,
    pub(super) handlers: Vec<(Option<Expr>, Vec<Stmt>)>,
    pub(super) otherwise: Vec<Stmt>,
    pub(super) last: Vec<Stmt>,
}

impl Expr {
    /// `a.b.c` as a text, if it is one.
    pub(super) fn dotted(&self) -> Option<String> {
        match &self.kind {
            ExprKind::Name(name) => Some(name.clone()),
            ExprKind::Attribute(of, name) => Some(format!("{}.{name}", of.dotted()?)),
            _ => None,
        }
    }

    /// The call, if it is one.
    pub(super) fn call(&self) -> Option<&Call> {
        if let ExprKind::Call(call) = &self.kind { Some(call) } else { None }
    }

    /// The expressions directly within this one.
    pub(super) fn parts(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Attribute(of, _) | ExprKind::Unary(_, of) | ExprKind::Starred(of) => vec![of],
            ExprKind::Call(call) => {
                let keywords = call.keywords.iter().map(|(_, value)| value);
                std::iter::once(&call.function).chain(&call.arguments).chain(keywords).collect()
            }
            ExprKind::Formatted(of, spec) => std::iter::once(&**of).chain(spec.as_deref()).collect(),
            ExprKind::Binary(left, _, right) | ExprKind::Subscript(left, right) => vec![left, right],
            ExprKind::Joined(all)
            | ExprKind::And(all)
            | ExprKind::Or(all)
            | ExprKind::List(all)
            | ExprKind::Tuple(all) => all.iter().collect(),
            ExprKind::Compare(left, others) => std::iter::once(&**left).chain(others.iter().map(|(_, e)| e)).collect(),
            ExprKind::Slice(from, to, step) => [from, to, step].into_iter().filter_map(Option::as_deref).collect(),
            ExprKind::Dict(members) => members.iter().flat_map(|(key, value)| key.iter().chain([value])).collect(),
            ExprKind::IfElse(parts) => parts.iter().collect(),
            ExprKind::Comprehension(all) => {
                [&all.element, &all.source].into_iter().chain(&all.value).chain(&all.conditions).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Calls `show` for this expression and all within it.
    pub(super) fn walk<'e>(&'e self, show: &mut impl FnMut(&'e Expr)) {
        show(self);
        let mut left = self.parts();
        while let Some(expr) = left.pop() {
            show(expr);
            left.extend(expr.parts());
        }
    }
}

impl Stmt {
    /// The blocks within this statement; not those of functions and classes.
    pub(super) fn blocks(&self) -> Vec<&[Stmt]> {
        match &self.kind {
            StmtKind::For(each) => vec![&each.body, &each.otherwise],
            StmtKind::While(_, body) | StmtKind::With(_, body) => vec![body],
            StmtKind::If(_, body, otherwise) => vec![body, otherwise],
            StmtKind::Try(all) => {
                let handlers = all.handlers.iter().map(|(_, body)| &**body);
                [&*all.body, &*all.otherwise, &*all.last].into_iter().chain(handlers).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The expressions of this statement itself; targets of assignments included.
    pub(super) fn expressions(&self) -> Vec<&Expr> {
        match &self.kind {
            StmtKind::Return(value) | StmtKind::Raise(value) => value.iter().collect(),
            StmtKind::Assign(targets, value) => targets.iter().chain([value]).collect(),
            StmtKind::AugAssign(target, _, value) => vec![target, value],
            StmtKind::For(each) => vec![&each.target, &each.source],
            StmtKind::While(test, _) | StmtKind::If(test, ..) | StmtKind::Assert(test) | StmtKind::Expr(test) => {
                vec![test]
            }
            StmtKind::With(items, _) => items.iter().flat_map(|(item, name)| [item].into_iter().chain(name)).collect(),
            _ => Vec::new(),
        }
    }
}

/// Calls `show` for each statement of a block and within it; not for those of functions and classes.
pub(super) fn walk<'s>(block: &'s [Stmt], show: &mut dyn FnMut(&'s Stmt)) {
    for stmt in block {
        show(stmt);
        for inner in stmt.blocks() {
            walk(inner, show);
        }
    }
}

/// Returns whether an expression of the block, or within it, is as `is_wanted` says.
pub(super) fn has_expr(block: &[Stmt], is_wanted: &dyn Fn(&Expr) -> bool) -> bool {
    let mut found = false;
    walk(block, &mut |stmt| {
        for expr in stmt.expressions() {
            expr.walk(&mut |expr| found |= is_wanted(expr));
        }
    });
    found
}

/// Returns whether a statement of the block, or within it, is as `is_wanted` says.
pub(super) fn has_stmt(block: &[Stmt], is_wanted: &dyn Fn(&Stmt) -> bool) -> bool {
    let mut found = false;
    walk(block, &mut |stmt| found |= is_wanted(stmt));
    found
}
