//! From the name in a record to a department, by the config in force: the pool goes by it, and the fold puts right what was on its
//! way when it changed.

use std::sync::{Arc, PoisonError, RwLock};

use super::scoring::{Outcome, ScoredBatch};
use crate::config::Roster;
use crate::ingest::{Decoder, Router};
use crate::message::DepartmentId;

/// What the pool routes by. The lock is held for as long as a pointer takes to copy, once a batch.
#[derive(Debug)]
pub(super) struct Routes(RwLock<(u64, Arc<Router>)>);

impl Routes {
    pub(super) fn new(roster: &Roster) -> Arc<Self> {
        Arc::new(Self(RwLock::new((0, Arc::new(Router::new(roster))))))
    }

    /// The routes in force and their number, where they are others than those of a number.
    pub(super) fn others_than(&self, number: u64) -> Option<(u64, Router)> {
        let (latest, router) = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        (latest != number).then(|| (latest, Router::clone(&router)))
    }

    fn replace(&self, number: u64, router: Router) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = (number, Arc::new(router));
    }
}

/// The fold's end, which alone changes the routes.
pub(super) struct Routing {
    routes: Arc<Routes>,
    decoder: Decoder,
    /// The number of those in force.
    number: u64,
    other: DepartmentId,
}

impl Routing {
    /// `decoder` and the pool begin with the routes of that roster.
    pub(super) fn new(routes: Arc<Routes>, decoder: Decoder, roster: &Roster) -> Self {
        Self { routes, decoder, number: 0, other: roster.other() }
    }

    /// Names lead to the departments of that roster from now on.
    pub(super) fn follow(&mut self, roster: &Roster) {
        let router = Router::new(roster);
        self.number += 1;
        self.other = roster.other();
        self.decoder.route_by(router.clone());
        self.routes.replace(self.number, router);
    }

    /// Routes anew what the pool has routed by a config that is no longer in force, so that each message counts where it would if it
    /// were read only now. Scores do not depend on departments: they stand.
    pub(super) fn put_right(&self, scored: &mut ScoredBatch) {
        if scored.routes == self.number {
            return;
        }
        scored.routes = self.number;
        let ScoredBatch { batch, outcomes, .. } = scored;
        for (record, outcome) in batch.iter().zip(outcomes) {
            let (Outcome::Scored(placed, ..) | Outcome::Context(placed, _)) = outcome else { continue };
            // It could be read before, so it can be now.
            let department = record.value.and_then(|value| self.decoder.department_of(value));
            placed.department = department.unwrap_or(self.other);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
