//! Writing the text format: families of samples, escaped labels, numbers.

use std::fmt::Write as _;

use crate::publish::cumulative::Buckets;

/// The type of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only rises.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Cumulative buckets, a sum and a count.
    Histogram,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// The text so far. A family without samples is left out.
#[derive(Debug, Default)]
pub(super) struct Text {
    written: String,
    /// The head of a family that has no sample yet.
    head: String,
}

impl Text {
    /// Begins a family; its samples follow.
    pub(super) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        self.head = format!("# HELP {name} {help}\n# TYPE {name} {}\n", kind.as_str());
    }

    /// Adds a sample.
    pub(super) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: &str) {
        self.written += &std::mem::take(&mut self.head);
        self.written += name;
        for (at, (label, text)) in labels.iter().enumerate() {
            let before = if at == 0 { '{' } else { ',' };
            let _ = write!(self.written, "{before}{label}=\"{}\"", escaped(text));
        }
        let end = if labels.is_empty() { " " } else { "} " };
        let _ = writeln!(self.written, "{end}{value}");
    }

    /// Adds the samples of a histogram with these upper `bounds` and this `sum`, both in the unit of its name.
    pub(super) fn histogram<const N: usize>(
        &mut self,
        name: &str,
        labels: &[(&str, &str)],
        buckets: &Buckets,
        bounds: [String; N],
        sum: &str,
    ) {
        let bucket = format!("{name}_bucket");
        let ends = buckets.cumulative.iter().copied().chain([buckets.count]);
        for (bound, count) in bounds.into_iter().chain(["+Inf".to_owned()]).zip(ends) {
            let labels: Vec<(&str, &str)> = labels.iter().copied().chain([("le", &*bound)]).collect();
            self.sample(&bucket, &labels, &count.to_string());
        }
        self.sample(&format!("{name}_sum"), labels, sum);
        self.sample(&format!("{name}_count"), labels, &buckets.count.to_string());
    }

    pub(super) fn finish(self) -> String {
        self.written
    }
}

/// The value of a label between its quotes.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

/// Microseconds as seconds, exactly.
pub(super) fn micros(us: impl Into<u128>) -> String {
    parts(us.into(), 1_000_000)
}

/// Microseconds as milliseconds, exactly.
pub(super) fn millis(us: u128) -> String {
    parts(us, 1000)
}

/// A number.
pub(super) fn decimal(value: f64) -> String {
    value.to_string()
}

fn parts(us: u128, unit: u128) -> String {
    let digits = if unit == 1000 { 3 } else { 6 };
    let text = format!("{}.{:0digits$}", us / unit, us % unit);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_and_as_short_as_others_write_bounds() {
        for (us, seconds) in
            [(500_u32, "0.0005"), (2_500_000, "2.5"), (60_000_000, "60"), (0, "0"), (10_000_001, "10.000001")]
        {
            assert_eq!(micros(u64::from(us)), seconds);
        }
        assert_eq!((millis(7_500_000), millis(1), millis(u128::from(u64::MAX))).1, "0.001");
        assert_eq!(micros(u128::from(u64::MAX)), "18446744073709.551615");
    }

    #[test]
    fn labels_are_escaped_and_empty_families_are_left_out() {
        let mut text = Text::default();
        text.family("nothing", Kind::Gauge, "None.");
        text.family("some_total", Kind::Counter, "Some.");
        text.sample("some_total", &[("name", "a\"b\\c\nd\u{1f41d}"), ("other", "")], "3");
        text.sample("some_total", &[], "4");
        let wanted = "# HELP some_total Some.\n# TYPE some_total counter\n\
             some_total{name=\"a\\\"b\\\\c\\nd\u{1f41d}\",other=\"\"} 3\nsome_total 4\n";
        assert_eq!(text.finish(), wanted);
    }
}
