//! The table of the shards of a merged run, each beside the others.

use super::markup::Markup;
use super::number_format::{count, number};
use crate::report::model::RunData;
use crate::report::shards::SHOWN;
use crate::telemetry::reader::shards::ShardFact;

/// The table; nothing if the run has fewer than two shards.
pub(super) fn shards(page: &mut Markup, run: &RunData) {
    if run.shards.len() < 2 {
        return;
    }
    page.raw("<h2>Shards <small>response times in ms, and those of all other shards together</small></h2>\n");
    page.raw("<div class=\"scroll\"><table><thead><tr><th class=\"name\">Shard</th><th>Requests</th><th>Failed</th>");
    for percent in SHOWN {
        page.raw("<th>").text(percent).raw("th</th><th>others</th>");
    }
    page.raw("<th class=\"name\">Differs from the others</th></tr></thead>\n<tbody>");
    run.shards.iter().for_each(|shard| row(page, shard));
    page.raw("</tbody></table></div>\n");
}

fn row(page: &mut Markup, shard: &ShardFact) {
    page.raw("<tr><td class=\"name\">shard ").text(shard.index).raw("</td>");
    page.raw("<td>").text(count(shard.ok + shard.failed)).raw("</td><td>").text(count(shard.failed)).raw("</td>");
    for percent in SHOWN {
        let value = shard.percentile(percent);
        let times = [value.map(|value| value.us), value.and_then(|value| value.others_us)];
        for us in times {
            let text = us.map_or_else(|| "none".to_owned(), |us| number(us as f64 / 1000.0, 2));
            page.raw("<td>").text(text).raw("</td>");
        }
    }
    let odd = shard.percentiles.iter().filter(|value| value.is_odd).map(|value| format!("p{}", value.percent));
    page.element("td", "name", odd.collect::<Vec<_>>().join(", "));
    page.raw("</tr>\n");
}
