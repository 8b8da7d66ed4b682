//! Which texts are worth a second opinion.

use super::super::chooser::{Candidate, Chooser};
use super::super::slot::ModelSlot;
use super::*;
use crate::config::{Config, DepartmentConfig, Roster};
use crate::detect::{AlertKind, DepartmentOutlook, Severity};
use crate::publish::{Board, DepartmentView, StreamView};
use crate::window::Tally;

fn slot() -> Arc<ModelSlot> {
    Arc::new(ModelSlot::new(Arc::new(Fake::new(5))))
}

fn status(threshold: Worth) -> Arc<SecondStatus> {
    Arc::new(SecondStatus::new(threshold, 100, 100))
}

/// A board of a department that is calm and one with an open alert, each with so many messages in its shortest window.
fn board(messages: u32, is_tested: bool) -> Arc<Board> {
    let departments = vec![DepartmentConfig::named("calm"), DepartmentConfig::named("trouble")];
    let roster = Arc::new(Roster::new(&Config { departments, ..Config::default() }));
    let board = Arc::new(Board::new(roster, 1));
    let view = |active| DepartmentView {
        windows: vec![Tally { messages, ..Tally::default() }],
        outlook: DepartmentOutlook { active, ..DepartmentOutlook::default() },
        ..DepartmentView::default()
    };
    let open = vec![(AlertKind::NegativeSentiment, Severity::Page)];
    let stream = StreamView { catching_up: !is_tested, ..StreamView::default() };
    board.publish(stream, [(DepartmentId(0), view(Vec::new())), (DepartmentId(1), view(open))]);
    board
}

fn by_worth(threshold: f32, board: Arc<Board>) -> Chooser {
    Chooser::by_worth(slot(), status(Worth::new(threshold)), board, 3.0)
}

/// Lets a chooser choose among texts of a department, each with how sure its first score is.
fn choose(chooser: &mut Chooser, department: u16, sure: &[f32]) -> (Vec<usize>, Wishes, Vec<Score>) {
    let mut scores: Vec<Score> = sure.iter().map(|sure| embedded(*sure)).collect();
    let candidates = scores.iter_mut().enumerate().map(|(place, score)| Candidate {
        place,
        department: DepartmentId(department),
        text: "hola",
        score,
    });
    let wishes = chooser.choose(candidates);
    (wishes.texts.iter().map(|wish| wish.place).collect(), wishes, scores)
}

#[test]
fn texts_in_doubt_are_chosen_and_sure_ones_are_not() {
    let mut chooser = by_worth(0.2, board(100, true));
    let (chosen, wishes, _) = choose(&mut chooser, 0, &[0.99, 0.5, 0.01, 0.55]);
    assert_eq!(chosen, [1, 3]);
    assert_eq!(wishes.worths.len(), 4, "the budget is told of all");
    assert_eq!(wishes.texts[0].tokens, Fake::tokens_of("hola"));
}

#[test]
fn a_text_of_a_department_in_trouble_or_with_few_messages_is_worth_more() {
    let worth = |department, messages, is_tested| {
        let (_, wishes, _) = choose(&mut by_worth(0.5, board(messages, is_tested)), department, &[0.7]);
        wishes.worths[0]
    };
    assert!(worth(1, 100, true) > worth(0, 100, true));
    assert!(worth(0, 10, true) > worth(0, 1_000, true));
    assert_eq!(worth(1, 100, false), worth(0, 100, false), "nothing is known of alerts while catching up");
}

#[test]
fn a_department_that_the_board_does_not_know_counts_as_one_of_few_messages() {
    let (_, unknown, _) = choose(&mut by_worth(0.5, board(100, true)), 9, &[0.7]);
    let (_, few, _) = choose(&mut by_worth(0.5, board(0, true)), 0, &[0.7]);
    assert_eq!(unknown.worths, few.worths);
}

#[test]
fn in_a_cascade_all_texts_are_one_models_chosen_or_not_and_another_ones_once_the_slow_model_changes() {
    let slot = slot();
    let mut chooser = Chooser::by_worth(Arc::clone(&slot), status(Worth::new(0.2)), board(100, true), 3.0);
    let (_, _, before) = choose(&mut chooser, 0, &[0.99, 0.5]);
    assert_eq!(before[0].model, before[1].model);
    assert_ne!(before[0].model, FIRST);
    slot.replace(Arc::new(Fake::new(6)));
    let (_, wishes, after) = choose(&mut chooser, 0, &[0.99, 0.5]);
    assert_ne!(before[0].model, after[0].model);
    assert_eq!(wishes.model.id(), ModelId(6));
}

#[test]
fn where_every_text_is_wanted_all_are_cut_or_all_turned_away() {
    let status = status(Worth::NOTHING);
    let mut chooser = Chooser::of_all(slot(), Arc::clone(&status));
    let (chosen, wishes, scores) = choose(&mut chooser, 0, &[0.99, 0.5]);
    assert_eq!((chosen, wishes.turned_away, scores[0].model), (vec![0, 1], 0, FIRST));
    status.set_threshold(Worth::NEVER);
    let (chosen, wishes, _) = choose(&mut chooser, 0, &[0.99, 0.5]);
    assert_eq!((chosen, wishes.turned_away), (vec![], 2));
}
