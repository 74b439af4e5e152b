//! Think times.

use super::reader::Node;
use crate::error::Result;
use crate::plan::json::Json;
use crate::value::Wait;

/// Reads a think time: text in the format of the flag, or a number of seconds.
pub(super) fn wait(node: &Node<'_>) -> Result<Wait> {
    if matches!(node.value(), Json::Number(_)) {
        let pause = node.time()?;
        return Ok(if pause.is_zero() { Wait::None } else { Wait::Constant(pause) });
    }
    node.read(str::parse)
}
