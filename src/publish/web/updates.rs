//! What pages are given: made once for all that ask for the same, and kept as long as there is nothing newer.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::publish::feed::{FeedState, LiveReport};
use crate::report::files::html::live::{self, LiveView};
use crate::report::files::html::tense::Tense;
use crate::report::model::ReportModel;

/// How many earlier moments a page may have that gets the difference: one that missed more gets everything.
const MAX_BASES: usize = 4;

/// Maximum different updates that are kept; further ones are made each time.
const MAX_KEPT: usize = 64;

/// Makes the content of pages.
#[derive(Debug)]
pub(super) struct Updates {
    /// Tells this run from others on the same port: a page that was loaded from another one loads itself again.
    run: String,
    /// The page of a run that has not begun.
    waiting: ReportModel,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The latest first.
    bases: VecDeque<Arc<LiveReport>>,
    /// By base and endpoint, of the latest.
    updates: HashMap<(u64, Option<usize>), Arc<str>>,
    /// The whole page, of the latest.
    page: Option<Arc<str>>,
}

impl Updates {
    pub(super) fn new(run: String, testplan: &str) -> Self {
        Self { run, waiting: ReportModel::waiting(testplan), kept: Mutex::default() }
    }

    /// The whole page. A run has one `stop_token`, or none.
    pub(super) fn page(&self, live: Option<&Arc<LiveReport>>, stop_token: Option<&str>) -> Arc<str> {
        let Some(live) = live else {
            return live::page(self.view(&self.version(0), None), stop_token).into();
        };
        let mut kept = self.kept(live);
        // Held meanwhile: the others wait for the same. A later moment may have been asked for since.
        let is_latest = kept.bases.front().is_some_and(|latest| latest.version == live.version);
        if let Some(page) = kept.page.as_ref().filter(|_| is_latest) {
            return Arc::clone(page);
        }
        let page: Arc<str> = live::page(self.view(&self.version(live.version), Some(live)), stop_token).into();
        if is_latest {
            kept.page = Some(Arc::clone(&page));
        }
        page
    }

    /// The update of a page that has the moment `base`, with the charts of an endpoint.
    pub(super) fn update(&self, live: Option<&Arc<LiveReport>>, base: &str, endpoint: Option<usize>) -> Arc<str> {
        let Some(live) = live else {
            let version = self.version(0);
            return live::update(self.view(&version, None), None, endpoint).into();
        };
        let version = self.version(live.version);
        let mut kept = self.kept(live);
        let base = self.number(base).and_then(|base| kept.bases.iter().find(|known| known.version == base).cloned());
        let key = (base.as_ref().map_or(0, |base| base.version), endpoint);
        if let Some(update) = kept.updates.get(&key) {
            return Arc::clone(update);
        }
        // Held meanwhile: the others wait for the same.
        let update: Arc<str> =
            live::update(self.view(&version, Some(live)), base.as_ref().map(|base| &base.model), endpoint).into();
        if kept.updates.len() < MAX_KEPT {
            kept.updates.insert(key, Arc::clone(&update));
        }
        update
    }

    /// The number of a moment of this run, as a page names it; `None` for one of another run.
    pub(super) fn number(&self, version: &str) -> Option<u64> {
        version.strip_prefix(&self.run)?.strip_prefix('-')?.parse().ok()
    }

    fn version(&self, number: u64) -> String {
        format!("{}-{number}", self.run)
    }

    fn view<'v>(&'v self, version: &'v str, live: Option<&'v Arc<LiveReport>>) -> LiveView<'v> {
        let (model, tense) = match live {
            None => (&self.waiting, Tense::Future),
            Some(live) if live.state == FeedState::Going => (&live.model, Tense::Present),
            Some(live) => (&live.model, Tense::Past),
        };
        LiveView { version, model, tense }
    }

    /// What is kept for the latest moment, which this is unless a later one was asked for meanwhile.
    fn kept(&self, live: &Arc<LiveReport>) -> MutexGuard<'_, Kept> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.bases.front().is_none_or(|latest| latest.version < live.version) {
            kept.updates.clear();
            kept.page = None;
            kept.bases.push_front(Arc::clone(live));
            kept.bases.truncate(MAX_BASES);
        }
        kept
    }
}
