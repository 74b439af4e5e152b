//! Starts the users, each at its time, and ends those that the schedule ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};
use std::thread::{Builder, Scope};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::arrival_queues::{ArrivalQueues, ArrivalSchedule};
use super::context::RunContext;
use super::notices::{Explanations, Notices};
use super::once::{Setup, SetupEnd};
use super::outcome_sender::OutcomeSender;
use super::readiness::Readiness;
use super::request_quota::RequestQuota;
use super::roster::UserSlot;
use super::start_gate::StartGate;
use super::stop::Never;
use super::transcripts::{FailureLimits, Recording};
use crate::clock::Moment;
use crate::event::{SwarmEvent, SwarmEventKind};
use crate::load::net::connection::Dialer;
use crate::load::user::journey::{self, Job, UserEnd, UserId};
use crate::load::user::shared::{Reports, UserContext};
use crate::plan::LoadModel;
use crate::plan::journey::UserClass;
use crate::plan::schedule::stepped::SteppedArrivals;
use crate::plan::schedule::users::{ChangeKind, Users};
use crate::vocabulary::EndReason;

/// Stack size of a user's thread. Virtual memory: a user touches about 16 KiB of it over plain HTTP, more in a TLS
/// handshake.
const USER_STACK: usize = 256 * 1024;

/// In the open model a user is started this long before an untaken arrival, so that its thread is running when the
/// arrival is due: starting one takes 30 to 100 µs, on a busy machine more.
const HEAD_START: Duration = Duration::from_millis(2);

/// How often the state is checked while every user is busy.
const CHECK_INTERVAL: Duration = Duration::from_millis(5);

/// Everything that users work with; it outlives them.
pub struct Swarm<'run> {
    pub(super) run: RunContext<'run>,
    dialer: &'run Dialer,
    pub(super) quota: RequestQuota,
    pub(super) notices: Notices,
    pub(super) explanations: Explanations,
    /// Limits of the failed exchanges that are shown; `None` shows none.
    pub(super) failure_limits: Option<FailureLimits>,
    pub(super) queues: Option<ArrivalQueues<'run>>,
    /// Whether no more users will be started.
    is_complete: AtomicBool,
    /// Whether a user ended for lack of data.
    pub(super) has_lost_users: AtomicBool,
    /// Whether a user ended itself.
    has_stopped_users: AtomicBool,
    /// Users that were started but found no data.
    without_rows: AtomicU32,
    /// Closed while there are users that are due but not started yet.
    start_gate: StartGate,
    pub(super) readiness: Readiness,
    pub(super) setup: Setup<'run>,
}

/// Held by the thread that starts users and by each user. That of the thread outlives those of the users; the run is over
/// when all of them are dropped.
#[derive(Clone)]
pub(super) struct SwarmHandles<'run> {
    pub(super) outcomes: OutcomeSender<'run>,
    pub(super) events: Sender<SwarmEvent>,
    _alive: Sender<Never>,
}

impl<'run> Swarm<'run> {
    /// A swarm without users, after `setup`. `steps` has the arrivals of a search for capacity.
    #[must_use]
    pub fn new(
        run: RunContext<'run>,
        dialer: &'run Dialer,
        setup: Setup<'run>,
        steps: Option<&'run SteppedArrivals>,
    ) -> Self {
        let plan = run.plan;
        let lanes = ArrivalSchedule::of(plan, steps).map(|schedule| ArrivalQueues::new(plan, &schedule));
        Self {
            run,
            dialer,
            quota: RequestQuota::new(plan.load().requests),
            notices: Notices::default(),
            explanations: Explanations::new(plan),
            failure_limits: plan.debug_failures().map(FailureLimits::new),
            queues: lanes,
            is_complete: AtomicBool::new(false),
            has_lost_users: AtomicBool::new(false),
            has_stopped_users: AtomicBool::new(false),
            without_rows: AtomicU32::new(0),
            start_gate: StartGate::default(),
            readiness: Readiness::default(),
            setup,
        }
    }

    /// Starts the users, each at its time, until the stop begins. The returned channel is closed when the last user has
    /// ended.
    ///
    /// # Errors
    /// If even the thread that starts the users could not be started.
    pub fn start<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        outlet: OutcomeSender<'scope>,
        events: Sender<SwarmEvent>,
    ) -> std::io::Result<Receiver<Never>> {
        let (alive, ended) = bounded(0);
        let ties = SwarmHandles { outcomes: outlet, events, _alive: alive };
        let work = move || {
            self.report_before_users(&ties);
            match &self.setup.end {
                SetupEnd::Passed => {
                    let (alive, users_ended) = bounded(0);
                    self.start_users(scope, &SwarmHandles { _alive: alive, ..ties.clone() });
                    // Closed when the last user has ended.
                    let _: Result<Never, _> = users_ended.recv();
                    self.run_teardown(&ties);
                }
                SetupEnd::Failed(why) => {
                    self.report(&ties, SwarmEventKind::SetupFailed { why: why.clone() });
                    self.run.stop.begin(EndReason::SetupFailed);
                }
                SetupEnd::Interrupted => {}
            }
            self.report_after_users(&ties);
        };
        Builder::new().name("spawner".to_owned()).spawn_scoped(scope, work)?;
        Ok(ended)
    }

    /// Starts the users, and waits for the stop.
    fn start_users<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, ties: &SwarmHandles<'scope>) {
        let result = match (&self.run.plan.load().model, &self.queues) {
            (LoadModel::Closed(users), _) => self.start_closed(scope, users, ties),
            (LoadModel::Open { .. } | LoadModel::Search { .. }, Some(lanes)) => self.start_open(scope, lanes, ties),
            (LoadModel::Open { .. } | LoadModel::Search { .. }, None) => unreachable!("the open model has lanes"),
        };
        let failed = result.is_err();
        if let Err(error) = result {
            let (users, why) = (self.run.roster.users(), error.to_string());
            // Few and rare; the aggregator receives them as long as there are senders.
            self.report(ties, SwarmEventKind::SpawnFailed { users, why });
        }
        self.is_complete.store(true, Ordering::SeqCst);
        self.end_without_users();
        if !failed || self.run.roster.users() > 0 {
            // All users may have ended for a while, between stages; only the stop controller ends the run.
            let _ = self.run.stop.begun().recv();
        } else {
            self.run.stop.begin(EndReason::NoUsers);
        }
    }

    /// What users share.
    pub(super) fn context(&self) -> UserContext<'_> {
        UserContext {
            run: self.run,
            dialer: self.dialer,
            quota: &self.quota,
            data: &self.setup.data,
            notices: &self.notices,
            start_gate: &self.start_gate,
            explanations: &self.explanations,
            readiness: &self.readiness,
            initial: &self.setup.variables,
            recording: self.failure_limits.as_ref().map_or(Recording::Off, Recording::Failures),
        }
    }

    /// The closed model: users start and end as scheduled.
    fn start_closed<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        users: &Users,
        ties: &SwarmHandles<'scope>,
    ) -> std::io::Result<()> {
        let mut user_slots: Vec<Option<Arc<UserSlot>>> = Vec::new();
        let mut reached = users.reached().peekable();
        let mut started = 0;
        let mut closed = None;
        for change in users.changes() {
            if self.run.clock.now() < Moment::at(change.at) {
                closed = None;
            } else if closed.is_none() {
                closed = Some(self.start_gate.close());
            }
            while let Some(plateau) = reached.next_if(|plateau| plateau.at < change.at) {
                if !self.wait_until(Moment::at(plateau.at)) {
                    return Ok(());
                }
                self.report_spawned(ties, self.start_gate.await_users(started, plateau.users));
            }
            if !self.wait_until(Moment::at(change.at)) {
                return Ok(());
            }
            let at = change.user as usize;
            match change.kind {
                ChangeKind::Start => {
                    user_slots.resize(user_slots.len().max(at + 1), None);
                    let class = self.run.plan.class_of(u64::from(change.user));
                    user_slots[at] = Some(self.start_user(
                        scope,
                        UserId { number: change.user, class },
                        ties.clone(),
                        Job::Tasks,
                    )?);
                    started += 1;
                }
                ChangeKind::Stop => {
                    if let Some(user_slot) = user_slots.get_mut(at).and_then(Option::take) {
                        user_slot.dismiss();
                    }
                }
            }
        }
        // Before the gate opens, because the users that pass it detect that all have started; unless it should be open
        // by then.
        for plateau in reached {
            if self.run.clock.now() < Moment::at(plateau.at) {
                closed = None;
            }
            if !self.wait_until(Moment::at(plateau.at)) {
                return Ok(());
            }
            self.report_spawned(ties, self.start_gate.await_users(started, plateau.users));
        }
        drop(closed);
        Ok(())
    }

    /// The open model: starts another user whenever an untaken arrival is almost due.
    fn start_open<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        lanes: &'scope ArrivalQueues<'run>,
        ties: &SwarmHandles<'scope>,
    ) -> std::io::Result<()> {
        let mut plateau = self.run.plan.load().plateau().map(Moment::at);
        let mut is_exhausted = false;
        let mut started = 0;
        let classes = self.run.plan.classes();
        let may_stop = classes.iter().any(UserClass::may_stop);
        let needs_one_each = classes.iter().all(UserClass::always_sends) && !may_stop;
        let most = self.run.plan.load().requests.filter(|_| needs_one_each);
        let most = most.map_or(u64::MAX, |most| most + classes.len() as u64);
        while !self.run.stop.is_begun() {
            let Some(due) = lanes.next_due() else {
                if lanes.wait_for_more(self.run.stop) {
                    continue;
                }
                return Ok(());
            };
            let now = self.run.clock.now();
            if plateau.is_some_and(|plateau| plateau <= now) && self.run.roster.users() > 0 {
                plateau = None;
                self.report(ties, SwarmEventKind::Spawned { users: self.run.roster.users() });
            }
            // Where each arrival sends at least one request, more users than `-n` are useless, except those that find
            // that the data of their class is used up.
            let growing = if started < most { lanes.next_to_grow(self.run.roster) } else { None };
            if let Some((class, _)) = growing.filter(|(_, due)| *due <= now.after(HEAD_START)) {
                if let Some(first) = lanes.queue(class).take_until(now.after(HEAD_START)) {
                    // The number within the whole run, so that no two shards have users with the same random numbers.
                    let number = self.run.plan.load().shard.global_number(started);
                    let number = u32::try_from(number).unwrap_or(u32::MAX);
                    lanes.add_user(class);
                    self.start_user(scope, UserId { number, class }, ties.clone(), Job::Arrivals { lanes, first })?;
                    started += 1;
                }
                continue;
            }
            if due < now && !is_exhausted && started < most {
                is_exhausted = true;
                self.report(ties, SwarmEventKind::UsersExhausted { users: self.run.roster.users() });
            }
            if is_exhausted && plateau.is_none() && self.run.plan.sources().is_empty() && !may_stop {
                // Users do not end before the run does, so there is nothing left to do or to report.
                return Ok(());
            }
            let next = growing.map_or_else(|| now.after(CHECK_INTERVAL), |(_, due)| before(due, HEAD_START));
            let next = plateau.filter(|plateau| *plateau > now).map_or(next, |plateau| next.min(plateau));
            if !self.wait_until(next) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn report_spawned(&self, ties: &SwarmHandles<'_>, reached: Vec<u32>) {
        // Users that found no data have ended, or are about to.
        let without_rows = self.without_rows.load(Ordering::SeqCst);
        for users in reached {
            self.report(ties, SwarmEventKind::Spawned { users: users.saturating_sub(without_rows) });
        }
    }

    fn report(&self, ties: &SwarmHandles<'_>, kind: SwarmEventKind) {
        let _ = ties.events.send(SwarmEvent { at: self.run.clock.now(), kind });
    }

    /// Ends the run if users ended for lack of data, or themselves, and no user is left or still to be started.
    fn end_without_users(&self) {
        // The last user and the thread that starts them may get here at the same time: one of them sees what the other
        // did.
        fence(Ordering::SeqCst);
        let has_lost_users = self.has_lost_users.load(Ordering::SeqCst);
        // In the open model users that ended themselves are replaced as long as there are arrivals, and the schedule ends
        // the run.
        let has_stopped_users = self.queues.is_none() && self.has_stopped_users.load(Ordering::SeqCst);
        let is_last = self.run.roster.users() == 0 && (has_lost_users || has_stopped_users);
        if is_last && (self.is_complete.load(Ordering::SeqCst) || has_lost_users && self.setup.data.is_used_up()) {
            self.run.stop.begin(if has_lost_users { EndReason::DataEnd } else { EndReason::UsersStopped });
        }
    }

    /// Waits until `moment`; returns whether that was reached before the stop began.
    fn wait_until(&self, moment: Moment) -> bool {
        let on_time = self.run.clock.now() >= moment || self.run.stop.sleep_until(self.run.clock.instant(moment));
        on_time && !self.run.stop.is_begun()
    }

    fn start_user<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        user: UserId,
        ties: SwarmHandles<'scope>,
        job: Job<'scope, 'run>,
    ) -> std::io::Result<Arc<UserSlot>> {
        let shared = self.context();
        let user_slot = self.run.roster.enter();
        let own = Arc::clone(&user_slot);
        // Boxed, because the standard library moves it several times on the thread's stack: with thousands of users the
        // pages of memory that a user touches count.
        let work: Box<dyn FnOnce() + Send + 'scope> = Box::new(move || {
            let reports = Reports { outcomes: &ties.outcomes, events: &ties.events };
            let at_work = |has_rows: bool| {
                if !has_rows {
                    self.without_rows.fetch_add(1, Ordering::SeqCst);
                }
                self.report_spawned(&ties, self.start_gate.pass());
            };
            let job_kind = &self.run.plan.load().model;
            match journey::run(user, shared, &own, reports, job, at_work) {
                UserEnd::Requested => self.run.roster.leave(own),
                UserEnd::DataEnd => {
                    self.run.roster.retire(&own);
                    self.has_lost_users.store(true, Ordering::SeqCst);
                    self.end_without_users();
                }
                UserEnd::Stopped => {
                    // In the open model no thread will dismiss it, and there may be one such user after another.
                    match job_kind {
                        LoadModel::Closed(_) => self.run.roster.retire(&own),
                        LoadModel::Open { .. } | LoadModel::Search { .. } => self.run.roster.leave(own),
                    }
                    self.has_stopped_users.store(true, Ordering::SeqCst);
                    self.end_without_users();
                }
            }
            drop(ties);
        });
        let started =
            Builder::new().name(format!("user-{}", user.number)).stack_size(USER_STACK).spawn_scoped(scope, work);
        if let Err(error) = started {
            self.run.roster.leave(user_slot);
            return Err(error);
        }
        Ok(user_slot)
    }
}

fn before(moment: Moment, by: Duration) -> Moment {
    Moment::at(moment.since_start().saturating_sub(by))
}
