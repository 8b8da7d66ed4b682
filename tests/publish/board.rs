//! Readers of the board see one moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use latido::config::{Config, DepartmentConfig, Roster};
use latido::message::DepartmentId;
use latido::publish::{Board, DepartmentView, StreamView};

const DEPARTMENTS: u16 = 50;
const GENERATIONS: u64 = 3_000;

/// So many departments, `other` among them.
fn roster(departments: u16) -> Arc<Roster> {
    let departments = (1..departments).map(|number| DepartmentConfig::named(&format!("department-{number}"))).collect();
    Arc::new(Roster::new(&Config { departments, ..Config::default() }))
}

/// The numbers a view shows of its generation: all the same, unless it is torn.
fn generations(board: &Board) -> Vec<u64> {
    let view = board.read();
    let mut shown: Vec<_> = view.departments.iter().map(|department| department.late).collect();
    shown.push(view.stream.dead_letters);
    shown
}

/// Reads until the writer is done; answers the newest generation seen.
fn read_until(done: &AtomicBool, board: &Board) -> u64 {
    let mut newest = 0;
    loop {
        let last_round = done.load(Ordering::Acquire);
        let shown = generations(board);
        assert_eq!(shown.len(), usize::from(DEPARTMENTS) + 1);
        assert!(shown.iter().all(|generation| *generation == shown[0]), "torn: {shown:?}");
        assert!(shown[0] >= newest, "went back from {newest} to {}", shown[0]);
        newest = shown[0];
        if last_round {
            return newest;
        }
    }
}

#[test]
fn readers_never_see_parts_of_two_moments() {
    let board = Board::new(roster(DEPARTMENTS), 1);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..3).map(|_| scope.spawn(|| read_until(&done, &board))).collect();
        for generation in 1..=GENERATIONS {
            let stream = StreamView { dead_letters: generation, ..StreamView::default() };
            let view = DepartmentView { late: generation, ..DepartmentView::default() };
            board.publish(stream, (0..DEPARTMENTS).map(|id| (DepartmentId(id), view.clone())));
        }
        done.store(true, Ordering::Release);
        for reader in readers {
            assert_eq!(reader.join().unwrap(), GENERATIONS);
        }
    });
}

#[test]
fn departments_that_did_not_change_keep_what_they_showed() {
    let board = Board::new(roster(2), 1);
    let changed = DepartmentView { late: 7, ..DepartmentView::default() };
    board.publish(StreamView::default(), [(DepartmentId(1), changed)]);
    board.publish(StreamView { dead_letters: 1, ..StreamView::default() }, []);
    assert_eq!(generations(&board), [0, 7, 1]);
}
