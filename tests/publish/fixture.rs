//! A made-up company of three departments, live or catching up.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};
use latido::config::{Config, DepartmentConfig, Roster, Span};
use latido::detect::{Alert, AlertKind, AlertState, DepartmentOutlook, Feedback, Handling, Severity, Usual, Verdict};
use latido::message::{DepartmentId, EventTime, PartitionId, Signal};
use latido::publish::http::ApiState;
use latido::publish::metrics::{Sources, registry, render};
use latido::publish::{
    AdjustedShares, Board, Buffer, DepartmentView, FallbackReason, Health, Mark, MarkDesk, NotMarked, PanesDesk,
    PanesNow, PanesQuestion, PartitionView, Resume, SecondStatus, StreamView, Timings,
};
use latido::score::cascade::Worth;
use latido::score::shares::{Estimate, ShareTable};
use latido::voices::{SignalFound, Summary};
use latido::window::{HourPanes, Tally};
use prometheus::Registry;

/// 2026-03-01T10:00:00Z.
pub(crate) const NOW: EventTime = EventTime::from_millis(1_772_359_200_000);

/// The departments by their numbers.
pub(crate) const BILLING: DepartmentId = DepartmentId(0);
pub(crate) const DELIVERY: DepartmentId = DepartmentId(1);

/// Everything that the handlers and the collector read.
pub(crate) struct Company {
    pub(crate) board: Arc<Board>,
    pub(crate) health: Arc<Health>,
    pub(crate) timings: Arc<Timings>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) registry: Registry,
    second: Arc<SecondStatus>,
    panes: PanesDesk,
    pub(crate) marks: (MarkDesk, Receiver<Mark>),
    pub(crate) resumes: (Sender<Resume>, Receiver<Resume>),
}

impl Company {
    /// Departments, and nothing published yet.
    pub(crate) fn new() -> Self {
        let team = |id: &str, team: &str| DepartmentConfig { team: team.to_owned(), ..DepartmentConfig::named(id) };
        let departments = vec![team("billing", "payments"), team("delivery", "\"last\" mile\\n")];
        let roster = Arc::new(Roster::new(&Config { departments, ..Config::default() }));
        let board = Arc::new(Board::new(Arc::clone(&roster), windows().len()));
        let (health, timings) = (Health::new(), Timings::new().unwrap());
        let second = Arc::new(SecondStatus::new(Worth::at_step(250), 2_000, 128));
        let sources = Sources {
            board: Arc::clone(&board),
            windows: windows(),
            timings: Arc::clone(&timings),
            health: Arc::clone(&health),
            second: Some(Arc::clone(&second)),
        };
        Self {
            second,
            board,
            health,
            timings,
            roster,
            registry: registry(sources).unwrap(),
            panes: fold_with_panes(),
            marks: MarkDesk::new(),
            resumes: bounded(1),
        }
    }

    /// A company in the middle of its day, an alert open in billing.
    pub(crate) fn live() -> Self {
        let company = Self::new();
        company.health.set_ready(Health::STARTING);
        company.timings.scoring.observe(0.004);
        company.timings.event_to_metric.observe(1.5);
        company.timings.consumption_to_fold.observe(0.3);
        fall_behind(&company.second);
        company.board.publish(stream(false), [(BILLING, billing()), (DELIVERY, delivery())]);
        company
    }

    /// The same company, working off a backlog.
    pub(crate) fn catching_up() -> Self {
        let company = Self::live();
        company.health.set_not_ready("catching_up", "41 records to go".to_owned());
        company.board.publish(stream(true), []);
        company
    }

    /// What the handlers answer from.
    pub(crate) fn state(&self) -> ApiState {
        ApiState {
            board: Arc::clone(&self.board),
            health: Arc::clone(&self.health),
            registry: self.registry.clone(),
            windows: windows(),
            panes: self.panes.clone(),
            marks: self.marks.0.clone(),
            resumes: self.resumes.0.clone(),
            token: None,
        }
    }

    /// One scrape.
    pub(crate) fn scrape(&self) -> String {
        render(&self.registry).unwrap()
    }
}

/// A fold that takes marks as it should, until the company is gone.
pub(crate) fn fold_that_marks(company: &Company) {
    let marks = company.marks.1.clone();
    let mut alerts = alerts();
    std::thread::spawn(move || {
        for Mark { id, verdict, note, answer } in marks {
            let found = alerts.iter_mut().find(|alert| alert.id == id).ok_or(NotMarked::Unknown);
            let marked = found.map(|alert| {
                alert.handling.feedback = Some(Feedback { verdict, note, marked: NOW });
                alert.clone()
            });
            answer.send(marked).unwrap_or_default();
        }
    });
}

/// A fold that answers who asks for panes: billing has two before `NOW` and one after, delivery none.
fn fold_with_panes() -> PanesDesk {
    let (desk, questions) = PanesDesk::new();
    let pane = |seconds: i64, messages| {
        let tally = Tally { messages, negative: 2, positive: 1, frustrated: 1 };
        (EventTime::from_millis(NOW.as_millis() + seconds * 1_000), tally.into())
    };
    let hours = HourPanes::gather([pane(-20, 5), pane(-3_600, 4), pane(10, 3)]).into_iter().map(Arc::new);
    let now = PanesNow { window_end: Some(NOW), kept_from: None, hours: hours.collect() };
    // It ends with the last desk.
    std::thread::spawn(move || {
        for PanesQuestion { department, answer } in questions {
            let answered = answer.send(if department == "billing" { now.clone() } else { PanesNow::default() });
            answered.unwrap_or_default();
        }
    });
    desk
}

pub(crate) fn windows() -> Vec<Span> {
    vec![Span::from_secs(300), Span::from_secs(86_400)]
}

/// An alert that billing has open, and one that delivery had.
pub(crate) fn alerts() -> Vec<Alert> {
    let open = Alert {
        id: "billing-frustration-1772358900000".to_owned(),
        department: "billing".to_owned(),
        kind: AlertKind::Frustration,
        severity: Severity::Page,
        started: EventTime::from_millis(1_772_358_900_000),
        since: EventTime::from_millis(1_772_358_600_000),
        ended: None,
        window_seconds: 300,
        messages: 40,
        observed: 0.75,
        expected: 0.25,
        p_value: 1e-9,
        recurrence: 0.001,
        replayed: false,
        escalations: 0,
        escalated: None,
        departments: Vec::new(),
        handling: Handling { paged: true, ..Handling::default() },
        details: Summary {
            customers: Some(23),
            signals: vec![SignalFound { signal: Signal::Outage, messages: 12, times_usual: Some(8.5) }],
            samples: vec!["m-17".to_owned(), "in/0/4711".to_owned()],
        },
    };
    let closed = Alert {
        id: "delivery-negative_sentiment-1772300000000".to_owned(),
        department: "delivery".to_owned(),
        kind: AlertKind::NegativeSentiment,
        severity: Severity::Ticket,
        started: EventTime::from_millis(1_772_300_000_000),
        since: EventTime::from_millis(1_772_299_400_000),
        ended: Some(EventTime::from_millis(1_772_301_000_000)),
        replayed: true,
        departments: Vec::new(),
        handling: Handling {
            muted: Some("a move".to_owned()),
            paged: false,
            feedback: Some(Feedback { verdict: Verdict::False, note: "expected".to_owned(), marked: NOW }),
            stands_for_incident: false,
        },
        ..open.clone()
    };
    vec![closed, open]
}

/// Makes of a slow model one that is behind.
fn fall_behind(second: &SecondStatus) {
    for (reason, messages) in FallbackReason::ALL.iter().zip(1..) {
        second.fall_back(*reason, messages);
    }
    second.set_threshold(Worth::at_step(137));
    second.set_lookups([40, 60]);
    second.set_degraded(true);
    second.set_texts_per_second(Some(55.5));
}

pub(crate) fn stream(catching_up: bool) -> StreamView {
    let partition = |number, lag| PartitionView { partition: PartitionId::new("in", number), lag };
    StreamView {
        catching_up,
        paging_suspended: false,
        watermark: Some(NOW),
        window_end: Some(NOW),
        scored: [12, 5],
        rejected: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0],
        partitions: vec![partition(0, Some(41)), partition(1, None)],
        topic_partitions: Some(2),
        unreadable_partitions: 1,
        rebalances_assigned: 2,
        rebalances_revoked: 1,
        checkpoint_saved: Some(NOW),
        checkpoint_failures: 1,
        breaker_open: false,
        breaker_openings: 3,
        checkpoint_damaged: 2,
        dead_letters: 54,
        alert_events: [3, 1, 2],
        alert_event_failures: 4,
        alert_events_lost: 0,
        company_paging: false,
        company_pages: 1,
        company_muted: true,
        company_feedback: [0, 1],
        company_incidents_marked: [0, 1],
        alerts_forgotten: 0,
        alerts: Arc::new(alerts()),
        buffers: vec![Buffer { name: "batches", items: 3, items_limit: 64, bytes: 4_096, bytes_limit: 33_554_432 }],
    }
}

/// By a table whose cells tell the classes apart, mostly.
fn estimate(counts: [u64; 8]) -> Option<Estimate> {
    let wanted = [0.02, 0.02, 0.05, 0.05, 0.10, 0.06, 0.20, 0.50];
    let second = [0.35, 0.05, 0.25, 0.05, 0.15, 0.05, 0.07, 0.03];
    let third = [0.10, 0.55, 0.05, 0.18, 0.02, 0.05, 0.03, 0.02];
    let cells = std::array::from_fn(|cell| [wanted[cell], second[cell], third[cell]]);
    ShareTable { weights: [[[0.0; 3]; 3]; 7], cells, spread: 0.2 }.estimate(&counts)
}

pub(crate) fn billing() -> DepartmentView {
    DepartmentView {
        messages: [[30, 8, 2], [4, 5, 6]],
        frustrated: [28, 3],
        signals: std::array::from_fn(|place| place as u64),
        context: [0, 12, 7],
        late: 1,
        cut_texts: 2,
        unsupported_language: 5,
        alerts_opened: [[0, 0], [1, 0], [0, 0], [0, 2], [0, 0], [0, 3]],
        feedback: [[0, 0], [2, 3], [0, 0], [0, 0], [0, 0], [1, 0]],
        incidents_marked: [2, 2],
        muted: [false, false, true, false, false, false],
        windows: vec![
            Tally { messages: 40, negative: 30, positive: 2, frustrated: 30 },
            Tally { messages: 160, negative: 40, positive: 40, frustrated: 32 },
        ],
        adjusted: vec![
            AdjustedShares {
                negative: estimate([4, 2, 2, 1, 2, 3, 8, 18]),
                frustrated: estimate([3, 2, 2, 1, 2, 4, 8, 18]),
            },
            // Most of the day was scored by a model that could not tell frustration by cell.
            AdjustedShares { negative: estimate([20; 8]), frustrated: None },
        ],
        outlook: DepartmentOutlook {
            state: AlertState::Active,
            active: vec![(AlertKind::Frustration, Severity::Page), (AlertKind::Severe, Severity::Ticket)],
            scores: [2.5, 5.0, 0.0, 0.5],
            usual_negative: Some(Usual { expected: 0.25, low: 0.125, high: 0.375 }),
            usual_frustrated: Some(Usual { expected: 0.25, low: 0.1875, high: 0.3125 }),
            usual_messages: Some(Usual { expected: 40.0, low: 24.5, high: 55.5 }),
        },
    }
}

/// Nothing came within 5 minutes, something within the day.
fn delivery() -> DepartmentView {
    let day = Tally { messages: 4, negative: 1, positive: 2, frustrated: 0 };
    DepartmentView { windows: vec![Tally::default(), day], ..DepartmentView::default() }
}
