//! What is being loaded: each thing once, however often it is asked for, and nothing that nobody waits for any more.

/// The loadings that run.
#[derive(Debug)]
pub struct Loads<T> {
    running: Vec<(T, u32)>,
    last: u32,
}

impl<T> Default for Loads<T> {
    fn default() -> Self {
        Self { running: Vec::new(), last: 0 }
    }
}

impl<T: PartialEq> Loads<T> {
    /// Begins one; answers with its number, or nothing if the same runs already.
    pub fn begin(&mut self, what: T) -> Option<u32> {
        if self.running.iter().any(|(other, _)| *other == what) {
            return None;
        }
        self.last = self.last.wrapping_add(1);
        self.running.push((what, self.last));
        Some(self.last)
    }

    /// Whether that one is still waited for.
    pub fn runs(&self, number: u32) -> bool {
        self.running.iter().any(|(_, other)| *other == number)
    }

    /// That one is done.
    pub fn end(&mut self, number: u32) {
        self.running.retain(|(_, other)| *other != number);
    }

    /// Those that aren't wanted any more are not waited for.
    pub fn keep(&mut self, is_wanted: impl Fn(&T) -> bool) {
        self.running.retain(|(what, _)| is_wanted(what));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_loaded_once_at_a_time() {
        let mut loads = Loads::default();
        let first = loads.begin("a").unwrap();
        assert_eq!(loads.begin("a"), None);
        let other = loads.begin("b").unwrap();
        loads.end(first);
        assert!(!loads.runs(first) && loads.runs(other));
        assert!(loads.begin("a").is_some());
    }

    #[test]
    fn what_was_given_up_and_is_wanted_again_starts_anew() {
        let mut loads = Loads::default();
        let (old, list) = (loads.begin("a").unwrap(), loads.begin("list").unwrap());
        loads.keep(|what| *what == "list");
        assert!(!loads.runs(old) && loads.runs(list));
        let new = loads.begin("a").unwrap();
        loads.end(old);
        assert!(loads.runs(new) && !loads.runs(old));
    }
}
