//! A room's rules, to be changed.

use super::text_state;
use crate::ui::{Choice, Select, Toggle};
use shared::chat::{ChatSettings, EditChat};
use yew::prelude::*;

/// Seconds between two messages to choose from.
const SLOW: [(u32, &str); 7] = [
    (0, "Off"),
    (3, "3 seconds"),
    (10, "10 seconds"),
    (30, "30 seconds"),
    (60, "A minute"),
    (300, "5 minutes"),
    (600, "10 minutes"),
];

/// Minutes that who writes must have followed for, to choose from; `off` for everybody.
const FOLLOWERS: [(&str, &str); 6] = [
    ("off", "Off"),
    ("0", "Everybody who follows"),
    ("10", "Who has followed for 10 minutes"),
    ("60", "For an hour"),
    ("1440", "For a day"),
    ("10080", "For a week"),
];

/// The rules. Only what changed is told: another one may just now be changed elsewhere. `of` keeps ids apart.
pub fn rules_form(of: &'static str, rules: &ChatSettings, on: &Callback<EditChat>) -> Html {
    let none = EditChat::default;
    let rule = |edit: fn(bool) -> EditChat| on.reform(edit);
    let on_guests = rule(|is| EditChat { guests: Some(is), ..EditChat::default() });
    let on_subscribers = rule(|is| EditChat { subscribers: Some(is), ..EditChat::default() });
    let on_emotes = rule(|is| EditChat { emote_only: Some(is), ..EditChat::default() });
    let on_unique = rule(|is| EditChat { unique: Some(is), ..EditChat::default() });
    let on_raids = rule(|is| EditChat { raids: Some(is), ..EditChat::default() });
    let on_slow = on.reform(move |slow: String| EditChat { slow_seconds: slow.parse().ok(), ..none() });
    let on_followers = on.reform(move |minutes: String| {
        let minutes = minutes.parse().ok();
        EditChat { followers: Some(minutes.is_some()), followers_minutes: minutes, ..none() }
    });
    let followers = if rules.followers { rules.followers_minutes.to_string() } else { "off".to_owned() };
    let mut of_followers: Vec<Choice> =
        FOLLOWERS.iter().map(|(value, label)| Choice::new((*value).to_owned(), *label)).collect();
    if !FOLLOWERS.iter().any(|(value, _)| *value == followers) {
        let label = text_state::countdown(u64::from(rules.followers_minutes) * 60);
        of_followers.push(Choice::new(followers.clone(), label));
    }
    let mut choices: Vec<Choice> =
        SLOW.iter().map(|(slow, label)| Choice::new(slow.to_string(), *label)).collect();
    if !SLOW.iter().any(|(slow, _)| *slow == rules.slow_seconds) {
        choices.push(Choice::new(
            rules.slow_seconds.to_string(),
            text_state::countdown(rules.slow_seconds.into()),
        ));
    }
    html! {
        <>
            <Toggle label="People without an account may write" on={rules.guests} change={on_guests} />
            <Select id={format!("{of}-slow")} label="Slow mode: time between two messages of one person" testid="chat-slow"
                value={rules.slow_seconds.to_string()} choices={choices} on={on_slow} />
            <Select id={format!("{of}-followers")} label="Only followers may write" testid="chat-followers"
                value={followers} choices={of_followers} on={on_followers} />
            <Toggle label="Only subscribers may write" on={rules.subscribers} change={on_subscribers} />
            <Toggle label="Only emotes may be sent" on={rules.emote_only} change={on_emotes} />
            <Toggle label="Nothing may be said twice" on={rules.unique} change={on_unique} />
            <Toggle label="Other channels may send their viewers here" on={rules.raids} change={on_raids} />
        </>
    }
}
