//! What was typed, made fit to be kept and shown: whitespace collapsed, what can't be seen or turns a line around taken out,
//! bounded. It is text and never HTML. Pure.

use shared::chat::{BYTES_MOST, GRAPHEMES_MOST};
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// More marks than any script stacks on one letter; what is above them covers other lines.
const MARKS_MOST: usize = 5;
/// Tag characters of one flag: `gbeng`, `gbsct`, `gbwls` and the end.
const TAGS_MOST: usize = 6;

/// Why a text can't be a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing that can be seen.
    #[error("the message is empty: write something first")]
    Empty,
    /// More than fits.
    #[error("a message has at most {GRAPHEMES_MOST} characters, and this has {count}: shorten it")]
    TooLong {
        /// Graphemes that were given.
        count: usize,
    },
    /// More bytes than are looked at.
    #[error("a message has at most {BYTES_MOST} bytes, and this has {count}: shorten it")]
    TooLarge {
        /// Bytes that were given.
        count: usize,
    },
}

/// A message's text: 1 to [`GRAPHEMES_MOST`] graphemes, something in it to be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatText(Box<str>);

impl ChatText {
    /// From what was typed.
    pub fn parse(typed: &str) -> Result<Self, TextError> {
        if typed.len() > BYTES_MOST {
            return Err(TextError::TooLarge { count: typed.len() });
        }
        let text = clean(typed);
        if !has_something_to_see(&text) {
            return Err(TextError::Empty);
        }
        let count = text.graphemes(true).count();
        if count > GRAPHEMES_MOST {
            return Err(TextError::TooLong { count });
        }
        Ok(Self(text.into()))
    }

    /// The text, to be shown as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The first graphemes of a text, with an ellipsis if there are more.
pub fn excerpt(text: &str, most: usize) -> String {
    let mut graphemes = text.graphemes(true);
    let mut short: String = graphemes.by_ref().take(most).collect();
    if graphemes.next().is_some() {
        short.push('…');
    }
    short
}

/// Whether a name or a text has a letter, a digit, a sign or a picture, and not marks and spaces alone.
pub fn has_something_to_see(text: &str) -> bool {
    text.chars().any(|c| !c.is_whitespace() && !is_combining_mark(c) && !is_joiner(c) && !is_tag(c))
}

/// The text as it is kept.
pub fn clean(typed: &str) -> String {
    let mut out = String::with_capacity(typed.len());
    let mut marks = 0;
    let mut tags = 0;
    let mut is_selected = false;
    let mut last: Option<char> = None;
    let mut typed = typed.chars().peekable();
    while let Some(c) = typed.next() {
        if is_blank(c) {
            if last.is_some_and(|last| last != ' ') {
                out.push(' ');
                last = Some(' ');
            }
            (marks, tags, is_selected) = (0, 0, false);
            continue;
        }
        if is_refused(c) {
            continue;
        }
        let keep = if is_variation_selector(c) {
            // One says how the character before it looks; more say nothing.
            !std::mem::replace(&mut is_selected, true) && last.is_some_and(|last| last != ' ')
        } else if is_joiner(c) {
            // Emoji and many scripts need them between two characters. In plain text they only hide.
            let joins = |c: char| !c.is_ascii() && !is_blank(c) && !is_refused(c) && !is_joiner(c);
            // What follows must be kept itself, or the joiner would join nothing.
            let stays = |c: char| match c {
                c if is_variation_selector(c) => !is_selected,
                c if is_combining_mark(c) => marks < MARKS_MOST,
                c => !is_tag(c),
            };
            last.is_some_and(joins) && typed.peek().copied().is_some_and(|c| joins(c) && stays(c))
        } else if is_tag(c) {
            tags += 1;
            tags <= TAGS_MOST && last.is_some_and(|last| last == '\u{1F3F4}' || is_tag(last))
        } else if is_combining_mark(c) {
            marks += 1;
            marks <= MARKS_MOST
        } else {
            (marks, tags, is_selected) = (0, 0, false);
            true
        };
        if keep {
            out.push(c);
            last = Some(c);
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// What looks like a space: all of it becomes one, line ends too.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{115F}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{FFA0}' | '\u{2028}' | '\u{2029}'
        )
}

/// What can't be seen, or makes others' words run backwards.
fn is_refused(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Directions: marks, embeddings, overrides, isolates.
            '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
            // No width, no shape.
            | '\u{00AD}' | '\u{034F}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{200B}' | '\u{2060}'..='\u{2065}'
            | '\u{206A}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFC}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E001F}' | '\u{E0080}'..='\u{E00FF}' | '\u{E01F0}'..='\u{E0FFF}')
        // The last two of each plane, and 32 more, are no characters.
        || c as u32 & 0xFFFE == 0xFFFE
        || matches!(c, '\u{FDD0}'..='\u{FDEF}')
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

fn is_tag(c: char) -> bool {
    matches!(c, '\u{E0020}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(typed: &str) -> String {
        ChatText::parse(typed).unwrap().as_str().to_owned()
    }

    #[test]
    fn a_joiner_whose_neighbour_is_taken_out_goes_too() {
        assert_eq!(kept("a \u{8468}\u{200D}\u{E0065}"), "a \u{8468}");
        assert_eq!(kept("\u{8468}\u{FE0F}\u{200D}\u{FE0F}"), "\u{8468}\u{FE0F}");
    }

    #[test]
    fn ordinary_text_of_every_script_stays_as_it_is() {
        for text in [
            "hello",
            "<b>hi</b> & <script>alert(1)</script>",
            "'; DROP TABLE chat_messages; --",
            "Zażółć gęślą jaźń",
            "שָׁלוֹם עֲלֵיכֶם",
            "مرحبا بالعالم",
            "می\u{200C}خواهم",
            "क्\u{200D}ष नमस्ते",
            "สวัสดีครับ ที่นี่",
            "བོད་སྐད་",
            "Tiếng Việt đẹp quá",
            "👨\u{200D}👩\u{200D}👧\u{200D}👦 family",
            "👩🏽\u{200D}🚀",
            "❤\u{FE0F}\u{200D}🔥",
            "🏳\u{FE0F}\u{200D}🌈",
            "1\u{FE0F}\u{20E3}",
            "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
            "葛\u{E0100}城",
            "¯\\_(ツ)_/¯",
            "a\u{0301}e\u{0300}",
        ] {
            assert_eq!(kept(text), text, "{text:?}");
        }
    }

    #[test]
    fn whitespace_becomes_single_spaces() {
        for (typed, text) in [
            ("  a  b  ", "a b"),
            ("a\nb\r\nc\td", "a b c d"),
            ("a\u{00A0}\u{2003}\u{3000}b", "a b"),
            ("a\u{2028}b\u{2029}c", "a b c"),
            ("a\u{3164}\u{2800}\u{115F}b", "a b"),
            ("a \u{200B} b", "a b"),
        ] {
            assert_eq!(kept(typed), text, "{typed:?}");
        }
    }

    #[test]
    fn what_turns_a_line_around_or_hides_is_taken_out() {
        for c in [
            '\u{202A}',
            '\u{202B}',
            '\u{202C}',
            '\u{202D}',
            '\u{202E}',
            '\u{2066}',
            '\u{2067}',
            '\u{2068}',
            '\u{2069}',
            '\u{200E}',
            '\u{200F}',
            '\u{061C}',
            '\u{200B}',
            '\u{2060}',
            '\u{2064}',
            '\u{FEFF}',
            '\u{00AD}',
            '\u{034F}',
            '\u{180E}',
            '\u{FFF9}',
            '\u{FFFB}',
            '\u{FFFC}',
            '\u{0}',
            '\u{7}',
            '\u{8}',
            '\u{1B}',
            '\u{7F}',
            '\u{9B}',
            '\u{E0001}',
            '\u{E0041}',
            '\u{FDD0}',
            '\u{FFFE}',
            '\u{FFFF}',
            '\u{1FFFE}',
            '\u{10FFFF}',
            '\u{200C}',
            '\u{200D}',
            '\u{206A}',
            '\u{1D173}',
        ] {
            assert_eq!(kept(&format!("a{c}b")), "ab", "U+{:04X}", c as u32);
            assert_eq!(kept(&format!("{c}a{c}{c}b{c}")), "ab", "U+{:04X}", c as u32);
        }
    }

    #[test]
    fn nothing_to_see_is_empty() {
        for typed in [
            "",
            " ",
            "\n\n",
            "\u{200B}",
            "\u{202E}\u{202C}",
            "\u{3164}",
            "\u{2800}",
            "\u{0301}",
            " \u{0301}\u{0302}",
            "\u{200D}",
            "\u{FE0F}",
            "\u{E0067}",
            "\u{0}\u{0}",
        ] {
            assert_eq!(ChatText::parse(typed), Err(TextError::Empty), "{typed:?}");
        }
    }

    #[test]
    fn zalgo_is_cut_down_and_its_letters_stay() {
        let marks: String = (0x300..0x340).filter_map(char::from_u32).collect();
        let zalgo: String = "hello".chars().flat_map(|c| std::iter::once(c).chain(marks.chars())).collect();
        let text = kept(&zalgo);
        assert_eq!(text.chars().filter(char::is_ascii_alphabetic).collect::<String>(), "hello");
        for grapheme in text.graphemes(true) {
            assert!(grapheme.chars().count() <= 1 + MARKS_MOST, "{grapheme:?}");
        }
        let across = "a".to_owned() + &"\u{0301}\u{FE0F}\u{200D}".repeat(200) + "b";
        assert!(kept(&across).chars().count() <= 2 + 2 * MARKS_MOST + 1, "{:?}", kept(&across));
    }

    #[test]
    fn variation_selectors_carry_nothing_hidden() {
        let hidden: String = (0xE0100..0xE01EF).filter_map(char::from_u32).collect();
        assert!(kept(&format!("😀{hidden}")).chars().count() <= 2);
        let tags = "\u{E0061}".repeat(100);
        assert!(kept(&format!("🏴{tags}!")).chars().count() <= 2 + TAGS_MOST);
        assert_eq!(kept(&format!("x{tags}")), "x");
    }

    #[test]
    fn five_hundred_graphemes_fit_and_one_more_does_not() {
        for grapheme in ["a", "é", "e\u{0301}", "👨\u{200D}👩\u{200D}👧", "🇩🇪", "字", "क्ष"]
        {
            if grapheme.len() * GRAPHEMES_MOST <= BYTES_MOST {
                assert!(ChatText::parse(&grapheme.repeat(GRAPHEMES_MOST)).is_ok(), "{grapheme}");
            }
            if grapheme.len() * (GRAPHEMES_MOST + 1) <= BYTES_MOST {
                let refused = ChatText::parse(&grapheme.repeat(GRAPHEMES_MOST + 1));
                assert_eq!(refused, Err(TextError::TooLong { count: GRAPHEMES_MOST + 1 }), "{grapheme}");
            }
        }
        let large = "x".repeat(BYTES_MOST + 1);
        assert_eq!(ChatText::parse(&large), Err(TextError::TooLarge { count: BYTES_MOST + 1 }));
    }

    #[test]
    fn cleaning_twice_changes_nothing_more() {
        for typed in [
            "a\u{200D}\u{200D}b",
            "😀\u{200D}\u{202E}😀",
            "é\u{200C}\u{200D}é",
            "🏴\u{E0067}\u{200B}\u{E0062}x",
            "\u{FE0F}\u{FE0F}a",
            "ก\u{0E48}\u{0E49}\u{0E4A}\u{0E4B}\u{0E4C}\u{0E4D}\u{0E4E}",
            "😀\u{FE0F}\u{FE0E}\u{200D}😀",
        ] {
            let once = clean(typed);
            assert_eq!(clean(&once), once, "{typed:?}");
        }
    }

    #[test]
    fn an_excerpt_cuts_between_graphemes() {
        assert_eq!(excerpt("hello", 5), "hello");
        assert_eq!(excerpt("hello!", 5), "hello…");
        assert_eq!(excerpt("👨\u{200D}👩\u{200D}👧👨\u{200D}👩\u{200D}👧", 1), "👨\u{200D}👩\u{200D}👧…");
    }
}
