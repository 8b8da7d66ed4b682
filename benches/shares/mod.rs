//! What the estimates of windows' shares are made with, where they are measured.

use latido::score::shares::ShareTable;

/// A table as training makes them.
pub(crate) fn table() -> ShareTable {
    let wanted = [0.02, 0.02, 0.05, 0.05, 0.10, 0.06, 0.20, 0.50];
    let second = [0.35, 0.05, 0.25, 0.05, 0.15, 0.05, 0.07, 0.03];
    let third = [0.10, 0.55, 0.05, 0.18, 0.02, 0.05, 0.03, 0.02];
    let cells = std::array::from_fn(|cell| [wanted[cell], second[cell], third[cell]]);
    ShareTable { weights: [[[0.0; 3]; 3]; 7], cells, spread: 0.2 }
}
