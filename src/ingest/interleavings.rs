//! Walks through every interleaving of threads whose steps are few: small models around the real types that threads share.

use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Threads and what they share, at one moment. What it prints tells two states apart.
pub(super) trait World: Debug + Sized {
    /// One step of one of its threads.
    type Step: Copy + Debug;

    /// The same state once more.
    fn fork(&self) -> Self;

    /// The steps that some thread can take now.
    fn steps(&self) -> Vec<Self::Step>;

    /// Takes a step.
    fn take(&mut self, step: Self::Step);

    /// What must hold after each step.
    ///
    /// # Errors
    /// What does not.
    fn holds(&self) -> Result<(), String>;

    /// What must hold where no thread can take a step any more.
    ///
    /// # Errors
    /// What does not.
    fn holds_at_rest(&self) -> Result<(), String>;
}

/// Takes every path from a state; each state is visited once. Gives how many there are.
///
/// # Errors
/// What does not hold, and the steps that led there.
pub(super) fn walk<W: World>(start: W) -> Result<usize, String> {
    let mut seen = HashSet::from([digest(&start)]);
    let mut paths = vec![(start, Vec::new())];
    while let Some((world, path)) = paths.pop() {
        let told = |what: String| format!("{what}, after {path:?}: {world:#?}");
        world.holds().map_err(told)?;
        let steps = world.steps();
        if steps.is_empty() {
            world.holds_at_rest().map_err(told)?;
        }
        for step in steps {
            let mut next = world.fork();
            next.take(step);
            if seen.insert(digest(&next)) {
                let mut path = path.clone();
                path.push(step);
                paths.push((next, path));
            }
        }
    }
    Ok(seen.len())
}

fn digest(world: &impl Debug) -> u64 {
    let mut hasher = DefaultHasher::new();
    format!("{world:?}").hash(&mut hasher);
    hasher.finish()
}
