//! What happens before the first user starts and after the last has ended.

use super::once;
use super::start::{Swarm, SwarmHandles};
use crate::clock::Moment;
use crate::event::Notice;
use crate::load::user::shared::Reports;
use crate::vocabulary::EndReason;

impl Swarm<'_> {
    /// Reports what is known before the first user starts.
    pub(super) fn report_before_users(&self, ties: &SwarmHandles<'_>) {
        let plan = self.run.plan;
        let has_end = plan.classes().iter().any(|class| !class.on_stop.is_empty()) || !plan.once().teardown.is_empty();
        if has_end && plan.load().stop_timeout.is_zero() {
            self.notices.report(Notice::NoTimeToStop, Moment::START, &ties.events);
        }
        for notice in &self.setup.notices {
            self.notices.report(*notice, Moment::START, &ties.events);
        }
    }

    /// Performs `teardown`, if there is time for it.
    pub(super) fn run_teardown(&self, ties: &SwarmHandles<'_>) {
        let plan = self.run.plan;
        let is_wanted = !plan.once().teardown.is_empty() && !plan.load().stop_timeout.is_zero();
        if !is_wanted || plan.load().has_nothing_to_do() || self.run.stop.reason() == Some(EndReason::StreamBroken) {
            return;
        }
        if self.run.stop.is_cut() {
            return self.notices.report(Notice::NoTimeForTeardown, self.run.clock.now(), &ties.events);
        }
        once::run_teardown(self.context(), Reports { outcomes: &ties.outcomes, events: &ties.events });
    }

    /// Reports what is known when the last user has ended.
    pub(super) fn report_after_users(&self, ties: &SwarmHandles<'_>) {
        if let Some(not_ready) = self.readiness.not_ready() {
            self.notices.report(Notice::NotReady(not_ready), self.run.clock.now(), &ties.events);
        }
    }
}
