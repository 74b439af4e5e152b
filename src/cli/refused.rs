//! Flags of Locust that mean nothing here, refused with the way to do it.

/// What to do instead of a Locust flag that is not spoken here; `None` when `argument` is no such flag.
#[must_use]
pub(super) fn instead_of(argument: &str) -> Option<(&str, &'static str)> {
    let flag = argument.split('=').next().unwrap_or(argument);
    let hint = match flag {
        "--master" | "--worker" | "--processes" | "--expect-workers" | "--master-host" | "--master-port" => {
            "there is no master; one process uses every core, so start it once"
        }
        "--reset-stats" => "the ramp is not forgotten here; every interval in the stream stands for itself",
        "--config" => "there is no configuration file; give flags or LOCUST_* environment variables",
        "--class-picker" | "--autostart" | "--autoquit" => {
            "there is no web page to start from; a run starts and ends by itself"
        }
        "--http2" => "HTTP/1.1 is what is spoken",
        _ if flag.starts_with("--web-") => "there is no web page; the stream is the interface (--telemetry)",
        _ => return None,
    };
    Some((flag, hint))
}
