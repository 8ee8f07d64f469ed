//! How much a patch may do. A short one can do a lot: each operation on a list of a million items may move all of them.

use super::fault::Fault;

/// Steps that a patch may take: about a second's worth.
const MAX_STEPS: usize = 1 << 24;
/// Bytes that are looked at in the time of a step.
const BYTES: usize = 64;
/// Items that move by one place in the time of a step.
const ITEMS: usize = 16;

/// The steps that are left.
#[derive(Debug)]
pub(super) struct Work(usize);

impl Work {
    pub(super) fn new() -> Self {
        Self(MAX_STEPS)
    }

    /// Takes `steps`: about one for each value that is made.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Fault> {
        self.0 = self.0.checked_sub(steps).ok_or_else(too_much)?;
        Ok(())
    }

    /// Takes the steps to look at as many `bytes`.
    pub(super) fn look_at(&mut self, bytes: usize) -> Result<(), Fault> {
        self.spend(bytes / BYTES + 1)
    }

    /// Takes the steps to move as many `items` of a list by one place.
    pub(super) fn shift(&mut self, items: usize) -> Result<(), Fault> {
        self.spend(items / ITEMS + 1)
    }
}

fn too_much() -> Fault {
    Fault::failed("the patch takes too many steps on a document of this size: send it in parts")
}
