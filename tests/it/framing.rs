//! Response framing against an oracle: ours and ureq-proto give the same verdict on the same bytes.

mod cases;
mod differences;

use swarmline::load::http::response::body::BodyReader;
use swarmline::load::http::response::head::{HeadScan, ResponseExtent, Unfolded, closed_within, unfold};
use swarmline::outcome::ProtocolTrouble;
use ureq_proto::Error;
use ureq_proto::client::{Call, RecvBodyResult, RecvResponseResult, SendRequestResult};
use ureq_proto::http::header::LOCATION;
use ureq_proto::http::{Method, Request};

use cases::{Case, Random};
use differences::DIFFERENCES;

/// A response as a client understood it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Accepted {
    status: u16,
    payload: Vec<u8>,
    /// Bytes of interim heads, head and body.
    used: usize,
    keep_alive: bool,
    location: Option<Vec<u8>>,
}

type Ours = Result<Accepted, ProtocolTrouble>;
/// `Err(None)` where the response was incomplete when the input ended.
type Theirs = Result<Accepted, Option<Error>>;

/// Our verdict on bytes that arrive in pieces, each up to one of the offsets `ends`, followed by the end of the input.
fn ours(case: &Case, ends: impl Iterator<Item = usize>) -> Ours {
    let (mut scan, mut start, mut bytes) = (HeadScan::default(), 0, case.bytes.clone());
    let mut open: Option<(Accepted, BodyReader)> = None;
    for end in ends {
        while open.is_none() {
            let before = scan;
            if scan.parse(&bytes[start..end], case.asked) == Err(ProtocolTrouble::BadField) {
                match unfold(&mut bytes[start..end]) {
                    Unfolded::Rewritten => scan = HeadScan::default(),
                    Unfolded::Unfinished => break,
                    Unfolded::Unchanged => return Err(ProtocolTrouble::BadField),
                }
            } else {
                scan = before;
            }
            let Some(head) = scan.parse(&bytes[start..end], case.asked)? else { break };
            start += head.len;
            scan = HeadScan::default();
            if !head.is_interim() {
                let (status, keep_alive) = (head.status, head.keep_alive);
                let location = head.location.map(<[u8]>::to_vec);
                let accepted = Accepted { status, payload: Vec::new(), used: start, keep_alive, location };
                open = Some((accepted, BodyReader::new(head.framing)));
            }
        }
        if let Some((accepted, body)) = &mut open {
            let before = accepted.payload.len();
            let fed = body.feed(&case.bytes[accepted.used..end], |bytes| accepted.payload.extend_from_slice(bytes))?;
            accepted.used += fed.used;
            assert_eq!(fed.payload, accepted.payload.len() - before, "payload passed on and payload counted");
            assert_eq!(fed.complete, body.is_complete());
            assert!(fed.complete || accepted.used == end, "an incomplete body consumes all input");
        }
    }
    let (accepted, body) = open.ok_or_else(|| {
        let _ = unfold(&mut bytes[start..]);
        closed_within(&bytes[start..], case.asked)
    })?;
    body.end_of_input().map(|()| accepted)
}

fn ours_whole(case: &Case) -> Ours {
    ours(case, std::iter::once(case.bytes.len()))
}

/// ureq-proto's verdict on all bytes followed by the end of the input.
fn theirs(case: &Case) -> Theirs {
    let method = if case.asked == ResponseExtent::HeadOnly { Method::HEAD } else { Method::GET };
    let request = Request::builder().method(method).uri("http://a.test/").body(()).unwrap();
    let mut call = Call::new(request).unwrap().proceed();
    call.write(&mut [0; 256]).unwrap();
    let Ok(Some(SendRequestResult::RecvResponse(mut call))) = call.proceed() else { panic!("a GET has no body") };

    let mut used = 0;
    let response = loop {
        match call.try_response(&case.bytes[used..], false)? {
            (0, None) => return Err(None),
            (interim, None) => used += interim,
            (head, Some(response)) => {
                used += head;
                break response;
            }
        }
    };
    let location = response.headers().get_all(LOCATION).iter().next_back().map(|value| value.as_bytes().to_vec());
    let mut payload = vec![0; case.bytes.len() + 1];
    let mut filled = 0;
    let must_close = match call.proceed().unwrap() {
        RecvResponseResult::Cleanup(call) => call.must_close_connection(),
        RecvResponseResult::Redirect(call) => call.must_close_connection(),
        RecvResponseResult::RecvBody(mut call) => {
            loop {
                let (taken, made) = call.read(&case.bytes[used..], &mut payload[filled..])?;
                used += taken;
                filled += made;
                if taken == 0 {
                    break;
                }
            }
            match call.proceed().ok_or(None)? {
                RecvBodyResult::Cleanup(call) => call.must_close_connection(),
                RecvBodyResult::Redirect(call) => call.must_close_connection(),
            }
        }
    };
    payload.truncate(filled);
    Ok(Accepted { status: response.status().as_u16(), payload, used, keep_alive: !must_close, location })
}

fn agree(ours: &Ours, theirs: &Theirs) -> bool {
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => ours == theirs,
        (ours, theirs) => ours.is_err() && theirs.is_err(),
    }
}

#[test]
fn the_same_bytes_give_the_verdict_of_ureq_proto() {
    let mut accepted = 0;
    for seed in 0..20_000 {
        let case = Case::random(&mut Random(seed));
        let (ours, theirs) = (ours_whole(&case), theirs(&case));
        accepted += u32::from(ours.is_ok());
        if !agree(&ours, &theirs) {
            let known = DIFFERENCES.iter().any(|difference| (difference.applies)(&case, &ours, &theirs));
            assert!(known, "seed {seed}\n{case}\nours: {ours:?}\nureq-proto: {theirs:?}");
        }
    }
    // Otherwise the generator makes too few of one kind to be meaningful.
    assert!((5_000..15_000).contains(&accepted), "{accepted} of 20,000 accepted");
}

#[test]
fn each_deliberate_difference_occurs() {
    for difference in DIFFERENCES {
        let case = Case { asked: difference.asked, bytes: (difference.example)() };
        let (ours, theirs) = (ours_whole(&case), theirs(&case));
        let named = format!("{} ({})\nours: {ours:?}\nureq-proto: {theirs:?}", difference.name, difference.why);
        assert!(!agree(&ours, &theirs), "no difference any more: {named}");
        assert!((difference.applies)(&case, &ours, &theirs), "not the difference described: {named}");
    }
}

#[test]
fn responses_cut_anywhere_give_the_same_verdict_as_uncut_ones() {
    let asked = ResponseExtent::HeadAndBody;
    let few = cases::REPRESENTATIVE.iter().map(|text| Case { asked, bytes: text.as_bytes().to_vec() });
    for case in few.chain((0..200).map(|seed| Case::random(&mut Random(seed)))) {
        let (whole, len) = (ours_whole(&case), case.bytes.len());
        assert_eq!(ours(&case, 1..=len), whole, "byte by byte\n{case}");
        for cut in 0..=len {
            assert_eq!(ours(&case, [cut, len].into_iter()), whole, "cut at {cut}\n{case}");
        }
    }
}
