//! Views by one thing: a table that looks like bars.

use super::words_state::By;
use crate::{
    browser::names,
    ui::{
        el, el_with,
        format_state::{decimal, exact},
        words,
    },
};
use shared::analytics::Share;
use yew::prelude::*;

/// The most rows that show; the exports have all.
const MOST: usize = 8;

/// Whole hundredths: with hundreds of views, more would say nothing.
fn part(views: u64, all: u64) -> String {
    let hundredths = (views * 100 + all / 2) / all.max(1);
    if views > 0 && hundredths == 0 { "< 1 %".to_owned() } else { format!("{hundredths} %") }
}

/// A breakdown.
pub fn breakdown(by: By, shares: &[Share]) -> Html {
    let all: u64 = shares.iter().map(|share| share.views).sum();
    let most = shares.iter().map(|share| share.views).max().unwrap_or_default().max(1);
    let row = |share: &Share| {
        let wide = format!("inline-size:{}%", decimal(share.views as f64 / most as f64 * 100.0, 1));
        let bar = el_with("span", "", &[("style", &wide)], vec![]);
        let name = vec![
            words("span", "", by.name(&share.name, names::region)),
            el_with("span", "bar", &[("aria-hidden", "true")], vec![bar]),
        ];
        let cells = vec![
            el_with("th", "", &[("scope", "row")], name),
            words("td", "", exact(share.views)),
            words("td", "quiet", part(share.views, all)),
        ];
        el("tr", "", cells)
    };
    let mut parts = vec![words("h2", "", by.title())];
    if shares.is_empty() {
        parts.push(words("p", "quiet", by.nothing()));
    } else {
        let head = [by.column(), "Views", "Part"].map(column);
        let head = el("thead", "unseen", vec![el("tr", "", head.into())]);
        let body = el("tbody", "", shares.iter().take(MOST).map(row).collect());
        parts.push(el("table", "bars", vec![head, body]));
    }
    let left = shares.len().saturating_sub(MOST);
    if left > 0 {
        parts.push(words("p", "field-note", format!("And {left} more with fewer views, in the exports.")));
    }
    if let Some(note) = by.note(shares) {
        parts.push(words("p", "field-note", note));
    }
    let id = format!("by-{}", by.column().to_ascii_lowercase());
    el_with("section", "card breakdown", &[("data-testid", &id)], parts)
}

/// A column's name.
pub fn column(name: &'static str) -> Html {
    el_with("th", "", &[("scope", "col")], vec![name.into()])
}
