//! What a channel plans, in the viewer's own time.

use super::plan_state;
use crate::{
    api::{count, text},
    browser::time,
    ui::{el, el_with, words},
};
use serde_json::Value;
use yew::prelude::*;

fn day(millis: i64) -> plan_state::Day {
    let (weekday, date, month) = time::day_of(millis);
    plan_state::Day { weekday, date, month, since_midnight: time::of_day(millis) }
}

fn when(airing: &Value, now: i64) -> Option<(String, bool)> {
    let starts = time::parsed(text(airing, "startsAt"))?;
    let ends = time::parsed(text(airing, "endsAt"))?;
    (ends > now).then(|| (plan_state::words(&day(starts), &day(now), starts - now), starts <= now))
}

/// What is planned next, in a line; nothing if nothing is.
pub fn next(plan: &Value) -> Option<Html> {
    let now = time::wall();
    let airings = plan["next"].as_array()?;
    let (airing, (when, is_on)) = airings.iter().find_map(|airing| Some((airing, when(airing, now)?)))?;
    let title = text(airing, "title");
    let line = if is_on {
        format!("Planned for now: {title}, since {when}")
    } else {
        format!("Next: {when} · {title}")
    };
    Some(el_with("p", "about-next", &[("data-testid", "next")], vec![line.into()]))
}

/// All that is planned; nothing if nothing is.
pub fn list(plan: &Value) -> Option<Html> {
    let now = time::wall();
    let airings = plan["next"].as_array()?;
    let entry = |airing: &Value| {
        let (when, is_on) = when(airing, now)?;
        let at = count(airing, "entry") as usize;
        let entry = &plan["entries"][at];
        let often = if entry["on"]["weekday"].is_string() { "each week" } else { "once" };
        let facts = [
            text(airing, "category").to_owned(),
            plan_state::length(count(entry, "minutes")),
            often.to_owned(),
        ];
        let facts: Vec<String> = facts.into_iter().filter(|fact| !fact.is_empty()).collect();
        let when = if is_on { format!("now, since {when}") } else { when };
        let said = vec![
            words("b", "", when),
            words("span", "", text(airing, "title").to_owned()),
            words("span", "quiet", facts.join(" · ")),
        ];
        Some(el("li", "", said))
    };
    let entries: Vec<Html> = airings.iter().filter_map(entry).collect();
    if entries.is_empty() {
        return None;
    }
    Some(html! {
        <>
            <h2>{ "Schedule" }</h2>
            { el_with("ul", "plain-list plan", &[("data-testid", "schedule")], entries) }
            { words("p", "quiet", "Times are by your own clock.") }
        </>
    })
}
