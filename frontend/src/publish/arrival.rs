//! What arrives at the server, and what the doctor says of it. Functions and not components: each of those costs every page
//! some kilobytes.

use super::{
    arrival_state::{self, Row, Sent},
    engine::Snapshot,
};
use crate::ui::{Shape, format_state, icon};
use shared::{
    broadcast::Rendition,
    publish::{Finding, PublisherHealth, Severity},
};
use yew::prelude::*;

/// What arrives while somebody publishes, this browser or another program.
pub fn arrives(snapshot: &Snapshot) -> Option<&PublisherHealth> {
    snapshot.health.as_deref().filter(|health| health.session.is_some())
}

/// What should be changed, the gravest first; nothing where all is well.
pub fn findings(snapshot: &Snapshot) -> Html {
    let all: &[Finding] = arrives(snapshot).map_or(&[], |health| &health.findings);
    let mut shown = arrival_state::shown(all, snapshot.paused).peekable();
    if shown.peek().is_none() {
        return Html::default();
    }
    let line = |finding: &Finding| {
        let tone = match finding.severity {
            Severity::Hint => "optional",
            Severity::Warning => "pending",
            Severity::Problem => "missing",
        };
        html! {
            <li class={tone}>
                { icon(Shape::Alert) }
                <span><b>{ finding.what.clone() }</b><span class="quiet">{ finding.advice.clone() }</span></span>
            </li>
        }
    };
    html! {
        <section class="card findings" aria-labelledby="findings-title" data-testid="findings">
            <h2 id="findings-title">{ "What to change" }</h2>
            <ul class="ready-list">{ for shown.map(line) }</ul>
        </section>
    }
}

/// What is sent beside what arrives, and the renditions that do.
pub fn arrival(snapshot: &Snapshot, sent: Option<&Sent>) -> Html {
    let Some(health) = arrives(snapshot) else { return Html::default() };
    let rows = arrival_state::rows(sent, health, format_state::bitrate, format_state::percent);
    let row = |row: Row| {
        let difference = row.difference.map(|(words, much)| {
            html! { <td class={if much { "tone-warn" } else { "quiet" }}>{ words }</td> }
        });
        html! {
            <tr><th scope="row">{ row.name }</th>
                if let Some(sent) = row.sent { <td>{ sent }</td> }
                <td>{ row.arrives }</td>
                { difference.or_else(|| sent.map(|_| html! { <td></td> })).unwrap_or_default() }</tr>
        }
    };
    let rendition = |one: &Rendition| {
        let size = one.size.map(|size| format!("{} × {} · ", size.width, size.height)).unwrap_or_default();
        let rate =
            if one.frame_rate > 0.0 { format!("{:.0} fps · ", one.frame_rate) } else { String::new() };
        html! {
            <li>{ format!("{size}{rate}{} · {}", one.codec.name(), format_state::bitrate(one.bitrate.0)) }</li>
        }
    };
    let well = arrival_state::shown(&health.findings, snapshot.paused).next().is_none();
    html! {
        <section class="card arrival" aria-labelledby="arrival-title" data-testid="arrival">
            <h2 id="arrival-title">{ "What arrives" }</h2>
            if well {
                <p class="all-well">{ icon(Shape::Check) }<span>{ "All is well: nothing to change." }</span></p>
            }
            <table class="number">
                if sent.is_some() {
                    <thead><tr><td></td><th scope="col">{ "Sent" }</th><th scope="col">{ "Arrives" }</th>
                        <th scope="col"><span class="hidden-words">{ "Difference" }</span></th></tr></thead>
                }
                <tbody>{ for rows.into_iter().map(row) }</tbody>
            </table>
            <h3>{ "Renditions" }</h3>
            <ul class="plain-list number">{ for health.renditions.iter().map(rendition) }</ul>
        </section>
    }
}
