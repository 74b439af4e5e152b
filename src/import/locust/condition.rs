//! Conditions.

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    Known(bool),
    /// Left side, operator and right side, as a scenario has them.
    Test(String, &'static str, String),
    Not(Box<Condition>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

impl Condition {
    /// Compares two operands.
    pub(super) fn test(left: &str, operator: &'static str, right: &str) -> Self {
        Self::Test(operand(left), operator, operand(right))
    }

    /// Tests one operand, which is a variable or list.
    pub(super) fn of_variable(name: &str, operator: &'static str) -> Self {
        Self::Test(format!("${{{name}}}"), operator, String::new())
    }

    pub(super) fn not(self) -> Self {
        match self {
            Self::Known(truth) => Self::Known(!truth),
            Self::Not(inner) => *inner,
            Self::Test(left, "==", right) => Self::Test(left, "!=", right),
            Self::Test(left, "!=", right) => Self::Test(left, "==", right),
            Self::All(parts) => Self::Any(parts.into_iter().map(Self::not).collect()),
            Self::Any(parts) => Self::All(parts.into_iter().map(Self::not).collect()),
            test @ Self::Test(..) => Self::Not(Box::new(test)),
        }
    }

    /// True where all are; what is known is left out.
    pub(super) fn all(parts: Vec<Self>) -> Self {
        if parts.contains(&Self::Known(false)) {
            return Self::Known(false);
        }
        let mut parts: Vec<Self> = parts.into_iter().filter(|part| *part != Self::Known(true)).collect();
        match parts.len() {
            0 => Self::Known(true),
            1 => parts.remove(0),
            _ => Self::All(parts),
        }
    }

    /// True where one of them is.
    pub(super) fn any(parts: Vec<Self>) -> Self {
        Self::all(parts.into_iter().map(Self::not).collect()).not()
    }
}

/// An operand: in quotes where it has blanks, or is empty.
fn operand(text: &str) -> String {
    let is_bare =
        !text.is_empty() && !text.starts_with(['\'', '"']) && !outside_expressions(text).contains(char::is_whitespace);
    match text {
        _ if is_bare => text.to_owned(),
        _ if text.contains('\'') => format!("\"{}\"", text.replace('"', "'")),
        _ => format!("'{text}'"),
    }
}

fn outside_expressions(text: &str) -> String {
    let mut outside = String::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once("${") {
        outside.push_str(before);
        rest = inside.split_once('}').map_or("", |(_, after)| after);
    }
    outside + rest
}
