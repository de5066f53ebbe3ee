//! Emotes that those who run the instance give to all channels. Pure.

use super::emote;
use shared::emote::InstanceEmote;
use std::collections::HashMap;

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

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
}
