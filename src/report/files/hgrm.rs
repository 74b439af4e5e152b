//! The percentile distribution in the format of `HdrHistogram`'s plotter (`outputPercentileDistribution` in
//! the Java original).

use std::fmt::Write as _;

use crate::report::model::ReportModel;

/// Number of percentiles for each halving of the distance to 100 %, as in the plotter's examples.
const TICKS: u32 = 5;

/// The distribution of all response times, in milliseconds.
#[must_use]
pub fn distribution(model: &ReportModel) -> String {
    let times = model.run.times(|phase| &phase.response);
    let histogram = times.histogram().to_crate();
    let mut text = format!("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    let mut total = 0;
    for step in histogram.iter_quantiles(TICKS) {
        total += step.count_since_last_iteration();
        let (value, quantile) = (step.value_iterated_to() as f64 / 1000.0, step.quantile_iterated_to());
        let _ = write!(text, "{value:12.3} {quantile:2.12} {total:10}");
        if quantile < 1.0 {
            let _ = write!(text, " {:14.2}", 1.0 / (1.0 - quantile));
        }
        text.push('\n');
    }
    let (mean, deviation) = (histogram.mean() / 1000.0, histogram.stdev() / 1000.0);
    let max = times.sum().max_us as f64 / 1000.0;
    let _ = writeln!(text, "#[Mean    = {mean:12.3}, StdDeviation   = {deviation:12.3}]");
    let _ = writeln!(text, "#[Max     = {max:12.3}, Total count    = {:12}]", histogram.len());
    if let Some(warmup) = model.run.warmup() {
        let _ = writeln!(text, "#[Warm-up = {:12}, left out       ]", warmup.counts.completed());
    }
    let _ = writeln!(text, "#[Buckets = {BUCKETS:12}, SubBuckets     = {SUB_BUCKETS:12}]");
    text
}

/// The values for a histogram from 1 µs to 1 h with 3 significant digits.
const BUCKETS: u32 = 22;
const SUB_BUCKETS: u32 = 2048;
