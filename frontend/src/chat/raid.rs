//! The raid that is about to leave: where it goes, and staying here.

use super::{engine::Engine, snapshot::Snapshot, text_state};
use crate::ui::Button;
use yew::prelude::*;

/// It, above the log. `along`: this page goes where the raid goes, unless its visitor stays.
pub fn raid(snapshot: &Snapshot, engine: Option<&Engine>, along: bool) -> Html {
    let raid = snapshot.room.as_ref().and_then(|room| room.raid.as_ref());
    let (Some(raid), Some(engine)) = (raid, engine) else { return Html::default() };
    let left = raid.leaves_at.since(engine.server_time()).as_millis().div_ceil(1000) as u64;
    let stay = {
        let engine = engine.clone();
        Callback::from(move |()| engine.stay())
    };
    html! {
        <aside class="chat-poll" role="status" aria-label="Raid" data-testid="raid">
            <p>
                { if along { "Everybody goes on to " } else { "Those who watch go on to " } }
                <b><bdi>{ raid.name.as_str() }</bdi></b>
                <span aria-hidden="true">{ format!(" in {}", text_state::countdown(left)) }</span>
            </p>
            if along { <Button label="Stay here" on={stay} testid="raid-stay" /> }
        </aside>
    }
}
