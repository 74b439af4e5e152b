//! Records of requests as Apache JMeter writes them in CSV, with its default columns.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::endpoints::Endpoints;
use crate::clock::Clock;
use crate::load::swarm::roster::Roster;
use crate::outcome::{Failure, Outcome};

/// JMeter's default columns in its order (`jmeter.save.saveservice` in its properties reference).
const HEAD: &str = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,\
                    sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect\n";

/// Writes records as JMeter does.
#[derive(Debug)]
pub(super) struct Jtl {
    /// Each as a cell.
    labels: Vec<String>,
    clock: Clock,
    roster: Arc<Roster>,
}

impl Jtl {
    /// A writer for the endpoints of a plan; `roster` has the users.
    pub(super) fn new(endpoints: &Endpoints, clock: Clock, roster: Arc<Roster>) -> Self {
        let label = |(method, name): (&str, &str)| cell(&format!("{method} {name}"));
        Self { labels: endpoints.all().map(label).collect(), clock, roster }
    }

    /// Writes the line with the columns' names.
    pub(super) fn write_head(into: &mut Vec<u8>) {
        into.extend_from_slice(HEAD.as_bytes());
    }

    /// Writes the line about a request that completed.
    pub(super) fn write(&self, outcome: &Outcome, into: &mut Vec<u8>) {
        let (traffic, failure) = (outcome.traffic(), outcome.ending().failure());
        let (code, message) = answer(traffic.status, failure);
        let first_byte = traffic.first_byte.map_or(Duration::ZERO, |at| at.since(outcome.due()));
        let connecting = &traffic.connecting;
        let connect = connecting.dns.duration() + connecting.connect.duration() + connecting.tls.duration();
        let users = self.roster.users();
        // Writing into a Vec cannot fail.
        let _ = writeln!(
            into,
            "{},{},{},{},{},user-{},text,{},{},{},{},{users},{users},,{},0,{}",
            self.clock.unix(outcome.due()).as_millis(),
            milliseconds(outcome.response_time()),
            self.labels[outcome.endpoint().0 as usize],
            cell(&code),
            cell(&message),
            outcome.id().user(),
            failure.is_none(),
            failure.map(|failure| cell(&failure.text())).unwrap_or_default(),
            traffic.bytes_in,
            traffic.bytes_out,
            milliseconds(first_byte),
            milliseconds(connect),
        );
    }
}

/// `responseCode` and `responseMessage`. Without a status they are in the form that JMeter gives them, by which its readers
/// tell such failures from those with a status.
fn answer(status: u16, failure: Option<Failure>) -> (String, String) {
    match failure {
        None => (status.to_string(), "OK".to_owned()),
        Some(failure) if status > 0 => (status.to_string(), failure.text()),
        Some(failure) => (
            format!("Non HTTP response code: {}", failure.class().as_str()),
            format!("Non HTTP response message: {}", failure.text()),
        ),
    }
}

/// Rounded to whole milliseconds, as JMeter has them.
fn milliseconds(time: Duration) -> u128 {
    (time.as_micros() + 500) / 1000
}

/// A text as a cell (RFC 4180).
fn cell(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::outcome::{DueTime, Ending, Traffic};
    use crate::plan::endpoint::EndpointId;
    use crate::plan::trace::RequestId;

    #[test]
    fn records_have_the_columns_of_jmeter() {
        let labels = vec![cell("GET /a,\"b\"")];
        let (clock, roster) = (Clock::anchored_at(Duration::from_secs(1000)), Arc::new(Roster::default()));
        let jtl = Jtl { labels, clock, roster };
        let at = |us: u64| Moment::at(Duration::from_micros(us));
        let traffic = Traffic { first_byte: Some(at(4400)), status: 200, bytes_in: 10, ..Traffic::default() };
        let outcome = |traffic, ending| {
            let times = (at(2000), at(9500));
            let outcome = Outcome::new(EndpointId(0), DueTime::Free(at(1000)), times, traffic, ending);
            outcome.of_request(RequestId::new(7, 1), false)
        };
        let mut text = Vec::new();
        jtl.write(&outcome(traffic, Ending::Ok), &mut text);
        jtl.write(&outcome(Traffic { status: 503, ..traffic }, Ending::Failed(Failure::Status(503))), &mut text);
        jtl.write(&outcome(Traffic::default(), Ending::Failed(Failure::ConnectRefused)), &mut text);
        let text = String::from_utf8(text).unwrap();
        let expected = [
            "1000001,9,\"GET /a,\"\"b\"\"\",200,OK,user-7,text,true,,10,0,0,0,,3,0,0",
            "1000001,9,\"GET /a,\"\"b\"\"\",503,http_5xx: 503,user-7,text,false,http_5xx: 503,10,0,0,0,,3,0,0",
            "1000001,9,\"GET /a,\"\"b\"\"\",Non HTTP response code: connect_refused,Non HTTP response message: connect_refused: \
             connection refused,user-7,text,false,connect_refused: connection refused,0,0,0,0,,0,0,0",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
        assert!(HEAD.starts_with("timeStamp,elapsed,label,") && HEAD.ends_with(",Connect\n"));
    }
}
