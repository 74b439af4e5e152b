//! The values of a user's variables.

use std::sync::Arc;

/// Maximum number of items of a list.
pub const MAX_ITEMS: usize = 10_000;

/// The value of a user's variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable {
    /// One value: text, or a number as it was written.
    Text(String),
    /// Several values, in the order in which they were added. Users share a list of `setup` until they change it.
    List(Arc<Vec<String>>),
}
