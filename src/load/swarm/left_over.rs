//! What was not sent when all users had ended.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::arrival_queues::Arrival;
use super::start::Swarm;
use crate::clock::Moment;
use crate::plan::endpoint::EndpointId;
use crate::vocabulary::EndReason;

impl Swarm<'_> {
    /// Arrivals that were due before the load ended at `stopped` and that no user could take: the endpoint of the first
    /// request of each, when it was due, and how long it waited. With `-n`, at most the number of requests that were still to be started.
    /// Call it after all users have ended.
    pub fn unsent(&self, stopped: Moment) -> impl Iterator<Item = (EndpointId, Moment, Duration)> {
        let left = self.queues.iter().flat_map(move |lanes| lanes.unsent(stopped));
        let most = self.quota.left().map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
        left.take(most)
            .map(move |(class, arrival)| (self.first_endpoint(class, arrival), arrival.due, stopped.since(arrival.due)))
    }

    /// The endpoint of the first request of an arrival.
    pub(super) fn first_endpoint(&self, class: usize, arrival: Arrival) -> EndpointId {
        let task = self.run.plan.classes()[class].tasks.of_arrival(self.run.plan.load().seed, arrival.number);
        task.first_request().message.endpoint()
    }

    /// Requests that were not sent because the data for them was used up. If that ended the run: with `-n` all that were
    /// still to be started, otherwise arrivals that were due before the load ended at `stopped`. If it did not, other
    /// users went on, and only arrivals of the classes without data count.
    #[must_use]
    pub fn without_data(&self, stopped: Moment) -> u64 {
        let ended_the_run = self.run.stop.reason() == Some(EndReason::DataEnd);
        let left = self.quota.left();
        match (left, &self.queues) {
            (Some(left), _) if ended_the_run => left,
            (_, None) => 0,
            (left, Some(lanes)) => {
                let has_lost_users = self.has_lost_users.load(Ordering::SeqCst);
                let of_spent = if has_lost_users { lanes.without_data(stopped).count() as u64 } else { 0 };
                (of_spent + self.setup.data.without_data()).min(left.unwrap_or(u64::MAX))
            }
        }
    }
}
