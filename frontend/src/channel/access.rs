//! Who gets into a channel while it is private: its list, its password, links, subscribers.

use super::subscribe::{left, tier_name};
use crate::{
    api::{Desk, Order, count, text, use_desk},
    ui::{Button, Choice, CopyField, Dialog, Kind, Select, Skeleton, TextField, alert, el, words},
};
use serde_json::{Value, json};
use shared::id::ChannelName;
use yew::prelude::*;

/// Properties of [`Access`].
#[derive(Properties, PartialEq)]
pub struct AccessProps {
    /// Whose.
    pub channel: ChannelName,
}

/// All ways in, and forms to open and shut them.
#[component]
pub fn Access(props: &AccessProps) -> Html {
    let channel = &props.channel;
    html! {
        <div class="form" data-testid="access">
            <p class="quiet">{ "While the channel is private, you, your editors, moderators and VIPs get in, those who run this instance, and whoever you let in here. What you take away holds at once." }</p>
            <Subscribers channel={channel.clone()} />
            <List channel={channel.clone()} />
            <ChannelPassword channel={channel.clone()} />
            <Links channel={channel.clone()} />
        </div>
    }
}

fn setter(state: &UseStateHandle<String>) -> Callback<String> {
    let state = state.clone();
    Callback::from(move |text: String| state.set(text))
}

/// What is asked before something is taken away from people.
fn asked(
    title: String,
    says: &'static str,
    does: &'static str,
    dismiss: Callback<()>,
    done: Callback<()>,
) -> Html {
    html! {
        <Dialog title={title} on_close={dismiss.clone()}>
            { words("p", "", says) }
            <div class="dialog-actions">
                <Button label="Leave it" on={dismiss} />
                <Button label={does} kind={Kind::Danger} on={done} testid="confirm" />
            </div>
        </Dialog>
    }
}

#[component]
fn Subscribers(props: &AccessProps) -> Html {
    let path = format!("channels/{}/access", props.channel);
    let desk = use_desk(path.clone());
    let on = desk.order.reform(move |tier: String| {
        let least = if tier == "none" { Value::Null } else { json!(tier) };
        let body = Some(json!({ "subscribers": least }));
        Order { method: "PATCH", path: path.clone(), body, done: "Saved", ..Order::default() }
    });
    let choices = vec![
        Choice::new("none", "Subscribers don't get in"),
        Choice::new("one", "Every subscriber gets in"),
        Choice::new("two", "Subscribers of tiers 2 and 3 get in"),
        Choice::new("three", "Subscribers of tier 3 get in"),
    ];
    let value = desk.data["subscribers"].as_str().unwrap_or("none").to_owned();
    html! {
        <>
            { alert(desk.failure.clone()) }
            <Select id={format!("{}-subscribers", props.channel)} label="Subscribers" value={value} choices={choices} on={on}
                disabled={desk.is_pending} testid="access-subscribers" />
        </>
    }
}

#[component]
fn List(props: &AccessProps) -> Html {
    let path = format!("channels/{}/admitted", props.channel);
    let desk = use_desk(format!("{path}?limit=200"));
    let account = use_state(String::new);
    let onsubmit = {
        let (desk, account, path) = (desk.clone(), account.clone(), path.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let name = account.trim().trim_start_matches('@');
            if !name.is_empty() {
                let (path, done) = (format!("{path}/{name}"), "They get in");
                desk.order.emit(Order { method: "PUT", path, done, in_form: true, ..Order::default() });
            }
        }
    };
    {
        let account = account.setter();
        use_effect_with(desk.answer.clone(), move |_| account.set(String::new()));
    }
    let entry = |person: &Value| {
        let name = text(person, "account").to_owned();
        let path = format!("{path}/{name}");
        let remove = desk.order.reform(move |()| Order {
            method: "DELETE",
            path: path.clone(),
            done: "They don't get in any more",
            ..Order::default()
        });
        let said =
            vec![words("b", "", text(person, "name").to_owned()), words("p", "quiet", format!("@{name}"))];
        let label = format!("Take {name} off the list");
        el("li", "login", vec![el("div", "", said), html! { <Button label={label} on={remove} /> }])
    };
    html! {
        <form class="form" onsubmit={onsubmit} novalidate=true>
            if !desk.items().is_empty() {
                <ul class="plain-list" data-testid="admitted">{ for desk.items().iter().map(entry) }</ul>
            }
            if desk.is_pending { <Skeleton class="skeleton-line" /> }
            { alert(desk.failure.clone().or(desk.wrong.clone())) }
            <TextField id={format!("{}-admit", props.channel)} label="Let somebody in by account name" value={(*account).clone()}
                on={setter(&account)} testid="admit-account" hint="What they sign in with." />
            <Button label="Put on the list" busy={desk.is_busy} testid="admit" />
        </form>
    }
}

#[component]
fn ChannelPassword(props: &AccessProps) -> Html {
    let path = format!("channels/{}/password", props.channel);
    let access = format!("channels/{}/access", props.channel);
    let desk = use_desk(access);
    let (password, asking) = (use_state(String::new), use_state(|| false));
    let has = desk.data["hasPassword"] == true;
    let onsubmit = {
        let (desk, password, path) = (desk.clone(), password.clone(), path.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let (body, path) = (Some(json!({ "password": *password })), path.clone());
            let done = "Whoever knows it gets in";
            desk.order.emit(Order { method: "PUT", path, body, done, in_form: true, ..Order::default() });
            password.set(String::new());
        }
    };
    let ask = |on: bool| {
        let asking = asking.clone();
        Callback::from(move |()| asking.set(on))
    };
    let remove = {
        let (order, asking) = (desk.order.clone(), asking.clone());
        Callback::from(move |()| {
            asking.set(false);
            let path = path.clone();
            order.emit(Order {
                method: "DELETE",
                path,
                done: "There is no password any more",
                ..Order::default()
            });
        })
    };
    let label = if has { "Another password" } else { "Password" };
    html! {
        <form class="form" onsubmit={onsubmit} novalidate=true>
            { alert(desk.wrong.clone()) }
            <TextField id={format!("{}-password", props.channel)} label={label} kind="password" value={(*password).clone()}
                on={setter(&password)} autocomplete="new-password" testid="channel-password"
                hint="At least 10 characters. Whoever came in by another one is out at once." />
            <div class="actions">
                <Button label={if has { "Replace the password" } else { "Set the password" }} busy={desk.is_busy}
                    testid="set-channel-password" />
                if has {
                    <Button label="Take it away" kind={Kind::Danger} on={ask(true)} testid="remove-channel-password" />
                }
            </div>
            if *asking {
                { asked("Take the password away?".to_owned(), "Whoever came in by it is out at once.", "Take it away", ask(false), remove) }
            }
        </form>
    }
}

fn link_facts(link: &Value) -> String {
    let used = match link["usesMost"].as_u64() {
        Some(most) => format!("{} of {most} came in", count(link, "uses")),
        None => format!("{} came in", count(link, "uses")),
    };
    if link["expiresAt"].is_null() { used } else { format!("{used} · {}", left(link, "expiresAt")) }
}

#[component]
fn Links(props: &AccessProps) -> Html {
    let path = format!("channels/{}/access-links", props.channel);
    let desk = use_desk(format!("{path}?limit=200"));
    let (label, uses, days) = (use_state(String::new), use_state(String::new), use_state(|| "0".to_owned()));
    let asking = use_state(|| None::<(String, String)>);
    let onsubmit = {
        let (desk, path) = (desk.clone(), path.clone());
        let (label, uses, days) = (label.clone(), uses.clone(), days.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let mut body = json!({ "label": *label });
            if !uses.trim().is_empty() {
                body["uses"] = json!(uses.trim().parse::<u32>().unwrap_or(0));
            }
            if let Some(days) = days.parse::<u32>().ok().filter(|days| *days > 0) {
                body["days"] = json!(days);
            }
            order(&desk, "POST", path.clone(), Some(body), "");
        }
    };
    {
        let (label, uses) = (label.setter(), uses.setter());
        use_effect_with(desk.answer.clone(), move |_| {
            label.set(String::new());
            uses.set(String::new());
        });
    }
    let entry = |link: &Value| {
        let name = match text(link, "label") {
            "" => "A link".to_owned(),
            label => label.to_owned(),
        };
        let ask = {
            let (asking, id, name) = (asking.clone(), text(link, "id").to_owned(), name.clone());
            Callback::from(move |()| asking.set(Some((id.clone(), name.clone()))))
        };
        let said = vec![words("b", "", name), words("p", "quiet", link_facts(link))];
        el("li", "login", vec![el("div", "", said), html! { <Button label="Revoke" on={ask} /> }])
    };
    let dismiss = {
        let asking = asking.clone();
        Callback::from(move |()| asking.set(None))
    };
    let revoke = {
        let (desk, asking, path) = (desk.clone(), asking.clone(), path.clone());
        Callback::from(move |()| {
            if let Some((id, _)) = &*asking {
                order(&desk, "DELETE", format!("{path}/{id}"), None, "The link lets nobody in any more");
            }
            asking.set(None);
        })
    };
    let id = |field: &str| format!("{}-link-{field}", props.channel);
    let times =
        [("0", "until I revoke it"), ("1", "a day"), ("7", "a week"), ("30", "30 days"), ("365", "a year")];
    html! {
        <form class="form" onsubmit={onsubmit} novalidate=true>
            if !desk.items().is_empty() {
                <ul class="plain-list" data-testid="access-links">{ for desk.items().iter().map(entry) }</ul>
            }
            if let Some(url) = desk.answer["url"].as_str() {
                <div class="callout form">
                    <CopyField id={id("url")} label="The new link" value={url.to_owned()} testid="access-link" />
                    <p class="field-note">{ "Shown this once. Whoever has it gets in." }</p>
                </div>
            }
            { alert(desk.failure.clone().or(desk.wrong.clone())) }
            <TextField id={id("label")} label="Whom a new link is for (optional)" value={(*label).clone()} on={setter(&label)}
                testid="link-label" />
            <TextField id={id("uses")} label="How many get in by it (any number if empty)" kind="number" value={(*uses).clone()}
                on={setter(&uses)} testid="link-uses" />
            <Select id={id("days")} label="It works" value={(*days).clone()} on={setter(&days)}
                choices={times.map(|(days, label)| Choice::new(days, label)).to_vec()} />
            <Button label="Make a link" busy={desk.is_busy} testid="make-link" />
            if let Some((_, name)) = &*asking {
                { asked(format!("Revoke “{name}”?"), "Whoever came in by it is out at once.", "Revoke", dismiss, revoke) }
            }
        </form>
    }
}

fn order(desk: &Desk, method: &'static str, path: String, body: Option<Value>, done: &'static str) {
    desk.order.emit(Order { method, path, body, done, in_form: method == "POST", ..Order::default() });
}

/// Who subscribes, with the ways to give and end subscriptions, and to make gift codes.
#[component]
pub fn Supporters(props: &AccessProps) -> Html {
    let path = format!("channels/{}/subscribers", props.channel);
    let desk = use_desk(format!("{path}?limit=200"));
    let (account, tier, days) =
        (use_state(String::new), use_state(|| "one".to_owned()), use_state(|| "31".to_owned()));
    let asking = use_state(|| None::<String>);
    let onsubmit = {
        let (desk, path) = (desk.clone(), path.clone());
        let (account, tier, days) = (account.clone(), tier.clone(), days.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let name = account.trim().trim_start_matches('@');
            if !name.is_empty() {
                let body = Some(json!({ "tier": *tier, "days": days.trim().parse::<u32>().unwrap_or(0) }));
                let (path, done) = (format!("{path}/{name}"), "They subscribe now");
                desk.order.emit(Order { method: "PUT", path, body, done, in_form: true, ..Order::default() });
            }
        }
    };
    {
        let account = account.setter();
        use_effect_with(desk.answer.clone(), move |_| account.set(String::new()));
    }
    let entry = |one: &Value| {
        let name = text(one, "account").to_owned();
        let ask = {
            let (asking, name) = (asking.clone(), name.clone());
            Callback::from(move |()| asking.set(Some(name.clone())))
        };
        let facts = format!("@{name} · {} · {}", tier_name(text(one, "tier")), left(one, "endsAt"));
        let said = vec![words("b", "", text(one, "name").to_owned()), words("p", "quiet", facts)];
        let label = format!("End {name}'s");
        el("li", "login", vec![el("div", "", said), html! { <Button label={label} on={ask} /> }])
    };
    let dismiss = {
        let asking = asking.clone();
        Callback::from(move |()| asking.set(None))
    };
    let end = {
        let (desk, asking, path) = (desk.clone(), asking.clone(), path.clone());
        Callback::from(move |()| {
            if let Some(name) = &*asking {
                order(&desk, "DELETE", format!("{path}/{name}"), None, "They don't subscribe any more");
            }
            asking.set(None);
        })
    };
    let id = |field: &str| format!("{}-supporter-{field}", props.channel);
    html! {
        <div class="form" data-testid="supporters">
            <form class="form" onsubmit={onsubmit} novalidate=true>
                if !desk.items().is_empty() {
                    <ul class="plain-list" data-testid="subscribers">{ for desk.items().iter().map(entry) }</ul>
                } else if !desk.is_pending {
                    <p class="quiet">{ "Nobody subscribes yet. Give somebody a subscription, or make gift codes." }</p>
                }
                if desk.is_pending { <Skeleton class="skeleton-line" /> }
                { alert(desk.failure.clone().or(desk.wrong.clone())) }
                <TextField id={id("account")} label="Account name" value={(*account).clone()} on={setter(&account)}
                    testid="grant-account" hint="What they sign in with." />
                <Select id={id("tier")} label="Tier" value={(*tier).clone()} on={setter(&tier)} choices={tiers()} testid="grant-tier" />
                <TextField id={id("days")} label="Days" kind="number" value={(*days).clone()} on={setter(&days)} testid="grant-days" />
                <Button label="Give a subscription" busy={desk.is_busy} testid="grant" />
                if let Some(name) = &*asking {
                    { asked(format!("End {name}'s subscription?"), "They lose what it brings at once. You can give them another one.", "End it", dismiss, end) }
                }
            </form>
            <GiftCodes channel={props.channel.clone()} />
        </div>
    }
}

fn tiers() -> Vec<Choice> {
    ["one", "two", "three"].map(|tier| Choice::new(tier, tier_name(tier))).to_vec()
}

#[component]
fn GiftCodes(props: &AccessProps) -> Html {
    let path = format!("channels/{}/gift-codes", props.channel);
    let desk = use_desk(format!("{path}?limit=200"));
    let fields = use_state(|| [String::new(), "one".to_owned(), "31".to_owned(), "5".to_owned()]);
    let asking = use_state(|| None::<String>);
    let set = |place: usize| {
        let fields = fields.clone();
        Callback::from(move |text: String| {
            let mut next = (*fields).clone();
            next[place] = text;
            fields.set(next);
        })
    };
    let onsubmit = {
        let (desk, path, fields) = (desk.clone(), path.clone(), fields.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let [label, tier, days, count] = &*fields;
            let number = |text: &str| text.trim().parse::<u32>().unwrap_or(0);
            let body = json!({ "label": label, "tier": tier, "days": number(days), "count": number(count) });
            order(&desk, "POST", path.clone(), Some(body), "");
        }
    };
    let entry = |batch: &Value| {
        let name = match text(batch, "label") {
            "" => "Gift codes".to_owned(),
            label => label.to_owned(),
        };
        let facts = format!(
            "{} of {} redeemed · {}, {} days each · {}",
            count(batch, "redeemed"),
            count(batch, "count"),
            tier_name(text(batch, "tier")),
            count(batch, "days"),
            left(batch, "expiresAt"),
        );
        let ask = {
            let (asking, id) = (asking.clone(), text(batch, "id").to_owned());
            Callback::from(move |()| asking.set(Some(id.clone())))
        };
        let said = vec![words("b", "", name), words("p", "quiet", facts)];
        el("li", "login", vec![el("div", "", said), html! { <Button label="Withdraw" on={ask} /> }])
    };
    let dismiss = {
        let asking = asking.clone();
        Callback::from(move |()| asking.set(None))
    };
    let withdraw = {
        let (desk, asking, path) = (desk.clone(), asking.clone(), path.clone());
        Callback::from(move |()| {
            if let Some(id) = &*asking {
                order(
                    &desk,
                    "DELETE",
                    format!("{path}/{id}"),
                    None,
                    "Those codes can't be redeemed any more",
                );
            }
            asking.set(None);
        })
    };
    let codes: Option<Vec<&str>> =
        desk.answer["codes"].as_array().map(|codes| codes.iter().filter_map(Value::as_str).collect());
    let id = |field: &str| format!("{}-gift-{field}", props.channel);
    let [label, tier, days, count] = (*fields).clone();
    html! {
        <form class="form" onsubmit={onsubmit} novalidate=true>
            if !desk.items().is_empty() {
                <ul class="plain-list" data-testid="gift-batches">{ for desk.items().iter().map(entry) }</ul>
            }
            if let Some(codes) = codes {
                <div class="callout form">
                    <CopyField id={id("codes")} label="The new codes" value={codes.join("\n")} rows={5} testid="gift-codes" />
                    <p class="field-note">{ "Shown this once: copy them now. Each works for one person." }</p>
                </div>
            }
            { alert(desk.failure.clone().or(desk.wrong.clone())) }
            <TextField id={id("label")} label="What new gift codes are for (optional)" value={label} on={set(0)} testid="gift-label" />
            <Select id={id("tier")} label="Tier" value={tier} on={set(1)} choices={tiers()} testid="gift-tier" />
            <TextField id={id("days")} label="Days that each brings" kind="number" value={days} on={set(2)} testid="gift-days" />
            <TextField id={id("count")} label="How many codes" kind="number" value={count} on={set(3)} testid="gift-count" />
            <Button label="Make gift codes" busy={desk.is_busy} testid="make-codes" />
            if asking.is_some() {
                { asked("Withdraw these codes?".to_owned(), "Those that nobody redeemed stop working. What was redeemed stays.", "Withdraw", dismiss, withdraw) }
            }
        </form>
    }
}
