//! Keeps the numbers of VP8 pictures going when a viewer is switched between sources (RFC 7741, 4.2): a decoder takes a
//! number that jumps back for an old picture.

/// The numbers of one picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    /// The picture id.
    pub id: u16,
    /// Whether it has 15 bits, or 7.
    pub is_wide: bool,
    /// The number of the lowest temporal layer's picture.
    pub base: Option<u8>,
}

/// One viewer's numbers. `T` names a track.
#[derive(Debug)]
pub struct PictureIds<T> {
    track: Option<T>,
    offset: (u16, u8),
    /// The highest numbers given out, by which the next source goes on.
    last: Option<(u16, u8)>,
}

impl<T> Default for PictureIds<T> {
    fn default() -> Self {
        Self { track: None, offset: (0, 0), last: None }
    }
}

impl<T: PartialEq> PictureIds<T> {
    /// The numbers that a packet of `track` gets. `None`: those that it has.
    pub fn place(&mut self, track: T, given: Numbers) -> Option<(u16, Option<u8>)> {
        let mask = if given.is_wide { 0x7fff } else { 0x7f };
        let base = given.base.unwrap_or(0);
        if self.track.as_ref() != Some(&track) {
            self.track = Some(track);
            if let Some((id, last_base)) = self.last {
                self.offset =
                    (id.wrapping_add(1).wrapping_sub(given.id), last_base.wrapping_add(1).wrapping_sub(base));
            }
        }
        let id = given.id.wrapping_add(self.offset.0) & mask;
        let base = base.wrapping_add(self.offset.1);
        let is_newer = self.last.is_none_or(|(last, _)| (id.wrapping_sub(last) & mask) <= mask / 2);
        if is_newer {
            self.last = Some((id, base));
        }
        (self.offset != (0, 0)).then(|| (id, given.base.map(|_| base)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(id: u16, base: u8) -> Numbers {
        Numbers { id, is_wide: true, base: Some(base) }
    }

    #[test]
    fn the_first_source_keeps_its_numbers() {
        let mut ids = PictureIds::default();
        assert_eq!(ids.place(1, wide(500, 7)), None);
        assert_eq!(ids.place(1, wide(501, 8)), None);
    }

    #[test]
    fn the_next_source_goes_on_where_the_last_one_was() {
        let mut ids = PictureIds::default();
        ids.place(1, wide(500, 7));
        ids.place(1, wide(499, 6));
        assert_eq!(ids.place(2, wide(3, 250)), Some((501, Some(8))));
        assert_eq!(ids.place(2, wide(4, 251)), Some((502, Some(9))));
        assert_eq!(ids.place(1, wide(90, 90)), Some((503, Some(10))), "and back");
    }

    #[test]
    fn numbers_wrap_in_their_own_width() {
        let mut ids = PictureIds::default();
        ids.place(1, wide(0x7fff, 255));
        assert_eq!(ids.place(2, wide(9, 9)), Some((0, Some(0))));
        let mut narrow = PictureIds::default();
        let seven_bits = |id| Numbers { id, is_wide: false, base: None };
        narrow.place(1, seven_bits(127));
        assert_eq!(narrow.place(2, seven_bits(5)), Some((0, None)));
    }
}
