//! Tests of statuses.

use super::texts::number_json;
use super::value::Value;
use crate::plan::json::Json;

/// The result of a test of a status, if it is known.
pub(super) fn status_test(status: u16, operator: &str, right: &Value) -> Option<bool> {
    let status = i64::from(status);
    if let (Some(right), "Eq" | "Is" | "NotEq" | "IsNot" | "Lt" | "LtE" | "Gt" | "GtE") = (right.number(), operator) {
        #[expect(clippy::cast_precision_loss, reason = "three digits")]
        let status = status as f64;
        return Some(match operator {
            "Lt" => status < right,
            "LtE" => status <= right,
            "Gt" => status > right,
            "GtE" => status >= right,
            "Eq" | "Is" => (status - right).abs() < 0.5,
            _ => (status - right).abs() > 0.5,
        });
    }
    let is_in = match right {
        Value::List(items) | Value::Tuple(items) => items.contains(&Value::Int(status)),
        Value::Dict(members) => members.iter().any(|(key, _)| *key == Value::Int(status)),
        Value::Range(from, to) => (*from..*to).contains(&status),
        _ => return None,
    };
    match operator {
        "In" => Some(is_in),
        "NotIn" => Some(!is_in),
        _ => None,
    }
}

/// The result of a test of known values.
pub(super) fn known_test(left: &Value, operator: &str, right: &Value) -> Option<bool> {
    let is_known =
        |value: &Value| matches!(value, Value::Int(_) | Value::Bool(_) | Value::None) || value.known_text().is_some();
    match operator {
        _ if !is_known(left) || !is_known(right) => None,
        "Eq" | "Is" => Some(left == right),
        "NotEq" | "IsNot" => Some(left != right),
        _ => None,
    }
}

/// Statuses as `expect` has them.
pub(super) fn status_words(statuses: &[u16]) -> Json {
    let mut words = Vec::new();
    for hundred in 1..6 {
        let of_hundred: Vec<u16> = statuses.iter().copied().filter(|status| status / 100 == hundred).collect();
        if of_hundred.len() == 100 {
            words.push(Json::Text(format!("{hundred}xx")));
        } else {
            words.extend(of_hundred.into_iter().map(|status| number_json(&status.to_string())));
        }
    }
    if words.len() == 1 { words.remove(0) } else { Json::List(words) }
}
