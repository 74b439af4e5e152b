//! Recorded streams, which are mutated.

/// Streams of single-process runs: of this version of the format, of it before there were times to the first byte, and of
/// the previous one.
pub(super) const ALONE: [&[u8]; 3] = [
    include_bytes!("../../corpus/streams/timed-alone.ndjson"),
    include_bytes!("../../corpus/streams/alone.ndjson"),
    include_bytes!("../../corpus/streams/version-1-alone.ndjson"),
];

/// Streams of runs of three shards, of the same versions.
pub(super) const SHARDS: [[&[u8]; 3]; 3] = [
    [
        include_bytes!("../../corpus/streams/timed-shard-0.ndjson"),
        include_bytes!("../../corpus/streams/timed-shard-1.ndjson"),
        include_bytes!("../../corpus/streams/timed-shard-2.ndjson"),
    ],
    [
        include_bytes!("../../corpus/streams/shard-0.ndjson"),
        include_bytes!("../../corpus/streams/shard-1.ndjson"),
        include_bytes!("../../corpus/streams/shard-2.ndjson"),
    ],
    [
        include_bytes!("../../corpus/streams/version-1-shard-0.ndjson"),
        include_bytes!("../../corpus/streams/version-1-shard-1.ndjson"),
        include_bytes!("../../corpus/streams/version-1-shard-2.ndjson"),
    ],
];
