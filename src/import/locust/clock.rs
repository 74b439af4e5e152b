//! Times.

use super::calls::Arguments;
use super::value::{Moment, RunKind, RunValue, TimeForm, Value};

/// `int(time.time())`
pub(super) fn whole_time(moment: Moment) -> Value {
    let code = match (moment.form, moment.offset) {
        (TimeForm::Milliseconds, 0) => "now".to_owned(),
        (TimeForm::Milliseconds, offset) => format!("now({offset:+}s, %s%L)"),
        (_, 0) => "now(%s)".to_owned(),
        (_, offset) => format!("now({offset:+}s, %s)"),
    };
    Value::Run(RunValue::made(code, RunKind::Number))
}

/// A function of `time` or `datetime`.
pub(super) fn clock(path: &str, arguments: &Arguments, line: u32) -> Value {
    let last = path.rsplit('.').next().unwrap_or_default();
    let now = |form| Value::Time(Moment { offset: 0, form });
    match last {
        "time" | "perf_counter" | "monotonic" => now(TimeForm::Seconds),
        "time_ns" => Value::unknown(line, "time in nanoseconds"),
        "today" if path.contains(".date.") => now(TimeForm::Date),
        "now" | "utcnow" | "today" => now(TimeForm::DateTime),
        "strftime" => match arguments.by_place.first().and_then(Value::known_text) {
            Some(format) => super::texts::time_text(Moment { offset: 0, form: TimeForm::DateTime }, &format, line),
            None => Value::unknown(line, "a time in a format that is not known"),
        },
        "timedelta" => {
            const UNITS: [(&str, f64); 5] =
                [("days", 86_400.0), ("seconds", 1.0), ("minutes", 60.0), ("hours", 3600.0), ("weeks", 604_800.0)];
            let mut total = arguments.by_place.first().and_then(Value::number).unwrap_or(0.0) * 86_400.0;
            for (name, value) in &arguments.by_name {
                let unit = UNITS.iter().find(|(unit, _)| unit == name).map(|(_, seconds)| *seconds);
                match unit.zip(value.number()) {
                    Some((unit, number)) => total += unit * number,
                    None => return Value::unknown(line, "a length of time that is not known"),
                }
            }
            Value::Delta(total)
        }
        _ => Value::unknown(line, format!("{path} is not known")),
    }
}
