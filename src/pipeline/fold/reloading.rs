//! The config, read anew by an operator's word.

use std::sync::Arc;
use std::time::Instant;

use super::Fold;
use crate::config::Roster;
use crate::pipeline::reload::Reload;
use crate::publish::Thread;

/// The key of the note on `/readyz`.
const LEFT_OUT: &str = "reload";

impl Fold {
    /// Takes the last of the configs that wait, between two batches, and shows what comes of it.
    pub(super) fn follow_reload(&mut self) {
        let Some(Reload { config, learned }) = self.links.reloads.try_iter().last() else { return };
        let begun = Instant::now();
        let roster = Arc::new(Roster::new(&config));
        if !roster.routes_as(self.state.roster()) {
            self.routing.follow(&roster);
        }
        let health = Arc::clone(&self.links.health);
        let left_out = self.state.reload(&config, Arc::clone(&roster), learned, &mut || health.beat(Thread::Fold));
        for what in &left_out {
            tracing::warn!("not taken over into the config read anew: {what}");
        }
        match left_out.is_empty() {
            true => health.take_note(LEFT_OUT),
            false => health.note(LEFT_OUT, format!("windows, baselines or alerts of departments that the config no longer names are left out ({} lines of the log)", left_out.len())),
        }
        self.unsaved = true;
        let views = self.state.changed_views();
        self.links.board.replace(roster, self.stream_view(), views);
        tracing::info!(
            departments = config.departments.len(),
            mutes = config.mutes.len(),
            took_ms = begun.elapsed().as_millis(),
            "departments, thresholds and mutes are reloaded"
        );
    }
}
