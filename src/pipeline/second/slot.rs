//! The slow model in force.

use std::sync::{Arc, PoisonError, RwLock};

use crate::score::lane::SlowModel;

/// Which slow model texts are cut for. The lock is held for as long as a pointer takes to copy, once a batch.
#[derive(Debug)]
pub(in crate::pipeline) struct ModelSlot(RwLock<Arc<dyn SlowModel>>);

impl ModelSlot {
    pub(in crate::pipeline) fn new(model: Arc<dyn SlowModel>) -> Self {
        Self(RwLock::new(model))
    }

    pub(in crate::pipeline) fn get(&self) -> Arc<dyn SlowModel> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From the next batch on texts are for that model. What was cut for the one before is still run by that one.
    pub(in crate::pipeline) fn replace(&self, model: Arc<dyn SlowModel>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = model;
    }
}
