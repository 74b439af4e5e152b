//! The data behind a page's charts, as JSON: columns instead of rows, and times in whole microseconds.

use serde::Serialize;

use crate::report::model::timeline::{Point, PointTraffic};
use crate::report::model::{EndpointSeen, ReportModel, RunData};
use crate::stats::packed::{PackedHistogram, PackedTimes};
use crate::stats::times::Times;
use crate::vocabulary::Phase;

/// Maximum number of columns of the heat map: a column is 4 pixels wide on a large screen.
const MAX_HEAT_COLUMNS: usize = 240;

/// Rows of the heat map per power of ten.
const ROWS_PER_POWER: i32 = 8;

/// Maximum number of points of all endpoints in a page, which keeps it below 2 MB.
const MAX_ENDPOINT_POINTS: usize = 8000;

/// Points of the percentile plot per power of ten of 1 / (1 − q).
const POINTS_PER_POWER: i32 = 20;

#[derive(Serialize)]
struct PageData {
    course: Columns,
    endpoints: Vec<Columns>,
    heat: HeatMap,
    spectrum: PercentileCurves,
}

/// The values over time as columns, with one value per point. Seconds are relative to the start of the first
/// point.
#[derive(Default, Serialize)]
struct Columns {
    from: Vec<f64>,
    to: Vec<f64>,
    /// One letter per point.
    phase: String,
    ok: Vec<u64>,
    failed: Vec<u64>,
    sent: Vec<u64>,
    received: Vec<u64>,
    response: Percentiles,
    /// Left out if every response time equals the service time.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<Percentiles>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arrivals: Option<Vec<Option<f64>>>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    gauges: Option<GaugeColumns>,
}

/// Microseconds; `None` if no request ended.
#[derive(Default, Serialize)]
struct Percentiles {
    p50: Vec<Option<u64>>,
    p95: Vec<Option<u64>>,
    p99: Vec<Option<u64>>,
}

/// `None` if the line with the value was lost.
#[derive(Serialize)]
struct GaugeColumns {
    users: Vec<u32>,
    wanted: Vec<Option<u64>>,
    in_flight: Vec<Option<u64>>,
    cpu: Vec<f64>,
    lateness: Lateness,
}

#[derive(Serialize)]
struct Lateness {
    p50: Vec<Option<u64>>,
    p99: Vec<Option<u64>>,
    max: Vec<Option<u64>>,
}

/// The number of requests by response time and time of the run.
#[derive(Serialize)]
struct HeatMap {
    from: Vec<f64>,
    to: Vec<f64>,
    /// Boundaries of the rows in microseconds, one more than there are rows.
    edges: Vec<f64>,
    /// Column, row, count.
    cells: Vec<(usize, usize, u64)>,
}

/// 1 / (1 − q) and the time in microseconds at that quantile.
#[derive(Serialize)]
struct PercentileCurves {
    response: Vec<(f64, u64)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<Vec<(f64, u64)>>,
}

/// The data of a page.
pub(super) fn json(model: &ReportModel) -> String {
    let run = &model.run;
    let start_ms = run.timeline.points().next().map_or(0, |point| point.start_ms);
    let points: Vec<&Point> = run.timeline.points().collect();
    let most = MAX_ENDPOINT_POINTS / run.endpoints.len().max(1);
    let data = PageData {
        course: Columns { gauges: Some(gauges(&points)), ..columns(&points, start_ms) },
        endpoints: run.endpoints.iter().map(|endpoint| of_endpoint(endpoint, most, start_ms)).collect(),
        heat: heat(&points, start_ms),
        spectrum: spectrum(run),
    };
    serde_json::to_string(&data).unwrap_or_else(|why| unreachable!("numbers and texts are JSON: {why}"))
}

fn of_endpoint(endpoint: &EndpointSeen, most: usize, start_ms: u64) -> Columns {
    let mut timeline = endpoint.timeline.clone();
    timeline.limit(most);
    // There is no line for an interval in which an endpoint was not used: nothing happened.
    let mut points: Vec<Point> = Vec::new();
    for point in timeline.points() {
        let before = points.last().map_or(point.start_ms, |point| point.end_ms);
        if point.start_ms > before {
            points.push(Point { start_ms: before, end_ms: point.start_ms, phase: point.phase, ..Point::default() });
        }
        points.push(point.clone());
    }
    columns(&points.iter().collect::<Vec<_>>(), start_ms)
}

fn columns(points: &[&Point], start_ms: u64) -> Columns {
    let own_response = points.iter().any(|point| point.traffic.response.is_some());
    let has_arrivals = points.iter().any(|point| point.arrivals.is_some());
    let mut columns = Columns {
        service: own_response.then(Percentiles::default),
        arrivals: has_arrivals.then(Vec::new),
        ..Columns::default()
    };
    for point in points {
        columns.from.push(seconds(point.start_ms, start_ms));
        columns.to.push(seconds(point.end_ms, start_ms));
        columns.phase.push(letter(point.phase));
        let PointTraffic { ok, failed, bytes_sent, bytes_received, .. } = point.traffic;
        columns.ok.push(ok);
        columns.failed.push(failed);
        columns.sent.push(bytes_sent);
        columns.received.push(bytes_received);
        columns.response.push(point.traffic.response());
        if let Some(service) = &mut columns.service {
            service.push(&point.traffic.service);
        }
        if let Some(arrivals) = &mut columns.arrivals {
            arrivals.push(point.arrivals.map(|arrivals| (arrivals * 10.0).round() / 10.0));
        }
    }
    columns
}

impl Percentiles {
    fn push(&mut self, times: &PackedTimes) {
        let at = |per_million| (times.sum.count > 0).then(|| times.percentile_us(per_million));
        self.p50.push(at(500_000));
        self.p95.push(at(950_000));
        self.p99.push(at(990_000));
    }
}

fn gauges(points: &[&Point]) -> GaugeColumns {
    let of = |value: fn(&Point) -> u64| points.iter().map(|point| point.has_health.then(|| value(point))).collect();
    GaugeColumns {
        users: points.iter().map(|point| point.gauges.users).collect(),
        wanted: of(|point| point.gauges.users_wanted.into()),
        in_flight: of(|point| point.gauges.in_flight),
        cpu: points.iter().map(|point| (point.gauges.cpu_percent * 10.0).round() / 10.0).collect(),
        lateness: Lateness {
            p50: of(|point| point.gauges.lateness_p50_us),
            p99: of(|point| point.gauges.lateness_p99_us),
            max: of(|point| point.gauges.lateness_max_us),
        },
    }
}

fn heat(points: &[&Point], start_ms: u64) -> HeatMap {
    let together = points.len().div_ceil(MAX_HEAT_COLUMNS).max(1);
    let mut heat = HeatMap { from: Vec::new(), to: Vec::new(), edges: Vec::new(), cells: Vec::new() };
    let mut columns: Vec<PackedHistogram> = Vec::new();
    for chunk in points.chunks(together) {
        let (Some(first), Some(last)) = (chunk.first(), chunk.last()) else { continue };
        heat.from.push(seconds(first.start_ms, start_ms));
        heat.to.push(seconds(last.end_ms, start_ms));
        let mut sum = PackedHistogram::default();
        for point in chunk {
            sum.add(&point.traffic.response().histogram);
        }
        columns.push(sum);
    }
    let ends = columns.iter().flat_map(|column| [column.percentile_us(0), column.percentile_us(1_000_000)]);
    let ends = ends.filter(|us| *us > 0).fold((u64::MAX, 0), |ends, us| (ends.0.min(us), ends.1.max(us)));
    let (low, high) = if ends.1 == 0 { (1, 1000) } else { ends };
    let (low, high) = (row(low), row(high) + 1);
    heat.edges = (low..=high).map(|row| 10_f64.powf(f64::from(row) / f64::from(ROWS_PER_POWER))).collect();
    for (place, column) in columns.iter().enumerate() {
        let mut counts = vec![0; heat.edges.len()];
        for (us, count) in column.iter() {
            counts[usize::try_from(row(us) - low).unwrap_or(0)] += count;
        }
        let used = counts.into_iter().enumerate().filter(|(_, count)| *count > 0);
        heat.cells.extend(used.map(|(row, count)| (place, row, count)));
    }
    heat
}

/// The row of the heat map, counted from 1 µs.
#[allow(clippy::cast_possible_truncation, reason = "an hour is in row 76")]
fn row(us: u64) -> i32 {
    ((us.max(1) as f64).log10() * f64::from(ROWS_PER_POWER)).floor() as i32
}

fn spectrum(run: &RunData) -> PercentileCurves {
    let (response, service) = (run.times(|phase| &phase.response), run.times(|phase| &phase.service));
    let own_response = run.timeline.points().any(|point| point.traffic.response.is_some());
    PercentileCurves { response: quantile_points(&response), service: own_response.then(|| quantile_points(&service)) }
}

/// The quantiles of times on a logarithmic grid of 1 / (1 − q), as far as the number of times allows.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank that is at most the count")]
fn quantile_points(times: &Times) -> Vec<(f64, u64)> {
    let count = times.sum().count;
    let mut places = Vec::new();
    for step in 0.. {
        let rarity = 10_f64.powf(f64::from(step) / f64::from(POINTS_PER_POWER));
        if rarity > count.max(1) as f64 {
            break;
        }
        let place = ((1.0 - 1.0 / rarity) * count as f64).ceil() as u64;
        places.push(((rarity * 1e4).round() / 1e4, times.value_at_rank_us(place.clamp(1, count.max(1)))));
    }
    if count > 0 {
        places.push((count as f64, times.sum().max_us));
    }
    places
}

fn seconds(ms: u64, start_ms: u64) -> f64 {
    ms.saturating_sub(start_ms) as f64 / 1000.0
}

const fn letter(phase: Phase) -> char {
    match phase {
        Phase::Ramp => 'r',
        Phase::Steady => 's',
        Phase::Down => 'd',
        Phase::Drain => 'e',
    }
}
