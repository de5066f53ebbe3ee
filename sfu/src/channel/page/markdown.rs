//! Markdown becomes a small tree of words. Pure.
//!
//! Nothing of what is written gets to a page as HTML: tags stay the text that they are, pictures become links, and a link leads
//! to the web or to a letter, or nowhere. What is nested deeper than a page shows stands where it is still shown.

use pulldown_cmark::{Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};
use shared::markdown::{Block, Span};
use url::Url;

/// Quotes and lists within each other.
const DEPTH_MOST: usize = 4;
/// The longest address of a link.
const ADDRESS_MOST: usize = 2000;

/// What a text becomes.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut tree = Tree::default();
    for event in Parser::new_ext(text, Options::ENABLE_STRIKETHROUGH) {
        tree.take(event);
    }
    tree.finish()
}

/// Where a link leads; `None` if it leads nowhere that is safe to go.
fn address(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok()?;
    let is_open = matches!(url.scheme(), "http" | "https" | "mailto");
    // `https://weir.example@elsewhere.example` reads like one place and leads to another.
    let is_plain = url.username().is_empty() && url.password().is_none();
    (is_open && is_plain && url.as_str().len() <= ADDRESS_MOST).then(|| url.into())
}

/// Something that holds blocks, and is open.
enum Frame {
    Quote(Vec<Block>),
    List(Option<u32>, Vec<Vec<Block>>),
    Item(Vec<Block>),
    /// Too deep: what is in it stands in what it is in.
    Seen,
}

/// What the words that come belong to.
#[derive(Clone, Copy)]
enum Words {
    Paragraph,
    Heading(u8),
}

struct Tree {
    root: Vec<Block>,
    frames: Vec<Frame>,
    words: Words,
    spans: Vec<Span>,
    /// Lines of code, while they come.
    code: Option<String>,
    /// How often each was begun and not ended.
    strong: u32,
    emphasis: u32,
    struck: u32,
    /// The links and pictures that are open: where each leads, and how many words there were before it.
    links: Vec<(Option<String>, usize)>,
}

impl Default for Tree {
    fn default() -> Self {
        Self {
            root: Vec::new(),
            frames: Vec::new(),
            words: Words::Paragraph,
            spans: Vec::new(),
            code: None,
            strong: 0,
            emphasis: 0,
            struck: 0,
            links: Vec::new(),
        }
    }
}

impl Tree {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            // Tags are text like any other.
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => match &mut self.code {
                Some(code) => code.push_str(&text),
                None => self.say(&text, false),
            },
            Event::Code(text) => self.say(&text, true),
            Event::SoftBreak => self.say(" ", false),
            Event::HardBreak => self.say("\n", false),
            Event::Rule => {
                self.flush();
                self.push(Block::Rule);
            }
            // Of what isn't turned on.
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock => self.flush(),
            Tag::Heading { level, .. } => {
                self.flush();
                self.words = Words::Heading(match level {
                    HeadingLevel::H1 => 1,
                    HeadingLevel::H2 => 2,
                    _ => 3,
                });
            }
            Tag::BlockQuote(_) => {
                let frame = if self.is_deep() { Frame::Seen } else { Frame::Quote(Vec::new()) };
                self.open(frame);
            }
            Tag::List(start) => {
                let start = start.map(|start| u32::try_from(start).unwrap_or(u32::MAX));
                let frame = if self.is_deep() { Frame::Seen } else { Frame::List(start, Vec::new()) };
                self.open(frame);
            }
            Tag::Item => {
                let is_listed = matches!(self.frames.last(), Some(Frame::List(..)));
                self.open(if is_listed { Frame::Item(Vec::new()) } else { Frame::Seen });
            }
            Tag::CodeBlock(_) => {
                self.flush();
                self.code = Some(String::new());
            }
            Tag::Strong => self.strong += 1,
            Tag::Emphasis => self.emphasis += 1,
            Tag::Strikethrough => self.struck += 1,
            Tag::Link { link_type: LinkType::Email, dest_url, .. } => {
                self.links.push((address(&format!("mailto:{dest_url}")), self.spans.len()));
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.links.push((address(&dest_url), self.spans.len()));
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock | TagEnd::Heading(_) => self.flush(),
            TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item => self.close(),
            TagEnd::CodeBlock => {
                if let Some(mut text) = self.code.take() {
                    text.truncate(text.trim_end_matches('\n').len());
                    self.push(Block::Code { text });
                }
            }
            TagEnd::Strong => self.strong = self.strong.saturating_sub(1),
            TagEnd::Emphasis => self.emphasis = self.emphasis.saturating_sub(1),
            TagEnd::Strikethrough => self.struck = self.struck.saturating_sub(1),
            TagEnd::Link => {
                self.links.pop();
            }
            TagEnd::Image => {
                // A picture without a word for it is called by where it is.
                if let Some((Some(address), before)) = self.links.last().cloned()
                    && self.spans.len() == before
                {
                    self.say(&address, false);
                }
                self.links.pop();
            }
            _ => {}
        }
    }

    fn say(&mut self, text: &str, code: bool) {
        let span = Span {
            text: text.to_owned(),
            strong: self.strong > 0,
            emphasis: self.emphasis > 0,
            struck: self.struck > 0,
            code,
            // The outermost, as a picture in a link leads where the link does.
            href: self.links.iter().find_map(|(address, _)| address.clone()),
        };
        let is_first_of_link = self.links.last().is_some_and(|(_, before)| *before == self.spans.len());
        match self.spans.last_mut() {
            Some(last) if !is_first_of_link && is_alike(last, &span) => last.text.push_str(text),
            _ => self.spans.push(span),
        }
    }

    fn is_deep(&self) -> bool {
        let holding = |frame: &&Frame| matches!(frame, Frame::Quote(_) | Frame::List(..));
        // The outer ones hold: it is known after the first few.
        self.frames.iter().filter(holding).nth(DEPTH_MOST - 1).is_some()
    }

    fn open(&mut self, frame: Frame) {
        self.flush();
        self.frames.push(frame);
    }

    fn close(&mut self) {
        self.flush();
        match self.frames.pop() {
            Some(Frame::Quote(blocks)) => self.push(Block::Quote { blocks }),
            Some(Frame::List(start, items)) => self.push(Block::List { start, items }),
            Some(Frame::Item(blocks)) => {
                if let Some(Frame::List(_, items)) = self.frames.last_mut() {
                    items.push(blocks);
                }
            }
            Some(Frame::Seen) | None => {}
        }
    }

    /// Ends the words that came.
    fn flush(&mut self) {
        let spans = std::mem::take(&mut self.spans);
        let words = std::mem::replace(&mut self.words, Words::Paragraph);
        for link in &mut self.links {
            link.1 = 0;
        }
        let spans = trimmed(spans.into_iter().flat_map(linked).collect());
        if spans.is_empty() {
            return;
        }
        self.push(match words {
            Words::Paragraph => Block::Paragraph { spans },
            Words::Heading(level) => Block::Heading { level, spans },
        });
    }

    fn push(&mut self, block: Block) {
        let into = self.frames.iter_mut().rev().find_map(|frame| match frame {
            Frame::Quote(blocks) | Frame::Item(blocks) => Some(blocks),
            Frame::List(..) | Frame::Seen => None,
        });
        into.unwrap_or(&mut self.root).push(block);
    }

    fn finish(mut self) -> Vec<Block> {
        self.flush();
        while !self.frames.is_empty() {
            self.close();
        }
        self.root
    }
}

fn is_alike(one: &Span, other: &Span) -> bool {
    let looks = |span: &Span| (span.strong, span.emphasis, span.struck, span.code);
    looks(one) == looks(other) && one.href == other.href
}

/// Without a line feed at its end, which a tag that stands by itself leaves.
fn trimmed(mut spans: Vec<Span>) -> Vec<Span> {
    if let Some(last) = spans.last_mut() {
        last.text.truncate(last.text.trim_end_matches('\n').len());
    }
    spans.retain(|span| !span.text.is_empty());
    spans
}

/// Addresses that stand in words lead where they say.
fn linked(span: Span) -> Vec<Span> {
    if span.href.is_some() || span.code {
        return vec![span];
    }
    let (mut spans, mut rest) = (Vec::new(), span.text.as_str());
    let like = |text: &str, href| Span { text: text.to_owned(), href, ..span.clone() };
    while let Some((before, found, after)) = next_address(rest) {
        if !before.is_empty() {
            spans.push(like(before, None));
        }
        spans.push(like(found, address(found)));
        rest = after;
    }
    if !rest.is_empty() {
        spans.push(like(rest, None));
    }
    spans
}

/// What is before the first address in a text, that, and what is after it.
fn next_address(text: &str) -> Option<(&str, &str, &str)> {
    let begins = ["https://", "http://"].into_iter().filter_map(|scheme| text.find(scheme)).min()?;
    let found = &text[begins..];
    let ends = found.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"')).unwrap_or(found.len());
    // What ends a sentence ends no address.
    let found = found[..ends].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'', '*', '_']);
    // Of the scheme alone nothing is left but its colon's, which must not be looked at again.
    let found = if found.len() < 8 { &text[begins..begins + 4] } else { found };
    Some((&text[..begins], found, &text[begins + found.len()..]))
}

#[cfg(test)]
#[path = "markdown_tests.rs"]
mod tests;
