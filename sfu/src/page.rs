//! Lists in pages. A cursor names the last row that was seen, so that what is added meanwhile moves nothing. Pure.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use shared::page::Page;

/// A row's place in a list that is ordered by a number, usually a time, and then by a text that is unique, usually an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The first key.
    pub at: i64,
    /// The second.
    pub id: String,
}

/// No id or name that is a row's is longer.
const ID_MOST: usize = 64;

impl Place {
    /// As a client keeps it.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}.{}", self.at, self.id))
    }

    /// From what a client kept; `None` if it can't be one. Who makes one up sees another part of what they may see anyway.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (at, id) = std::str::from_utf8(&bytes).ok()?.split_once('.')?;
        let is_id = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        let fits = (1..=ID_MOST).contains(&id.len()) && id.bytes().all(is_id);
        Some(Self { at: at.parse().ok()?, id: fits.then(|| id.to_owned())? })
    }
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Behind which row; from the beginning if absent.
    pub after: Option<Place>,
    /// The most rows.
    pub limit: u32,
}

impl Wanted {
    /// The keys of the row before the page, for a list that runs from the highest keys to the lowest. Without a cursor, keys
    /// above all that rows have.
    pub fn before(&self) -> (i64, &str) {
        self.after.as_ref().map_or((i64::MAX, ""), |place| (place.at, &place.id))
    }

    /// How many rows to read: one more than fits tells whether there is another page.
    pub fn rows(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// The page, from up to [`Self::rows`] rows.
    pub fn page<T>(&self, mut rows: Vec<T>, place: impl Fn(&T) -> Place) -> Page<T> {
        let has_more = rows.len() > self.limit as usize;
        rows.truncate(self.limit as usize);
        let next = rows.last().filter(|_| has_more).map(|row| place(row).encode());
        Page { items: rows, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_and_nothing_else_is_one() {
        let place = Place { at: -5, id: "01j_x-9".to_owned() };
        assert_eq!(Place::parse(&place.encode()), Some(place));
        let made = |text: &str| URL_SAFE_NO_PAD.encode(text);
        for bad in [
            String::new(),
            "!".to_owned(),
            made("5"),
            made("5."),
            made("x.a"),
            made("5.a'b"),
            made(&format!("5.{}", "a".repeat(65))),
            made("99999999999999999999.a"),
            URL_SAFE_NO_PAD.encode([0xff, 0xfe]),
            "A".repeat(100_000),
        ] {
            assert_eq!(Place::parse(&bad), None, "{bad:.80}");
        }
    }

    #[test]
    fn the_last_page_has_no_next() {
        let wanted = Wanted { after: None, limit: 2 };
        let place = |id: &u32| Place { at: 0, id: id.to_string() };
        let first = wanted.page(vec![1, 2, 3], place);
        assert_eq!(first.items, [1, 2]);
        assert_eq!(Place::parse(&first.next.unwrap()), Some(place(&2)));
        assert_eq!(wanted.page(vec![3, 4], place).next, None);
        assert_eq!(wanted.page(Vec::new(), place), Page { items: Vec::new(), next: None });
    }
}
