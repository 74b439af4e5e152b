//! The steps of a search for capacity, as the swarm has them: arrivals that are added while it works, and whether all of
//! them have been dealt with.

use std::sync::atomic::Ordering;

use super::arrival_queues::{Arrival, ArrivalQueues};
use super::start::Swarm;
use crate::clock::Moment;
use crate::plan::endpoint::EndpointId;

/// An arrival that was taken out of its queue before a user took it.
#[derive(Clone, Copy, Debug)]
pub struct WithdrawnArrival {
    class: usize,
    arrival: Arrival,
}

impl WithdrawnArrival {
    /// When it was due.
    #[must_use]
    pub const fn due(&self) -> Moment {
        self.arrival.due
    }
}

impl Swarm<'_> {
    /// Tells users of arrivals that were added to the schedule.
    pub fn announce_arrivals(&self) {
        self.queues.iter().for_each(ArrivalQueues::announce);
    }

    /// Whether every arrival has been taken and no user is at work on one.
    pub fn is_idle(&self) -> bool {
        self.queues.as_ref().is_none_or(ArrivalQueues::is_idle)
    }

    /// Takes the arrivals that no user took out of their queues.
    pub fn withdraw(&self, due_before: Moment) -> Vec<WithdrawnArrival> {
        let left = self.queues.iter().flat_map(|queues| queues.untaken(due_before));
        left.map(|(class, arrival)| WithdrawnArrival { class, arrival }).collect()
    }

    /// Puts arrivals back that were withdrawn.
    pub fn put_back(&self, withdrawn: Vec<WithdrawnArrival>) {
        let Some(queues) = &self.queues else { return };
        for WithdrawnArrival { class, arrival } in withdrawn {
            queues.queue(class).put_back(arrival);
        }
    }

    /// The endpoint of the first request of an arrival.
    #[must_use]
    pub fn endpoint_of(&self, withdrawn: &WithdrawnArrival) -> EndpointId {
        self.first_endpoint(withdrawn.class, withdrawn.arrival)
    }

    /// Whether data ran out, so that an arrival was not sent or a user ended.
    pub fn is_short_of_data(&self) -> bool {
        self.has_lost_users.load(Ordering::SeqCst) || self.setup.data.without_data() > 0
    }
}
