//! Numbers and objects pass through as written. Expected values are the texts themselves; numbers are equal where
//! Python's `Decimal(a) == Decimal(b)` is true.

use serde_json::json;

use super::Scenario;
use crate::server::{OK, Server};
use crate::support::{Scratch, load, target};

/// 30 digits, of which a float keeps 17.
const LONG: &str = "123456789012345678901234567890";

/// A response with this JSON text.
fn response(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

#[test]
fn extracted_values_keep_their_digits_and_their_order() {
    let body = format!(
        "\u{feff}{{\"price\": 1.10, \"id\": {LONG}, \"small\": 1E-7, \"order\": {{\"z\": 1.0, \"a\": [ 2e0,\n 3 ]}}, \
         \"twice\": 1, \"text\": \"\\u00fc\\n\\\"\", \"twice\": 2.50}}"
    );
    let server = Server::start(move |mut peer| {
        while let Some(request) = peer.read() {
            peer.send(if request.line() == "GET /give" { response(&body) } else { OK.to_owned() });
        }
    });
    let names = ["price", "id", "small", "order", "twice", "text"];
    let extract: serde_json::Map<_, _> =
        names.iter().map(|name| ((*name).to_owned(), json!({"json": format!("/{name}")}))).collect();
    let task = json!({ "tasks": [{ "requests": [
        { "get": "/give", "extract": extract },
        { "post": "/take", "json": {"z": "${number(price)}", "id": "${number(id)}", "a": "${order}", "t": "${text}"} },
        { "post": "/raw", "body": "[${price},${id},${small}]${order}${twice}" },
        { "get": "/path/${price}/${id}" },
    ]}]});
    Scenario::of_class("digits-extract", &task).run(&server, &["-n", "4"]).exits(0);
    let bodies: Vec<String> =
        server.requests().iter().map(|request| String::from_utf8(request.body.clone()).unwrap()).collect();
    assert_eq!(bodies[1], format!(r#"{{"a":"{{\"z\":1.0,\"a\":[2e0,3]}}","id":{LONG},"t":"ü\n\"","z":1.10}}"#));
    assert_eq!(bodies[2], format!(r#"[1.10,{LONG},1E-7]{{"z":1.0,"a":[2e0,3]}}2.50"#));
    assert_eq!(server.request_lines()[3], format!("GET /path/1.10/{LONG}"));
}

#[test]
fn values_of_a_scenario_and_its_data_are_sent_with_their_digits_in_their_order() {
    let server = Server::responding(OK);
    let scratch = Scratch::new("digits-scenario");
    scratch.write("d.json", format!("\u{feff}[{{\"b\":1.10,\"a\":{LONG}}}]"));
    scratch.write("d.ndjson", "\u{feff}{\"b\":-0.0,\"a\":1E+2}\n");
    let file = scratch.write(
        "s.json",
        format!(
            "\u{feff}{{\"variables\": {{\"v\": 2.50, \"w\": {LONG}}}, \
              \"data\": {{\"d\": {{\"json\": \"d.json\"}}, \"n\": {{\"ndjson\": \"d.ndjson\"}}}}, \
              \"user_classes\": [{{\"tasks\": [{{\"requests\": [ \
                {{\"post\": \"/a\", \"json\": {{\"z\": 1.10, \"a\": [{LONG}, 1E2, -0, 0.1e-3], \"m\": {{\"y\": 1, \"b\": 2}}}}}}, \
                {{\"post\": \"/b\", \"form\": {{\"z\": 1.10, \"a\": {LONG}}}}}, \
                {{\"post\": \"/c\", \"json\": [\"${{number(d.b)}}\", \"${{number(d.a)}}\", \"${{number(n.b)}}\", \
                   \"${{number(n.a)}}\", \"${{number(v)}}\", \"${{number(w)}}\"]}}]}}]}}]}}"
        ),
    );
    let run = crate::process::run(&server, &["-n", "3", "-f", &file]);
    run.exits(0);
    let bodies: Vec<String> =
        server.requests().iter().map(|request| String::from_utf8(request.body.clone()).unwrap()).collect();
    assert_eq!(bodies[0], format!(r#"{{"z":1.10,"a":[{LONG},1E2,-0,0.1e-3],"m":{{"y":1,"b":2}}}}"#));
    assert_eq!(bodies[1], format!("z=1.10&a={LONG}"));
    assert_eq!(bodies[2], format!("[1.10,{LONG},-0.0,1E+2,2.50,{LONG}]"));
}

#[test]
fn a_json_body_from_the_command_line_is_sent_unchanged_without_a_byte_order_mark() {
    let server = Server::responding(OK);
    let scratch = Scratch::new("digits-body");
    let text = format!("{{ \"z\": 1.10,\n \"a\": {LONG} }}\n");
    let file = format!("@{}", scratch.write("body.json", format!("\u{feff}{text}")));
    crate::process::run(&server, &["-n", "1", "--json", &file, "/"]).exits(0);
    assert_eq!(server.requests()[0].body, text.as_bytes());
    // --data is sent byte for byte, as by curl's --data-binary.
    crate::process::run(&server, &["-n", "1", "-d", &file, "/"]).exits(0);
    assert_eq!(server.requests()[1].body, format!("\u{feff}{text}").as_bytes());
}

#[test]
fn a_list_of_requests_may_begin_with_a_byte_order_mark() {
    let (target, scratch) = (target(), Scratch::new("marked-list"));
    let list = format!("@{}", scratch.write("list", "\u{feff}GET /ok\r\n"));
    let run = load(&target, ["-n", "2", &list]).finish().exits(0);
    assert_eq!(run.stream().run_end().count("ok"), 2);
}

#[test]
fn numbers_are_compared_by_their_decimal_value_of_any_length() {
    let other = LONG.replace("890", "891");
    let body = format!(r#"{{"n":{LONG},"seven":7,"list":[1.0,{{"b":2,"a":70e-1}}],"tiny":1e-400}}"#);
    for (number, (at, wanted, is_met)) in [
        ("/n", LONG, true),
        ("/n", &*other, false),
        ("/n", &*format!("{LONG}.0"), true),
        ("/n", "123456789012345678901234567890e0", true),
        ("/n", "1.2345678901234567890123456789e29", true),
        ("/n", "1.23456789012345678e29", false),
        ("/seven", "7.0", true),
        ("/seven", "7e0", true),
        ("/seven", "0.7E+1", true),
        ("/seven", "\"7\"", false),
        ("/list", r#"[1,{"a":7,"b":2.00}]"#, true),
        ("/tiny", "10e-401", true),
        ("/tiny", "0", false),
    ]
    .into_iter()
    .enumerate()
    {
        let body = body.clone();
        let server = Server::start(move |mut peer| while peer.respond(response(&body)) {});
        let scratch = Scratch::new(&format!("digits-expect-{number}"));
        let text = format!(
            r#"{{"user_classes": [{{"tasks": [{{"requests": [{{"get": "/",
                "expect": {{"json": {{"{at}": {{"equals": {wanted}}}}}}}}}]}}]}}]}}"#
        );
        let run = crate::process::run(&server, &["-n", "1", "-f", &scratch.write("s.json", text)]);
        let run = run.exits(i32::from(!is_met));
        assert_eq!(run.count("ok") == 1, is_met, "{at} is {wanted}");
    }
}
