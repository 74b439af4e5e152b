//! Why a text cannot be made.

/// Index of a variable that a user extracts from a response and keeps; its name is in
/// [`Plan::variables`](crate::plan::Plan::variables).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId(pub u32);

/// Why a text cannot be rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RenderError {
    /// The variable was never extracted from a response.
    Slot(SlotId),
    /// An item of this list is needed, and it has none.
    EmptyList(SlotId),
    /// The value of a header field would contain a control character.
    ControlCharacter,
    /// A value that must be a bare JSON number, true or false is not one.
    NotANumber,
}
