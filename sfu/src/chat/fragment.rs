//! A message's text, taken apart into what it says. Whatever is none of the others is text. Pure.

use shared::{chat::Fragment, id::PersonId};
use url::Url;

/// Longer addresses stay text.
const LINK_MOST: usize = 2_000;
/// Bytes of all the addresses of a message together: as percent signs they are longer than what was typed.
const LINKS_MOST: usize = 8 * 1024;
/// The most bytes of an emote's code, colons included.
const EMOTE_MOST: usize = 34;

/// What names mean in this room.
pub trait Lookup {
    /// The address of an emote's picture, by its code with the colons.
    fn emote(&self, code: &str) -> Option<String>;

    /// Who is meant by what begins behind an `@`, and how many bytes of it are the name.
    fn mention(&self, rest: &str) -> Option<(usize, PersonId)>;
}

/// The pieces of a text, in order; no two texts beside each other.
pub fn parse(text: &str, lookup: &dyn Lookup) -> Vec<Fragment> {
    let mut fragments = Vec::new();
    // Where the text begins that is in no fragment yet.
    let mut plain = 0;
    let mut at = 0;
    let mut previous: Option<char> = None;
    let mut links = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let found = match c {
            '@' if !previous.is_some_and(is_wordy) => mention(rest, lookup),
            ':' => emote(rest, lookup),
            'h' | 'H' if !previous.is_some_and(is_wordy) => link(rest, LINKS_MOST - links),
            _ => None,
        };
        match found {
            Some((bytes, fragment)) => {
                push_text(&mut fragments, &text[plain..at]);
                if let Fragment::Link { url, .. } = &fragment {
                    links += url.len();
                }
                fragments.push(fragment);
                previous = text[..at + bytes].chars().next_back();
                at += bytes;
                plain = at;
            }
            None => {
                previous = Some(c);
                at += c.len_utf8();
            }
        }
    }
    push_text(&mut fragments, &text[plain..]);
    fragments
}

/// The text of fragments, as it was written.
pub fn plain(fragments: &[Fragment]) -> String {
    let text = |fragment: &Fragment| match fragment {
        Fragment::Text { text }
        | Fragment::Mention { text, .. }
        | Fragment::Emote { text, .. }
        | Fragment::Link { text, .. } => text.clone(),
    };
    fragments.iter().map(text).collect()
}

/// Words behind an `@` that could be what somebody signs in with, each once, as many as fit.
pub fn mentioned(text: &str, most: usize) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (at, _) in text.match_indices('@') {
        if text[..at].chars().next_back().is_some_and(is_wordy) {
            continue;
        }
        let rest = &text[at + 1..];
        let end = rest.find(|c: char| !is_name_byte(c)).unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        if !name.is_empty() && !names.contains(&name) && names.len() < most {
            names.push(name);
        }
    }
    names
}

/// What an account's name is made of.
pub fn is_name_byte(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

fn is_wordy(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn push_text(fragments: &mut Vec<Fragment>, text: &str) {
    if !text.is_empty() {
        fragments.push(Fragment::Text { text: text.to_owned() });
    }
}

fn mention(rest: &str, lookup: &dyn Lookup) -> Option<(usize, Fragment)> {
    let (bytes, person) = lookup.mention(&rest[1..])?;
    let text = rest.get(..1 + bytes)?.to_owned();
    Some((1 + bytes, Fragment::Mention { text, person }))
}

fn emote(rest: &str, lookup: &dyn Lookup) -> Option<(usize, Fragment)> {
    let end = rest[1..].find(|c: char| !is_name_byte(c))? + 1;
    if !(2..EMOTE_MOST).contains(&end) || !rest[end..].starts_with(':') {
        return None;
    }
    let code = &rest[..=end];
    let url = lookup.emote(code)?;
    Some((code.len(), Fragment::Emote { text: code.to_owned(), url }))
}

fn link(rest: &str, most: usize) -> Option<(usize, Fragment)> {
    let is_web = ["http://", "https://"]
        .iter()
        .any(|scheme| rest.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    if !is_web {
        return None;
    }
    let end = rest.find(|c: char| c.is_whitespace() || "<>\"`{}|\\^".contains(c)).unwrap_or(rest.len());
    let text = without_closing(&rest[..end]);
    if text.len() > LINK_MOST {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let is_plain = matches!(url.scheme(), "http" | "https")
        && url.as_str().len() <= LINK_MOST.min(most)
        && url.host_str().is_some_and(|host| !host.is_empty())
        // A name in front of the host is there to deceive.
        && url.username().is_empty()
        && url.password().is_none();
    is_plain.then(|| (text.len(), Fragment::Link { text: text.to_owned(), url: url.into() }))
}

/// Without the punctuation of the sentence around it; a bracket stays if it was opened inside.
fn without_closing(mut text: &str) -> &str {
    while let Some(last) = text.chars().next_back() {
        let closes = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' | '…' | '。' | '，' | '」' | '»'
            | '”' | '’' => true,
            ')' => text.matches('(').count() < text.matches(')').count(),
            ']' => text.matches('[').count() < text.matches(']').count(),
            _ => false,
        };
        if !closes {
            break;
        }
        text = &text[..text.len() - last.len_utf8()];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Known;

    impl Lookup for Known {
        fn emote(&self, code: &str) -> Option<String> {
            matches!(code, ":wave:" | ":thumbs-up:")
                .then(|| format!("/emotes/{}.svg", code.trim_matches(':')))
        }

        fn mention(&self, rest: &str) -> Option<(usize, PersonId)> {
            ["Ben Li", "ada"]
                .iter()
                .find(|name| rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)))
                .map(|name| (name.len(), "p1".parse().unwrap()))
        }
    }

    /// Each fragment in short: `t:`, `m:`, `e:` or `l:` and its text.
    fn short(text: &str) -> Vec<String> {
        let fragments = parse(text, &Known);
        assert_eq!(plain(&fragments), text, "no character is lost or made up");
        fragments
            .iter()
            .map(|fragment| match fragment {
                Fragment::Text { text } => format!("t:{text}"),
                Fragment::Mention { text, .. } => format!("m:{text}"),
                Fragment::Emote { text, .. } => format!("e:{text}"),
                Fragment::Link { text, .. } => format!("l:{text}"),
            })
            .collect()
    }

    #[test]
    fn text_is_taken_apart() {
        assert_eq!(short("hello"), ["t:hello"]);
        assert_eq!(short("hi @ada :wave:!"), ["t:hi ", "m:@ada", "t: ", "e::wave:", "t:!"]);
        assert_eq!(short(":wave::thumbs-up:"), ["e::wave:", "e::thumbs-up:"]);
        assert_eq!(short("@Ben Li, look"), ["m:@Ben Li", "t:, look"]);
        assert_eq!(
            short("see https://weir.example/a?b=c#d."),
            ["t:see ", "l:https://weir.example/a?b=c#d", "t:."]
        );
        assert_eq!(short("(https://a.example/b_(c))"), ["t:(", "l:https://a.example/b_(c)", "t:)"]);
        assert_eq!(short("HTTPS://A.example"), ["l:HTTPS://A.example"]);
        assert_eq!(short("日本語https://a.example"), ["t:日本語https://a.example"]);
        assert_eq!(short("«http://a.example/ü»"), ["t:«", "l:http://a.example/ü", "t:»"]);
    }

    #[test]
    fn what_is_none_of_them_stays_text() {
        for text in [
            "mail@ada",
            "@",
            "@@",
            "@nobody",
            ":",
            "::",
            ":nope:",
            ":wave",
            "12:30:45",
            ": wave:",
            ":wave :",
            "http://",
            "https:// x",
            "https://?",
            "http:/a.example",
            "javascript:alert(1)",
            "JAVASCRIPT:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "ftp://a.example",
            "ws://a.example",
            "vbscript:x",
            "https://ada:secret@a.example",
            "https://google.com@evil.example",
            "http://[::1",
            "http://a b",
            "https://exa mple",
            "xhttp://a.example",
            "http://%00/",
            "https://a.example:99999/",
        ] {
            let is_text = |fragment: &String| !fragment.starts_with("l:") || !fragment.contains('@');
            let fragments = short(text);
            assert!(fragments.iter().all(is_text), "{text}: {fragments:?}");
            assert!(
                !fragments.iter().any(|fragment| fragment.starts_with("e:") || fragment.starts_with("m:")),
                "{text}"
            );
        }
        for text in
            ["javascript:alert(1)", "https://google.com@evil.example", "file:///etc/passwd", "https://?"]
        {
            assert_eq!(short(text), [format!("t:{text}")]);
        }
    }

    #[test]
    fn a_links_address_is_what_a_parser_understood() {
        let url = |text: &str| match parse(text, &Known).into_iter().next() {
            Some(Fragment::Link { url, .. }) => url,
            other => panic!("{other:?}"),
        };
        assert_eq!(url("http://EXAMPLE.com/../a b"), "http://example.com/a");
        assert_eq!(
            url("https://аррӏе.com/"),
            "https://xn--80ak6aa92e.com/",
            "a look-alike host shows what it is"
        );
        assert_eq!(
            url("https://a.example/\u{7}"),
            "https://a.example/",
            "the control is no part of what leads there"
        );
        assert_eq!(url("https://a.example/ü"), "https://a.example/%C3%BC");
    }

    #[test]
    fn names_to_look_up_are_few_and_each_once() {
        assert_eq!(mentioned("@Ada and @ada, @ben! me@x @ @-", 5), ["ada", "ben", "-"]);
        assert_eq!(mentioned(&"@a @b @c @d @e @f".repeat(3), 4).len(), 4);
    }

    #[test]
    fn a_message_is_never_much_larger_than_what_was_typed() {
        for typed in [
            format!("https://a.example/{}", "👨\u{200D}👩\u{200D}👧".repeat(400)),
            format!("https://a.example/{} ", "é".repeat(400)).repeat(20),
            "https://a.example/\u{1F468} ".repeat(300),
            "\"\\".repeat(4000),
        ] {
            let typed: String = typed.chars().take(4000).collect();
            let json = serde_json::to_string(&parse(&typed, &Known)).unwrap();
            assert!(
                json.len() <= 2 * typed.len() + LINKS_MOST + 64 * 300,
                "{} of {}",
                json.len(),
                typed.len()
            );
            assert!(json.len() < 48 * 1024);
        }
    }

    #[test]
    fn hostile_text_takes_no_more_time_than_its_length() {
        for piece in [":", "@", "h", "http://", "https://(", "::wave:", "@ada", "()", "\u{202E}"] {
            let text = piece.repeat(8 * 1024 / piece.len());
            assert_eq!(plain(&parse(&text, &Known)), text, "{piece}");
        }
    }
}
