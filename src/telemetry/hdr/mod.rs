//! Histograms as text: `HdrHistogram` V2 + DEFLATE in base64, which its Java, C, Go and Python versions can read.

pub mod ahead;
pub mod decode;
pub mod encode;
pub mod finder;
pub mod packed;

/// First bytes of a histogram in DEFLATE.
const COMPRESSED: u32 = 0x1c84_9314;

/// First bytes of the content.
const PLAIN: u32 = 0x1c84_9313;
