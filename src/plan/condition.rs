//! Conditions of the steps `when` and `until`. The operator is found when the plan is made; the operands are texts, so
//! what was extracted from a response never changes the test. Pure, without clock or socket.

use std::cmp::Ordering;
use std::fmt;

use super::number::compare;
use super::template::{RenderError, SlotId, Template, Values, Variable};

/// A test of values.
#[derive(Debug)]
pub struct Condition {
    test: Test,
    /// As it is written in the scenario.
    written: String,
}

/// The operator with its operands.
#[derive(Debug)]
pub enum Test {
    /// The left operand compared with the right one.
    Compare(Template, Comparison, Template),
    /// The text has the operand in it, or the list has it as an item.
    Contains(Subject, Template),
    /// The variable is set.
    Exists(Subject),
    /// The text has no characters, the list has no items, or the variable is not set.
    IsEmpty(Subject),
}

/// How two texts are compared: as numbers, by their decimal value, if both are numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `>`
    Greater,
}

/// What `contains`, `exists` and `is_empty` look at.
#[derive(Debug)]
pub enum Subject {
    /// A user's variable, which may be a list or not be set.
    Variable(SlotId),
    /// Any other text.
    Text(Template),
}

impl Condition {
    /// A test, and how it is written.
    #[must_use]
    pub const fn new(test: Test, written: String) -> Self {
        Self { test, written }
    }

    /// Tests the values.
    ///
    /// # Errors
    /// An operand has no value.
    pub fn is_met(&self, values: &mut Values<'_>) -> Result<bool, RenderError> {
        Ok(match &self.test {
            Test::Compare(left, comparison, right) => comparison.holds(&text(left, values)?, &text(right, values)?),
            Test::Contains(subject, part) => {
                let part = text(part, values)?;
                match subject {
                    Subject::Text(whole) => text(whole, values)?.contains(&part),
                    Subject::Variable(slot) => match variable(values, *slot) {
                        Some(Variable::Text(whole)) => whole.contains(&part),
                        Some(Variable::List(items)) => items.iter().any(|item| Comparison::Equal.holds(item, &part)),
                        None => return Err(RenderError::Slot(*slot)),
                    },
                }
            }
            Test::Exists(Subject::Variable(slot)) => variable(values, *slot).is_some(),
            Test::Exists(Subject::Text(whole)) => text(whole, values).is_ok(),
            Test::IsEmpty(Subject::Variable(slot)) => match variable(values, *slot) {
                Some(Variable::Text(whole)) => whole.is_empty(),
                Some(Variable::List(items)) => items.is_empty(),
                None => true,
            },
            Test::IsEmpty(Subject::Text(whole)) => text(whole, values)?.is_empty(),
        })
    }
}

impl fmt::Display for Condition {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl Comparison {
    fn holds(self, left: &str, right: &str) -> bool {
        let order = compare(left, right).unwrap_or_else(|| left.cmp(right));
        match self {
            Self::Equal => order == Ordering::Equal,
            Self::Unequal => order != Ordering::Equal,
            Self::Less => order == Ordering::Less,
            Self::Greater => order == Ordering::Greater,
        }
    }
}

fn variable<'v>(values: &Values<'v>, slot: SlotId) -> Option<&'v Variable> {
    values.variables.get(slot.0 as usize).and_then(Option::as_ref)
}

fn text(template: &Template, values: &mut Values<'_>) -> Result<String, RenderError> {
    let mut out = Vec::with_capacity(template.literal_len());
    template.render(values, &mut out)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value_and_everything_else_as_text() {
        use Comparison::{Equal, Greater, Less, Unequal};
        for (left, comparison, right, is_met) in [
            ("200", Equal, "200.0", true),
            ("200", Unequal, "2e2", false),
            ("9", Less, "10", true),
            ("-9", Greater, "-10", true),
            ("123456789012345678901234567890", Less, "123456789012345678901234567891", true),
            ("0.1", Greater, "0.09999", true),
            ("done", Equal, "done", true),
            ("done", Equal, "Done", false),
            ("9", Less, "10 items", false),
            ("", Equal, "0", false),
            ("07", Equal, "7", false),
            ("2026-01-09", Less, "2026-01-10", true),
        ] {
            assert_eq!(comparison.holds(left, right), is_met, "{left} {comparison:?} {right}");
        }
    }
}
