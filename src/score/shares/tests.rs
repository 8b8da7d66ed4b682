//! Promises of the estimates.

use super::*;

/// Half of the wanted class speaks clearly, the rest is doubtful.
fn table(spread: f32) -> ShareTable {
    let wanted = [0.02, 0.02, 0.05, 0.05, 0.10, 0.06, 0.20, 0.50];
    let second = [0.35, 0.05, 0.25, 0.05, 0.15, 0.05, 0.07, 0.03];
    let third = [0.10, 0.55, 0.05, 0.18, 0.02, 0.05, 0.03, 0.02];
    let cells = std::array::from_fn(|cell| [wanted[cell], second[cell], third[cell]]);
    ShareTable { weights: [[[0.0; CLASSES]; INPUTS]; LANGUAGE_COUNT], cells, spread }
}

/// What a window of so many messages of each class counts on average.
fn counts(classes: [u32; CLASSES]) -> [u64; SHARE_CELLS] {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
    table(0.0).cells.map(|cell| {
        cell.iter().zip(classes).map(|(part, messages)| f64::from(*part) * f64::from(messages)).sum::<f64>().round()
            as u64
    })
}

#[test]
fn the_shares_that_made_the_counts_are_found_whatever_the_mix_of_the_others() {
    for classes in [[500, 4_750, 4_750], [3_000, 6_500, 500], [3_000, 500, 6_500], [6_000, 2_000, 2_000]] {
        let found = table(0.2).estimate(&counts(classes)).unwrap();
        let truth = f64::from(classes[0]) / 10_000.0;
        assert!((found.ratio - truth).abs() < 0.003, "{classes:?}: {found:?}");
        assert!(found.low < truth && truth < found.high, "{classes:?}: {found:?}");
    }
}

#[test]
fn more_messages_narrow_the_interval_and_unlike_sets_widen_it() {
    let width = |spread: f32, times: u32| {
        let found = table(spread).estimate(&counts([300 * times, 350 * times, 350 * times])).unwrap();
        found.high - found.low
    };
    assert!(width(0.0, 100) < 0.2 * width(0.0, 1));
    assert!(width(0.3, 100) > 5.0 * width(0.0, 100));
}

#[test]
fn an_empty_window_has_no_estimate_and_a_small_one_says_how_little_it_knows() {
    assert_eq!(table(0.2).estimate(&[0; SHARE_CELLS]), None);
    let mut one = [0; SHARE_CELLS];
    one[7] = 1;
    let found = table(0.2).estimate(&one).unwrap();
    assert!(found.low < 0.5 && found.ratio > 0.8 && found.high > 0.95, "{found:?}");
}

#[test]
fn any_counts_give_a_part_within_its_interval_and_within_0_and_1() {
    let extremes = [0, 1, 3, 1_000, u64::from(u32::MAX) * 8_640];
    for seed in 0..2_000_usize {
        let counts: [u64; SHARE_CELLS] =
            std::array::from_fn(|cell| extremes[(seed.wrapping_mul(2_654_435_761) >> (3 * cell + 4)) % extremes.len()]);
        let Some(Estimate { ratio, low, high }) = table(0.3).estimate(&counts) else { continue };
        assert!((0.0..=ratio).contains(&low) && (ratio..=1.0).contains(&high), "{counts:?}: {low} {ratio} {high}");
    }
}

#[test]
fn a_cell_grows_with_the_evidence() {
    let of = |wanted: f32, second: f32| cell_of([wanted, second, 1.0 - wanted - second]);
    assert_eq!(of(0.01, 0.9), 0);
    assert_eq!(of(0.01, 0.1), 1);
    assert_eq!([0.2, 0.4, 0.6, 0.9].map(|wanted| of(wanted, 0.1)), [3, 5, 6, 7]);
    assert_eq!(cell_of([f32::NAN; CLASSES]), 0, "and is a cell whatever comes");
}

#[test]
fn a_table_that_is_none_is_refused() {
    let mut damaged = Shares { sentiment: Some(table(0.2)), frustration: None };
    assert_eq!(damaged.validate(), Ok(()));
    damaged.sentiment.as_mut().unwrap().cells[3][1] = 0.9;
    assert!(damaged.validate().unwrap_err().contains("class 1"), "{:?}", damaged.validate());
    damaged.sentiment = Some(table(f32::NAN));
    assert!(damaged.validate().unwrap_err().contains("finite"));
}
