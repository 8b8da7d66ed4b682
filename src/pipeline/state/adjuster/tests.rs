//! What is shown is what the counts give, and costs nothing while they stay.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::config::WindowsConfig;
use crate::message::EventTime;
use crate::window::{PANE, PaneCounts, ShareCounts, Tally};

const BILLING: DepartmentId = DepartmentId(0);
const DEPARTMENTS: u16 = 2;

/// A table whose cells tell the wanted class well.
pub(in crate::pipeline::state) fn tables() -> Shares {
    let wanted = [0.02, 0.02, 0.05, 0.05, 0.10, 0.06, 0.20, 0.50];
    let second = [0.35, 0.05, 0.25, 0.05, 0.15, 0.05, 0.07, 0.03];
    let third = [0.10, 0.55, 0.05, 0.18, 0.02, 0.05, 0.03, 0.02];
    let cells = std::array::from_fn(|cell| [wanted[cell], second[cell], third[cell]]);
    let table = ShareTable { weights: [[[0.0; 3]; 3]; 7], cells, spread: 0.2 };
    Shares { sentiment: Some(table.clone()), frustration: Some(ShareTable { spread: 0.4, ..table }) }
}

fn settings() -> WindowsConfig {
    WindowsConfig::default()
}

fn adjuster(shares: Shares) -> Adjuster {
    Adjuster::new(shares, usize::from(DEPARTMENTS), settings().lengths.len())
}

fn nothing() -> Vec<AdjustedShares> {
    vec![AdjustedShares::default(); settings().lengths.len()]
}

/// Messages of a pane, of which so many have a cell.
fn counts(messages: u32, with_cell: u32) -> PaneCounts {
    let mut shares = ShareCounts::default();
    shares.sentiment[7] = with_cell;
    shares.frustration[0] = with_cell;
    PaneCounts { tally: Tally { messages, ..Tally::default() }, shares, severe: 0 }
}

/// Panes of which the first is closed and has those counts.
fn closed(counts: PaneCounts) -> Panes {
    let mut panes = Panes::new(&settings(), usize::from(DEPARTMENTS));
    panes.add(BILLING, pane(0), counts);
    panes.advance(pane(1), |_, _| {});
    panes
}

fn pane(number: u32) -> EventTime {
    EventTime::from_millis(0).plus(PANE * number)
}

#[derive(Clone, Debug)]
enum Step {
    /// Messages of a department, so many panes before the newest one: closed ones among them.
    Say(u16, u32, ShareCounts),
    /// So many panes close.
    Close(u32),
    /// The shares are shown.
    Show,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let cells = || prop::array::uniform8(0_u32..5);
    let said = (cells(), cells()).prop_map(|(sentiment, frustration)| ShareCounts { sentiment, frustration });
    let step = prop_oneof![
        4 => (0..DEPARTMENTS, 0_u32..40, said).prop_map(|(department, back, cells)| Step::Say(department, back, cells)),
        2 => (1_u32..40).prop_map(Step::Close),
        2 => Just(Step::Show),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #[test]
    fn what_is_shown_is_what_the_counts_give_whatever_closed_or_came_late_before(steps in steps()) {
        let mut panes = Panes::new(&settings(), usize::from(DEPARTMENTS));
        let (mut kept, mut shown) = (adjuster(tables()), [nothing(), nothing()]);
        let mut newest = 100;
        for step in steps {
            match step {
                Step::Say(department, back, shares) => {
                    let messages = shares.sentiment.iter().sum();
                    let counts = PaneCounts { tally: Tally { messages, ..Tally::default() }, shares, severe: 0 };
                    panes.add(DepartmentId(department), pane(newest - back), counts);
                }
                Step::Close(more) => {
                    newest += more;
                    panes.advance(pane(newest), |_, _| {});
                }
                Step::Show => {
                    for (department, shown) in (0..DEPARTMENTS).map(DepartmentId).zip(&mut shown) {
                        kept.adjust(department, &panes, shown);
                        let mut afresh = nothing();
                        adjuster(tables()).adjust(department, &panes, &mut afresh);
                        prop_assert_eq!(&*shown, &afresh);
                    }
                }
            }
        }
    }
}

#[test]
fn counts_that_did_not_change_are_not_estimated_again() {
    let panes = closed(counts(40, 40));
    let (mut adjuster, mut shown) = (adjuster(tables()), nothing());
    adjuster.adjust(BILLING, &panes, &mut shown);
    assert!(shown.iter().all(|shares| shares.negative.is_some() && shares.frustrated.is_some()), "{shown:?}");
    let mut untouched = nothing();
    adjuster.adjust(BILLING, &panes, &mut untouched);
    assert_eq!(untouched, nothing());
}

#[test]
fn a_message_for_a_closed_pane_moves_the_shares_of_the_windows_that_hold_it_and_of_no_other() {
    let mut panes = closed(counts(40, 40));
    panes.advance(pane(1).plus(Duration::from_secs(600)), |_, _| {});
    let (mut adjuster, mut before) = (adjuster(tables()), nothing());
    adjuster.adjust(BILLING, &panes, &mut before);
    let mut late = counts(1, 1);
    late.shares.sentiment = [1, 0, 0, 0, 0, 0, 0, 0];
    panes.add(BILLING, pane(2), late);
    let mut after = before.clone();
    adjuster.adjust(BILLING, &panes, &mut after);
    assert_eq!(after[0], AdjustedShares::default(), "it is not of the last 5 minutes");
    let negative = |shares: &AdjustedShares| shares.negative.unwrap().ratio;
    let falls = before[1..].iter().zip(&after[1..]).all(|(before, after)| negative(after) < negative(before));
    assert!(falls, "{before:?} {after:?}");
}

#[test]
fn a_window_has_an_estimate_where_9_of_10_of_its_messages_were_counted_by_cell() {
    let is_estimated = |messages, with_cell| {
        let mut shown = nothing();
        adjuster(tables()).adjust(BILLING, &closed(counts(messages, with_cell)), &mut shown);
        (shown[0].negative.is_some(), shown[0].frustrated.is_some())
    };
    assert_eq!(is_estimated(40, 36), (true, true));
    assert_eq!(is_estimated(40, 35), (false, false), "it would not be of the window");
    assert_eq!(is_estimated(0, 0), (false, false), "of nothing");
}

#[test]
fn an_estimate_is_the_tables_own_and_without_a_table_there_is_none() {
    let Shares { frustration, .. } = tables();
    let panes = closed(counts(40, 40));
    let mut shown = nothing();
    let shares = Shares { sentiment: None, frustration: frustration.clone() };
    adjuster(shares).adjust(BILLING, &panes, &mut shown);
    let expected = frustration.unwrap().estimate(&[40, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(shown[0], AdjustedShares { negative: None, frustrated: expected });
}
