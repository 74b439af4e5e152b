//! The search for the highest rate at which a service meets its checks: which rate to try next, what a step at one rate
//! shows, and when the answer is known. Pure: the steps themselves are run elsewhere.

pub mod search;
pub mod step;
