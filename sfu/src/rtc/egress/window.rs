//! Which numbers were there already, of those that are not far behind the highest one.

/// Remembers `64 * WORDS` numbers.
#[derive(Debug)]
pub struct Window<const WORDS: usize> {
    highest: Option<u64>,
    /// A bit for each number, in the place that it has among so many.
    seen: [u64; WORDS],
}

impl<const WORDS: usize> Default for Window<WORDS> {
    fn default() -> Self {
        Self { highest: None, seen: [0; WORDS] }
    }
}

impl<const WORDS: usize> Window<WORDS> {
    const SIZE: u64 = 64 * WORDS as u64;

    fn place(number: u64) -> (usize, u64) {
        let at = number % Self::SIZE;
        ((at / 64) as usize, 1 << (at % 64))
    }

    /// Whether a number was not noted, and isn't too far behind to know.
    pub fn is_new(&self, number: u64) -> bool {
        let (word, bit) = Self::place(number);
        match self.highest {
            Some(highest) if number <= highest => highest - number < Self::SIZE && self.seen[word] & bit == 0,
            _ => true,
        }
    }

    /// Notes a number that is new.
    pub fn note(&mut self, number: u64) {
        let highest = self.highest.unwrap_or(number);
        if number > highest {
            if number - highest >= Self::SIZE {
                self.seen = [0; WORDS];
            } else {
                for between in highest + 1..number {
                    let (word, bit) = Self::place(between);
                    self.seen[word] &= !bit;
                }
            }
        }
        self.highest = Some(highest.max(number));
        let (word, bit) = Self::place(number);
        self.seen[word] |= bit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_number_is_new_once_and_what_is_far_behind_never() {
        let mut state = 9u64;
        let (mut window, mut seen, mut highest) = (Window::<4>::default(), HashSet::new(), 0u64);
        for _ in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let step = state >> 40;
            let number = match step % 50 {
                0 => highest + step % 1_000,
                _ => (highest + 2).saturating_sub(step % 300),
            };
            let expected = !seen.contains(&number) && highest.saturating_sub(number) < 256;
            assert_eq!(window.is_new(number), expected, "{number} where {highest} is the highest");
            if expected {
                window.note(number);
                seen.insert(number);
                highest = highest.max(number);
            }
        }
    }
}
