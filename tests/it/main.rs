//! Promises of swarmline, against real sockets.
