//! Collections and API descriptions of other tools, changed at random.

use swarmline::plan::random::Random;

use super::kinds::{Kind, Sample, change_json, corpus, imported};

/// `import` of a Postman collection, and `run --dry-run` of its output.
pub(crate) const POSTMAN: Kind = Kind { name: "postman", ending: ".json", make: postman, check: imported };

/// `import` of an OpenAPI document, and `run --dry-run` of its output.
pub(crate) const OPENAPI: Kind = Kind { name: "openapi", ending: ".json", make: openapi, check: imported };

fn postman(random: &mut Random) -> Sample {
    let is_collection = |text: &Vec<u8>| text.windows(7).any(|part| part == b"\"item\":");
    changed(random, corpus("postman").into_iter().filter(is_collection).collect())
}

fn openapi(random: &mut Random) -> Sample {
    changed(random, corpus("openapi"))
}

fn changed(random: &mut Random, mut all: Vec<Vec<u8>>) -> Sample {
    let mut text = all.swap_remove(random.below(all.len()));
    change_json(random, &mut text);
    let words = if random.below(3) == 0 { vec!["--keep-secrets".to_owned()] } else { Vec::new() };
    Sample { words, files: vec![text] }
}
