//! The parts of a page other than tables: header, summary, containers of the charts, footer.

use super::markup::Markup;
use super::number_format::{bytes, count, duration, judged_time, moment, number, share};
use super::tables;
use super::tense::Tense;
use crate::report::model::{Numbers, ReportModel};
use crate::stats::tally::Statistics;
use crate::vocabulary::Verdict;

/// Name, verdict, and what was run where and when.
pub(super) fn header(page: &mut Markup, model: &ReportModel, tense: Tense) {
    let (identity, plan) = (&model.identity, &model.run.plan);
    page.raw("<header>\n<p class=\"brand\">swarmline load test report</p>\n<div class=\"title\"><h1>");
    page.text(&identity.testplan).raw("</h1>");
    let (class, words) = verdict(model, tense);
    page.raw("<span class=\"").raw(class).raw("\" aria-live=\"polite\">").text(words);
    page.raw("</span></div>\n<div class=\"facts\">");
    if let Some(started) = &plan.started_at {
        page.raw("<span>").text(moment(started)).raw("</span>");
    }
    page.raw("<span>").text(duration(model.run.seconds())).raw("</span>");
    for target in &plan.targets {
        page.raw("<span>").text(&target.host).raw("</span>");
    }
    if !identity.run_id.is_empty() {
        page.raw("<span>run <code>").text(&identity.run_id).raw("</code></span>");
    }
    if !["", "local"].contains(&identity.source_id.as_str()) {
        page.raw("<span>").text(&identity.source_id).raw("</span>");
    }
    page.raw("</div>\n</header>\n");
}

/// The verdict, or the one so far, in words that need no manual, and its class.
pub(super) fn verdict(model: &ReportModel, tense: Tense) -> (&'static str, &'static str) {
    if let Some(end) = &model.run.end {
        return match end.verdict {
            Verdict::Pass => ("verdict good", "passed"),
            Verdict::Failures => ("verdict warn", "some requests failed"),
            Verdict::CheckFailed => ("verdict bad", "a check was not met"),
            Verdict::Invalid => ("verdict bad", "not valid"),
        };
    }
    let so_far = || model.run.assessment_so_far().map(|assessment| assessment.verdict);
    match tense {
        Tense::Past => ("verdict bad", "cut off, no verdict"),
        Tense::Future => ("verdict", "waiting for the run to begin"),
        Tense::Present => match so_far() {
            None if model.run.warmup().is_some() => ("verdict", "running, warm-up"),
            None => ("verdict", "running, no response yet"),
            Some(Verdict::Pass) => ("verdict good", "running, passing so far"),
            Some(Verdict::Failures) => ("verdict warn", "running, some requests failed"),
            Some(Verdict::CheckFailed) => ("verdict bad", "running, a check is not met so far"),
            Some(Verdict::Invalid) => ("verdict bad", "running, not valid so far"),
        },
    }
}

/// Problems of the stream, the figures of the whole run, the reasons for the verdict, and the warnings.
pub(super) fn summary(page: &mut Markup, model: &ReportModel, tense: Tense) {
    if !model.troubles.is_empty() {
        let what = if model.troubles.is_loss() {
            "The stream of this run is not whole. Below is what it still holds."
        } else {
            "The stream of this run is whole, but not clean."
        };
        notice(page, "notice bad", what, model.troubles.sentences());
    }
    let run = &model.run;
    if let Some(warmup) = run.warmup() {
        page.raw("<p class=\"facts\" id=\"warmup\">").text(warmup.sentence()).raw(" The charts show them, too.</p>\n");
    }
    let remarks = run.remarks();
    if !remarks.is_empty() {
        notice(page, "notice warn", "Not the whole load", remarks.into_iter().map(|(_, sentence)| sentence));
    }
    tiles(page, model, tense);
    if let Some(end) = run.end.as_ref().filter(|end| !end.reasons.is_empty()) {
        let class = match end.verdict {
            Verdict::Pass | Verdict::Failures => "notice warn",
            Verdict::CheckFailed | Verdict::Invalid => "notice bad",
        };
        let title = if end.verdict == Verdict::Pass { "Worth knowing" } else { "Why it did not pass" };
        notice(page, class, title, end.texts().into_iter().map(str::to_owned));
    }
    tables::checks(page, &run.checks_so_far(), tense);
    if run.other_warnings().next().is_some() {
        let further = (run.more_warnings > 0).then(|| format!("and {} more", count(run.more_warnings)));
        let sentences = run.other_warnings().map(|notice| format!("{}: {}", moment(&notice.time), notice.detail));
        notice(page, "notice warn", "Warnings", sentences.chain(further));
    }
}

fn notice(page: &mut Markup, class: &'static str, title: &'static str, sentences: impl IntoIterator<Item = String>) {
    page.raw("<div class=\"").raw(class).raw("\"><strong>").raw(title).raw("</strong><ul>");
    for sentence in sentences {
        page.raw("<li>").text(sentence).raw("</li>");
    }
    page.raw("</ul></div>\n");
}

fn tiles(page: &mut Markup, model: &ReportModel, tense: Tense) {
    let run = &model.run;
    let (Numbers { statistics: total, bounds, unfinished, .. }, whole) = (run.total_numbers(), run.timeline.total());
    let Statistics { num_requests: requests, num_failures: failures, .. } = total;
    let users = run.timeline.points().map(|point| point.gauges.users).max().unwrap_or(0);
    let cut_off = run.counts().aborted;
    let left = match (cut_off, unfinished.unsent) {
        _ if tense != Tense::Past && run.end.is_none() => "so far".to_owned(),
        (0, 0) => "none cut off at the end".to_owned(),
        (aborted, 0) => format!("{} more cut off at the end", count(aborted)),
        (aborted, unsent) => format!("{} more cut off at the end, {} never sent", count(aborted), count(unsent)),
    };
    page.raw("<dl class=\"tiles\">\n");
    tile(page, "Requests", &count(requests), &left);
    if failures > 0 {
        page.raw("<div><dt>Failures</dt><dd class=\"bad-number\">").text(share(failures, requests));
        page.raw("<small>").text(count(failures)).raw("</small></dd></div>\n");
    } else {
        tile(page, "Failures", "0 %", "none");
    }
    tile(page, "Requests per second", &number(total.total_rps, 1), "mean over the run");
    let mean = format!("mean {}", judged_time(total.avg_response_time, bounds.avg));
    tile(page, "Response time, median", &judged_time(total.percentile_50, bounds.percentile_50), &mean);
    let p90 = format!("90th {}", judged_time(total.percentile_90, bounds.percentile_90));
    tile(page, "95th percentile", &judged_time(total.percentile_95, bounds.percentile_95), &p90);
    let longest = format!("longest {}", judged_time(total.max_response_time, bounds.max));
    tile(page, "99th percentile", &judged_time(total.percentile_99, bounds.percentile_99), &longest);
    tile(page, "Users", &count(users.into()), "at most at a time");
    let sent = format!("{} sent, bodies only", bytes(whole.bytes_sent));
    tile(page, "Data received", &bytes(whole.bytes_received), &sent);
    page.raw("</dl>\n");
}

fn tile(page: &mut Markup, title: &'static str, figure: &str, beside: &str) {
    page.raw("<div><dt>").raw(title).raw("</dt><dd>").text(figure);
    page.raw("<small>").text(beside).raw("</small></dd></div>\n");
}

/// Containers of the charts, which the script fills.
pub(super) fn charts(page: &mut Markup, model: &ReportModel) {
    let run = &model.run;
    page.raw("<section aria-labelledby=\"over-time\">\n<div class=\"row\"><h2 id=\"over-time\">Over time</h2>\n");
    if run.endpoints.len() > 1 {
        page.raw("<label for=\"endpoint\">Endpoint <select id=\"endpoint\"><option>all endpoints");
        page.raw("</option>");
        for endpoint in &run.endpoints {
            page.raw("<option>").text(endpoint.title()).raw("</option>");
        }
        page.raw("</select></label>");
    }
    page.raw("</div>\n<noscript><p>The charts are drawn by a script in this page.</p></noscript>\n");
    page.raw("<div class=\"charts\">\n");
    chart(page, "chart-rate", "Requests per second", "Completed requests, and those that failed.");
    let own_response = run.timeline.points().any(|point| point.traffic.response.is_some());
    let latency = if own_response {
        "Per interval. Dashed: service time, measured from sending instead of from the due time."
    } else {
        "Per interval. Response time equals service time here: nothing was sent late."
    };
    chart(page, "chart-latency", "Response time", latency);
    chart(page, "chart-users", "Users", "A user sends one request at a time.");
    chart(page, "chart-bytes", "Data", "Bodies of requests and responses.");
    wide(page, "chart-heat", "How long responses took, and when", "Every request of the run by its response time.");
    wide(page, "chart-spectrum", "Percentiles of response time", "The share of requests that took at most this long.");
    let limit = match run.plan.available_cpus {
        Some(cpus) => {
            format!(
                "Percent of one core, with {} % available. Near that limit, the generator measures itself.",
                number(cpus * 100.0, 0)
            )
        }
        None => "Percent of one core.".to_owned(),
    };
    chart(page, "chart-cpu", "CPU of the generator", &limit);
    chart(page, "chart-lateness", "Lateness of the generator", "How long after their due time requests were sent.");
    page.raw("</div>\n");
    page.raw("<p class=\"facts\" id=\"dense\" hidden>Where intervals are too close for the screen, a line shows the ");
    page.raw("median of neighbouring intervals and its band their range; the pointer shows each interval.</p>\n");
    let ticks = run.timeline.ticks_per_point();
    if ticks > 1 {
        page.raw("<p class=\"facts\">The run was long: each point joins ").text(ticks);
        page.raw(" ticks of the stream, with exact percentiles and the maximum of users, CPU and lateness.</p>\n");
    }
    page.raw("</section>\n");
}

fn chart(page: &mut Markup, id: &'static str, title: &'static str, note: &str) {
    figure(page, ("chart", id), title, note);
}

fn wide(page: &mut Markup, id: &'static str, title: &'static str, note: &str) {
    figure(page, ("chart wide", id), title, note);
}

fn figure(page: &mut Markup, (class, id): (&'static str, &'static str), title: &'static str, note: &str) {
    page.raw("<figure class=\"").raw(class).raw("\" id=\"").raw(id).raw("\"><figcaption><h3>").raw(title);
    page.raw("</h3><div class=\"legend\"></div></figcaption>");
    if !note.is_empty() {
        page.raw("<p class=\"note\">").text(note).raw("</p>");
    }
    page.raw("<div class=\"plot\"></div></figure>\n");
}

/// How to read the numbers, and which version produced them.
pub(super) fn footer(page: &mut Markup, model: &ReportModel) {
    page.raw("<footer>\n<p>Requests that failed or timed out are included in every percentile, with the time that they took. ");
    page.raw(
        "Requests cut off at the end of the run are not completed; a time marked ≥ is a lower bound that includes \
         them with the time that they had taken so far. Percentiles are HdrHistogram's with three significant digits, for the time to the first byte two, ",
    );
    page.raw("and from merged histograms over several intervals.</p>\n<p>swarmline ").text(&model.run.plan.version);
    page.raw(" · plan <code>").text(model.run.plan.hash.chars().take(12).collect::<String>());
    page.raw("</code></p>\n</footer>\n");
}
