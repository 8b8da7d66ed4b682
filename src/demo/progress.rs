//! What the demo asks of the pipeline that it drives.

use std::net::SocketAddr;
use std::sync::Arc;

use serde::Serialize;

use crate::detect::{Alert, AlertState};
use crate::message::EventTime;
use crate::publish::{Board, DepartmentView};
use crate::window::Tally;

/// Any error at the edge to the pipeline.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What became of the records taken from the broker. Each record is in exactly one of the counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Customers' messages that were scored.
    pub scored: u64,
    /// Agents' and bots' messages.
    pub context: u64,
    /// Records that could not be used.
    pub rejected: u64,
    /// Messages too old for any window.
    pub late: u64,
}

impl Counts {
    /// All records taken so far.
    #[must_use]
    pub const fn processed(&self) -> u64 {
        self.scored + self.context + self.rejected + self.late
    }
}

/// One department, as the screen shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DepartmentGlance {
    /// Messages of the window shown.
    pub window: Tally,
    /// Negative ratio expected, 0 to 1; none before anything was seen.
    pub expected_negative: Option<f64>,
    /// Where it stands.
    pub state: AlertState,
}

/// The pipeline at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Glance {
    /// What became of the records.
    pub counts: Counts,
    /// Whether a backlog is being read.
    pub catching_up: bool,
    /// Stream time; none before the first message.
    pub watermark: Option<EventTime>,
    /// Alerts, open and closed, oldest first.
    pub alerts: Arc<Vec<Alert>>,
    /// The departments in the config's order, and `other`.
    pub departments: Vec<DepartmentGlance>,
}

/// Tells how far the pipeline is.
pub trait Progress: Send + Sync {
    /// The pipeline at this moment.
    fn glance(&self) -> Glance;
}

/// A running pipeline.
pub trait Engine {
    /// How far it is; stays readable after [`Self::stop`], and is final then.
    fn progress(&self) -> Arc<dyn Progress>;

    /// Where it serves metrics and the API.
    fn http_address(&self) -> SocketAddr;

    /// Takes what is in flight to its end and stops.
    ///
    /// # Errors
    /// Where it could not drain or save its state.
    fn stop(self) -> Result<(), BoxError>;
}

/// Progress read off the board that the pipeline publishes.
#[derive(Debug)]
pub struct BoardProgress {
    /// The board.
    pub board: Arc<Board>,
    /// Place of the window shown in `windows.lengths`.
    pub shown_window: usize,
}

impl Progress for BoardProgress {
    fn glance(&self) -> Glance {
        let view = self.board.read();
        let departments = view.departments.iter();
        Glance {
            counts: Counts {
                scored: departments.clone().map(|department| department.messages.iter().flatten().sum::<u64>()).sum(),
                context: departments.clone().map(|department| department.context.iter().sum::<u64>()).sum(),
                rejected: view.stream.rejected.iter().sum(),
                late: departments.clone().map(|department| department.late).sum(),
            },
            catching_up: view.stream.catching_up,
            watermark: view.stream.watermark,
            alerts: Arc::clone(&view.stream.alerts),
            departments: departments.map(|department| self.department(department)).collect(),
        }
    }
}

impl BoardProgress {
    fn department(&self, view: &DepartmentView) -> DepartmentGlance {
        DepartmentGlance {
            window: view.windows.get(self.shown_window).copied().unwrap_or_default(),
            expected_negative: view.outlook.usual_negative.map(|usual| usual.expected),
            state: view.outlook.state,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, DepartmentConfig, Roster};
    use crate::message::DepartmentId;
    use crate::publish::StreamView;

    #[test]
    fn the_board_counts_each_record_once() {
        let departments = vec![DepartmentConfig::named("billing")];
        let roster = Roster::new(&Config { departments, ..Config::default() });
        let board = Arc::new(Board::new(Arc::new(roster), 2));
        let window = Tally { messages: 4, negative: 1, positive: 0, frustrated: 2 };
        let department = DepartmentView {
            messages: [[3, 2, 1], [0, 1, 0]],
            context: [0, 5, 4],
            late: 2,
            windows: vec![window, Tally::default()],
            ..DepartmentView::default()
        };
        let mut stream = StreamView::default();
        stream.rejected[3] = 8;
        board.publish(stream, [(DepartmentId(1), department)]);

        let glance = BoardProgress { board, shown_window: 0 }.glance();
        assert_eq!(glance.counts, Counts { scored: 7, context: 9, rejected: 8, late: 2 });
        assert_eq!(glance.counts.processed(), 26);
        assert_eq!(glance.departments[1].window, window);
        assert!(!glance.catching_up);
    }
}
