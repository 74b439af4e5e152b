//! OpenAPI documents: a request for each operation, from the document's examples.

use serde_json::{Value, json};

use super::import;
use crate::support::{Run, Scratch};

fn corpus(name: &str) -> String {
    format!("{}/tests/corpus/openapi/{name}.json", env!("CARGO_MANIFEST_DIR"))
}

fn scenario(name: &str) -> (Value, String) {
    let finished = import(&[&corpus(name)]).exits(0);
    (serde_json::from_slice(&finished.stdout).unwrap(), finished.stderr.clone())
}

fn task(scenario: &Value, at: usize) -> &Value {
    &scenario["user_classes"][0]["tasks"][at]
}

#[test]
fn each_operation_is_a_task_with_the_examples_of_its_parameters() {
    let (scenario, stderr) = scenario("parameters");
    assert_eq!((&scenario["host"], stderr.as_str()), (&json!("http://127.0.0.1:${raw(port)}/v1"), ""));
    assert_eq!(scenario["variables"], json!({"port": "18080"}));
    let first = task(&scenario, 0);
    assert_eq!((&first["name"], &first["tags"]), (&json!("listPets"), &json!(["pets"])));
    let request = json!({
        "get": "/pets?limit=20&status=sold&status=new&ids=1,2&filter%5Bname%5D=rex&filter%5Bage%5D=3",
        "name": "/pets",
        "headers": {"Accept": "application/json", "X-Request-Id": "r-1", "Cookie": "theme=dark"},
        "expect": {"status": 200},
    });
    assert_eq!(first["requests"][0], request);
    assert_eq!(task(&scenario, 1)["requests"][0]["get"], "/pets/7", "a parameter of the path");
    assert_eq!(task(&scenario, 2)["requests"][0]["expect"], json!({"status": 204}));
    let photo = &task(&scenario, 3)["requests"][0];
    assert_eq!(
        (&photo["get"], &photo["name"]),
        (&json!("/pets/3/photos/a%20b%2Fc"), &json!("/pets/:petId/photos/:name"))
    );
    assert_eq!(task(&scenario, 3)["name"], "GET /pets/{petId}/photos/{name}", "without an operationId");
}

#[test]
fn bodies_come_from_examples_or_fit_their_schema() {
    let (scenario, stderr) = scenario("bodies");
    assert_eq!(stderr, "");
    let request = |at: usize| task(&scenario, at)["requests"][0].clone();
    assert_eq!(request(0)["json"], json!({"name": "rex", "n": 1.10, "tags": ["a"]}));
    assert_eq!(request(0)["expect"], json!({"status": [201, 200]}));
    // What is read-only is not sent, and what contains itself ends.
    let pet =
        json!({"name": "rex", "kind": "dog", "born": "2020-01-02", "owner": {"email": "amy@example.com", "pets": []}});
    assert_eq!(request(1)["json"], pet);
    assert_eq!(request(2)["form"], json!({"name": "rex & co", "age": "3"}));
    assert_eq!(
        request(3)["multipart"],
        json!([{"name": "title", "value": "A photo"}, {"name": "count", "value": "2"}])
    );
    assert_eq!(
        (&request(4)["body"], &request(4)["headers"]["Content-Type"]),
        (&json!("some text"), &json!("text/plain"))
    );
    assert_eq!(
        (&request(5)["json"], &request(5)["headers"]["Content-Type"]),
        (&json!({"a": 1}), &json!("application/merge-patch+json"))
    );
}

#[test]
fn security_is_read_from_the_environment() {
    let (scenario, stderr) = scenario("security");
    let headers = |at: usize, name: &str| task(&scenario, at)["requests"][0]["headers"][name].clone();
    assert_eq!(headers(0, "Authorization"), "Bearer ${env.BEARER}");
    assert_eq!(headers(1, "Authorization"), Value::Null, "an operation without security");
    assert_eq!(headers(2, "Authorization"), "Basic ${env.BASIC}");
    assert_eq!(headers(3, "X-Api-Key"), "${env.KEY}");
    assert_eq!(task(&scenario, 4)["requests"][0]["get"], "/query?api_key=${env.QUERYKEY}");
    assert_eq!(headers(5, "Authorization"), "Bearer ${env.OAUTH}");
    assert_eq!(stderr.lines().count(), 5, "{stderr}");
    assert!(stderr.contains("security basic: set BASIC to NAME:PASSWORD in base64 before the run"), "{stderr}");
}

#[test]
fn version_3_1_has_its_own_keywords() {
    let (scenario, stderr) = scenario("version-3.1");
    assert_eq!(scenario["host"], "http://127.0.0.1:18080/api");
    assert_eq!(task(&scenario, 0)["requests"][0]["put"], "/nodes/n-1");
    assert_eq!(task(&scenario, 0)["requests"][0]["json"], json!({"name": "root", "next": null, "children": []}));
    assert_eq!(task(&scenario, 1)["requests"][0]["get"], "/search?q=blue%20shoes&n=5");
    assert_eq!(stderr, "swarmline: import: webhooks: left out, they are requests of the API\n");
}

#[test]
fn a_document_without_a_host_needs_one() {
    let scratch = Scratch::new("openapi-relative");
    let document =
        json!({"openapi": "3.0.0", "servers": [{"url": "/v1"}], "paths": {"/a": {"get": {"responses": {}}}}});
    let file = scratch.write("api.json", document.to_string());
    let printed = import(&[&file]).exits(0);
    assert_eq!(
        printed.stderr,
        "swarmline: import: servers: the document names no host, pass --host to swarmline run\n"
    );
    let path = scratch.write("scenario.json", &printed.stdout);
    Run::new(["run", "--dry-run", "-f", &path]).finish().exits(2);
    let dry_run = Run::new(["run", "--dry-run", "-H", "http://h.test", "-f", &path]).finish().exits(0);
    assert!(dry_run.text().contains("/v1/a"), "{}", dry_run.text());
}

#[test]
fn what_a_scenario_cannot_have_is_named_with_its_operation() {
    let scratch = Scratch::new("openapi-lost");
    let media = |kind: &str| json!({"content": {kind: {"schema": {"type": "object"}}}});
    let document = json!({
        "openapi": "3.0.0", "servers": [{"url": "http://h.test"}],
        "components": {"securitySchemes": {"tls": {"type": "mutualTLS"}}},
        "paths": {
            "/xml": {"post": {"requestBody": media("application/xml"), "responses": {}}},
            "/id/{id}": {"get": {"responses": {}}},
            "/tls": {"get": {"security": [{"tls": []}], "responses": {}}},
            "/ref": {"post": {"requestBody": {"$ref": "other.json#/a"}, "parameters": [{"$ref": "#/nowhere"}], "responses": {}}},
        },
    });
    let file = scratch.write("api.json", document.to_string());
    let printed = import(&[&file]).exits(1);
    for said in [
        "POST /xml: its body of application/xml has no example, it is left out",
        "GET /id/{id}: no parameter describes {id}, 1 is sent in its place",
        "GET /tls: security tls: mutualTLS: left out",
        "POST /ref: its body has no content, it is left out",
        "POST /ref: a parameter is left out: its $ref leads nowhere, or out of the document",
    ] {
        assert!(printed.stderr.contains(said), "{said}: {}", printed.stderr);
    }
    assert_eq!(printed.stderr.lines().count(), 5, "{}", printed.stderr);
}

#[test]
fn documents_of_other_kinds_are_refused_with_one_line() {
    let scratch = Scratch::new("openapi-refused");
    let cases = [
        ("openapi: 3.0.0\ninfo:\n  title: x\n".to_owned(), "YAML; convert it to JSON first: python3 -c"),
        ("swagger: '2.0'\n".to_owned(), "YAML"),
        (json!({"swagger": "2.0", "paths": {}}).to_string(), "Swagger 2.0 document; convert it"),
        (json!({"openapi": "4.0.0", "paths": {}}).to_string(), "/openapi: only versions 3.0 and 3.1"),
        (json!({"openapi": 3, "paths": {}}).to_string(), "/openapi: only versions"),
        (json!({"openapi": "3.1.0", "paths": {}}).to_string(), "/paths: contains no operation"),
    ];
    for (at, (text, why)) in cases.iter().enumerate() {
        let file = scratch.write(&format!("{at}.json"), text);
        let refused = import(&[&file]).exits(2);
        assert!(refused.stderr.lines().count() == 1 && refused.stderr.contains(why), "{why}: {}", refused.stderr);
    }
}

#[test]
fn a_path_keeps_the_operations_beside_its_reference() {
    let scratch = Scratch::new("openapi-path-ref");
    let document = json!({
        "openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "servers": [{"url": "http://h.test"}],
        "paths": {
            "/a": {"$ref": "#/components/pathItems/shared", "post": {}, "delete": {"operationId": "own"}},
            "/b": {"$ref": "other.json#/b", "get": {}},
        },
        "components": {"pathItems": {"shared": {"get": {}, "delete": {"operationId": "shared"}}}},
    });
    let finished = import(&[&scratch.write("api.json", document.to_string())]).exits(1);
    let scenario: Value = serde_json::from_slice(&finished.stdout).unwrap();
    let tasks = scenario["user_classes"][0]["tasks"].as_array().unwrap();
    let names: Vec<&str> = tasks.iter().filter_map(|task| task["name"].as_str()).collect();
    assert_eq!(names, ["own", "POST /a", "GET /a", "GET /b"]);
    assert!(
        finished.stderr.contains("/a: delete: also in what its $ref names; that one is left out"),
        "{}",
        finished.stderr
    );
    assert!(finished.stderr.contains("/b: its $ref is left out: it leads nowhere"), "{}", finished.stderr);
}
