//! How well customers are counted.

use super::*;

/// Even hashes by a seed (SplitMix64, Steele, Lea, Flood 2014).
fn hashes(seed: u64, count: usize) -> impl Iterator<Item = CustomerHash> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        CustomerHash((mixed ^ (mixed >> 31)) as u32)
    })
    .take(count)
}

fn of(hashes: impl Iterator<Item = CustomerHash>) -> Customers {
    let mut customers = Customers::default();
    hashes.for_each(|hash| customers.insert(hash));
    customers
}

#[test]
fn up_to_50_customers_are_counted_exactly() {
    for count in [0, 1, 2, 25, 49, 50] {
        let customers = of(hashes(3, count).chain(hashes(3, count)));
        assert_eq!(Customers::count([&customers].into_iter()), count as u64);
    }
    let parts: Vec<Customers> = (0..40).map(|seed| of(hashes(seed, 50))).collect();
    assert_eq!(Customers::count(parts.iter()), 2_000, "as long as each part is");
}

#[test]
fn more_are_estimated_with_the_error_that_is_said_and_without_bias() {
    for count in [51, 100, 200, 400, 800, 1_300, 2_500, 10_000, 100_000] {
        let errors: Vec<f64> = (0..200)
            .map(|seed| {
                let customers = of(hashes(seed * 7_919 + count as u64, count));
                Customers::count([&customers].into_iter()) as f64 / count as f64 - 1.0
            })
            .collect();
        let bias = errors.iter().sum::<f64>() / errors.len() as f64;
        let deviation = (errors.iter().map(|error| error * error).sum::<f64>() / errors.len() as f64).sqrt();
        assert!(bias.abs() < 0.017, "{count}: {bias}");
        assert!(deviation < 0.075, "{count}: {deviation}");
    }
}

proptest! {
    #[test]
    fn parts_put_together_in_any_order_are_the_whole(
        parts in prop::collection::vec((any::<u64>(), 0_usize..200), 1..6),
        by in any::<prop::sample::Index>(),
    ) {
        let whole = of(parts.iter().flat_map(|(seed, count)| hashes(*seed, *count)));
        let mut rotated = parts.clone();
        rotated.rotate_left(by.index(parts.len()));
        let mut together = Customers::default();
        rotated.iter().for_each(|(seed, count)| together.merge(&of(hashes(*seed, *count))));
        prop_assert_eq!(&together, &whole);
        prop_assert!(whole.is_sound());
    }

    #[test]
    fn registers_from_anywhere_are_refused_or_counted_without_harm(registers in prop::collection::vec(any::<u8>(), 0..600)) {
        let customers = Customers::Many(registers);
        if customers.is_sound() {
            Customers::count([&customers].into_iter());
        }
    }
}
