//! The views of a broadcast that is on: who watches which, and which of them can go on. Pure.

use shared::id::{SessionId, ViewId};
use std::collections::{HashMap, VecDeque};

/// The most views of a broadcast that are remembered, so that they can go on. Beyond that those that began first are
/// forgotten: who comes back to one of them counts anew.
pub const REMEMBERED: usize = 250_000;

/// What it means that somebody comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coming {
    /// A view begins.
    Begins,
    /// One goes on, in a span of this number.
    GoesOn(u32),
    /// One goes on as if nothing had been, in the place of this session, which its player has given up.
    Replaces(SessionId),
    /// It is none of this broadcast's.
    Strange,
}

#[derive(Debug, Clone)]
struct Seen {
    /// Who watches it now.
    session: Option<SessionId>,
    /// How many spans it has.
    spans: u32,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Views {
    watching: HashMap<SessionId, ViewId>,
    seen: HashMap<ViewId, Seen>,
    /// Those that are seen, in the order in which they began.
    began: VecDeque<ViewId>,
}

impl Views {
    /// Those that a previous process wrote down, the newest first, with the number of their spans.
    pub fn recovered(views: Vec<(ViewId, u32)>) -> Self {
        let began = views.iter().rev().map(|(id, _)| id.clone()).collect();
        let seen = views.into_iter().map(|(id, spans)| (id, Seen { session: None, spans })).collect();
        Self { watching: HashMap::new(), seen, began }
    }

    /// How many are watched.
    pub fn watched(&self) -> usize {
        self.watching.len()
    }

    /// Whether somebody who comes back can go on with a view.
    pub fn has(&self, view: &ViewId) -> bool {
        self.seen.contains_key(view)
    }

    /// A session begins to watch.
    pub fn come(&mut self, session: SessionId, view: ViewId, comes_back: bool) -> Coming {
        let coming = match self.seen.get_mut(&view) {
            Some(seen) => match seen.session.replace(session.clone()) {
                Some(old) => {
                    self.watching.remove(&old);
                    Coming::Replaces(old)
                }
                None => {
                    seen.spans += 1;
                    Coming::GoesOn(seen.spans)
                }
            },
            None if comes_back => return Coming::Strange,
            None => {
                self.remember(view.clone(), session.clone());
                Coming::Begins
            }
        };
        self.watching.insert(session, view);
        coming
    }

    /// A session watches no more; which span of which view that ends.
    pub fn go(&mut self, session: &SessionId) -> Option<(ViewId, u32)> {
        let view = self.watching.remove(session)?;
        let seen = self.seen.get_mut(&view)?;
        seen.session = None;
        Some((view, seen.spans))
    }

    /// Nobody watches any more; which spans of which views that ends.
    pub fn all_go(&mut self) -> Vec<(ViewId, u32)> {
        let mut sessions: Vec<SessionId> = self.watching.keys().cloned().collect();
        sessions.sort_unstable();
        sessions.iter().filter_map(|session| self.go(session)).collect()
    }

    fn remember(&mut self, view: ViewId, session: SessionId) {
        if self.began.len() >= REMEMBERED
            && let Some(oldest) = self.began.pop_front()
        {
            if self.seen.get(&oldest).is_some_and(|seen| seen.session.is_some()) {
                // One that is watched stays; it is asked again after all others.
                self.began.push_back(oldest);
            } else {
                self.seen.remove(&oldest);
            }
        }
        self.began.push_back(view.clone());
        self.seen.insert(view, Seen { session: Some(session), spans: 1 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(text: &str) -> SessionId {
        text.parse().unwrap()
    }

    fn view(text: &str) -> ViewId {
        text.parse().unwrap()
    }

    #[test]
    fn a_view_has_one_session_and_as_many_spans_as_it_takes() {
        let mut views = Views::recovered(vec![(view("old"), 4)]);
        assert_eq!(views.come(session("a"), view("v"), false), Coming::Begins);
        assert_eq!(views.come(session("b"), view("v"), true), Coming::Replaces(session("a")));
        assert_eq!(views.watched(), 1);
        assert_eq!(views.go(&session("a")), None, "it is not there any more");
        assert_eq!(views.go(&session("b")), Some((view("v"), 1)));
        assert_eq!(views.come(session("c"), view("v"), true), Coming::GoesOn(2));
        assert_eq!(views.come(session("d"), view("old"), true), Coming::GoesOn(5));
        assert_eq!(views.come(session("e"), view("forged"), true), Coming::Strange);
        assert_eq!(views.all_go(), [(view("v"), 2), (view("old"), 5)]);
        assert_eq!(views.watched(), 0);
    }

    #[test]
    fn a_great_many_views_cost_bounded_memory_and_those_that_are_watched_stay() {
        let mut views = Views::default();
        views.come(session("first"), view("first"), false);
        for n in 0..REMEMBERED + 10 {
            let id = format!("v{n}");
            views.come(session(&id), view(&id), false);
            views.go(&session(&id));
        }
        assert!(views.seen.len() <= REMEMBERED + 1 && views.began.len() == views.seen.len());
        assert!(views.has(&view("first")) && !views.has(&view("v0")));
        assert!(views.has(&view(&format!("v{}", REMEMBERED + 9))));
    }
}
