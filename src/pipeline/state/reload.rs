//! Another config in flight.

use std::mem;
use std::sync::Arc;

use super::State;
use crate::checkpoint::Snapshot;
use crate::config::{Config, Roster};
use crate::detect::DetectorState;
use crate::ingest::Positions;
use crate::message::EventTime;
use crate::publish::{AdjustedShares, DepartmentView};

impl State {
    /// Who the departments are.
    pub(in crate::pipeline) fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Takes departments, `[detect]` and mutes of a config by the way of a restart: what is remembered goes through a snapshot into a state
    /// made of the new config. So whatever a restart would keep, change or leave out, this does. What a restart would have to find out
    /// anew, or begins at 0, goes on as it was: where the stream stands, and the process's own counters.
    ///
    /// `beat` is called in between. Gives what no longer applies, in words.
    pub(in crate::pipeline) fn reload(
        &mut self,
        config: &Config,
        roster: Arc<Roster>,
        learned: DetectorState,
        beat: &mut dyn FnMut(),
    ) -> Vec<String> {
        let snapshot = self.snapshot(&Positions::default(), EventTime::from_millis(0));
        let (fresh, mut taught) = Self::new(config, roster, self.adjuster.shares().clone()).with_learned(learned);
        taught.retain(|name| !snapshot.detector.departments.iter().any(|saved| saved.department == *name));
        if !taught.is_empty() {
            tracing::info!(
                departments = taught.len(),
                "baselines learned from history are taken: {}",
                taught.join(", ")
            );
        }
        let before = mem::replace(self, fresh);
        let left_out = self.go_on_after(before, &snapshot, beat);
        // A mute may have begun or ended by it: by the windows shown, so that nothing depends on when that is asked for.
        self.follow_mutes();
        left_out
    }

    fn go_on_after(&mut self, before: Self, snapshot: &Snapshot, beat: &mut dyn FnMut()) -> Vec<String> {
        if !before.shards.is_empty() {
            self.begin_anew(before.shards.len());
            self.shards.clone_from(&before.shards);
        }
        let left_out = self.restore_beating(snapshot, beat);
        self.detector.go_on_after(&before.detector);
        self.events.go_on_after(&before.events);
        for (department, known) in self.roster.iter() {
            if let Some(counted) = before.roster.find(&known.id) {
                self.views[department.index()] = counters_of(&before.views[counted.index()]);
            }
        }
        self.clock = before.clock;
        self.company_pages = before.company_pages;
        self.company_feedback = before.company_feedback;
        self.company_incidents_marked = before.company_incidents_marked;
        self.book.go_on_counting_after(&before.book);
        self.scored = before.scored;
        self.rejected = before.rejected;
        self.delays = before.delays;
        self.catching_up = before.catching_up;
        self.is_whole = before.is_whole;
        self.closing = before.closing;
        left_out
    }
}

/// What was counted, and what is now still to be found out.
fn counters_of(view: &DepartmentView) -> DepartmentView {
    let adjusted = vec![AdjustedShares::default(); view.adjusted.len()];
    DepartmentView { adjusted, ..view.clone() }
}
