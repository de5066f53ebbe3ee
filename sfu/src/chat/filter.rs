//! What is held until a moderator looked at it: words, links, repeats, capitals, letters that look like others. Pure.

use shared::{
    chat::Fragment,
    moderation::{Filters, HoldReason, LinkRule},
};
use std::collections::HashSet;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_security::{MixedScript, confusable_detection::skeleton};
use url::Url;

/// Words of a list.
const WORDS_MOST: usize = 200;
/// Characters of one.
const WORD_MOST: usize = 40;
/// Hosts of a list.
const HOSTS_MOST: usize = 100;
/// A letter so often in a row is drawn out.
const RUN_MOST: usize = 20;
/// A word so often in a message says it over and over.
const WORD_REPEATS: usize = 8;
/// The same message so often by one person within a minute is held.
pub const SAID_AGAIN: u32 = 3;
/// Fewer letters than these are not looked for letter by letter.
const SPELLED_LEAST: usize = 3;
/// Fewer letters than these are no shouting.
const CAPITALS_LEAST: usize = 15;
/// What people write without a scheme and everybody knows for an address.
const ENDINGS: &[&str] = &[
    "app", "be", "biz", "cc", "club", "co", "com", "de", "dev", "fr", "gg", "info", "io", "link", "live",
    "ly", "me", "net", "nl", "online", "org", "pl", "ru", "shop", "site", "store", "su", "to", "top", "tv",
    "uk", "us", "vip", "xyz",
];

/// Why filters can't be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Too many, too long, or nothing to compare.
    #[error(
        "a list has at most {WORDS_MOST} words, each of 1 to {WORD_MOST} characters with a letter or a digit"
    )]
    Words,
    /// Too many, or no hosts.
    #[error("a list has at most {HOSTS_MOST} hosts, each like example.org")]
    Hosts,
}

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It passes.
    Pass,
    /// A moderator looks first.
    Hold(Vec<HoldReason>),
    /// Its link is refused.
    RefuseLink,
}

/// A room's filters, ready to be asked.
#[derive(Debug, Default)]
pub struct Filter {
    filters: Filters,
    whole: HashSet<String>,
    others: Vec<Pattern>,
}

/// A phrase, or a word with letters around it.
#[derive(Debug)]
struct Pattern {
    folded: String,
    any_before: bool,
    any_behind: bool,
}

impl Filter {
    /// Of what a moderator set.
    pub fn new(filters: Filters) -> Result<Self, FilterError> {
        let Filters { words, hosts, .. } = &filters;
        let mut all = Self::default();
        if words.len() > WORDS_MOST {
            return Err(FilterError::Words);
        }
        for word in words {
            let (any_before, any_behind) = (word.starts_with('*'), word.ends_with('*'));
            let folded = fold(word.trim_matches('*'));
            if folded.is_empty() || word.chars().count() > WORD_MOST {
                return Err(FilterError::Words);
            }
            if any_before || any_behind || folded.contains(' ') {
                all.others.push(Pattern { folded, any_before, any_behind });
            } else {
                all.whole.insert(folded);
            }
        }
        let is_host = |host: &String| {
            host.len() <= 253
                && Url::parse(&format!("https://{host}/")).is_ok_and(|url| url.host_str() == Some(host))
        };
        if hosts.len() > HOSTS_MOST || !hosts.iter().all(is_host) {
            return Err(FilterError::Hosts);
        }
        Ok(Self { filters, ..all })
    }

    /// As a moderator set it.
    pub fn filters(&self) -> &Filters {
        &self.filters
    }

    /// What becomes of a message that its author says for this time in a row within a minute.
    pub fn judge(&self, fragments: &[Fragment], time: u32) -> Verdict {
        let Filters { links, repeats, capitals, look_alikes, .. } = &self.filters;
        let mut reasons = Vec::new();
        let has_words = !self.whole.is_empty() || !self.others.is_empty();
        if has_words && self.has_word(&super::fragment::plain(fragments)) {
            reasons.push(HoldReason::Word);
        }
        if *links != LinkRule::Allow && self.has_link(fragments) {
            if *links == LinkRule::Refuse {
                return Verdict::RefuseLink;
            }
            reasons.push(HoldReason::Link);
        }
        if *repeats && (time >= SAID_AGAIN || is_repeated(fragments)) {
            reasons.push(HoldReason::Repeats);
        }
        let text = words_of(fragments);
        if *capitals && is_shouted(&text) {
            reasons.push(HoldReason::Capitals);
        }
        if *look_alikes && is_mixed(&text) {
            reasons.push(HoldReason::LookAlikes);
        }
        if reasons.is_empty() { Verdict::Pass } else { Verdict::Hold(reasons) }
    }

    fn has_word(&self, text: &str) -> bool {
        let folded = fold(text);
        let spelled = spelled(&folded);
        let is_spelled = |word: &str| {
            let letters: String = word.chars().filter(|c| *c != ' ').collect();
            letters.len() >= SPELLED_LEAST && spelled.iter().any(|run| run.contains(&letters))
        };
        if self.whole.iter().any(|word| is_spelled(word))
            || self.others.iter().any(|pattern| is_spelled(&pattern.folded))
        {
            return true;
        }
        let variants = [undrawn(&folded, 1), undrawn(&folded, 2), folded];
        variants.iter().any(|text| {
            text.split(' ').any(|word| self.whole.contains(word))
                || self.others.iter().any(|pattern| pattern.is_in(text))
        })
    }

    fn has_link(&self, fragments: &[Fragment]) -> bool {
        let is_allowed = |host: &str| {
            self.filters.hosts.iter().any(|allowed| {
                host.strip_suffix(allowed.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            })
        };
        fragments.iter().any(|fragment| match fragment {
            Fragment::Link { url, .. } => {
                let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
                host.is_none_or(|host| !is_allowed(&host))
            }
            Fragment::Text { text } => text
                .split(|c: char| c.is_whitespace())
                .any(|word| bare_host(word).is_some_and(|host| !is_allowed(&host))),
            _ => false,
        })
    }
}

impl Pattern {
    fn is_in(&self, text: &str) -> bool {
        text.match_indices(&self.folded).any(|(at, found)| {
            let before = text[..at].chars().next_back();
            let behind = text[at + found.len()..].chars().next();
            (self.any_before || before.is_none_or(|c| c == ' '))
                && (self.any_behind || behind.is_none_or(|c| c == ' '))
        })
    }
}

/// How a text looks, word by word: without case, accents and signs, look-alike letters as one.
fn fold(text: &str) -> String {
    let plain = within_words(&text.nfkc().collect::<String>());
    let skeleton: String = skeleton(&plain.to_lowercase()).filter(|c| !is_combining_mark(*c)).collect();
    let small = self::skeleton(&skeleton.to_lowercase()).collect::<String>().to_lowercase();
    let mut out = String::with_capacity(small.len());
    for c in small.chars() {
        match c {
            'i' | '!' | '|' => out.push('l'),
            '$' => out.push('s'),
            '@' => out.push('a'),
            c if is_combining_mark(c) => {}
            c if c.is_alphanumeric() => out.push(c),
            _ if out.ends_with(' ') || out.is_empty() => {}
            _ => out.push(' '),
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Signs that look like a letter end a word where none follows.
fn within_words(text: &str) -> String {
    let mut chars = text.chars().peekable();
    let mut out = String::with_capacity(text.len());
    while let Some(c) = chars.next() {
        let is_end = matches!(c, '!' | '|') && !chars.peek().is_some_and(|next| next.is_alphanumeric());
        out.push(if is_end { ' ' } else { c });
    }
    out
}

/// Letters that stand alone, put together: `b a d` is one word.
fn spelled(folded: &str) -> Vec<String> {
    let mut runs = Vec::new();
    let mut run = String::new();
    for word in folded.split(' ').chain(["end"]) {
        if word.chars().nth(1).is_none() {
            run.push_str(word);
        } else if run.len() >= SPELLED_LEAST {
            runs.push(std::mem::take(&mut run));
        } else {
            run.clear();
        }
    }
    runs
}

/// With letters that are drawn out written so often.
fn undrawn(folded: &str, often: usize) -> String {
    let mut out = String::with_capacity(folded.len());
    let letters: Vec<char> = folded.chars().collect();
    for run in letters.chunk_by(|one, other| one == other) {
        let times = if run.len() >= 3 { often } else { run.len() };
        out.extend(run.iter().take(times));
    }
    out
}

/// What people wrote themselves.
fn words_of(fragments: &[Fragment]) -> String {
    let text = |fragment: &Fragment| match fragment {
        Fragment::Text { text } => text.clone(),
        _ => " ".to_owned(),
    };
    fragments.iter().map(text).collect()
}

/// The host of what begins like an address without a scheme: `evil.com/x`.
fn bare_host(word: &str) -> Option<String> {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let host = word.split(['/', '?', '#', ':']).next()?;
    let (rest, ending) = host.rsplit_once('.')?;
    let is_label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
    (ENDINGS.contains(&ending) && rest.split('.').all(is_label)).then(|| host.to_owned())
}

fn is_repeated(fragments: &[Fragment]) -> bool {
    let text = super::fragment::plain(fragments);
    let mut run = 0;
    let mut last = None;
    for c in text.chars() {
        run = if last == Some(c) { run + 1 } else { 1 };
        last = Some(c);
        if run > RUN_MOST && c.is_alphanumeric() {
            return true;
        }
    }
    let emotes = fragments.iter().filter(|fragment| matches!(fragment, Fragment::Emote { .. })).count();
    let words: Vec<&str> = text.split_whitespace().collect();
    let most = words.iter().map(|word| words.iter().filter(|other| *other == word).count()).take(100).max();
    emotes > 2 * WORD_REPEATS || most.is_some_and(|most| most >= WORD_REPEATS && most * 2 > words.len())
}

fn is_shouted(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_lowercase() || c.is_uppercase()).count();
    let capitals = text.chars().filter(|c| c.is_uppercase()).count();
    letters >= CAPITALS_LEAST && capitals * 10 > letters * 7
}

/// A word that takes its letters from several scripts, as none does by itself.
fn is_mixed(text: &str) -> bool {
    text.split(|c: char| !c.is_alphabetic() && !is_combining_mark(c)).any(|word| !word.is_single_script())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Vec<Fragment> {
        vec![Fragment::Text { text: text.to_owned() }]
    }

    fn link(url: &str) -> Vec<Fragment> {
        vec![Fragment::Link { text: url.to_owned(), url: url.to_owned() }]
    }

    fn filter(change: impl FnOnce(&mut Filters)) -> Filter {
        let mut filters = Filters::default();
        change(&mut filters);
        Filter::new(filters).unwrap()
    }

    fn holds(filter: &Filter, fragments: &[Fragment], reason: HoldReason) -> bool {
        match filter.judge(fragments, 1) {
            Verdict::Hold(reasons) => {
                assert_eq!(reasons, [reason]);
                true
            }
            Verdict::Pass => false,
            Verdict::RefuseLink => panic!("refused"),
        }
    }

    #[test]
    fn words_are_found_however_they_are_dressed() {
        let words = ["badword", "two words", "scam*", "*xyz*"].map(str::to_owned).to_vec();
        let filter = filter(|filters| filters.words = words);
        for bad in [
            "badword",
            "a BADWORD!",
            "badword|",
            "badword!!!",
            "b a d w o r d",
            "b.a.d.w.o.r.d",
            "bаdwоrd",
            "ｂａｄｗｏｒｄ",
            "bádwörd",
            "baaaaadword",
            "b@dword",
            "badw0rd",
            "𝐛𝐚𝐝𝐰𝐨𝐫𝐝",
            "two  words",
            "TWO-WORDS",
            "scam",
            "scammer",
            "5cam",
            "axyzb",
        ] {
            let found = holds(&filter, &text(bad), HoldReason::Word);
            // A digit in a letter's place is told apart where the confusables tables do.
            assert!(found || bad == "5cam", "{bad}");
        }
        for good in ["badwords", "abadword", "two good words", "ascam", "hello", "", "bad word", "!!!"] {
            assert!(!holds(&filter, &text(good), HoldReason::Word), "{good}");
        }
    }

    #[test]
    fn links_are_held_or_refused_but_where_they_may_lead() {
        let hosts = vec!["example.org".to_owned()];
        let filter = filter(|filters| (filters.links, filters.hosts) = (LinkRule::Hold, hosts));
        for bad in ["https://evil.example/", "https://example.org.evil.example/", "https://notexample.org/"] {
            assert!(holds(&filter, &link(bad), HoldReason::Link), "{bad}");
        }
        for bad in ["evil.com", "see (evil.com/x)", "EVIL.RU", "www.evil.co.uk/?x"] {
            assert!(holds(&filter, &text(bad), HoldReason::Link), "{bad}");
        }
        for good in ["https://example.org/x", "http://www.example.org/"] {
            assert!(!holds(&filter, &link(good), HoldReason::Link), "{good}");
        }
        for good in ["end.Next", "1.5", "example.org", "e.g. this", "...com", "v1.2.3", "file.rs"] {
            assert!(!holds(&filter, &text(good), HoldReason::Link), "{good}");
        }
        let refuses = Filter::new(Filters { links: LinkRule::Refuse, ..Filters::default() }).unwrap();
        assert_eq!(refuses.judge(&link("https://a.example/"), 1), Verdict::RefuseLink);
    }

    #[test]
    fn repeats_capitals_and_mixed_scripts_are_held() {
        let filter = filter(|filters| filters.repeats = true);
        for bad in ["a".repeat(21), "buy ".repeat(8), format!("{}!!!", "no no ".repeat(4))] {
            assert!(holds(&filter, &text(&bad), HoldReason::Repeats), "{bad}");
        }
        for good in [
            "a".repeat(20),
            "no no no no".to_owned(),
            "-".repeat(50),
            "the ".repeat(8) + &"word w ".repeat(20),
        ] {
            assert!(!holds(&filter, &text(&good), HoldReason::Repeats), "{good}");
        }
        assert_eq!(filter.judge(&text("hi"), SAID_AGAIN), Verdict::Hold(vec![HoldReason::Repeats]));
        let filter = self::filter(|filters| filters.capitals = true);
        assert!(holds(&filter, &text("WHY DOES NOBODY ANSWER ME"), HoldReason::Capitals));
        for good in [
            "HELLO THERE",
            "Why Does Nobody Answer Me",
            "日本語で書いています日本語で書いています",
            "12345678901234567890",
        ] {
            assert!(!holds(&filter, &text(good), HoldReason::Capitals), "{good}");
        }
        let filter = self::filter(|filters| filters.look_alikes = true);
        for bad in ["pаypal", "Μicrosoft", "ѕсаm", "go to gооgle"] {
            assert!(holds(&filter, &text(bad), HoldReason::LookAlikes), "{bad}");
        }
        for good in [
            "hello мир",
            "日本語のテスト",
            "한국어 漢字",
            "αβγ and abc",
            "naïve café",
            "x²+y²",
            "Ελληνικά",
            "",
        ] {
            assert!(!holds(&filter, &text(good), HoldReason::LookAlikes), "{good}");
        }
    }

    #[test]
    fn lists_are_bounded_and_say_something() {
        let words = |words: Vec<String>| Filter::new(Filters { words, ..Filters::default() }).map(drop);
        assert_eq!(words(vec!["a".to_owned(); WORDS_MOST]), Ok(()));
        for bad in [
            vec!["a".to_owned(); WORDS_MOST + 1],
            vec![String::new()],
            vec!["*".to_owned()],
            vec!["x".repeat(41)],
        ] {
            assert_eq!(words(bad), Err(FilterError::Words));
        }
        for bad in ["", "a b", "https://a.example", "a.example/x", "A.example", "a.example:80", "@"] {
            let filters = Filters { hosts: vec![bad.to_owned()], ..Filters::default() };
            assert_eq!(Filter::new(filters).map(drop), Err(FilterError::Hosts), "{bad}");
        }
    }

    #[test]
    fn hostile_text_takes_no_more_time_than_its_length() {
        let filter = filter(|filters| {
            filters.words = (0..WORDS_MOST).map(|n| format!("*{}{n}*", "a".repeat(30))).collect();
            (filters.links, filters.repeats, filters.capitals, filters.look_alikes) =
                (LinkRule::Hold, true, true, true);
        });
        for piece in ["a", "a ", ".", "\u{1F468}\u{200D}", "ﷺ", "a.com ", "A"] {
            assert_ne!(filter.judge(&text(&piece.repeat(8 * 1024 / piece.len())), 1), Verdict::RefuseLink);
        }
    }
}
