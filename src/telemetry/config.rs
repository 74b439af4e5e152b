//! The lines about a plan and where it runs.

use super::own_records::{Config, RunEnvironment, WireSetting};
use super::record::RecordBody;
use super::text::clipped;

/// Version of the stream's format, in `swarmline.event.config`.
pub const SCHEMA_VERSION: u32 = 2;

/// The lines about a plan and where it runs: as many as its settings need.
#[must_use]
pub fn config_pages(
    settings: impl Iterator<Item = WireSetting>,
    plan_hash: &str,
    place: RunEnvironment,
) -> Vec<RecordBody> {
    /// Room for settings: a line minus its envelope, the keys around them, and the targets in part 1.
    const ROOM: usize = 1800;
    let mut pages: Vec<Vec<WireSetting>> = vec![Vec::new()];
    let mut used = 0;
    for mut setting in settings {
        setting.value = clipped(&setting.value, ROOM - 100).into_owned();
        let size = serde_json::to_string(&setting).map_or(0, |text| text.len() + 1);
        if used + size > ROOM {
            pages.push(Vec::new());
            used = 0;
        }
        used += size;
        if let Some(page) = pages.last_mut() {
            page.push(setting);
        }
    }
    let parts = pages.len();
    let mut place = Some(place);
    let page = |(number, settings)| Config {
        schema_version: SCHEMA_VERSION,
        version: env!("CARGO_PKG_VERSION"),
        plan_hash: plan_hash.to_owned(),
        part: number,
        parts,
        settings,
        environment: place.take(),
    };
    (1..).zip(pages).map(page).map(|config| RecordBody::Config(Box::new(config))).collect()
}
