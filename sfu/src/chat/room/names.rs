//! People who wrote in a room lately, by their names. Pure.

use shared::id::PersonId;
use std::collections::{HashMap, VecDeque};

/// Names of people who wrote lately, to mention them by. The oldest goes first.
const NAMES_MOST: usize = 500;

/// Whom a name means.
#[derive(Debug, Default)]
pub struct Names {
    people: HashMap<String, PersonId>,
    by_age: VecDeque<String>,
}

impl Names {
    /// Somebody wrote under a name.
    pub fn met(&mut self, person: &PersonId, name: &str) {
        let name = name.to_lowercase();
        if self.people.insert(name.clone(), person.clone()).is_none() {
            self.by_age.push_back(name);
            if self.by_age.len() > NAMES_MOST
                && let Some(oldest) = self.by_age.pop_front()
            {
                self.people.remove(&oldest);
            }
        }
    }

    /// Nobody is this person any more.
    pub fn forget(&mut self, person: &PersonId) {
        self.people.retain(|_, other| other != person);
        self.by_age.retain(|name| self.people.contains_key(name));
    }

    /// Who is meant by the longest known name that `rest` begins with, and how many bytes of it that name is.
    pub fn mentioned(&self, rest: &str) -> Option<(usize, PersonId)> {
        let most = rest.char_indices().nth(40).map_or(rest.len(), |(at, _)| at);
        let mut ends: Vec<usize> = Vec::new();
        let mut was_wordy = false;
        for (at, c) in rest[..most].char_indices() {
            let is_wordy = c.is_alphanumeric() || c == '_' || c == '-';
            if was_wordy && !is_wordy {
                ends.push(at);
            }
            was_wordy = is_wordy;
        }
        if most == rest.len() {
            ends.push(most);
        }
        ends.into_iter()
            .rev()
            .find_map(|end| Some((end, self.people.get(&rest[..end].to_lowercase())?.clone())))
            .filter(|(end, _)| *end > 0)
    }

    /// Whose names are known of people who wrote lately, in small letters.
    pub fn knows(&self, name: &str) -> bool {
        self.people.contains_key(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str) -> PersonId {
        name.parse().unwrap()
    }

    #[test]
    fn names_of_people_who_wrote_can_be_mentioned() {
        let mut names = Names::default();
        names.met(&person("p1"), "Ben");
        names.met(&person("p2"), "Ben Li");
        names.met(&person("p3"), "Łucja");
        let mentioned = |rest: &str| names.mentioned(rest).map(|(bytes, person)| (bytes, person.to_string()));
        assert_eq!(mentioned("ben, hello"), Some((3, "p1".to_owned())));
        assert_eq!(mentioned("BEN"), Some((3, "p1".to_owned())));
        assert_eq!(mentioned("Ben Li and others"), Some((6, "p2".to_owned())), "the longest name is meant");
        assert_eq!(mentioned("Ben Lin"), Some((3, "p1".to_owned())));
        assert_eq!(mentioned("łucja!"), Some(("łucja".len(), "p3".to_owned())));
        for nobody in ["", " ", "benny", "nobody", " ben", "@ben", &"x".repeat(5000), &"é ".repeat(5000)] {
            assert_eq!(mentioned(nobody), None, "{nobody:.20}");
        }
        assert!(names.knows("ben li") && !names.knows("Ben Li"));
        names.forget(&person("p2"));
        assert!(names.knows("ben") && !names.knows("ben li"));
        assert_eq!((names.people.len(), names.by_age.len()), (2, 2));
    }

    #[test]
    fn no_more_than_so_many_are_remembered() {
        let mut names = Names::default();
        for n in 0..2000 {
            names.met(&person(&format!("p{n}")), &format!("g{n}"));
        }
        assert!(names.people.len() <= NAMES_MOST && names.by_age.len() <= NAMES_MOST);
        assert!(names.knows("g1999") && !names.knows("g0"), "the oldest goes first");
    }
}
