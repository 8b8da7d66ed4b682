//! What the fold learns from the consumer thread, and tells it.

use std::time::Duration;

use super::Fold;

/// An end of a partition seen longer ago than this says nothing any more.
const END_KNOWN_FOR: Duration = Duration::from_secs(3);
/// The key of the note on `/readyz` that windows are not tested.
const PAGING: &str = "paging";

impl Fold {
    /// Learns from the consumer thread which partitions are read to their end. Gives how many have come to where their log
    /// ended at the assignment, of how many.
    pub(super) fn follow_partitions(&mut self) -> (usize, usize) {
        let now = self.begun.elapsed();
        let status = self.links.shared.status();
        let ledger = self.links.shared.ledger();
        // A new assignment shows here before it is announced: only what was reached under its epoch counts.
        self.caught_up.retain(|partition, epoch| ledger.epoch(partition) == Some(*epoch));
        for (partition, known) in &status.partitions {
            let applied = ledger.applied(partition);
            let at_end = known.drained.is_some_and(|(at, position)| {
                at.elapsed() < END_KNOWN_FOR
                    && position.is_none_or(|position| applied.is_some_and(|next| next >= position))
            });
            self.state.clock.set_at_end(partition, at_end, now);
            let reached = known.end_at_assignment.zip(applied).is_some_and(|(end, next)| next.0 >= end);
            if at_end || reached {
                self.caught_up.extend(ledger.epoch(partition).map(|epoch| (partition.clone(), epoch)));
            }
        }
        (self.caught_up.len(), status.partitions.len())
    }

    /// Learns whether all partitions are here. Gives whether that is known: no pane closes before.
    pub(super) fn follow_holding(&mut self) -> bool {
        let status = self.links.shared.status();
        let (held, all) = (status.partitions.len(), status.topic_partitions);
        drop(status);
        let Some(all) = all else { return false };
        // With none assigned nothing is read, so nothing is read in part: it is so at every rebalance.
        if held > 0 {
            self.state.set_whole(held >= all);
        }
        let health = &self.links.health;
        if (1..all).contains(&held) && !self.limits.store_is_shared {
            health.set_not_ready("partitions", holds_a_part(held, all));
        } else {
            health.set_ready("partitions");
        }
        match self.state.is_suspended() {
            true => health.note(PAGING, format!("suspended: {}", why_suspended(held, all))),
            false => health.take_note(PAGING),
        }
        true
    }

    /// Says whether a backlog is being read, to the state and on `/readyz`.
    pub(super) fn follow_backlog(&mut self, (caught_up, all): (usize, usize)) {
        let is_behind = caught_up < all;
        let assigned = &self.links.shared.status().partitions;
        let newest = self.state.clock.frontiers().filter(|(partition, _)| assigned.contains_key(*partition));
        let newest = newest.map(|(_, frontier)| frontier).max();
        self.state.follow_backlog(is_behind || all == 0, newest, self.begun.elapsed());
        let health = &self.links.health;
        // Nothing assigned has a reason of its own.
        if is_behind {
            health.set_not_ready(
                "catching_up",
                format!("{caught_up} of {all} partitions are read to where their log ended"),
            );
        } else {
            health.set_ready("catching_up");
        }
    }

    /// Tells the consumer thread which partitions must wait for the others.
    pub(super) fn tell_ahead(&self) {
        let status = self.links.shared.status();
        let ahead =
            status.partitions.keys().filter(|partition| self.state.clock.is_ahead(partition)).cloned().collect();
        drop(status);
        self.links.shared.set_ahead(ahead);
    }
}

/// What a daemon without a shared store says that holds a part of the partitions.
fn holds_a_part(held: usize, all: usize) -> String {
    format!(
        "{held} of {all} partitions are assigned here, and other members of the group hold the rest: windows hold a part of \
         the messages, and nothing pages. A checkpoint in a directory is for one daemon a group: stop the others, or set \
         checkpoint.store = \"kafka\" in all of them"
    )
}

/// Why nothing is tested.
fn why_suspended(held: usize, all: usize) -> String {
    if held < all {
        return format!(
            "{held} of {all} partitions are assigned here, so windows hold a part of the messages; they are not tested, \
             and no alert opens"
        );
    }
    "all partitions are assigned here again; windows are tested once all of their panes closed since then".to_owned()
}
