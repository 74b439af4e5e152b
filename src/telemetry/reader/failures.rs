//! What lines say of failures, as a reader takes it: why there were some, and whole exchanges.

/// Which error a line is about, as in the lines about errors.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct ErrorName {
    pub method: String,
    pub name: String,
    pub error: String,
}

/// A warning that concerns the validity of the numbers, or explains an error.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct WarningFact {
    pub kind: String,
    pub detail: String,
    /// The error that it explains.
    pub cause: Option<ErrorName>,
}

/// A part of a failed exchange.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct ExchangeFact {
    pub error: ErrorName,
    pub exchange: u32,
    pub part: usize,
    pub text: String,
}
