//! A request whose body is sent in pieces: files are read from disk while they are sent, so that no user holds one in
//! memory.

use std::slice;

use crate::plan::body_file::{BodyFile, BodyFileId, BodyFileTrouble, MAX_IN_MEMORY, PIECE};
use crate::plan::wire::{InsertedFile, WireRequest};

/// A file that can no longer be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::load) struct BrokenFile {
    pub(in crate::load) file: BodyFileId,
    pub(in crate::load) trouble: BodyFileTrouble,
}

/// Bytes to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'p> {
    /// The head, and this many bytes of the body after it.
    Head(&'p [u8], usize),
    /// Bytes of the body.
    Body(&'p [u8]),
}

impl Piece<'_> {
    /// How many of its bytes are of the body.
    pub(super) const fn body_len(self) -> usize {
        match self {
            Self::Head(_, body) => body,
            Self::Body(bytes) => bytes.len(),
        }
    }
}

/// Returns whether a request is sent in pieces; `has_cookies` is whether its head was rewritten with cookies.
pub(super) fn is_in_pieces(request: WireRequest<'_>, has_cookies: bool) -> bool {
    !request.files().is_empty() || has_cookies && request.body_text().len() as u64 > MAX_IN_MEMORY
}

/// How many bytes of the body's text are sent, and copied, together with the head.
pub(super) fn text_after_head(request: WireRequest<'_>) -> usize {
    let run = request.files().first().map_or(request.body_text().len(), |inserted| inserted.at);
    if run as u64 > MAX_IN_MEMORY { 0 } else { run }
}

/// A request in pieces.
pub(super) struct Pieces<'r> {
    head: Option<Piece<'r>>,
    text: &'r [u8],
    /// How many bytes of the text are already sent.
    passed: usize,
    files: slice::Iter<'r, InsertedFile>,
    /// The file being sent, and how much of it is sent.
    open: Option<(&'r BodyFile, u64)>,
    room: Vec<u8>,
}

impl<'r> Pieces<'r> {
    /// The pieces of a request; `with_cookies` replaces its head and the text after it.
    ///
    /// # Errors
    /// A file has changed its size: the announced length would be wrong.
    pub(super) fn new(request: WireRequest<'r>, with_cookies: Option<&'r [u8]>) -> Result<Self, BrokenFile> {
        for InsertedFile { file, .. } in request.files() {
            file.check_size().map_err(|trouble| BrokenFile { file: file.id(), trouble })?;
        }
        let passed = text_after_head(request);
        let (bytes, text) = (request.bytes(), request.body_text());
        let head = with_cookies.unwrap_or(&bytes[..bytes.len() - text.len() + passed]);
        let files = request.files().iter();
        Ok(Self { head: Some(Piece::Head(head, passed)), text, passed, files, open: None, room: Vec::new() })
    }

    /// The next piece; `None` after the last one.
    ///
    /// # Errors
    /// A file is shorter than it was, or cannot be read.
    pub(super) fn next(&mut self) -> Result<Option<Piece<'_>>, BrokenFile> {
        if let Some(head) = self.head.take() {
            return Ok(Some(head));
        }
        loop {
            if let Some((file, at)) = &mut self.open
                && *at < file.len()
            {
                let length = usize::try_from(file.len() - *at).unwrap_or(PIECE).min(PIECE);
                self.room.resize(length, 0);
                file.read_at(*at, &mut self.room).map_err(|trouble| BrokenFile { file: file.id(), trouble })?;
                *at += length as u64;
                return Ok(Some(Piece::Body(&self.room)));
            }
            let next = self.files.as_slice().first();
            let run = self.passed..next.map_or(self.text.len(), |inserted| inserted.at);
            if !run.is_empty() {
                self.passed = run.end;
                return Ok(Some(Piece::Body(&self.text[run])));
            }
            let Some(inserted) = self.files.next() else { return Ok(None) };
            self.open = Some((&inserted.file, 0));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::plan::body_file::{BodyContent, BodyFiles};
    use crate::plan::endpoint::EndpointId;
    use crate::plan::request::{Request, RequestParts};
    use crate::plan::url::Url;
    use crate::plan::wire::WireBuffer;

    fn request(body: &[u8]) -> Request {
        let body = Some(BodyContent::Memory(Arc::from(body)));
        let parts = RequestParts { method: "POST".to_owned(), headers: Arc::default(), body };
        Request::new(EndpointId(0), &Url::parse("http://h/").unwrap().url, &parts)
    }

    #[test]
    fn a_large_text_is_sent_apart_from_a_head_that_was_rewritten() {
        let text = vec![b'x'; 100_000];
        let (small, large) = (request(b"hi"), request(&text));
        assert!(!is_in_pieces(small.wire(), true) && !is_in_pieces(large.wire(), false));
        assert!(is_in_pieces(large.wire(), true));
        assert_eq!((text_after_head(small.wire()), text_after_head(large.wire())), (2, 0));
        let Ok(mut pieces) = Pieces::new(large.wire(), Some(b"head")) else { panic!("there are no files") };
        assert_eq!(pieces.next(), Ok(Some(Piece::Head(b"head", 0))));
        assert_eq!(pieces.next(), Ok(Some(Piece::Body(&text))));
        assert_eq!(pieces.next(), Ok(None));
    }

    #[test]
    fn text_and_files_are_sent_in_their_order() {
        let folder = std::env::temp_dir().join(format!("swarmline-upload-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("file");
        let content: Vec<u8> = (0..50_000_u16).flat_map(u16::to_be_bytes).collect();
        std::fs::write(&path, &content).unwrap();
        let opened = BodyFiles::default().open(&path, "file").unwrap();
        let BodyContent::Disk(file) = opened else { panic!("a large file") };
        let mut buffer = WireBuffer::default();
        let (head, text, files) = buffer.begin();
        head.extend_from_slice(b"PUT / HTTP/1.1\r\n");
        text.extend_from_slice(b"before between after");
        files.extend([7, 7, 15].map(|at| InsertedFile { at, file: Arc::clone(&file) }));
        buffer.seal(true);
        let url = Url::parse("http://h/").unwrap().url;
        let wire = buffer.wire(EndpointId(0), url.origin());
        assert_eq!(wire.body_len(), 300_020);
        let Ok(mut pieces) = Pieces::new(wire, None) else { panic!("the file has its size") };
        let (mut sent, mut body) = (Vec::new(), 0);
        while let Ok(Some(piece)) = pieces.next() {
            let (Piece::Head(bytes, _) | Piece::Body(bytes)) = piece;
            assert!(bytes.len() <= PIECE);
            sent.extend_from_slice(bytes);
            body += piece.body_len();
        }
        let head = b"PUT / HTTP/1.1\r\nContent-Length: 300020\r\n\r\nbefore ";
        assert!(sent == [head, &*content, &content, b"between ", &content, b"after"].concat());
        assert_eq!(body, 300_020);
    }
}
