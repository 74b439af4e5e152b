//! The connections that one user keeps.

use std::sync::Arc;

use crate::load::net::connection::Connection;
use crate::plan::url::Origin;

/// Maximum connections that one user keeps, each to a different origin; beyond that the least recently used is closed.
/// A browser keeps six to one host; a user here sends one request at a time, and more origins than this occur only with
/// redirects to many hosts.
const MAX_KEPT: usize = 4;

/// Open connections by origin, the most recently used one first.
///
/// An array and not a `Vec`: it lies with the user's other state, so a request touches one page of memory fewer.
#[derive(Debug, Default)]
pub(super) struct KeptConnections([Option<(Arc<Origin>, Box<Connection>)>; MAX_KEPT]);

impl KeptConnections {
    /// Takes out the connection to `origin`, with the key that it was put under.
    pub(super) fn take(&mut self, origin: &Arc<Origin>) -> Option<(Arc<Origin>, Box<Connection>)> {
        let is_wanted = |kept: &Arc<Origin>| Arc::ptr_eq(kept, origin) || kept == origin;
        let place = self.0.iter_mut().find(|place| place.as_ref().is_some_and(|(kept, _)| is_wanted(kept)))?;
        place.take()
    }

    /// Puts in the connection used last; without a free place the least recently used one is closed.
    pub(super) fn put(&mut self, origin: Arc<Origin>, connection: Box<Connection>) {
        let free = self.0.iter().position(Option::is_none).unwrap_or(MAX_KEPT - 1);
        self.0[..=free].rotate_right(1);
        self.0[0] = Some((origin, connection));
    }
}
