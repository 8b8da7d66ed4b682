//! Which texts are worth a slow model's time: pure, time is an argument.
//!
//! A cascade scores each text with the fast model. A text goes to the slow one exactly if its [`worth()`] reaches a threshold, the one
//! number of the state that decides: so each choice can be explained from the record and that number. [`Budget`] moves the
//! threshold, so that what is sent is what the slow model manages; [`Degraded`] tells whether its answers come.

mod degraded;
mod threshold;
mod worth;

pub use degraded::Degraded;
pub use threshold::Budget;
pub use worth::{Stakes, Worth, doubt, worth};
