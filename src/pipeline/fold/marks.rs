//! What people say of alerts.

use super::Fold;
use crate::detect::{Alert, Feedback};
use crate::pipeline::scoring::wall_clock;
use crate::publish::{Mark, NotMarked};

impl Fold {
    /// Takes the marks that wait, shows what became of them, and only then answers: whoever marked an alert sees it marked.
    pub(super) fn follow_marks(&mut self) {
        let marks: Vec<Mark> = self.links.marks.try_iter().collect();
        if marks.is_empty() {
            return;
        }
        // What cannot be saved is not taken: alerts are saved by whoever holds all partitions.
        let is_elsewhere = self.limits.store_is_shared && (self.is_restoring() || !self.holds_all());
        let marked: Vec<_> = marks.into_iter().map(|mark| self.take_mark(mark, is_elsewhere)).collect();
        self.publish();
        for (answer, alert) in marked {
            // Whoever asked may have stopped waiting.
            answer.send(alert).unwrap_or_default();
        }
    }

    fn take_mark(&mut self, mark: Mark, is_elsewhere: bool) -> (Answer, Result<Alert, NotMarked>) {
        let Mark { id, verdict, note, answer } = mark;
        if is_elsewhere {
            return (answer, Err(NotMarked::Elsewhere));
        }
        let feedback = Feedback { verdict, note, marked: wall_clock() };
        let Some(alert) = self.state.mark(&id, feedback) else { return (answer, Err(NotMarked::Unknown)) };
        tracing::info!(id, verdict = verdict.as_str(), "an alert is marked");
        self.unsaved = true;
        (answer, Ok(alert))
    }
}

type Answer = tokio::sync::oneshot::Sender<Result<Alert, NotMarked>>;
