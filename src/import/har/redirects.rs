//! Finds the hops of redirects in a recording: users follow redirects, so a scenario has their first request only.

use super::exchange::RecordedExchange;

/// Which exchanges are hops of redirects, and which are not.
#[derive(Debug)]
pub(super) struct Redirects {
    /// The exchange that a redirect led to.
    next: Vec<Option<usize>>,
    is_hop: Vec<bool>,
    /// Exchanges whose redirect was not followed.
    is_unfollowed: Vec<bool>,
}

impl Redirects {
    /// Finds the hops of `exchanges`, which are in the order of their start.
    pub(super) fn of(exchanges: &[RecordedExchange]) -> Self {
        let count = exchanges.len();
        let mut found = Self { next: vec![None; count], is_hop: vec![false; count], is_unfollowed: vec![false; count] };
        for (at, exchange) in exchanges.iter().enumerate() {
            if exchange.exclusion.is_none()
                && let Some(url) = exchange.redirect_url()
                && let Some(hop) = found.hop(exchanges, at, &url)
            {
                found.next[at] = Some(hop);
                found.is_hop[hop] = true;
            }
        }
        for at in 0..count {
            let last = found.last(at);
            if !found.is_hop[at] && exchanges[last].exclusion.is_none() && exchanges[last].redirect.is_some() {
                found.separate(at);
            }
        }
        found
    }

    /// The exchange with `url` that the redirect of `at` led to.
    fn hop(&self, exchanges: &[RecordedExchange], at: usize, url: &str) -> Option<usize> {
        /// Seconds within which a browser follows a redirect: a later request for the same URL is one of its own.
        const PROMPTLY: f64 = 2.0;
        /// Exchanges looked at: of those that start at the same time, too.
        const NEAR: usize = 1_000;
        let end = exchanges[at].end();
        let is_near = |next: usize| match (end, exchanges[next].started) {
            (Some(end), Some(started)) => started <= end + PROMPTLY,
            _ => next == at + 1,
        };
        let mut near = (at + 1..exchanges.len()).take(NEAR).take_while(|next| is_near(*next));
        near.find(|next| !self.is_hop[*next] && exchanges[*next].url() == url)
    }

    /// Makes each exchange of a chain a request of its own, because the recording does not follow it to its end.
    fn separate(&mut self, first: usize) {
        let mut at = Some(first);
        while let Some(current) = at {
            self.is_hop[current] = false;
            self.is_unfollowed[current] = true;
            at = self.next[current].take();
        }
    }

    /// Whether an exchange is a hop of an earlier one's redirect.
    pub(super) fn is_hop(&self, at: usize) -> bool {
        self.is_hop[at]
    }

    /// Whether an exchange has a redirect that was not followed when it was recorded.
    pub(super) fn is_unfollowed(&self, at: usize) -> bool {
        self.is_unfollowed[at]
    }

    /// The exchanges from `first` to where its redirects lead.
    pub(super) fn chain(&self, first: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(first), |at| self.next[*at])
    }

    /// Where the redirects of an exchange lead; itself without one.
    pub(super) fn last(&self, first: usize) -> usize {
        self.chain(first).last().unwrap_or(first)
    }
}
