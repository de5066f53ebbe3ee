//! Words that people wrote at length, from the tree of them that the server made. Each piece is set as text: there is nothing
//! in it that a page could run.

use super::{el, el_with, words};
use serde_json::Value;
use yew::Html;

/// Blocks, below a heading of the second level.
pub fn prose(blocks: &Value) -> Vec<Html> {
    blocks.as_array().map(Vec::as_slice).unwrap_or_default().iter().map(block).collect()
}

fn block(block: &Value) -> Html {
    match block["kind"].as_str().unwrap_or_default() {
        "heading" => {
            let tag = match block["level"].as_u64() {
                Some(1) => "h3",
                Some(2) => "h4",
                _ => "h5",
            };
            el(tag, "", spans(&block["spans"]))
        }
        "quote" => el("blockquote", "", prose(&block["blocks"])),
        "list" => {
            let items = block["items"].as_array().map(Vec::as_slice).unwrap_or_default();
            let items = items.iter().map(|item| el("li", "", prose(item))).collect();
            match block["start"].as_u64() {
                Some(start) => el_with("ol", "", &[("start", &start.to_string())], items),
                None => el("ul", "", items),
            }
        }
        "code" => {
            el("pre", "", vec![words("code", "", block["text"].as_str().unwrap_or_default().to_owned())])
        }
        "rule" => el("hr", "", Vec::new()),
        _ => el("p", "", spans(&block["spans"])),
    }
}

/// Words, those next to each other that lead to the same address in one link.
fn spans(spans: &Value) -> Vec<Html> {
    let spans = spans.as_array().map(Vec::as_slice).unwrap_or_default();
    let alike = spans.chunk_by(|one, other| one["href"] == other["href"]);
    let linked = alike.flat_map(|run| {
        let said: Vec<Html> = run.iter().map(span).collect();
        // The server lets no other through; should it once, that leads nowhere.
        let is_open =
            |href: &&str| ["https://", "http://", "mailto:"].iter().any(|scheme| href.starts_with(scheme));
        match run[0]["href"].as_str().filter(is_open) {
            Some(href) => {
                let attributes = [("href", href), ("rel", "nofollow noopener ugc"), ("target", "_blank")];
                vec![el_with("a", "link", &attributes, said)]
            }
            None => said,
        }
    });
    linked.collect()
}

fn span(span: &Value) -> Html {
    let mut said: Html = span["text"].as_str().unwrap_or_default().to_owned().into();
    for (field, tag) in [("code", "code"), ("struck", "s"), ("emphasis", "em"), ("strong", "strong")] {
        if span[field] == true {
            said = el(tag, "", vec![said]);
        }
    }
    said
}
