//! `a if test else b` with lists or dictionaries: the statement is written for each branch.

use super::syntax::{Call, Expr, ExprKind, Stmt, StmtKind};

/// The test, and the statement as it is where the test passes and where it fails; none for a statement without such a
/// choice.
pub(super) fn split(stmt: &Stmt) -> Option<(Expr, Stmt, Stmt)> {
    let (mut yes, mut no) = (stmt.clone(), stmt.clone());
    let test = in_stmt(&mut yes, true)?;
    in_stmt(&mut no, false);
    Some((test, yes, no))
}

fn in_stmt(stmt: &mut Stmt, truth: bool) -> Option<Expr> {
    match &mut stmt.kind {
        StmtKind::Expr(expr) | StmtKind::Assign(_, expr) | StmtKind::Return(Some(expr)) => in_expr(expr, truth),
        StmtKind::With(items, _) => items.iter_mut().find_map(|(item, _)| in_expr(item, truth)),
        _ => None,
    }
}

/// Puts one side in the place of a choice; gives its test.
fn in_expr(expr: &mut Expr, truth: bool) -> Option<Expr> {
    if let ExprKind::IfElse(parts) = &expr.kind {
        let [test, yes, no] = &**parts;
        if !is_structure(yes) && !is_structure(no) {
            return None;
        }
        let (test, side) = (test.clone(), if truth { yes.clone() } else { no.clone() });
        *expr = side;
        return Some(test);
    }
    match &mut expr.kind {
        ExprKind::Call(call) => {
            let Call { function, arguments, keywords } = &mut **call;
            in_expr(function, truth)
                .or_else(|| arguments.iter_mut().find_map(|argument| in_expr(argument, truth)))
                .or_else(|| keywords.iter_mut().find_map(|(_, value)| in_expr(value, truth)))
        }
        ExprKind::Attribute(of, _) | ExprKind::Starred(of) => in_expr(of, truth),
        ExprKind::Binary(left, _, right) => in_expr(left, truth).or_else(|| in_expr(right, truth)),
        ExprKind::Dict(members) => members.iter_mut().find_map(|(_, value)| in_expr(value, truth)),
        ExprKind::List(items) | ExprKind::Tuple(items) => items.iter_mut().find_map(|item| in_expr(item, truth)),
        _ => None,
    }
}

fn is_structure(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Dict(_) | ExprKind::List(_) | ExprKind::None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_of_dictionaries_is_made_by_two_statements() {
        let expr = |kind| Expr { line: 1, kind };
        let test = expr(ExprKind::Name("a".to_owned()));
        let (full, empty) = (expr(ExprKind::Dict(vec![(None, test.clone())])), expr(ExprKind::Dict(Vec::new())));
        let choice = expr(ExprKind::IfElse(Box::new([test.clone(), full.clone(), empty.clone()])));
        let stmt = |value| Stmt { line: 1, kind: StmtKind::Return(Some(expr(ExprKind::List(vec![value])))) };
        assert_eq!(split(&stmt(choice)), Some((test, stmt(full.clone()), stmt(empty))));
        assert_eq!(split(&stmt(full)), None);
    }
}
