//! What is published of a run outside this process, from its start to its end.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::feed::Feed;
use super::otlp::{Otlp, OtlpEnd};
use super::web::{Web, WebListener};
use crate::error::Result;
use crate::plan::otlp::OtlpPlan;
use crate::plan::web::WebPlan;
use crate::telemetry::exports::ExportCounter;

/// What publishes a run. Dropping it ends that.
pub struct Publishers {
    web: Option<Web>,
    otlp: Option<Otlp>,
    exports: Option<Arc<ExportCounter>>,
}

/// Where a run is published.
#[derive(Debug, Default)]
pub struct PublishPlan {
    /// The live page.
    pub web: Option<WebPlan>,
    /// Pushes of metrics.
    pub otlp: Option<OtlpPlan>,
}

impl PublishPlan {
    /// Whether it is published nowhere.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.web.is_none() && self.otlp.is_none()
    }
}

impl Publishers {
    /// Starts publishing what `feed` has. `say` is given what people should know: where the page is, and where metrics go if a
    /// variable says so.
    ///
    /// # Errors
    /// Exit 2: a port cannot be taken, a thread not started.
    pub fn start(
        feed: &Feed,
        testplan: &str,
        plan: PublishPlan,
        stop: Option<Sender<()>>,
        say: impl Fn(&str),
    ) -> Result<Self> {
        let web = plan.web.map(|plan| {
            let listener = WebListener::listen(&plan)?;
            let url = listener.url();
            let web = listener.serve(feed, testplan, stop)?;
            say(&format!("live page: {url}"));
            Ok(web)
        });
        let web = web.transpose()?;
        let exports = plan.otlp.as_ref().map(|_| Arc::new(ExportCounter::default()));
        let otlp = plan.otlp.zip(exports.clone()).map(|(plan, counter)| {
            if let Some(variable) = plan.variable {
                say(&format!("metrics are pushed to {}, because {variable} is set", plan.shown));
            }
            Otlp::start(feed, plan, counter)
        });
        Ok(Self { web, otlp: otlp.transpose()?, exports })
    }

    /// How pushing metrics goes; `None` where nothing is pushed.
    #[must_use]
    pub fn exports(&self) -> Option<Arc<ExportCounter>> {
        self.exports.clone()
    }

    /// Gives the end to everyone who follows the run on its page, within a second. To be called when the feed has the end.
    pub fn finish_pages(&self) {
        if let Some(web) = &self.web {
            web.finish();
        }
    }

    /// Pushes the metrics of the complete run, within [`LAST_PUSH`](super::otlp::LAST_PUSH); returns how pushing ended. To be called
    /// when the feed has the end. A message on `given_up` ends that at once.
    #[must_use]
    pub fn push_last(&self, given_up: &Receiver<()>) -> Option<OtlpEnd> {
        self.otlp.as_ref().map(|otlp| otlp.finish(given_up))
    }
}

/// The way of a request to stop the run, of which one is enough.
#[must_use]
pub fn stop_requests() -> (Sender<()>, Receiver<()>) {
    bounded(1)
}
