//! The swarmline command.
fn main() {}
