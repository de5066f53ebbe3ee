//! What one broadcast's ladder knows of the machine, of the instance's settings and of its channel's owner's wish.

use super::router::RoomKey;
use crate::transcode::{frame::Rung, wire::Stats};
use std::{
    collections::HashSet,
    sync::{Arc, PoisonError, RwLock},
};

/// What all ladders share.
#[derive(Debug, Clone, Default)]
pub struct Ladders(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    is_off: bool,
    /// Rooms of channels whose owners don't want one.
    unwanted: RwLock<HashSet<RoomKey>>,
}

impl Ladders {
    /// With none, if the owner of the instance wants none.
    pub fn new(is_on: bool) -> Self {
        Self(Arc::new(Shared { is_off: !is_on, ..Shared::default() }))
    }

    /// Whether a channel's owner wants a ladder.
    pub fn set(&self, room: RoomKey, is_wanted: bool) {
        let mut unwanted = self.0.unwanted.write().unwrap_or_else(PoisonError::into_inner);
        if is_wanted {
            unwanted.remove(&room);
        } else {
            unwanted.insert(room);
        }
    }

    /// For one broadcast.
    pub fn of(&self, room: RoomKey) -> Machine {
        Machine { ladders: self.clone(), room }
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Machine {
    ladders: Ladders,
    room: RoomKey,
}

impl Machine {
    /// Whether the channel's owner wants a ladder.
    pub fn is_wanted(&self) -> bool {
        !self.ladders.0.unwanted.read().unwrap_or_else(PoisonError::into_inner).contains(&self.room)
    }

    /// Whether there may be one.
    pub fn is_on(&self) -> bool {
        !self.ladders.0.is_off && self.is_wanted()
    }

    /// Those of a source's rungs that there is room for.
    pub fn admitted(&self, rungs: &[Rung], _frame_rate: f32) -> Vec<Rung> {
        crate::transcode::ladder::chosen(rungs, |_| true)
    }

    /// These are made from now on.
    pub fn uses(&self, _rungs: &[Rung], _frame_rate: f32) {}

    /// What they cost.
    pub fn measured(&self, _stats: &Stats) {}

    /// A sentence for what there is no room for.
    pub fn why_no_room(&self) -> String {
        "This machine has no room for it.".to_owned()
    }
}
