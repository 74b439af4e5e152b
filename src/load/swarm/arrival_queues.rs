//! Arrivals of the open model on their way to users: one queue per class of users; each arrival is taken once, in
//! order.
//!
//! Arrival k belongs to `class_of(k)`, and only users of that class take it, so weights are shares of arrivals however
//! slow the responses of one class are. Each queue iterates over the whole schedule and skips what is not its own, so
//! no arrival has to be stored for another class.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, select, unbounded};

use super::roster::Roster;
use super::stop::{Never, Stop};
use crate::clock::Moment;
use crate::plan::Plan;
use crate::plan::class_order::MAX_PERIOD;
use crate::plan::schedule::arrivals::DueTimes;
use crate::plan::schedule::stepped::{SteppedArrivals, SteppedDueTimes};

/// How often a thread that waits for further arrivals looks for one that was given back.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// The arrival queues of all classes.
pub(in crate::load) struct ArrivalQueues<'p> {
    by_class: Box<[ArrivalQueue<'p>]>,
    most_users: u32,
    /// Queues that have no user and may still get one.
    without_user: AtomicU32,
    /// One signal for each time that arrivals were added to the schedule, for the thread that starts users; `None` where
    /// the schedule is complete from the start.
    added: Option<(Sender<()>, Receiver<()>)>,
}

/// One arrival: when it is due, and its number in the whole run, which determines its class and task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::load) struct Arrival {
    /// When its first request is due.
    pub(in crate::load) due: Moment,
    /// Counted from 0 over all shards.
    pub(in crate::load) number: u64,
}

/// Arrivals of one class that no user has taken yet.
pub(in crate::load) struct ArrivalQueue<'p> {
    pending: Mutex<PendingArrivals<'p>>,
    /// One signal for each arrival given back, for users that wait for one.
    returned: (Sender<()>, Receiver<()>),
    /// End of the run: arrivals due then or later are not part of it.
    end: Moment,
    users: AtomicU32,
    /// Whether there is no data for another user, or nothing for one to do.
    is_spent: AtomicBool,
}

struct PendingArrivals<'p> {
    scheduled: ClassArrivals<'p>,
    /// The next of `scheduled`.
    peeked: Option<Arrival>,
    /// Whether `scheduled` has ended for good.
    is_over: bool,
    /// Taken by users that could not serve them.
    returned: BTreeSet<Arrival>,
    /// How many were taken by users that have not ended the task yet.
    served: u32,
}

/// What determines when arrivals are due.
#[derive(Clone, Debug)]
pub(super) enum ArrivalSchedule<'p> {
    /// A schedule that is complete from the start.
    Planned(DueTimes<'p>),
    /// One that grows while the run goes on.
    Stepped(SteppedDueTimes<'p>),
}

impl<'p> ArrivalSchedule<'p> {
    /// That of a plan, or of the search for which it is made; `None` in the closed model.
    pub(super) fn of(plan: &'p Plan, steps: Option<&'p SteppedArrivals>) -> Option<Self> {
        let planned = || plan.load().arrivals().map(|arrivals| Self::Planned(arrivals.due()));
        steps.map(|steps| Self::Stepped(steps.due())).or_else(planned)
    }

    fn nth(&mut self, skipped: usize) -> Option<Duration> {
        match self {
            Self::Planned(due) => due.nth(skipped),
            Self::Stepped(due) => due.nth(skipped),
        }
    }
}

/// The times at which the arrivals of one class are due.
struct ClassArrivals<'p> {
    plan: &'p Plan,
    class: usize,
    due: ArrivalSchedule<'p>,
    /// Number within this shard.
    next: u64,
}

impl ClassArrivals<'_> {
    /// How many arrivals of other classes come before the next of this one.
    fn others_before(&self) -> Option<usize> {
        // The order of classes is periodic: if a whole period has none of this class, which can happen in a shard,
        // there are none.
        let is_own = |skipped: &usize| {
            let number = self.next.saturating_add(*skipped as u64);
            self.plan.class_of(self.plan.load().shard.global_number(number)) == self.class
        };
        (0..MAX_PERIOD).find(is_own)
    }

    fn next(&mut self) -> Option<Arrival> {
        let skipped = self.others_before()?;
        let due = Moment::at(self.due.nth(skipped)?);
        let number = self.plan.load().shard.global_number(self.next.saturating_add(skipped as u64));
        self.next = self.next.saturating_add(skipped as u64 + 1);
        Some(Arrival { due, number })
    }

    /// Whether there may be further arrivals although there is none now.
    fn may_grow(&self) -> bool {
        matches!(self.due, ArrivalSchedule::Stepped(_)) && self.others_before().is_some()
    }
}

impl<'p> ArrivalQueues<'p> {
    /// All arrivals of a plan with this schedule.
    pub(super) fn new(plan: &'p Plan, schedule: &ArrivalSchedule<'p>) -> Self {
        let end = Moment::at(plan.load().run_time.unwrap_or(Duration::MAX));
        let arrival_queue =
            |class| ArrivalQueue::new(ClassArrivals { plan, class, due: schedule.clone(), next: 0 }, end);
        let of_classes: Box<[ArrivalQueue<'p>]> = (0..plan.classes().len()).map(arrival_queue).collect();
        let used = of_classes.iter().filter(|arrival_queue| !arrival_queue.is_spent()).count();
        let unmanned = AtomicU32::new(u32::try_from(used).unwrap_or(u32::MAX));
        let added = matches!(schedule, ArrivalSchedule::Stepped(_)).then(unbounded);
        let most_users = plan.load().max_users();
        Self { by_class: of_classes, most_users, without_user: unmanned, added }
    }

    /// Wakes all that wait for arrivals, because some were added to the schedule.
    pub(super) fn announce(&self) {
        for queue in &self.by_class {
            for _ in 0..queue.users.load(Ordering::SeqCst) {
                queue.wake_one();
            }
        }
        if let Some((sender, _)) = &self.added {
            let _ = sender.send(());
        }
    }

    /// Waits until arrivals are added; false when the stop begins, and where none can be added.
    pub(super) fn wait_for_more(&self, stop: &Stop) -> bool {
        let Some((_, added)) = &self.added else { return false };
        select! {
            recv(stop.begun()) -> _ => false,
            recv(added) -> _ => true,
            // A user may give back an arrival that it could not serve.
            default(CHECK_INTERVAL) => true,
        }
    }

    /// Whether no arrival is left, apart from those of classes without data, and no user is at work on one.
    pub(super) fn is_idle(&self) -> bool {
        self.by_class.iter().all(ArrivalQueue::is_idle)
    }

    /// The queue of a class.
    pub(in crate::load) fn queue(&self, class: usize) -> &ArrivalQueue<'p> {
        &self.by_class[class]
    }

    /// When the next untaken arrival is due, among classes that have data.
    pub(super) fn next_due(&self) -> Option<Moment> {
        self.by_class.iter().filter(|arrival_queue| !arrival_queue.is_spent()).filter_map(ArrivalQueue::next_due).min()
    }

    /// The class that may get another user and whose next arrival is due first, and when that is.
    pub(super) fn next_to_grow(&self, roster: &Roster) -> Option<(usize, Moment)> {
        let classes = (0..self.by_class.len()).filter(|class| self.may_grow(*class, roster));
        let due = classes.filter_map(|class| Some((class, self.by_class[class].next_due()?)));
        due.min_by_key(|(_, due)| *due)
    }

    /// Whether a class may get another user. The last places are reserved for classes that have no user yet.
    pub(in crate::load) fn may_grow(&self, class: usize, roster: &Roster) -> bool {
        let arrival_queue = &self.by_class[class];
        let is_first = arrival_queue.users.load(Ordering::Relaxed) == 0;
        let others = self.without_user.load(Ordering::Relaxed).saturating_sub(u32::from(is_first));
        !arrival_queue.is_spent() && roster.users().saturating_add(others) < self.most_users
    }

    /// Counts a started user of a class.
    pub(super) fn add_user(&self, class: usize) {
        if self.by_class[class].users.fetch_add(1, Ordering::Relaxed) == 0 {
            self.without_user.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Removes a user of a class that ended itself: another one may be started.
    pub(in crate::load) fn user_stopped(&self, class: usize) {
        if self.by_class[class].users.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.without_user.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Removes a user of a class that ended for lack of data, so another one would have none either.
    pub(in crate::load) fn remove_user(&self, class: usize) {
        self.by_class[class].is_spent.store(true, Ordering::Relaxed);
        self.by_class[class].users.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<'p> ArrivalQueue<'p> {
    fn new(own: ClassArrivals<'p>, end: Moment) -> Self {
        let may_grow = own.may_grow();
        let due =
            PendingArrivals { scheduled: own, peeked: None, is_over: false, returned: BTreeSet::new(), served: 0 };
        let (users, is_spent) = (AtomicU32::new(0), AtomicBool::new(false));
        let arrival_queue = Self { pending: Mutex::new(due), returned: unbounded(), end, users, is_spent };
        arrival_queue.is_spent.store(!may_grow && arrival_queue.next_due().is_none(), Ordering::Relaxed);
        arrival_queue
    }

    /// Takes the next arrival; `None` after the end of the schedule.
    fn take(&self) -> Option<Arrival> {
        self.next_if(|_| true)
    }

    /// Takes the next arrival if it is due by `moment`.
    pub(super) fn take_until(&self, moment: Moment) -> Option<Arrival> {
        self.next_if(|arrival| arrival.due <= moment)
    }

    /// Gives back an arrival whose first request was not sent.
    pub(in crate::load) fn give_back(&self, arrival: Arrival) {
        let mut pending = self.lock_pending();
        pending.returned.insert(arrival);
        pending.served -= 1;
        drop(pending);
        self.wake_one();
    }

    /// Puts back an arrival that was taken out without a user.
    pub(super) fn put_back(&self, arrival: Arrival) {
        self.lock_pending().returned.insert(arrival);
        self.wake_one();
    }

    /// Notes that a user has ended the task of an arrival that it took.
    pub(in crate::load) fn end_task(&self) {
        self.lock_pending().served -= 1;
    }

    fn is_idle(&self) -> bool {
        let mut pending = self.lock_pending();
        pending.served == 0 && (self.is_spent() || pending.next(self.end).is_none())
    }

    /// Wakes a user that waits for an arrival; if there is none, the next that would wait looks once more.
    fn wake_one(&self) {
        // Cannot fail: the queue itself holds the receiver.
        let _ = self.returned.0.send(());
    }

    /// Takes the next arrival. If none is left, waits until one is given back; `None` when the stop begins.
    pub(in crate::load) fn take_or_wait(&self, stop: &Receiver<Never>) -> Option<Arrival> {
        loop {
            if let Some(arrival) = self.take() {
                return Some(arrival);
            }
            select! {
                recv(stop) -> _ => return None,
                // Another user may have taken it already.
                recv(self.returned.1) -> _ => {}
            }
        }
    }

    fn is_spent(&self) -> bool {
        self.is_spent.load(Ordering::Relaxed)
    }

    /// When the next untaken arrival is due.
    fn next_due(&self) -> Option<Moment> {
        self.lock_pending().next(self.end).map(|arrival| arrival.due)
    }

    fn next_if(&self, is_wanted: impl Fn(Arrival) -> bool) -> Option<Arrival> {
        let mut waiting = self.lock_pending();
        waiting.next(self.end).filter(|arrival| is_wanted(*arrival))?;
        waiting.served += 1;
        waiting.pop()
    }

    fn lock_pending(&self) -> MutexGuard<'_, PendingArrivals<'p>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PendingArrivals<'_> {
    /// The next arrival that is due before `end`. Those given back were due before all that are still untaken.
    fn next(&mut self, end: Moment) -> Option<Arrival> {
        let returned = self.returned.first().copied();
        returned.or_else(|| self.peek().filter(|arrival| arrival.due < end))
    }

    fn pop(&mut self) -> Option<Arrival> {
        self.returned.pop_first().or_else(|| {
            self.peek();
            self.peeked.take()
        })
    }

    fn peek(&mut self) -> Option<Arrival> {
        if self.peeked.is_none() && !self.is_over {
            self.peeked = self.scheduled.next();
            self.is_over = self.peeked.is_none() && !self.scheduled.may_grow();
        }
        self.peeked
    }
}

/// Arrivals that were due before the load ended and whose first request was never sent, in the order of their due
/// times.
pub(in crate::load) struct Unsent<'l, 'p> {
    /// The queues, by class.
    queues: Vec<(usize, MutexGuard<'l, PendingArrivals<'p>>)>,
    next: BinaryHeap<Reverse<(Arrival, usize)>>,
    until: Moment,
}

impl<'p> ArrivalQueues<'p> {
    /// Arrivals due before `stopped` and never sent, of classes that had data. Call it after all users have ended.
    pub(in crate::load) fn unsent(&self, stopped: Moment) -> Unsent<'_, 'p> {
        self.left(stopped, |arrival_queue| !arrival_queue.is_spent())
    }

    /// Arrivals due before `stopped`, of classes whose data was used up.
    pub(in crate::load) fn without_data(&self, stopped: Moment) -> Unsent<'_, 'p> {
        self.left(stopped, ArrivalQueue::is_spent)
    }

    /// Arrivals due before a moment and not taken, of all classes.
    pub(super) fn untaken(&self, before: Moment) -> Unsent<'_, 'p> {
        self.left(before, |_| true)
    }

    fn left(&self, stopped: Moment, is_meant: impl Fn(&ArrivalQueue<'p>) -> bool) -> Unsent<'_, 'p> {
        let lanes = self.by_class.iter().enumerate().filter(|(_, arrival_queue)| is_meant(arrival_queue));
        let lanes: Vec<_> = lanes.map(|(class, arrival_queue)| (class, arrival_queue.lock_pending())).collect();
        let until = stopped.min(self.by_class.iter().map(|arrival_queue| arrival_queue.end).min().unwrap_or(stopped));
        let mut unsent = Unsent { next: BinaryHeap::with_capacity(lanes.len()), queues: lanes, until };
        (0..unsent.queues.len()).for_each(|arrival_queue| unsent.push_next(arrival_queue));
        unsent
    }
}

impl Unsent<'_, '_> {
    fn push_next(&mut self, arrival_queue: usize) {
        if let Some(arrival) = self.queues[arrival_queue].1.next(self.until).filter(|arrival| arrival.due < self.until)
        {
            self.next.push(Reverse((arrival, arrival_queue)));
        }
    }
}

impl Iterator for Unsent<'_, '_> {
    /// The class and the arrival.
    type Item = (usize, Arrival);

    fn next(&mut self) -> Option<(usize, Arrival)> {
        let Reverse((arrival, arrival_queue)) = self.next.pop()?;
        self.queues[arrival_queue].1.pop();
        self.push_next(arrival_queue);
        Some((self.queues[arrival_queue].0, arrival))
    }
}
