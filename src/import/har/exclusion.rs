//! Why an exchange of a recording is left out.

use super::super::draft::Notes;

/// Why an exchange is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Exclusion {
    /// The URL has another scheme than HTTP, without a colon.
    Scheme(String),
    /// A WebSocket at this URL.
    WebSocket(String),
    /// The tunnel of a proxy to this host.
    Tunnel(String),
    /// A question of the browser before a request to another origin.
    Preflight,
    /// The response came from the browser's cache.
    Cached,
    /// There was no response: the request, and the browser's reason.
    Unanswered(String, String),
    /// The browser redirected the request itself, without sending it.
    InternalRedirect(String),
    /// A static file.
    Asset,
    /// A request to this origin.
    OtherHost(String),
    /// A hop of a redirect, which users follow.
    Hop,
}

impl Exclusion {
    /// Adds the note about it.
    pub(super) fn note(&self, notes: &mut Notes) {
        let sentence = self.sentence();
        match self {
            // Something that the recording has, and that a run will not do.
            Self::WebSocket(_) | Self::Unanswered(..) => notes.lost(sentence),
            _ => notes.add(sentence),
        }
    }

    /// The note.
    pub(super) fn sentence(&self) -> String {
        match self {
            Self::Scheme(scheme) if scheme.is_empty() => "entries without a full URL: left out".to_owned(),
            Self::Scheme(scheme) => format!("{scheme}: URLs: left out, no server answers them"),
            Self::WebSocket(url) => format!("{url}: left out, a WebSocket, and swarmline speaks HTTP only"),
            Self::Tunnel(host) => format!("CONNECT {host}: left out, it opens the tunnel of a proxy"),
            Self::Preflight => "preflight requests (CORS): left out, only browsers send them".to_owned(),
            Self::Cached => {
                "requests that the browser's cache answered: left out, they were not sent when it was recorded"
                    .to_owned()
            }
            Self::Unanswered(request, why) => format!("{request}: left out, it was not answered in the recording{why}"),
            Self::InternalRedirect(request) => {
                format!("{request}: left out, the browser redirected it without sending it")
            }
            Self::Asset => "images, fonts, style sheets, scripts and media: left out (--assets keeps them)".to_owned(),
            Self::OtherHost(origin) => format!("{origin}: left out, another host (--all-hosts keeps it)"),
            Self::Hop => "redirects: followed automatically, their hops are left out".to_owned(),
        }
    }
}
