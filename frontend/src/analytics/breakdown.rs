//! Views by one thing: a table that looks like bars.

use super::words_state::By;
use crate::{browser::names, ui::format_state::exact};
use shared::analytics::Share;
use yew::prelude::*;

/// The most rows that show; the exports have all.
const MOST: usize = 8;

/// Whole hundredths: with hundreds of views, more would say nothing.
fn part(views: u64, all: u64) -> String {
    let hundredths = (views * 100 + all / 2) / all.max(1);
    if views > 0 && hundredths == 0 { "< 1 %".to_owned() } else { format!("{hundredths} %") }
}

/// A breakdown. A function, as there are seven.
pub fn breakdown(by: By, shares: &[Share]) -> Html {
    let all: u64 = shares.iter().map(|share| share.views).sum();
    let most = shares.iter().map(|share| share.views).max().unwrap_or_default().max(1);
    let row = |share: &Share| {
        let wide = share.views as f64 / most as f64 * 100.0;
        html! {
            <tr key={share.name.clone()}>
                <th scope="row">
                    <span>{ by.name(&share.name, names::region) }</span>
                    <span class="bar" aria-hidden="true"><span style={format!("inline-size:{wide:.1}%")}></span></span>
                </th>
                <td>{ exact(share.views) }</td>
                <td class="quiet">{ part(share.views, all) }</td>
            </tr>
        }
    };
    let left = shares.len().saturating_sub(MOST);
    html! {
        <section class="card breakdown" data-testid={format!("by-{}", by.column().to_ascii_lowercase())}>
            <h2>{ by.title() }</h2>
            if shares.is_empty() {
                <p class="quiet">{ by.nothing() }</p>
            } else {
                <table class="bars">
                    <thead class="unseen"><tr>
                        <th scope="col">{ by.column() }</th><th scope="col">{ "Views" }</th><th scope="col">{ "Part" }</th>
                    </tr></thead>
                    <tbody>{ for shares.iter().take(MOST).map(row) }</tbody>
                </table>
            }
            if left > 0 { <p class="field-note">{ format!("And {left} more with fewer views, in the exports.") }</p> }
            if let Some(note) = by.note(shares) { <p class="field-note">{ note }</p> }
        </section>
    }
}
