//! Reads the table of nodes that `dump.py` prints.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::syntax::{Call, ClassBody, Comprehension, Expr, ExprKind, For, Function, Parameter, Stmt, StmtKind, Try};

type Row = Map<String, Value>;

/// The table of nodes.
struct Nodes<'t>(Vec<&'t Row>);

/// The statements of a module.
pub(super) fn module(table: &Value) -> Option<Vec<Stmt>> {
    let rows = table["nodes"].as_array()?.iter().map(Value::as_object).collect::<Option<Vec<_>>>()?;
    let nodes = Nodes(rows);
    let root = nodes.row(&table["root"])?;
    Some(nodes.block(root, "body"))
}

fn text(row: &Row, name: &str) -> String {
    row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn line(row: &Row) -> u32 {
    row.get("l").and_then(Value::as_u64).and_then(|line| line.try_into().ok()).unwrap_or_default()
}

impl<'t> Nodes<'t> {
    fn row(&self, at: &Value) -> Option<&'t Row> {
        self.0.get(usize::try_from(at.as_u64()?).ok()?).copied()
    }

    fn rows(&self, row: &'t Row, name: &str) -> Vec<&'t Row> {
        let list = row.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(|at| self.row(at)).collect()
    }

    fn optional(&self, row: &'t Row, name: &str) -> Option<Expr> {
        self.row(row.get(name)?).map(|row| self.expr(row))
    }

    fn needed(&self, row: &'t Row, name: &str) -> Expr {
        let missing = Expr { line: line(row), kind: ExprKind::Unknown(text(row, "t")) };
        self.optional(row, name).unwrap_or(missing)
    }

    fn boxed(&self, row: &'t Row, name: &str) -> Box<Expr> {
        Box::new(self.needed(row, name))
    }

    fn list(&self, row: &'t Row, name: &str) -> Vec<Expr> {
        self.rows(row, name).into_iter().map(|row| self.expr(row)).collect()
    }

    fn expr(&self, row: &'t Row) -> Expr {
        Expr { line: line(row), kind: self.expr_kind(row, &text(row, "t")) }
    }

    fn expr_kind(&self, row: &'t Row, kind: &str) -> ExprKind {
        match kind {
            "Constant" => constant(row),
            "Name" => ExprKind::Name(text(row, "id")),
            "Attribute" => ExprKind::Attribute(self.boxed(row, "value"), text(row, "attr")),
            "Call" => ExprKind::Call(Box::new(Call {
                function: self.needed(row, "func"),
                arguments: self.list(row, "args"),
                keywords: self.keywords(row),
            })),
            "JoinedStr" => ExprKind::Joined(self.list(row, "values")),
            "FormattedValue" => {
                ExprKind::Formatted(self.boxed(row, "value"), self.optional(row, "format_spec").map(Box::new))
            }
            "BinOp" => ExprKind::Binary(self.boxed(row, "left"), text(row, "op"), self.boxed(row, "right")),
            "BoolOp" if text(row, "op") == "And" => ExprKind::And(self.list(row, "values")),
            "BoolOp" => ExprKind::Or(self.list(row, "values")),
            "Compare" => {
                let operators = row.get("ops").and_then(Value::as_array).into_iter().flatten();
                let operators = operators.map(|op| op.as_str().unwrap_or_default().to_owned());
                ExprKind::Compare(self.boxed(row, "left"), operators.zip(self.list(row, "comparators")).collect())
            }
            "UnaryOp" => ExprKind::Unary(text(row, "op"), self.boxed(row, "operand")),
            "Subscript" => ExprKind::Subscript(self.boxed(row, "value"), self.boxed(row, "slice")),
            "Slice" => {
                let part = |name| self.optional(row, name).map(Box::new);
                ExprKind::Slice(part("lower"), part("upper"), part("step"))
            }
            "List" | "Set" => ExprKind::List(self.list(row, "elts")),
            "Tuple" => ExprKind::Tuple(self.list(row, "elts")),
            "Dict" => {
                let keys = row.get("keys").and_then(Value::as_array).into_iter().flatten();
                let keys = keys.map(|at| self.row(at).map(|row| self.expr(row)));
                ExprKind::Dict(keys.zip(self.list(row, "values")).collect())
            }
            "IfExp" => {
                let [test, body, otherwise] = ["test", "body", "orelse"].map(|name| self.needed(row, name));
                ExprKind::IfElse(Box::new([test, body, otherwise]))
            }
            "Lambda" => {
                let body = self.needed(row, "body");
                let body = vec![Stmt { line: line(row), kind: StmtKind::Return(Some(body)) }];
                ExprKind::Lambda(Rc::new(self.function(row, "<lambda>", body)))
            }
            "ListComp" | "GeneratorExp" | "SetComp" | "DictComp" => self.comprehension(row, kind == "DictComp"),
            "Starred" => ExprKind::Starred(self.boxed(row, "value")),
            other => ExprKind::Unknown(other.to_owned()),
        }
    }

    fn keywords(&self, row: &'t Row) -> Vec<(Option<String>, Expr)> {
        let keyword = |row: &'t Row| {
            let name = row.get("arg").and_then(Value::as_str).map(str::to_owned);
            (name, self.needed(row, "value"))
        };
        self.rows(row, "keywords").into_iter().map(keyword).collect()
    }

    fn comprehension(&self, row: &'t Row, is_dict: bool) -> ExprKind {
        let loops = self.rows(row, "generators");
        let Some(first) = loops.first() else { return ExprKind::Unknown("comprehension".to_owned()) };
        ExprKind::Comprehension(Box::new(Comprehension {
            element: self.needed(row, if is_dict { "key" } else { "elt" }),
            value: is_dict.then(|| self.needed(row, "value")),
            target: self.needed(first, "target"),
            source: self.needed(first, "iter"),
            conditions: self.list(first, "ifs"),
            is_nested: loops.len() > 1,
        }))
    }

    fn function(&self, row: &'t Row, name: &str, body: Vec<Stmt>) -> Function {
        let mut parameters = Vec::new();
        let mut rest = [None, None];
        if let Some(arguments) = row.get("args").and_then(|at| self.row(at)) {
            rest = ["vararg", "kwarg"].map(|name| self.row(arguments.get(name)?).map(|row| text(row, "arg")));
            let names = ["posonlyargs", "args"].into_iter().flat_map(|list| self.rows(arguments, list));
            let names: Vec<String> = names.map(|row| text(row, "arg")).collect();
            let defaults = self.list(arguments, "defaults");
            let without = names.len().saturating_sub(defaults.len());
            let defaults = std::iter::repeat_n(None, without).chain(defaults.into_iter().map(Some));
            parameters.extend(names.into_iter().zip(defaults).map(|(name, default)| Parameter { name, default }));
            let by_name = arguments.get("kw_defaults").and_then(Value::as_array).into_iter().flatten();
            let by_name = by_name.map(|at| self.row(at).map(|row| self.expr(row)));
            for (row, default) in self.rows(arguments, "kwonlyargs").into_iter().zip(by_name) {
                parameters.push(Parameter { name: text(row, "arg"), default });
            }
        }
        let decorators = self.list(row, "decorator_list");
        Function { name: name.to_owned(), line: line(row), parameters, rest, decorators, body }
    }

    fn block(&self, row: &'t Row, name: &str) -> Vec<Stmt> {
        self.rows(row, name).into_iter().map(|row| self.stmt(row)).collect()
    }

    fn stmt(&self, row: &'t Row) -> Stmt {
        Stmt { line: line(row), kind: self.stmt_kind(row, &text(row, "t")) }
    }

    fn stmt_kind(&self, row: &'t Row, kind: &str) -> StmtKind {
        match kind {
            "FunctionDef" => {
                let body = self.block(row, "body");
                StmtKind::Function(Rc::new(self.function(row, &text(row, "name"), body)))
            }
            "ClassDef" => StmtKind::Class(Rc::new(ClassBody {
                name: text(row, "name"),
                line: line(row),
                bases: self.list(row, "bases"),
                decorators: self.list(row, "decorator_list"),
                body: self.block(row, "body"),
            })),
            "Return" => StmtKind::Return(self.optional(row, "value")),
            "Assign" => StmtKind::Assign(self.list(row, "targets"), self.needed(row, "value")),
            "AnnAssign" => match self.optional(row, "value") {
                Some(value) => StmtKind::Assign(vec![self.needed(row, "target")], value),
                None => StmtKind::Pass,
            },
            "AugAssign" => StmtKind::AugAssign(self.needed(row, "target"), text(row, "op"), self.needed(row, "value")),
            "For" => StmtKind::For(Box::new(For {
                target: self.needed(row, "target"),
                source: self.needed(row, "iter"),
                body: self.block(row, "body"),
                otherwise: self.block(row, "orelse"),
            })),
            "While" => StmtKind::While(self.needed(row, "test"), self.block(row, "body")),
            "If" => StmtKind::If(self.needed(row, "test"), self.block(row, "body"), self.block(row, "orelse")),
            "With" => {
                let items = self.rows(row, "items").into_iter();
                let items = items.map(|row| (self.needed(row, "context_expr"), self.optional(row, "optional_vars")));
                StmtKind::With(items.collect(), self.block(row, "body"))
            }
            "Raise" => StmtKind::Raise(self.optional(row, "exc")),
            "Try" => {
                let handlers = self.rows(row, "handlers").into_iter();
                StmtKind::Try(Box::new(Try {
                    body: self.block(row, "body"),
                    handlers: handlers.map(|row| (self.optional(row, "type"), self.block(row, "body"))).collect(),
                    otherwise: self.block(row, "orelse"),
                    last: self.block(row, "finalbody"),
                }))
            }
            "Import" => StmtKind::Import(self.aliases(row)),
            "ImportFrom" => {
                let level = text(row, "level").parse().unwrap_or_default();
                StmtKind::ImportFrom(text(row, "module"), level, self.aliases(row))
            }
            "Expr" => StmtKind::Expr(self.needed(row, "value")),
            "Pass" => StmtKind::Pass,
            "Break" => StmtKind::Break,
            "Continue" => StmtKind::Continue,
            "Assert" => StmtKind::Assert(self.needed(row, "test")),
            "Global" | "Nonlocal" => StmtKind::Global,
            "Delete" => StmtKind::Delete,
            other => StmtKind::Unknown(other.to_owned()),
        }
    }

    fn aliases(&self, row: &'t Row) -> Vec<(String, Option<String>)> {
        let rows = self.rows(row, "names").into_iter();
        rows.map(|row| (text(row, "name"), row.get("asname").and_then(Value::as_str).map(str::to_owned))).collect()
    }
}

fn constant(row: &Row) -> ExprKind {
    let value = text(row, "v");
    match &*text(row, "k") {
        "none" => ExprKind::None,
        "bool" => ExprKind::Bool(value == "True"),
        "int" => value.parse().map_or_else(|_| ExprKind::Unknown("a number beyond 64 bits".to_owned()), ExprKind::Int),
        "float" => value.parse().map_or_else(|_| ExprKind::Unknown("float".to_owned()), ExprKind::Float),
        "str" => ExprKind::Text(value),
        "bytes" => ExprKind::Bytes(value),
        other => ExprKind::Unknown(other.to_owned()),
    }
}
