//! What the server makes of the picture, for viewers whom what is published doesn't suit.

use super::engine::{Engine, Snapshot};
use crate::ui::{Button, format_state};
use serde_json::Value;
use yew::prelude::*;

/// One rung: what it is, and how it goes or why it isn't made.
fn row(rung: &Value) -> Html {
    let number = |key: &str| rung[key].as_f64().unwrap_or_default();
    let (viewers, rate) = (rung["viewers"].as_u64().unwrap_or_default(), number("bitrate") as u64);
    let state = rung["state"].as_str().unwrap_or_default();
    let words = match state {
        "running" => format!(
            "{} · {:.0} fps · {} · {:.0} ms a frame",
            format_state::viewers(viewers as u32),
            number("frameRate"),
            format_state::bitrate(rate),
            number("encodeMs")
        ),
        "starting" => "Starting …".to_owned(),
        "idle" => "Ready; nobody needs it".to_owned(),
        _ => rung["reason"].as_str().unwrap_or("It failed and is tried again").to_owned(),
    };
    html! {
        <tr data-state={state.to_owned()}><th scope="row">{ rung["name"].as_str().unwrap_or_default().to_owned() }</th>
            <td>{ words }</td></tr>
    }
}

/// The ladder, while there is something live, and its switch.
pub fn ladder(snapshot: &Snapshot, engine: &Engine) -> Html {
    let Some(ladder) = snapshot.ladder.as_deref() else { return Html::default() };
    let enabled = ladder["enabled"] == true;
    let rungs = ladder["rungs"].as_array().map_or(&[][..], Vec::as_slice);
    let note = ladder["note"].as_str().map(str::to_owned);
    let engine = engine.clone();
    html! {
        <section class="card arrival" aria-labelledby="ladder-title" data-testid="ladder">
            <h2 id="ladder-title">{ "Smaller renditions" }</h2>
            <p class="field-note">{ "The server makes them of your picture while viewers need them." }</p>
            <table class="number"><tbody>{ for rungs.iter().map(row) }</tbody></table>
            if let Some(note) = note { <p class="field-note">{ note }</p> }
            <Button label={if enabled { "Turn off" } else { "Turn on" }} testid="ladder-switch"
                on={move |()| engine.ask_ladder(Some(!enabled))} />
        </section>
    }
}
