//! Who gets into a channel while it is private: its list, its password, links, subscribers.

use super::subscribe::{left, tier_name};
use crate::{
    api::{Order, count, text, use_desk},
    browser::{page, time},
    ui::{
        Button, Choice, CopyField, Kind, Question, Select, Skeleton, TextField, alert, el,
        format_state::{ago, told_apart},
        use_question, words,
    },
};
use serde_json::{Value, json};
use shared::{id::ChannelName, unit::Timestamp};
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

/// Which one it is, as it is spoken of: by its label, or else by its age.
fn called(what: &str, one: &Value) -> String {
    match text(one, "label") {
        "" => {
            let at = serde_json::from_value::<Timestamp>(one["createdAt"].clone());
            let millis = time::wall() - at.map_or(0, Timestamp::as_millis);
            format!("the {what} made {}", ago(millis.max(0) as u64 / 1000))
        }
        label => format!("the {what} “{label}”"),
    }
}

/// The answer with what the server says only once. It stays until another is made, it is taken away itself, or the person puts
/// it away: what else is done on the page must not lose it.
pub(super) type Made = UseStateHandle<Option<Value>>;

/// Shows what is said only once, with a way to put it away.
pub(super) fn shown_once(made: &Made, what: &str, field: Html, note: &'static str) -> Html {
    let made = made.setter();
    let away = Callback::from(move |()| made.set(None));
    html! {
        <div class="callout form">
            { field }
            { words("p", "field-note", note) }
            <Button label="Put away" name={format!("Put away {what}")} on={away} testid="put-away" />
        </div>
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
            { desk.trouble("the setting for subscribers") }
            <Select id={format!("{}-subscribers", props.channel)} label="Subscribers" value={value} choices={choices} on={on}
                disabled={desk.data.is_null()} testid="access-subscribers" />
        </>
    }
}

/// What is said at a field that needs an account's name and is empty.
fn who(is_missing: bool) -> Option<AttrValue> {
    is_missing.then_some("Say who: the name that they sign in with.").map(AttrValue::from)
}

/// Takes what is typed into such a field; it isn't empty any more.
fn named(account: &UseStateHandle<String>, is_missing: &UseStateHandle<bool>) -> Callback<String> {
    let (account, is_missing) = (account.setter(), is_missing.setter());
    Callback::from(move |text: String| {
        is_missing.set(false);
        account.set(text);
    })
}

#[component]
fn List(props: &AccessProps) -> Html {
    let path = format!("channels/{}/admitted", props.channel);
    let desk = use_desk(format!("{path}?limit=200"));
    let account = use_state(String::new);
    let is_missing = use_state(|| false);
    let missing = is_missing.setter();
    let (ask, question) = use_question();
    let at = move |account: &str| format!("{path}/{}", page::encoded(account));
    let onsubmit = {
        let (order, account, at) = (desk.order.clone(), account.clone(), at.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let name = account.trim().trim_start_matches('@');
            if name.is_empty() {
                return missing.set(true);
            }
            let (path, done, typed) = (at(name), "They get in", account.setter());
            let put = Order { method: "PUT", path, done, in_form: true, ..Order::default() };
            order.emit(put.then(move |_| typed.set(String::new())));
        }
    };
    let entry = |person: &Value| {
        let account = text(person, "account");
        let said =
            vec![words("b", "", text(person, "name").to_owned()), words("p", "quiet", format!("@{account}"))];
        let remove = {
            let (path, done) = (at(account), "They don't get in any more");
            let order = Order { method: "DELETE", path, done, ..Order::default() };
            let (ask, act) = (ask.clone(), desk.act(order));
            let title = format!("Remove {account} from the list of {}?", props.channel);
            Callback::from(move |()| {
                ask.emit(Question {
                    title: title.clone(),
                    text: "They are out at once, unless something else lets them in. You can put them on the list again.",
                    keep: "Leave it",
                    label: "Remove",
                    kind: Kind::Danger,
                    act: act.clone(),
                })
            })
        };
        let name = format!("Remove {account} from the list of {}", props.channel);
        el(
            "li",
            "login",
            vec![el("div", "grow", said), html! { <Button label="Remove" name={name} on={remove} /> }],
        )
    };
    html! {
        <>
            if desk.is_pending { <Skeleton class="skeleton-line" /> }
            { desk.trouble("the list of those whom you let in") }
            if !desk.items().is_empty() {
                <ul class="plain-list" data-testid="admitted">{ for desk.items().iter().map(entry) }</ul>
            }
            <form class="form" onsubmit={onsubmit} novalidate=true>
                { alert(desk.wrong.clone()) }
                <TextField id={format!("{}-admit", props.channel)} label="Let somebody in by account name" value={(*account).clone()}
                    on={named(&account, &is_missing)} error={who(*is_missing)} testid="admit-account" hint="What they sign in with." />
                <Button label="Put on the list" name={format!("Put on the list of {}", props.channel)} busy={desk.is_busy}
                    testid="admit" />
            </form>
            { question }
        </>
    }
}

#[component]
fn ChannelPassword(props: &AccessProps) -> Html {
    let channel = &props.channel;
    let path = format!("channels/{channel}/password");
    let desk = use_desk(format!("channels/{channel}/access"));
    let password = use_state(String::new);
    let (ask, question) = use_question();
    let has = desk.data["hasPassword"] == true;
    let onsubmit = {
        let (order, password, path) = (desk.order.clone(), password.clone(), path.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let (body, path, typed) =
                (Some(json!({ "password": *password })), path.clone(), password.setter());
            let done = "Whoever knows it gets in";
            let put = Order { method: "PUT", path, body, done, in_form: true, ..Order::default() };
            order.emit(put.then(move |_| typed.set(String::new())));
        }
    };
    let remove = {
        let done = "There is no password any more";
        let act = desk.act(Order { method: "DELETE", path, done, ..Order::default() });
        let title = format!("Remove the password of {channel}?");
        Callback::from(move |()| {
            ask.emit(Question {
                title: title.clone(),
                text: "Whoever came in by it is out at once. You can set another one.",
                keep: "Keep it",
                label: "Remove",
                kind: Kind::Danger,
                act: act.clone(),
            })
        })
    };
    let (label, set) =
        if has { ("Another password", "Replace the password") } else { ("Password", "Set the password") };
    html! {
        <>
            { desk.trouble("the setting for the password") }
            <form class="form" onsubmit={onsubmit} novalidate=true>
                { alert(desk.wrong.clone()) }
                <TextField id={format!("{channel}-password")} label={label} kind="password" value={(*password).clone()}
                    on={setter(&password)} autocomplete="new-password" testid="channel-password"
                    hint="At least 10 characters. Whoever came in by another one is out at once." />
                <div class="actions">
                    <Button label={set} name={format!("{set} of {channel}")} busy={desk.is_busy} testid="set-channel-password" />
                    if has {
                        <Button label="Remove the password" name={format!("Remove the password of {channel}")}
                            kind={Kind::Danger} on={remove} testid="remove-channel-password" />
                    }
                </div>
            </form>
            { question }
        </>
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
    let made: Made = use_state(|| None);
    let (ask, question) = use_question();
    let onsubmit = {
        let (order, path, made) = (desk.order.clone(), path.clone(), made.setter());
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
            let (made, label, uses) = (made.clone(), label.setter(), uses.setter());
            let (path, body) = (path.clone(), Some(body));
            let post = Order { method: "POST", path, body, in_form: true, ..Order::default() };
            order.emit(post.then(move |new| {
                made.set(Some(new));
                label.set(String::new());
                uses.set(String::new());
            }));
        }
    };
    let names = told_apart(desk.items().iter().map(|link| called("link", link)).collect());
    let entry = |(link, called): (&Value, String)| {
        let name = match text(link, "label") {
            "" => "A link".to_owned(),
            label => label.to_owned(),
        };
        let said = vec![words("b", "", name), words("p", "quiet", link_facts(link))];
        let name = format!("Revoke {called}");
        let revoke = {
            let is_shown = made.as_ref().is_some_and(|new| new["link"]["id"] == link["id"]);
            let path = format!("{path}/{}", text(link, "id"));
            let done = "The link lets nobody in any more";
            let (ask, desk, made) = (ask.clone(), desk.clone(), made.setter());
            Callback::from(move |()| {
                let (path, made) = (path.clone(), made.clone());
                let order = Order { method: "DELETE", path, done, ..Order::default() };
                ask.emit(Question {
                    title: format!("Revoke {called}?"),
                    text: "Whoever came in by it is out at once. This can't be undone, but you can make another one.",
                    keep: "Keep it",
                    label: "Revoke",
                    kind: Kind::Danger,
                    act: desk.act(order.then(move |_| {
                        if is_shown {
                            made.set(None);
                        }
                    })),
                })
            })
        };
        el(
            "li",
            "login",
            vec![el("div", "grow", said), html! { <Button label="Revoke" name={name} on={revoke} /> }],
        )
    };
    let id = |field: &str| format!("{}-link-{field}", props.channel);
    let shown = made.as_ref().map(|new| {
        let field = html! {
            <CopyField id={id("url")} label="The new link" value={text(new, "url").to_owned()} testid="access-link" />
        };
        shown_once(&made, "the new link", field, "Shown this once: copy it now. Whoever has it gets in.")
    });
    let times =
        [("0", "until I revoke it"), ("1", "a day"), ("7", "a week"), ("30", "30 days"), ("365", "a year")];
    html! {
        <>
            if desk.is_pending { <Skeleton class="skeleton-line" /> }
            { desk.trouble("the list of links") }
            if !desk.items().is_empty() {
                <ul class="plain-list" data-testid="access-links">{ for desk.items().iter().zip(names).map(entry) }</ul>
            }
            { shown.unwrap_or_default() }
            <form class="form" onsubmit={onsubmit} novalidate=true>
                { alert(desk.wrong.clone()) }
                <TextField id={id("label")} label="Whom a new link is for (optional)" value={(*label).clone()} on={setter(&label)}
                    testid="link-label" />
                <TextField id={id("uses")} label="How many get in by it (any number if empty)" kind="number" value={(*uses).clone()}
                    on={setter(&uses)} testid="link-uses" />
                <Select id={id("days")} label="It works" value={(*days).clone()} on={setter(&days)}
                    choices={times.map(|(days, label)| Choice::new(days, label)).to_vec()} />
                <Button label="Make a link" name={format!("Make a link to {}", props.channel)} busy={desk.is_busy}
                    testid="make-link" />
            </form>
            { question }
        </>
    }
}

/// Who subscribes, with the ways to give and end subscriptions, and to make gift codes.
#[component]
pub fn Supporters(props: &AccessProps) -> Html {
    let path = format!("channels/{}/subscribers", props.channel);
    let desk = use_desk(format!("{path}?limit=200"));
    let (account, tier, days) =
        (use_state(String::new), use_state(|| "one".to_owned()), use_state(|| "31".to_owned()));
    let is_missing = use_state(|| false);
    let missing = is_missing.setter();
    let (ask, question) = use_question();
    let at = move |account: &str| format!("{path}/{}", page::encoded(account));
    let onsubmit = {
        let (order, at) = (desk.order.clone(), at.clone());
        let (account, tier, days) = (account.clone(), tier.clone(), days.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let name = account.trim().trim_start_matches('@');
            if name.is_empty() {
                return missing.set(true);
            }
            let body = Some(json!({ "tier": *tier, "days": days.trim().parse::<u32>().unwrap_or(0) }));
            let (path, done, typed) = (at(name), "They subscribe now", account.setter());
            let put = Order { method: "PUT", path, body, done, in_form: true, ..Order::default() };
            order.emit(put.then(move |_| typed.set(String::new())));
        }
    };
    let entry = |one: &Value| {
        let account = text(one, "account");
        let facts = format!("@{account} · {} · {}", tier_name(text(one, "tier")), left(one, "endsAt"));
        let said = vec![words("b", "", text(one, "name").to_owned()), words("p", "quiet", facts)];
        let name = format!("End {account}'s subscription to {}", props.channel);
        let end = {
            let (path, done) = (at(account), "They don't subscribe any more");
            let order = Order { method: "DELETE", path, done, ..Order::default() };
            let (ask, act, title) = (ask.clone(), desk.act(order), format!("{name}?"));
            Callback::from(move |()| {
                ask.emit(Question {
                    title: title.clone(),
                    text: "They lose what it brings at once. You can give them another one.",
                    keep: "Keep it",
                    label: "End",
                    kind: Kind::Danger,
                    act: act.clone(),
                })
            })
        };
        el(
            "li",
            "login",
            vec![el("div", "grow", said), html! { <Button label="End" name={name} on={end} /> }],
        )
    };
    let id = |field: &str| format!("{}-supporter-{field}", props.channel);
    html! {
        <div class="form" data-testid="supporters">
            if desk.is_pending { <Skeleton class="skeleton-line" /> }
            { desk.trouble("the list of subscribers") }
            if !desk.items().is_empty() {
                <ul class="plain-list" data-testid="subscribers">{ for desk.items().iter().map(entry) }</ul>
            } else if !desk.data.is_null() {
                <p class="quiet">{ "Nobody subscribes yet. Give somebody a subscription, or make gift codes." }</p>
            }
            <form class="form" onsubmit={onsubmit} novalidate=true>
                { alert(desk.wrong.clone()) }
                <TextField id={id("account")} label="Account name" value={(*account).clone()} on={named(&account, &is_missing)}
                    error={who(*is_missing)} testid="grant-account" hint="What they sign in with." />
                <Select id={id("tier")} label="Tier" value={(*tier).clone()} on={setter(&tier)} choices={tiers()} testid="grant-tier" />
                <TextField id={id("days")} label="Days" kind="number" value={(*days).clone()} on={setter(&days)} testid="grant-days" />
                <Button label="Give a subscription" name={format!("Give a subscription to {}", props.channel)}
                    busy={desk.is_busy} testid="grant" />
            </form>
            <GiftCodes channel={props.channel.clone()} />
            { question }
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
    let (label, tier) = (use_state(String::new), use_state(|| "one".to_owned()));
    let (days, many) = (use_state(|| "31".to_owned()), use_state(|| "5".to_owned()));
    let made: Made = use_state(|| None);
    let (ask, question) = use_question();
    let onsubmit = {
        let (order, path, made) = (desk.order.clone(), path.clone(), made.setter());
        let (label, tier, days, many) = (label.clone(), tier.clone(), days.clone(), many.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let number = |text: &str| text.trim().parse::<u32>().unwrap_or(0);
            let body =
                json!({ "label": *label, "tier": *tier, "days": number(&days), "count": number(&many) });
            let (path, body, made, label) = (path.clone(), Some(body), made.clone(), label.setter());
            let post = Order { method: "POST", path, body, in_form: true, ..Order::default() };
            order.emit(post.then(move |new| {
                made.set(Some(new));
                label.set(String::new());
            }));
        }
    };
    let names = told_apart(desk.items().iter().map(|batch| called("gift codes", batch)).collect());
    let entry = |(batch, called): (&Value, String)| {
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
        let said = vec![words("b", "", name), words("p", "quiet", facts)];
        let name = format!("Withdraw {called}");
        let withdraw = {
            let is_shown = made.as_ref().is_some_and(|new| new["batch"]["id"] == batch["id"]);
            let path = format!("{path}/{}", text(batch, "id"));
            let done = "Those codes can't be redeemed any more";
            let (ask, desk, made) = (ask.clone(), desk.clone(), made.setter());
            Callback::from(move |()| {
                let (path, made) = (path.clone(), made.clone());
                let order = Order { method: "DELETE", path, done, ..Order::default() };
                ask.emit(Question {
                    title: format!("Withdraw {called}?"),
                    text: "Those that nobody redeemed stop working, and this can't be undone. What was redeemed stays.",
                    keep: "Keep them",
                    label: "Withdraw",
                    kind: Kind::Danger,
                    act: desk.act(order.then(move |_| {
                        if is_shown {
                            made.set(None);
                        }
                    })),
                })
            })
        };
        el(
            "li",
            "login",
            vec![el("div", "grow", said), html! { <Button label="Withdraw" name={name} on={withdraw} /> }],
        )
    };
    let id = |field: &str| format!("{}-gift-{field}", props.channel);
    let shown = made.as_ref().map(|new| {
        let codes: Vec<&str> =
            new["codes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let field = html! {
            <CopyField id={id("codes")} label="The new codes" value={codes.join("\n")} rows={5} testid="gift-codes" />
        };
        shown_once(
            &made,
            "the new codes",
            field,
            "Shown this once: copy them now. Each works for one person.",
        )
    });
    html! {
        <>
            if desk.is_pending { <Skeleton class="skeleton-line" /> }
            { desk.trouble("the list of gift codes") }
            if !desk.items().is_empty() {
                <ul class="plain-list" data-testid="gift-batches">{ for desk.items().iter().zip(names).map(entry) }</ul>
            }
            { shown.unwrap_or_default() }
            <form class="form" onsubmit={onsubmit} novalidate=true>
                { alert(desk.wrong.clone()) }
                <TextField id={id("label")} label="What new gift codes are for (optional)" value={(*label).clone()}
                    on={setter(&label)} testid="gift-label" />
                <Select id={id("tier")} label="Tier" value={(*tier).clone()} on={setter(&tier)} choices={tiers()} testid="gift-tier" />
                <TextField id={id("days")} label="Days that each brings" kind="number" value={(*days).clone()} on={setter(&days)}
                    testid="gift-days" />
                <TextField id={id("count")} label="How many codes" kind="number" value={(*many).clone()} on={setter(&many)}
                    testid="gift-count" />
                <Button label="Make gift codes" name={format!("Make gift codes for {}", props.channel)} busy={desk.is_busy}
                    testid="make-codes" />
            </form>
            { question }
        </>
    }
}
