//! Models too slow for every text: what they are to those that run them.

mod model;

pub use model::{Logits, Network, NetworkError, SlowModel, Tokens};
