use super::*;

fn choice(flag: Option<&str>, variables: &[(&str, &str)]) -> Result<OtlpChoice> {
    let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    OtlpChoice::new(flag, &environment)
}

fn push(flag: Option<&str>, variables: &[(&str, &str)]) -> OtlpPlan {
    match choice(flag, variables).unwrap() {
        OtlpChoice::Push(plan) => *plan,
        other => panic!("{other:?}"),
    }
}

fn why(flag: Option<&str>, variables: &[(&str, &str)]) -> String {
    choice(flag, variables).unwrap_err().to_string()
}

#[test]
fn the_flag_comes_before_the_variable_of_metrics_and_that_before_the_one_of_all() {
    let all = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4318/");
    let metrics = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://metrics:4318/own");
    assert!(matches!(choice(None, &[]).unwrap(), OtlpChoice::None));
    for (plan, url, variable) in [
        (push(Some("http://flag:4318"), &[all, metrics]), "http://flag:4318/v1/metrics", None),
        (push(Some("http://flag/v1/metrics"), &[]), "http://flag/v1/metrics", None),
        (push(None, &[all, metrics]), "http://metrics:4318/own", Some(metrics.0)),
        (push(None, &[all]), "http://all:4318/v1/metrics", Some(all.0)),
    ] {
        assert_eq!((plan.url.as_str(), plan.variable), (url, variable));
    }
}

#[test]
fn grpc_is_refused_by_name() {
    let told = why(Some("http://c"), &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
    assert!(
        told.contains("OTEL_EXPORTER_OTLP_PROTOCOL") && told.contains("grpc") && told.contains("http/protobuf"),
        "{told}"
    );
    let of_metrics =
        [("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/protobuf")];
    push(Some("http://c"), &of_metrics);
    // Without a URL, variables for other programs are of no interest.
    assert!(matches!(choice(None, &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).unwrap(), OtlpChoice::None));
}

#[test]
fn a_variable_that_forbids_pushing_wins_and_is_said_where_the_flag_asks_for_it() {
    let off = ("OTEL_SDK_DISABLED", "True");
    assert!(matches!(choice(Some("http://c"), &[off]).unwrap(), OtlpChoice::Disabled(_)));
    assert!(matches!(choice(None, &[off, ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c")]).unwrap(), OtlpChoice::None));
}

#[test]
fn headers_and_attributes_are_decoded_and_secrets_are_never_shown() {
    let headers = ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=s%3Dcret, x-scope=a b");
    let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "team=sh%20op,service.name=old");
    let plan = push(Some("http://me:p4ss@c/?token=t0p"), &[headers, attributes, ("OTEL_SERVICE_NAME", "new")]);
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let basic = pair("authorization", "Basic bWU6cDRzcw==");
    assert_eq!(plan.headers, [pair("api-key", "s=cret"), pair("x-scope", "a b"), basic]);
    assert_eq!(plan.resource, [pair("team", "sh op"), pair("service.name", "old"), pair("service.name", "new")]);
    assert!(
        !plan.shown.contains("p4ss") && !plan.shown.contains("t0p") && !plan.url.contains("p4ss"),
        "{}",
        plan.shown
    );
    for wrong in ["s3cret", "a=b,=s3cret", "a b=s3cret", "a=s3cret%0d%0ab"] {
        let told = why(Some("http://c"), &[("OTEL_EXPORTER_OTLP_HEADERS", wrong)]);
        assert!(told.contains("OTEL_EXPORTER_OTLP_HEADERS: entry") && !told.contains("s3cret"), "{told}");
    }
    let told = why(Some("ftp://me:s3cret@c"), &[]);
    assert!(told.contains("--otlp") && !told.contains("s3cret"), "{told}");
}

#[test]
fn the_timeout_is_in_milliseconds() {
    assert_eq!(push(Some("http://c"), &[]).timeout, TIMEOUT);
    let of = |value| [("OTEL_EXPORTER_OTLP_TIMEOUT", value)];
    assert_eq!(push(Some("http://c"), &of("250")).timeout, Duration::from_millis(250));
    for wrong in ["0", "10s", "-1", "99999999999999999999"] {
        assert!(why(Some("http://c"), &of(wrong)).contains("OTEL_EXPORTER_OTLP_TIMEOUT"), "{wrong}");
    }
}

#[test]
fn headers_that_a_push_sets_itself_are_refused_and_authorization_is_sent_once() {
    for (wrong, said) in
        [("Content-Type=t3xt", "Content-Type"), ("a=b,host=t3xt", "host"), ("CONTENT-LENGTH=1", "LENGTH")]
    {
        let told = why(Some("http://c"), &[("OTEL_EXPORTER_OTLP_HEADERS", wrong)]);
        assert!(told.contains("OTEL_EXPORTER_OTLP_HEADERS") && told.contains(said) && !told.contains("t3xt"), "{told}");
    }
    let headers = ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "Authorization=Bearer t3xt");
    assert_eq!(push(Some("http://c"), &[headers]).headers.len(), 1);
    let told = why(Some("http://me:p4ss@c"), &[headers]);
    assert!(told.contains(headers.0) && told.contains("--otlp"), "{told}");
    assert!(!told.contains("t3xt") && !told.contains("p4ss"), "{told}");
}

#[test]
fn no_value_of_a_query_is_shown() {
    let plan = push(None, &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c/in?k=t3xt&t3xt&empty=")]);
    assert_eq!(plan.shown, "http://c/in/v1/metrics?k=***&***&empty=***");
    assert_eq!(plan.url, "http://c/in/v1/metrics?k=t3xt&t3xt&empty=");
    let told = why(Some("http://c:x/?k=t3xt"), &[]);
    assert!(!told.contains("t3xt"), "{told}");
}
