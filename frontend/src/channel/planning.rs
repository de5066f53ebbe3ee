//! What a channel plans, to be changed by its owner and editors.

use crate::{
    api::{Order, count, text, use_desk},
    browser::time,
    ui::{Button, Choice, Select, Skeleton, TextField, alert},
};
use serde_json::{Value, json};
use shared::{id::ChannelName, schedule::ENTRIES_MOST};
use yew::prelude::*;

/// What a field's text does to a plan.
type Change = Box<dyn Fn(&mut Plan, String)>;

/// What an entry is on that isn't on a day of each week.
const ONCE: &str = "date";
const DAYS: [(&str, &str); 8] = [
    ("monday", "Each Monday"),
    ("tuesday", "Each Tuesday"),
    ("wednesday", "Each Wednesday"),
    ("thursday", "Each Thursday"),
    ("friday", "Each Friday"),
    ("saturday", "Each Saturday"),
    ("sunday", "Each Sunday"),
    (ONCE, "Once, on a date"),
];

/// Properties of [`Planning`].
#[derive(Properties, PartialEq)]
pub struct PlanningProps {
    /// Whose.
    pub channel: ChannelName,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Entry {
    title: String,
    category: String,
    day: String,
    date: String,
    time: String,
    minutes: String,
}

impl Entry {
    fn fresh() -> Self {
        let of = |text: &str| text.to_owned();
        Self { day: of("friday"), time: of("20:00"), minutes: of("120"), ..Self::default() }
    }

    fn of(entry: &Value) -> Self {
        let on = &entry["on"];
        Self {
            title: text(entry, "title").to_owned(),
            category: text(entry, "category").to_owned(),
            day: on["weekday"].as_str().unwrap_or(ONCE).to_owned(),
            date: text(on, "date").to_owned(),
            time: text(entry, "time").to_owned(),
            minutes: count(entry, "minutes").to_string(),
        }
    }

    fn json(&self) -> Value {
        let on = if self.day == ONCE { json!({ "date": self.date }) } else { json!({ "weekday": self.day }) };
        json!({
            "title": self.title, "category": self.category, "on": on, "time": self.time,
            "minutes": self.minutes.trim().parse::<u16>().unwrap_or(0),
        })
    }

    /// What is missing, in words.
    fn wants(&self) -> Option<&'static str> {
        let is_length = self.minutes.trim().parse::<u16>().is_ok_and(|minutes| (1..=1440).contains(&minutes));
        if self.title.trim().is_empty() {
            Some("Give each entry a title.")
        } else if self.day == ONCE && self.date.is_empty() {
            Some("Pick the date of what is once.")
        } else if self.time.is_empty() {
            Some("Say when each entry begins.")
        } else if !is_length {
            Some("What is planned takes 1 to 1,440 minutes.")
        } else {
            None
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Plan {
    zone: String,
    entries: Vec<Entry>,
}

impl Plan {
    fn of(data: &Value) -> Self {
        let entries = data["entries"].as_array().map(Vec::as_slice).unwrap_or_default();
        // Of a channel that plans nothing yet, whoever looks is where it is.
        let zone = if entries.is_empty() { time::zone() } else { text(data, "timeZone").to_owned() };
        Self { zone, entries: entries.iter().map(Entry::of).collect() }
    }
}

/// The schedule as a form.
#[component]
pub fn Planning(props: &PlanningProps) -> Html {
    let path = format!("channels/{}/schedule", props.channel);
    let desk = use_desk(path.clone());
    let draft = use_state(|| None::<Plan>);
    let wrong = use_state(|| None::<&'static str>);
    if desk.data.is_null() {
        return html! { <>{ desk.trouble("The schedule") }if desk.is_pending { <Skeleton class="skeleton-line" /> }</> };
    }
    let plan = (*draft).clone().unwrap_or_else(|| Plan::of(&desk.data));
    let save = {
        let (plan, order, wrong, draft) = (plan.clone(), desk.order.clone(), wrong.setter(), draft.setter());
        Callback::from(move |()| {
            let wants = plan.entries.iter().find_map(Entry::wants);
            wrong.set(wants);
            if wants.is_some() {
                return;
            }
            let entries: Vec<Value> = plan.entries.iter().map(Entry::json).collect();
            let draft = draft.clone();
            let told = Callback::from(move |answer: Result<Value, String>| {
                if answer.is_ok() {
                    draft.set(None);
                }
            });
            order.emit(Order {
                method: "PUT",
                path: path.clone(),
                body: Some(json!({ "timeZone": plan.zone.trim(), "entries": entries })),
                done: "The schedule is saved",
                in_form: true,
                told: Some(told),
                ..Order::default()
            });
        })
    };
    let change = |with: Change| {
        let (plan, draft) = (plan.clone(), draft.setter());
        Callback::from(move |text: String| {
            let mut plan = plan.clone();
            with(&mut plan, text);
            draft.set(Some(plan));
        })
    };
    let entry = |(at, entry): (usize, &Entry)| {
        let id = |field: &str| format!("{}-plan-{at}-{field}", props.channel);
        let set = |with: fn(&mut Entry, String)| {
            change(Box::new(move |plan: &mut Plan, text| {
                if let Some(entry) = plan.entries.get_mut(at) {
                    with(entry, text);
                }
            }))
        };
        let remove = change(Box::new(move |plan, _| {
            plan.entries.remove(at);
        }));
        let choices: Vec<Choice> = DAYS.iter().map(|(value, label)| Choice::new(*value, *label)).collect();
        html! {
            <fieldset class="plan-entry" key={at}>
                <legend class="quiet">{ format!("Entry {}", at + 1) }</legend>
                <TextField id={id("title")} label="What" value={entry.title.clone()} on={set(|entry, text| entry.title = text)} testid="plan-title" />
                <TextField id={id("category")} label="Category (or nothing)" value={entry.category.clone()}
                    on={set(|entry, text| entry.category = text)} testid="plan-category" />
                <Select id={id("day")} label="When" value={entry.day.clone()} choices={choices} on={set(|entry, text| entry.day = text)} testid="plan-day" />
                if entry.day == ONCE {
                    <TextField id={id("date")} label="Date" kind="date" value={entry.date.clone()} on={set(|entry, text| entry.date = text)} testid="plan-date" />
                }
                <TextField id={id("time")} label="Begins" kind="time" value={entry.time.clone()} on={set(|entry, text| entry.time = text)} testid="plan-time" />
                <TextField id={id("minutes")} label="Minutes" kind="number" value={entry.minutes.clone()}
                    on={set(|entry, text| entry.minutes = text)} testid="plan-minutes" />
                <Button label="Remove" name={format!("Remove entry {}", at + 1)} on={remove.reform(|()| String::new())} testid="plan-remove" />
            </fieldset>
        }
    };
    let add = change(Box::new(|plan, _| plan.entries.push(Entry::fresh())));
    html! {
        <div class="form" data-testid="planning">
            { for plan.entries.iter().enumerate().map(entry) }
            if plan.entries.len() < ENTRIES_MOST {
                <Button label="Plan something" on={add.reform(|()| String::new())} testid="plan-add" />
            }
            <TextField id={format!("{}-zone", props.channel)} label="Time zone of these times" value={plan.zone.clone()}
                on={change(Box::new(|plan, text| plan.zone = text))} testid="plan-zone"
                hint="Like Europe/Vienna. Viewers see each time by their own clock; when yours are changed, it stays as you wrote it." />
            { alert((*wrong).map(str::to_owned).or(desk.wrong.clone())) }
            <Button label="Save" name="Save the schedule" on={save} busy={desk.is_busy} testid="save-plan" />
        </div>
    }
}
