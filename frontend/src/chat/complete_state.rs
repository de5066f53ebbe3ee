//! Tab completion of emotes, names and commands: what was typed before the caret, and what it may become, one after the other.

use shared::{chat::NameColour, moderation::CommandHelp};

/// A completion under way: the field as it was, and where in the list it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completing {
    before: String,
    after: String,
    /// What it may become, best first.
    pub matches: Vec<String>,
    /// Which of them stands there.
    pub at: usize,
}

/// Letters of a name or code that completion goes on from.
fn is_part(c: char) -> bool {
    !c.is_whitespace() && c != '@' && c != ':'
}

/// Whether `text` starts with `start`, whatever the case of ASCII letters.
fn starts(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

impl Completing {
    /// Begins at `caret` (in bytes) of `text`; `None` if nothing there can be completed.
    pub fn new<'a>(
        text: &str,
        caret: usize,
        codes: impl Iterator<Item = &'a str>,
        people: impl Iterator<Item = &'a str>,
    ) -> Option<Self> {
        let (head, after) = (text.get(..caret)?, text.get(caret..)?);
        let typed = head.trim_end_matches(is_part);
        let part = &head[typed.len()..];
        let (before, sign) = (typed.strip_suffix([':', '@'])?, &typed[typed.len() - 1..]);
        // `a@b` and `12:30` are neither names nor emotes.
        if before.ends_with(|c: char| c.is_alphanumeric()) {
            return None;
        }
        let matches: Vec<String> = if sign == ":" {
            if part.is_empty() {
                return None;
            }
            let bare = |code: &&str| starts(code.trim_start_matches(':'), part);
            codes.filter(bare).map(str::to_owned).collect()
        } else {
            people.filter(|name| starts(name, part)).map(|name| format!("@{name}")).collect()
        };
        let after = after.strip_prefix(' ').unwrap_or(after);
        (!matches.is_empty()).then(|| Self {
            before: before.to_owned(),
            after: after.to_owned(),
            matches,
            at: 0,
        })
    }

    /// Begins with a command at the start of `text`, by how each is typed; `None` if the caret isn't in its word.
    pub fn command<'a>(text: &str, caret: usize, usages: impl Iterator<Item = &'a str>) -> Option<Self> {
        let (head, after) = (text.get(..caret)?, text.get(caret..)?);
        if !head.starts_with('/') || head.contains(char::is_whitespace) {
            return None;
        }
        let name = |usage: &'a str| usage.split(' ').next().unwrap_or(usage);
        let matches: Vec<String> =
            usages.map(name).filter(|name| starts(name, head)).map(str::to_owned).collect();
        let after = after.strip_prefix(' ').unwrap_or(after).to_owned();
        (!matches.is_empty()).then(|| Self { before: String::new(), after, matches, at: 0 })
    }

    /// Begins with a colour behind the command that chooses one; `None` if the caret isn't in its word.
    pub fn colour(text: &str, caret: usize) -> Option<Self> {
        let (head, after) = (text.get(..caret)?, text.get(caret..)?);
        let (command, part) = head.split_once(' ')?;
        if !is_colour(command) || part.contains(char::is_whitespace) {
            return None;
        }
        let names = NameColour::ALL.iter().map(|colour| colour.name()).chain(["auto"]);
        let matches: Vec<String> = names.filter(|name| starts(name, part)).map(str::to_owned).collect();
        let after = after.strip_prefix(' ').unwrap_or(after).to_owned();
        (!matches.is_empty()).then(|| Self { before: format!("{command} "), after, matches, at: 0 })
    }

    /// The next one, or the one before; `None` if there is no other.
    pub fn stepped(&self, back: bool) -> Option<Self> {
        let count = self.matches.len();
        let at = (self.at + if back { count - 1 } else { 1 }) % count;
        (count > 1).then(|| Self { at, ..self.clone() })
    }

    /// The field as it is now, and where the caret stands, in bytes.
    pub fn field(&self) -> (String, usize) {
        let head = format!("{}{} ", self.before, self.matches[self.at]);
        let caret = head.len();
        (head + &self.after, caret)
    }
}

/// Whether a text is a command for the server to carry out: a stroke and a word. What one does (`/me`) is a message.
pub fn is_command(text: &str) -> bool {
    let word = text.trim_start().split(char::is_whitespace).next().unwrap_or_default();
    let is_word = |rest: &str| {
        rest.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.chars().all(char::is_alphanumeric)
    };
    word.strip_prefix('/').is_some_and(is_word) && !word.eq_ignore_ascii_case("/me")
}

/// Whether a text is the command that chooses a colour.
pub fn is_colour(text: &str) -> bool {
    let word = text.trim_start().split(char::is_whitespace).next().unwrap_or_default();
    ["/color", "/colour"].iter().any(|name| word.eq_ignore_ascii_case(name))
}

/// How the command is given that a text begins with.
pub fn usage(text: &str, commands: &[CommandHelp]) -> Option<String> {
    let word = text.trim_start().split(char::is_whitespace).next()?;
    let is_it = |command: &&CommandHelp| {
        command.usage.split(' ').next().is_some_and(|name| name.eq_ignore_ascii_case(word))
    };
    commands.iter().find(is_it).map(|command| command.usage.clone())
}

/// `word` put into `text` at `caret` (in bytes), with a space on each side that needs one; and the caret after it.
pub fn insert(text: &str, caret: usize, word: &str) -> (String, usize) {
    let caret = if text.is_char_boundary(caret) { caret } else { text.len() };
    let (head, tail) = text.split_at(caret);
    let gap = if head.is_empty() || head.ends_with(char::is_whitespace) { "" } else { " " };
    let head = format!("{head}{gap}{word} ");
    let tail = tail.strip_prefix(' ').unwrap_or(tail);
    (format!("{head}{tail}"), head.len())
}

/// The byte at a place that a field counts in UTF-16 units.
pub fn byte_at(text: &str, units: usize) -> usize {
    let mut left = units;
    for (at, c) in text.char_indices() {
        if left == 0 {
            return at;
        }
        left = left.saturating_sub(c.len_utf16());
    }
    text.len()
}

/// The place of a byte as a field counts it, in UTF-16 units.
pub fn units_at(text: &str, byte: usize) -> usize {
    text.get(..byte).unwrap_or(text).encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODES: [&str; 4] = [":wave:", ":water:", ":Wow:", ":heart:"];
    const PEOPLE: [&str; 3] = ["ada", "Ben Ó", "adele"];

    fn begin(text: &str) -> Option<Completing> {
        Completing::new(text, text.len(), CODES.into_iter(), PEOPLE.into_iter())
    }

    fn walk(text: &str, steps: usize) -> Option<String> {
        let completing = (0..steps).try_fold(begin(text)?, |now, _| now.stepped(false));
        Some(completing?.field().0)
    }

    #[test]
    fn tab_goes_round_the_emotes_that_fit() {
        assert_eq!(walk(":wa", 0).unwrap(), ":wave: ");
        assert_eq!(walk(":wa", 1).unwrap(), ":water: ");
        assert_eq!(walk(":wa", 2).unwrap(), ":wave: ");
        assert_eq!(walk("hi :WO", 0).unwrap(), "hi :Wow: ");
        assert_eq!(begin(":w").unwrap().stepped(true).unwrap().field().0, ":Wow: ");
        assert_eq!(walk(":hea", 1), None, "there is no other to go to");
    }

    #[test]
    fn names_are_completed_as_they_are_mentioned() {
        assert_eq!(walk("@ad", 0).unwrap(), "@ada ");
        assert_eq!(walk("@ad", 1).unwrap(), "@adele ");
        assert_eq!(walk("hey (@be", 0).unwrap(), "hey (@Ben Ó ");
        assert_eq!(begin("@").unwrap().matches.len(), 3);
    }

    #[test]
    fn commands_are_completed_at_the_start_alone() {
        let usages = ["/timeout NAME [TIME] [REASON]", "/clear", "/unban NAME"];
        let begin = |text: &str| Completing::command(text, text.len(), usages.into_iter());
        assert_eq!(begin("/t").unwrap().field().0, "/timeout ");
        assert_eq!(begin("/").unwrap().matches.len(), 3);
        for text in ["", "t", " /t", "/zz", "/timeout b", "a /t"] {
            assert_eq!(begin(text), None, "{text:?}");
        }
        let help = |usage: &str| CommandHelp { usage: usage.to_owned(), help: String::new() };
        let commands = usages.map(help);
        assert_eq!(usage("/CLEAR", &commands).as_deref(), Some("/clear"));
        assert_eq!(usage("/unban x", &commands).as_deref(), Some("/unban NAME"));
        assert_eq!(usage("/un", &commands), None);
        for (text, is) in [
            ("/ban x", true),
            ("/x", true),
            ("/me x", false),
            ("/etc/x", false),
            ("//x", false),
            ("/", false),
        ] {
            assert_eq!(is_command(text), is, "{text}");
        }
    }

    #[test]
    fn a_colour_is_completed_behind_its_command() {
        let begin = |text: &str| Completing::colour(text, text.len());
        assert_eq!(begin("/color te").unwrap().field(), ("/color teal ".to_owned(), 12));
        assert_eq!(begin("/Colour V").unwrap().field().0, "/Colour violet ");
        assert_eq!(begin("/color ").unwrap().matches.len(), NameColour::ALL.len() + 1);
        assert_eq!(begin("/color au").unwrap().field().0, "/color auto ");
        for text in ["/color", "/color zz", "/color red b", "/me te", "te", " /color te"] {
            assert_eq!(begin(text), None, "{text:?}");
        }
        assert_eq!(Completing::colour("/color té", 9), None, "inside a letter");
        assert!(
            is_colour("/COLOR red") && is_colour(" /colour") && !is_colour("/colors") && !is_colour("color")
        );
    }

    #[test]
    fn what_is_no_beginning_lets_tab_go_on() {
        for text in ["", "wa", ":", ": wa", "a@ada", "12:wa", ":zz", "@zz", ":wave: ", "@ada ", "é:wa"] {
            assert_eq!(begin(text), None, "{text:?}");
        }
        assert_eq!(
            Completing::new("é:wa", 1, CODES.into_iter(), PEOPLE.into_iter()),
            None,
            "inside a letter"
        );
        assert_eq!(Completing::new("x", 9, CODES.into_iter(), PEOPLE.into_iter()), None, "behind the end");
    }

    #[test]
    fn it_completes_in_the_middle_and_doubles_no_space() {
        let completing = Completing::new("a :wa b", 5, CODES.into_iter(), PEOPLE.into_iter()).unwrap();
        assert_eq!(completing.field(), ("a :wave: b".to_owned(), 9));
        assert_eq!(insert("ab", 1, ":wave:"), ("a :wave: b".to_owned(), 9));
        assert_eq!(insert("", 0, ":wave:"), (":wave: ".to_owned(), 7));
        assert_eq!(insert("é", 1, ":wave:"), ("é :wave: ".to_owned(), 10));
    }

    #[test]
    fn a_caret_is_counted_as_fields_count() {
        let text = "a😀é";
        assert_eq!([0, 1, 3, 4].map(|units| byte_at(text, units)), [0, 1, 5, 7]);
        assert_eq!([0, 1, 5, 7].map(|byte| units_at(text, byte)), [0, 1, 3, 4]);
        assert_eq!(byte_at(text, 99), 7);
        assert_eq!(byte_at(text, 2), 5, "inside a pair is after it");
    }
}
