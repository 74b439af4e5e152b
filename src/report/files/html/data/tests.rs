use std::sync::Arc;

use serde_json::{Value, json, to_value};

use super::*;
use crate::stats::packed::PackedHistogram;
use crate::stats::sum::Sum;

/// A run of so many ticks of a second, with one request each.
fn run(ticks: u64) -> RunData {
    let mut run = RunData::default();
    add(&mut run, 1..=ticks);
    run
}

fn add(run: &mut RunData, ticks: impl Iterator<Item = u64>) {
    for tick in ticks {
        let us = 1000 + tick % 700 * 10;
        let service = PackedTimes { sum: Sum::of(1, us.into(), us, us), histogram: PackedHistogram::of([(us, 1)]) };
        let traffic = PointTraffic { ok: 1, service, ..PointTraffic::default() };
        let (start_ms, end_ms) = (tick * 1000, (tick + 1) * 1000);
        run.timeline.add(tick, Arc::new(Point { start_ms, end_ms, traffic, ..Point::default() }));
    }
}

fn model(run: RunData) -> ReportModel {
    ReportModel { run, ..ReportModel::waiting("plan") }
}

/// The first `keep` values of the columns that a page has, and those that it gets.
fn joined(has: &Value, gets: &Value, keep: usize) -> Value {
    match (has, gets) {
        (Value::Array(has), Value::Array(gets)) => has[..keep].iter().chain(gets).cloned().collect(),
        (Value::String(has), Value::String(gets)) => format!("{}{gets}", &has[..keep]).into(),
        (Value::Object(has), Value::Object(gets)) => {
            assert!(has.keys().eq(gets.keys()), "the same columns");
            has.iter().map(|(key, has)| (key.clone(), joined(has, &gets[key], keep))).collect()
        }
        _ => gets.clone(),
    }
}

/// What a page shows that had `data` and got `update`.
fn updated(data: &Value, update: &Value) -> Value {
    let [keep, keep_heat] = ["keep", "keep_heat"].map(|key| usize::try_from(update[key].as_u64().unwrap()).unwrap());
    let (has, gets) = (&data["heat"], &update["heat"]);
    let kept = has["cells"].as_array().unwrap().iter().filter(|cell| cell[0].as_u64().unwrap() < keep_heat as u64);
    let cells: Value = kept.chain(gets["cells"].as_array().unwrap()).cloned().collect();
    let ends = ["from", "to"].map(|key| joined(&has[key], &gets[key], keep_heat));
    json!({
        "course": joined(&data["course"], &update["course"], keep),
        "heat": {"from": ends[0], "to": ends[1], "edges": gets["edges"], "cells": cells},
    })
}

#[test]
fn beyond_4000_ticks_a_page_that_was_updated_shows_what_a_new_one_does() {
    for (base, now) in [(3998, 4000), (4000, 4001), (3990, 4005), (4001, 4002), (4002, 4102), (7998, 8003)] {
        let before = run(base);
        let mut after = before.clone();
        add(&mut after, base + 1..=now);
        let [before, after] = [before, after].map(model);
        let has: Value = serde_json::from_str(&json_without_endpoints(&before)).unwrap();
        let new: Value = serde_json::from_str(&json_without_endpoints(&after)).unwrap();
        let shows = updated(&has, &to_value(update(&after, Some(&before), None, false)).unwrap());
        assert_eq!(shows["course"], new["course"], "{base} to {now}");
        assert_eq!(shows["heat"], new["heat"], "{base} to {now}");
        let ok = new["course"]["ok"].as_array().unwrap();
        assert!(ok.len() <= 4000 && ok.iter().filter_map(Value::as_u64).sum::<u64>() == now, "{base} to {now}");
    }
}

#[test]
fn the_rows_of_the_heat_map_begin_where_they_say() {
    for wanted in 0..76 {
        let first = first_of_row(wanted);
        assert!(row(first) >= wanted && (first == 1 || row(first - 1) < wanted), "{wanted}");
    }
}
