//! Emotes that those who run the instance give to all channels. Pure.

use super::emote;
use shared::emote::InstanceEmote;
use std::{collections::HashMap, sync::Arc};

pub mod routes;
pub mod service;
pub mod store;

/// All of them.
#[derive(Debug, Default)]
pub struct Everywhere {
    emotes: Vec<InstanceEmote>,
    by_code: HashMap<String, usize>,
}

impl Everywhere {
    /// These, in the picker's order.
    pub fn new(emotes: Vec<InstanceEmote>) -> Self {
        let codes = emotes.iter().enumerate().map(|(place, one)| (emote::code(one.name.as_str()), place));
        Self { by_code: codes.collect(), emotes }
    }

    /// In the picker's order.
    pub fn emotes(&self) -> &[InstanceEmote] {
        &self.emotes
    }

    /// Where an emote has its picture, by its code.
    pub fn url(&self, code: &str) -> Option<String> {
        Some(self.emotes.get(*self.by_code.get(code)?)?.url.clone())
    }
}

/// What is known of them. What was read before a change is not kept after it.
#[derive(Debug, Default)]
pub struct Known {
    emotes: Option<Arc<Everywhere>>,
    turn: u64,
}

impl Known {
    /// Them, if they are known; else the turn in which they are to be read.
    pub fn get(&self) -> Result<Arc<Everywhere>, u64> {
        self.emotes.clone().ok_or(self.turn)
    }

    /// They were read in this turn.
    pub fn put(&mut self, turn: u64, emotes: Arc<Everywhere>) {
        if turn == self.turn {
            self.emotes = Some(emotes);
        }
    }

    /// They changed; it is on disk.
    pub fn changed(&mut self) {
        self.emotes = None;
        self.turn += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(name: &str) -> Arc<Everywhere> {
        let url = format!("/emotes/{name}.png");
        Arc::new(Everywhere::new(vec![InstanceEmote { name: name.parse().unwrap(), url }]))
    }

    #[test]
    fn an_emote_is_found_by_its_code() {
        let river = some("river");
        assert_eq!(river.url(":river:").as_deref(), Some("/emotes/river.png"));
        for code in ["river", ":River:", ":sea:", ""] {
            assert_eq!(river.url(code), None, "{code}");
        }
        assert_eq!(river.emotes().len(), 1);
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let mut known = Known::default();
        let early = known.get().unwrap_err();
        known.changed();
        known.put(early, some("old"));
        let turn = known.get().unwrap_err();
        known.put(turn, some("new"));
        assert!(known.get().unwrap().url(":new:").is_some());
        known.changed();
        assert!(known.get().is_err());
    }
}
