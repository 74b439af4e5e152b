//! The values of a user's variables.

/// The value of a user's variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable {
    /// One value: text, or a number as it was written.
    Text(String),
    /// Several values, in the order in which they were added.
    List(Vec<String>),
}
