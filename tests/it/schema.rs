//! The schema is strict: it refuses everything that is not promised, with a helpful message.

use serde_json::{Value, json};

use crate::support::lines::{Line, schema_errors};
use crate::support::{Run, load, target};

/// One line of each kind from a run with a failing endpoint; cpu.warning and histogram are derived from other lines.
fn one_of_each_kind() -> Vec<Line> {
    let target = target();
    let run = load(&target, ["-n", "20", "-u", "2", "-r", "1000", "--check", "requests == 20", "/ok", "/status/500"]);
    let stream = run.finish().exits(1).stream();
    let mut found: Vec<Line> = Vec::new();
    for line in stream.0 {
        if found.iter().all(|known| known.kind() != line.kind()) {
            found.push(line);
        }
    }
    let mut warning = found.iter().find(|line| line.kind() == "mem").unwrap().clone();
    let name = "locust.tl.event.cpu.warning";
    warning.0["level"] = json!("WARNING");
    warning.0["message"] = json!(format!("Recording telemetry event: {name}"));
    let telemetry = &mut warning.0["telemetry"];
    (telemetry["telemetry_type"], telemetry["telemetry_name"]) = (json!("event"), json!(name));
    (telemetry["value"], telemetry["unit"]) = (json!(97.5), json!("percent"));
    found.push(warning);
    // A run writes one only for a histogram that does not fit its line.
    let mut piece = found.iter().find(|line| line.kind() == "interval").unwrap().clone();
    let name = "swarmline.metric.histogram";
    piece.0["message"] = json!(format!("Recording telemetry metrics: {name}"));
    let telemetry = piece.0["telemetry"].as_object_mut().unwrap();
    let own = ["interval_start", "interval_end", "method", "name", "tick", "seq", "source", "source_id", "run_id"];
    telemetry.retain(|key, _| own.contains(&key.as_str()) || key.starts_with("te"));
    let more = json!({"telemetry_name": name, "kind": "service", "part": 1, "parts": 2, "histogram": "HISTFA=="});
    telemetry.extend(more.as_object().unwrap().clone());
    found.push(piece);
    found
}

#[test]
fn the_schema_is_itself_valid_and_describes_every_property() {
    let schema: Value = serde_json::from_str(swarmline::telemetry::SCHEMA).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    let bare = undescribed(&schema, "");
    assert!(bare.is_empty(), "properties without description: {bare:?}");
}

/// Properties without a description that are defined here, not merely narrowed in a condition.
fn undescribed(schema: &Value, path: &str) -> Vec<String> {
    let Some(object) = schema.as_object() else { return Vec::new() };
    let mut bare = Vec::new();
    for (key, part) in object {
        let here = format!("{path}/{key}");
        match key.as_str() {
            // These select a line or narrow a key that is described elsewhere.
            "if" | "then" | "else" | "allOf" => {}
            "properties" => {
                for (name, property) in part.as_object().unwrap() {
                    // A $ref to a described definition, and a narrowing of a key that the definition describes.
                    let narrows = property.get("const").is_some() && property.get("description").is_none();
                    let narrows = narrows || property.get("type").is_none() && property.get("minimum").is_some();
                    let referred = property["$ref"].as_str() == Some("#/$defs/tick");
                    let condition = here.starts_with("/$defs/is_");
                    if property.get("description").is_none() && !narrows && !referred && !condition {
                        bare.push(format!("{here}/{name}"));
                    }
                }
            }
            _ => bare.extend(undescribed(part, &here)),
        }
    }
    bare
}

#[test]
fn a_key_that_is_missing_or_misspelt_fails() {
    for line in one_of_each_kind() {
        assert_eq!(schema_errors(&line.0), Vec::<String>::new(), "{}", line.0);
        for part in ["", "/telemetry"] {
            let keys: Vec<String> = line.0.pointer(part).unwrap().as_object().unwrap().keys().cloned().collect();
            let may_be_missing =
                ["memory_limit_bytes", "service_histogram", "first_byte_histogram", "failed_service_us"];
            for key in keys.iter().filter(|key| !may_be_missing.contains(&key.as_str())) {
                let mut missing = line.0.clone();
                let value = missing.pointer_mut(part).unwrap().as_object_mut().unwrap().remove(key).unwrap();
                assert!(!schema_errors(&missing).is_empty(), "{part}/{key} may be missing: {missing}");
                let mut misspelt = line.0.clone();
                misspelt.pointer_mut(part).unwrap()[format!("{key}_")] = value;
                assert!(!schema_errors(&misspelt).is_empty(), "{part}/{key}_ may be there: {misspelt}");
            }
        }
    }
}

#[test]
fn a_value_of_another_type_fails() {
    for line in one_of_each_kind() {
        for (key, value) in line.0["telemetry"].as_object().unwrap() {
            let mut wrong = vec![json!(null), json!({"x": "y"}), json!(-1), json!(-0.5)];
            wrong.push(if value.is_string() { json!(7) } else { json!("") });
            for wrong_value in wrong {
                let mut line = line.0.clone();
                line["telemetry"][key] = wrong_value;
                assert!(!schema_errors(&line).is_empty(), "{key}: {line}");
            }
        }
    }
}

#[test]
fn inconsistent_values_fail() {
    let lines = one_of_each_kind();
    let line = |kind: &str| lines.iter().find(|line| line.kind() == kind).unwrap().0.clone();
    for (kind, pointer, wrong) in [
        ("test.start", "/time", json!("2026-11-22T21:00:23Z")),
        ("test.start", "/time", json!("2026-13-22T21:00:23.000Z")),
        ("test.start", "/level", json!("WARNING")),
        ("test.start", "/name", json!("swarmline")),
        ("run.end", "/name", json!("locust_telemetry.recorders.json.handlers")),
        ("test.start", "/message", json!("Recording telemetry event: locust.tl.event.test.stop")),
        ("test.start", "/telemetry/telemetry_type", json!("metrics")),
        ("test.start", "/telemetry/source", json!("Runner")),
        ("test.start", "/telemetry/source_id", json!("worker-1")),
        ("test.start", "/telemetry/run_id", json!("a b")),
        ("test.start", "/telemetry/testplan", json!("x".repeat(129))),
        ("test.stop", "/telemetry/reason", json!("boredom")),
        ("network", "/telemetry/unit", json!("MiB")),
        ("network", "/telemetry/value", json!(1.5)),
        ("network", "/telemetry/direction", json!("up")),
        ("stats final", "/telemetry/name", json!("other")),
        ("stats final", "/telemetry/num_requests", json!(1.5)),
        ("stats endpoint error", "/telemetry/error", json!("http_6xx: 600")),
        ("stats endpoint error", "/telemetry/name", json!("x".repeat(513))),
        ("config", "/telemetry/plan_hash", json!("00")),
        ("config", "/telemetry/settings/0/origin", json!("guess")),
        ("run.end", "/telemetry/verdict", json!("fine")),
        ("run.end", "/telemetry/exit_code", json!(256)),
    ] {
        let mut line = line(kind);
        *line.pointer_mut(pointer).unwrap() = wrong;
        assert!(!schema_errors(&line).is_empty(), "{pointer} of {kind}");
    }
    let mut worker = line("test.start");
    worker["telemetry"]["source"] = json!("WorkerRunner");
    worker["telemetry"]["source_id"] = json!("worker-12");
    assert_eq!(schema_errors(&worker), Vec::<String>::new());
}

#[test]
fn a_schema_error_names_the_key() {
    let mut line = one_of_each_kind().into_iter().find(|line| line.kind() == "stats current").unwrap().0;
    line["telemetry"]["num_requestz"] = json!(1);
    let message = schema_errors(&line).join("\n");
    assert!(message.contains("/telemetry") && message.contains("num_requestz"), "{message}");
}

#[test]
fn the_command_prints_the_schema() {
    let printed = Run::new(["schema"]).finish().exits(0);
    assert_eq!(printed.text(), swarmline::telemetry::SCHEMA);
    assert_eq!(printed.stderr, "");
}
