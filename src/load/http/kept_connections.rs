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
    /// The connection to `origin`, which becomes the most recently used one.
    pub(super) fn find(&mut self, origin: &Arc<Origin>) -> Option<&mut Connection> {
        let is_wanted = |kept: &Arc<Origin>| Arc::ptr_eq(kept, origin) || kept == origin;
        let place = self.0.iter().position(|place| place.as_ref().is_some_and(|(kept, _)| is_wanted(kept)))?;
        if place > 0 {
            self.0[..=place].rotate_right(1);
        }
        self.0[0].as_mut().map(|(_, connection)| connection.as_mut())
    }

    /// Closes the connection that was found last.
    pub(super) fn close_found(&mut self) {
        self.0[0] = None;
        self.0.rotate_left(1);
    }

    /// Puts in the connection used last; without a free place the least recently used one is closed.
    pub(super) fn put(&mut self, origin: Arc<Origin>, connection: Box<Connection>) {
        let free = self.0.iter().position(Option::is_none).unwrap_or(MAX_KEPT - 1);
        self.0[..=free].rotate_right(1);
        self.0[0] = Some((origin, connection));
    }
}
