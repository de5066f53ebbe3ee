//! What the server makes of the picture, for viewers whom what is published doesn't suit.

use super::engine::{Engine, Snapshot};
use crate::ui::{Button, format_state};
use serde_json::Value;
use yew::prelude::*;

/// What is shown of it, in words: values of JSON would bring their comparison with them.
#[derive(Clone, PartialEq)]
pub struct Ladder {
    enabled: bool,
    rows: Vec<[String; 2]>,
    note: String,
}

impl Ladder {
    /// Of what the server says.
    pub fn read(value: &Value) -> Self {
        Self {
            enabled: value["enabled"] == true,
            rows: value["rungs"].as_array().into_iter().flatten().map(row).collect(),
            note: value["note"].as_str().unwrap_or_default().to_owned(),
        }
    }
}

/// One rung: what it is, and how it goes or why it isn't made.
fn row(rung: &Value) -> [String; 2] {
    let number = |key: &str| rung[key].as_f64().unwrap_or_default() as f32;
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
    [rung["name"].as_str().unwrap_or_default().to_owned(), words]
}

/// The ladder, while there is something live, and its switch.
pub fn ladder(snapshot: &Snapshot, engine: &Engine) -> Html {
    let Some(ladder) = snapshot.ladder.as_deref() else { return Html::default() };
    let enabled = ladder.enabled;
    let engine = engine.clone();
    let row = |[name, words]: &[String; 2]| {
        html! { <tr><th scope="row">{ name.clone() }</th><td>{ words.clone() }</td></tr> }
    };
    html! {
        <section class="card arrival" aria-labelledby="ladder-title" data-testid="ladder">
            <h2 id="ladder-title">{ "Qualities from the server" }</h2>
            <p class="field-note">{ "The server makes them of your picture while viewers need them." }</p>
            <table class="number"><tbody>{ for ladder.rows.iter().map(row) }</tbody></table>
            if !ladder.note.is_empty() { <p class="field-note">{ ladder.note.clone() }</p> }
            <Button label={if enabled { "Turn off" } else { "Turn on" }} testid="ladder-switch"
                on={move |()| engine.ask_ladder(Some(!enabled))} />
        </section>
    }
}
