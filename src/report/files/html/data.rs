//! The data behind a page's charts, as JSON: columns instead of rows, and times in whole microseconds.

use serde::Serialize;

use crate::report::model::timeline::{Point, PointTraffic};
use crate::report::model::{EndpointSeen, ReportModel, RunData};
use crate::stats::packed::PackedTimes;
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

/// What has changed since a page got its data. The page keeps the first `keep` points and columns of what it has.
#[derive(Serialize)]
pub(super) struct DataUpdate {
    keep: usize,
    course: Columns,
    keep_heat: usize,
    heat: HeatMap,
    spectrum: PercentileCurves,
    /// The endpoint that was asked for; `null` for all of them.
    endpoint: Option<Columns>,
    /// All endpoints, when there will be no further update.
    endpoints: Option<Vec<Columns>>,
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
    let points: Vec<&Point> = run.timeline.points().collect();
    let start_ms = start_ms(&points);
    let data = PageData {
        course: course(&points, 0),
        endpoints: endpoints(run, start_ms),
        heat: heat(&points, 0),
        spectrum: spectrum(run),
    };
    serde_json::to_string(&data).unwrap_or_else(|why| unreachable!("numbers and texts are JSON: {why}"))
}

fn endpoints(run: &RunData, start_ms: u64) -> Vec<Columns> {
    let most = MAX_ENDPOINT_POINTS / run.endpoints.len().max(1);
    run.endpoints.iter().map(|endpoint| of_endpoint(endpoint, most, start_ms)).collect()
}

/// The data of a page that gets that of an endpoint when it is chosen.
pub(super) fn json_without_endpoints(model: &ReportModel) -> String {
    let DataUpdate { course, heat, spectrum, .. } = update(model, None, None, false);
    let data = PageData { course, endpoints: Vec::new(), heat, spectrum };
    serde_json::to_string(&data).unwrap_or_else(|why| unreachable!("numbers and texts are JSON: {why}"))
}

/// What a page that has the data of `base` needs for those of `model`, and the data of one endpoint or, in the last update, of
/// all.
pub(super) fn update(
    model: &ReportModel,
    base: Option<&ReportModel>,
    endpoint: Option<usize>,
    is_last: bool,
) -> DataUpdate {
    let run = &model.run;
    let points: Vec<&Point> = run.timeline.points().collect();
    let base: Vec<&Point> = base.map(|base| base.run.timeline.points().collect()).unwrap_or_default();
    let keep = kept(&points, &base);
    // Columns of the heat map: those whose points are all kept, if they join as many and have the same rows.
    let (now, before) = (HeatGrid::of(&points), HeatGrid::of(&base));
    let keep_heat = if now == before { keep / now.together } else { 0 };
    let endpoint = endpoint.and_then(|at| run.endpoints.get(at));
    DataUpdate {
        keep,
        course: course(&points, keep),
        keep_heat,
        heat: heat(&points, keep_heat),
        spectrum: spectrum(run),
        endpoint: endpoint.map(|endpoint| of_endpoint(endpoint, MAX_ENDPOINT_POINTS, start_ms(&points))),
        endpoints: is_last.then(|| endpoints(run, start_ms(&points))),
    }
}

/// How many of the first points a page with the points of `base` has already. Points that did not change are the same in
/// memory: models of a run share them.
fn kept(points: &[&Point], base: &[&Point]) -> usize {
    if ColumnSet::of(points) != ColumnSet::of(base) {
        return 0;
    }
    points.iter().zip(base).take_while(|(point, base)| std::ptr::eq(**point, **base)).count()
}

/// The milliseconds at which the first point starts.
fn start_ms(points: &[&Point]) -> u64 {
    points.first().map_or(0, |point| point.start_ms)
}

/// The columns of all requests, from a point on.
fn course(points: &[&Point], from: usize) -> Columns {
    let rest = &points[from..];
    Columns { gauges: Some(gauges(rest)), ..columns(rest, ColumnSet::of(points), start_ms(points)) }
}

/// Columns that not every run has.
#[derive(Clone, Copy, PartialEq, Eq)]
struct ColumnSet {
    own_response: bool,
    arrivals: bool,
}

impl ColumnSet {
    fn of(points: &[&Point]) -> Self {
        Self {
            own_response: points.iter().any(|point| point.traffic.response.is_some()),
            arrivals: points.iter().any(|point| point.arrivals.is_some()),
        }
    }
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
    let points: Vec<&Point> = points.iter().collect();
    columns(&points, ColumnSet::of(&points), start_ms)
}

fn columns(points: &[&Point], set: ColumnSet, start_ms: u64) -> Columns {
    let mut columns = Columns {
        service: set.own_response.then(Percentiles::default),
        arrivals: set.arrivals.then(Vec::new),
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

/// How many points a column of the heat map joins, and which rows it has.
#[derive(Clone, Copy, PartialEq, Eq)]
struct HeatGrid {
    together: usize,
    low: i32,
    high: i32,
}

impl HeatGrid {
    fn of(points: &[&Point]) -> Self {
        let times = points.iter().map(|point| &point.traffic.response().histogram);
        let ends = times.flat_map(|times| [times.percentile_us(0), times.percentile_us(1_000_000)]);
        let ends = ends.filter(|us| *us > 0).fold((u64::MAX, 0), |ends, us| (ends.0.min(us), ends.1.max(us)));
        let (low, high) = if ends.1 == 0 { (1, 1000) } else { ends };
        Self { together: points.len().div_ceil(MAX_HEAT_COLUMNS).max(1), low: row(low), high: row(high) + 1 }
    }
}

/// The heat map from a column on.
fn heat(points: &[&Point], from: usize) -> HeatMap {
    let HeatGrid { together, low, high } = HeatGrid::of(points);
    let start_ms = start_ms(points);
    let edges: Vec<f64> = (low..=high).map(|row| 10_f64.powf(f64::from(row) / f64::from(ROWS_PER_POWER))).collect();
    let mut heat = HeatMap { from: Vec::new(), to: Vec::new(), edges, cells: Vec::new() };
    for (place, chunk) in points.chunks(together).enumerate().skip(from) {
        let (Some(first), Some(last)) = (chunk.first(), chunk.last()) else { continue };
        heat.from.push(seconds(first.start_ms, start_ms));
        heat.to.push(seconds(last.end_ms, start_ms));
        let mut counts = vec![0; heat.edges.len()];
        for (us, count) in chunk.iter().flat_map(|point| point.traffic.response().histogram.iter()) {
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
        Phase::Warmup => 'w',
        Phase::Ramp => 'r',
        Phase::Steady => 's',
        Phase::Down => 'd',
        Phase::Drain => 'e',
    }
}
