//! Framing of an HTTP/1.1 response.
