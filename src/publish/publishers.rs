//! What is published of a run outside this process, from its start to its end.

use crossbeam_channel::{Receiver, Sender, bounded};

use super::feed::Feed;
use super::web::{Web, WebListener};
use crate::error::Result;
use crate::plan::web::WebPlan;

/// What publishes a run. Dropping it ends that.
pub struct Publishers {
    web: Option<Web>,
}

impl Publishers {
    /// Starts publishing what `feed` has. `say` is given what people should know: where the page is.
    ///
    /// # Errors
    /// Exit 2: a port cannot be taken, a thread not started.
    pub fn start(
        feed: &Feed,
        testplan: &str,
        web: Option<&WebPlan>,
        stop: Option<Sender<()>>,
        say: impl Fn(&str),
    ) -> Result<Self> {
        let web = web.map(|plan| {
            let listener = WebListener::listen(plan)?;
            let url = listener.url();
            let web = listener.serve(feed, testplan, stop)?;
            say(&format!("live page: {url}"));
            Ok(web)
        });
        Ok(Self { web: web.transpose()? })
    }

    /// Gives the end to everyone who follows the run, within a second. To be called when the feed has the end.
    pub fn finish(&self) {
        if let Some(web) = &self.web {
            web.finish();
        }
    }
}

/// The way of a request to stop the run, of which one is enough.
#[must_use]
pub fn stop_requests() -> (Sender<()>, Receiver<()>) {
    bounded(1)
}
