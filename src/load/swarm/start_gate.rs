//! Start barrier for users: closed while others are still to be started; counts the users that passed.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Start barrier: users pass it once, then wait after their first request until all have started.
///
/// Without it, running users take the CPU from the thread that starts the others: of 10,000 users at full speed on one
/// core, 1,300 to 2,700 had started after 8 s. For the same reason that thread has nothing left to do once the gate is
/// open: it has used far more than its fair share and gets no CPU for seconds. So each user that passes wakes the next
/// two, and the last one through sees that all have started. Users that have sent a first request wait for those that
/// have not: with so many threads a fair scheduler lets some wait for seconds (4 s until the last was through; 1.2 s
/// this way).
#[derive(Debug, Default)]
pub(in crate::load) struct StartGate {
    state: Mutex<GateState>,
    opened: Condvar,
    all_through: Condvar,
}

/// The users at the gate.
#[derive(Debug, Default)]
struct GateState {
    is_closed: bool,
    /// Users waiting to pass.
    waiting: usize,
    /// Users that passed and wait for the others.
    waiting_for_others: usize,
    /// Users that have passed so far.
    passed: u64,
    awaited: VecDeque<Milestone>,
}

/// A number of users that counts as reached after this many passes.
#[derive(Clone, Copy, Debug)]
struct Milestone {
    passes: u64,
    users: u32,
}

/// Guard: no user passes while it is held.
#[derive(Debug)]
pub(in crate::load) struct CloseGuard<'gate>(&'gate StartGate);

impl Drop for CloseGuard<'_> {
    fn drop(&mut self) {
        let mut gate_state = self.0.lock_state();
        gate_state.is_closed = false;
        self.0.wake_some(gate_state);
    }
}

impl StartGate {
    /// Closes the gate until the returned guard is dropped.
    pub(in crate::load) fn close(&self) -> CloseGuard<'_> {
        self.lock_state().is_closed = true;
        CloseGuard(self)
    }

    /// Passes a user as soon as the gate is open; returns the numbers of users reached with it.
    #[must_use]
    pub(super) fn pass(&self) -> Vec<u32> {
        let mut gate_state = self.lock_state();
        if gate_state.is_closed {
            gate_state.waiting += 1;
            gate_state = self
                .opened
                .wait_while(gate_state, |gate_state| gate_state.is_closed)
                .unwrap_or_else(PoisonError::into_inner);
            gate_state.waiting -= 1;
        }
        gate_state.passed += 1;
        let reached = gate_state.take_reached();
        self.wake_some(gate_state);
        reached
    }

    /// Makes a user that has sent a request wait until no user is waiting to pass.
    pub(in crate::load) fn wait_for_all(&self) {
        let mut gate_state = self.lock_state();
        if !gate_state.is_through() {
            gate_state.waiting_for_others += 1;
            let through = self.all_through.wait_while(gate_state, |gate_state| !gate_state.is_through());
            gate_state = through.unwrap_or_else(PoisonError::into_inner);
            gate_state.waiting_for_others -= 1;
        }
        self.wake_some(gate_state);
    }

    /// Registers that `users` are reached after `passes`, a number that never falls; returns those already reached.
    #[must_use]
    pub(super) fn await_users(&self, passes: u64, users: u32) -> Vec<u32> {
        let mut gate_state = self.lock_state();
        gate_state.awaited.push_back(Milestone { passes, users });
        gate_state.take_reached()
    }

    /// Wakes two of the users that need not wait: 10,000 are awake after 13 steps, and each user does little work.
    fn wake_some(&self, gate_state: MutexGuard<'_, GateState>) {
        let (sleepers, some) = match *gate_state {
            GateState { is_closed: true, .. } => return,
            GateState { waiting: 0, waiting_for_others: holding, .. } => (&self.all_through, holding.min(2)),
            GateState { waiting, .. } => (&self.opened, waiting.min(2)),
        };
        drop(gate_state);
        (0..some).for_each(|_| sleepers.notify_one());
    }

    fn lock_state(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GateState {
    const fn is_through(&self) -> bool {
        !self.is_closed && self.waiting == 0
    }

    fn take_reached(&mut self) -> Vec<u32> {
        let here = self.awaited.iter().take_while(|milestone| milestone.passes <= self.passed).count();
        self.awaited.drain(..here).map(|milestone| milestone.users).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_user_to_pass_reports_that_all_have_started() {
        let gate = StartGate::default();
        let closed = gate.close();
        assert_eq!(gate.await_users(3, 3), [0; 0], "no user has passed yet");
        std::thread::scope(|scope| {
            let users: Vec<_> = (0..3).map(|_| scope.spawn(|| gate.pass())).collect();
            drop(closed);
            let reached: Vec<u32> = users.into_iter().flat_map(|user| user.join().unwrap()).collect();
            assert_eq!(reached, [3], "exactly one of them does");
        });
    }

    #[test]
    fn no_user_sends_a_second_request_before_all_have_passed() {
        const USERS: usize = 50;
        let gate = StartGate::default();
        let closed = gate.close();
        std::thread::scope(|scope| {
            let work = || {
                let _ = gate.pass();
                gate.wait_for_all();
                gate.lock_state().passed
            };
            let users: Vec<_> = (0..USERS).map(|_| scope.spawn(work)).collect();
            while gate.lock_state().waiting < USERS {
                std::thread::yield_now();
            }
            drop(closed);
            for user in users {
                assert_eq!(user.join().unwrap(), USERS as u64);
            }
        });
    }

    #[test]
    fn milestones_reached_before_they_are_set_are_reported_at_once_and_only_once() {
        let gate = StartGate::default();
        assert_eq!(gate.pass(), [0; 0]);
        assert_eq!(gate.await_users(1, 1), [1]);
        assert_eq!(gate.await_users(3, 3), [0; 0]);
        assert_eq!(gate.await_users(3, 2), [0; 0], "one of the three has left again");
        assert_eq!(gate.pass(), [0; 0]);
        assert_eq!(gate.pass(), [3, 2]);
        assert_eq!(gate.pass(), [0; 0]);
    }
}
