//! What was done, and by whom: on the instance, or on one channel.

use crate::{
    api::{text, use_desk, use_site},
    browser::{page, time},
    ui::{
        Button, Choice, Select, Skeleton, TextField, alert,
        format_state::{ago, sentence},
        use_settled,
    },
};
use serde_json::Value;
use shared::{audit::AuditAction, unit::Timestamp};
use yew::prelude::*;

/// Properties of [`Audit`].
#[derive(Properties, PartialEq)]
pub struct AuditProps {
    /// Of which channel; of the instance if absent.
    #[prop_or_default]
    pub channel: Option<AttrValue>,
}

/// All actions of a kind, and what the kind is called.
const KINDS: [(&str, &str); 14] = [
    ("", "Everything"),
    ("chat", "Chat: deletions, time-outs, rules"),
    ("moderator", "Moderators"),
    ("role", "Editors and VIPs"),
    ("channel", "Channels and stream keys"),
    ("emote", "Emotes"),
    ("badge", "Pictures of subscribers' badges"),
    ("access", "Ways into private channels"),
    ("subscription", "Subscriptions and gift codes"),
    ("webhook", "Webhooks"),
    ("account", "Accounts: sign-ins, roles, suspensions"),
    ("invite", "Invites"),
    ("token", "API tokens"),
    ("instance", "The instance: settings, alerts"),
];

/// What was done, as it follows on who did it.
fn said(action: &str) -> &'static str {
    use AuditAction::*;
    match action.parse::<AuditAction>() {
        Ok(AccountRole) => "changed the role of",
        Ok(AccountDeleted) => "deleted the account of",
        Ok(AccountSuspended) => "suspended",
        Ok(PasswordReset) => "set a new password for",
        Ok(PasswordLinkMade) => "made a link to a new password for",
        Ok(AccountRestored) => "let in again",
        Ok(AccountJoined) => "made an account:",
        Ok(AccountSignedIn) => "signed in:",
        Ok(SignInsFailed) => "let nobody in:",
        Ok(AccountConnected) => "connected a provider with",
        Ok(AccountDisconnected) => "disconnected a provider from",
        Ok(InstanceEdited) => "changed how the instance runs",
        Ok(Alerted) => "raised an alert:",
        Ok(InviteMade) => "made an invite",
        Ok(InviteRevoked) => "revoked an invite",
        Ok(TokenMade) => "made an API token",
        Ok(TokenRevoked) => "revoked an API token",
        Ok(PasskeyAdded) => "added a passkey",
        Ok(PasskeyRemoved) => "removed a passkey",
        Ok(ChannelMade) => "made the channel",
        Ok(ChannelDeleted) => "deleted the channel",
        Ok(ChannelSuspended) => "suspended the channel",
        Ok(ChannelRestored) => "let the channel in again",
        Ok(ChannelEdited) => "changed the channel",
        Ok(StreamKeyReplaced) => "replaced the stream key",
        Ok(EmbedsRevoked) => "revoked the signed embeds",
        Ok(LadderSet) => "turned the ladder",
        Ok(BroadcastEnded) => "ended the broadcast",
        Ok(RoleGiven) => "gave a role to",
        Ok(RoleTaken) => "took a role from",
        Ok(ModeratorAdded) => "made a moderator of",
        Ok(ModeratorRemoved) => "took moderation from",
        Ok(ChatEdited) => "changed the rules of chat",
        Ok(MessageDeleted) => "deleted a message of",
        Ok(TimedOut) => "timed out",
        Ok(TimeOutLifted) => "lifted the time-out of",
        Ok(Banned) => "banned",
        Ok(BanLifted) => "lifted the ban of",
        Ok(AppealAccepted) => "accepted the appeal of",
        Ok(AppealDeclined) => "declined the appeal of",
        Ok(ChatCleared) => "cleared the chat",
        Ok(MessagePinned) => "pinned a message of",
        Ok(MessageUnpinned) => "took the pinned message down",
        Ok(FiltersSet) => "changed what is held",
        Ok(MessageApproved) => "let a message through of",
        Ok(MessageRefused) => "refused a message of",
        Ok(PollStarted) => "began a poll",
        Ok(PollEnded) => "ended the poll",
        Ok(RaidStarted) => "began a raid",
        Ok(RaidEnded) => "called the raid off",
        Ok(EmoteSet) => "set an emote",
        Ok(EmoteRemoved) => "removed an emote",
        Ok(EmoteTierSet) => "said who may type an emote",
        Ok(InstanceEmoteSet) => "set an emote of all channels",
        Ok(InstanceEmoteRemoved) => "removed an emote of all channels",
        Ok(BadgeSet) => "set a picture for subscribers' badges",
        Ok(BadgeRemoved) => "removed a picture of subscribers' badges",
        Ok(AccessPassword) => "changed the channel's password",
        Ok(AccessSubscribers) => "changed which subscribers get in",
        Ok(AccessGiven) => "let in",
        Ok(AccessTaken) => "took off the list",
        Ok(AccessLinkMade) => "made a link into the channel",
        Ok(AccessLinkRevoked) => "revoked a link into the channel",
        Ok(SubscriptionGranted) => "gave a subscription to",
        Ok(SubscriptionEnded) => "ended the subscription of",
        Ok(GiftCodesMade) => "made gift codes",
        Ok(GiftCodesWithdrawn) => "withdrew gift codes",
        Ok(WebhookMade) => "made a webhook",
        Ok(WebhookEdited) => "changed a webhook",
        Ok(WebhookRemoved) => "removed a webhook",
        Ok(WebhookSecret) => "gave another secret to a webhook",
        // Of a server that is newer than this page.
        Err(_) => "did something else",
    }
}

fn entry(entry: &Value) -> Html {
    let name = |field: &str| text(&entry[field], "name").to_owned();
    let actor = match name("actor") {
        name if name.is_empty() => match text(entry, "action").parse() {
            Ok(AuditAction::SignInsFailed | AuditAction::Alerted) => "The server".to_owned(),
            _ => "The console".to_owned(),
        },
        name => format!("@{name}"),
    };
    let moment = text(entry, "at").to_owned();
    let at = serde_json::from_value::<Timestamp>(entry["at"].clone()).map_or(0, Timestamp::as_millis);
    let since = ago((time::wall() - at).max(0) as u64 / 1000);
    let channel = Some(name("channel")).filter(|name| !name.is_empty()).map(|name| format!("/{name}"));
    let rest =
        [channel, Some(text(entry, "detail").to_owned()), entry["address"].as_str().map(str::to_owned)];
    let rest: Vec<String> = rest.into_iter().flatten().filter(|text| !text.is_empty()).collect();
    html! {
        <li class="login" key={text(entry, "id").to_owned()}>
            <div class="grow">
                <p><b>{ actor }</b>{ format!(" {} ", said(text(entry, "action"))) }<b>{ name("target") }</b></p>
                if !rest.is_empty() { <p class="quiet">{ rest.join(" · ") }</p> }
            </div>
            <time class="quiet" datetime={moment.clone()} title={moment}>{ sentence(&since) }</time>
        </li>
    }
}

/// The page.
#[component]
pub fn Audit(props: &AuditProps) -> Html {
    let site = use_site();
    use_effect_with(site.name(), |name| page::set_title(&format!("What was done · {name}")));
    let (actor, target) = (use_state(String::new), use_state(String::new));
    let (action, day) = (use_state(String::new), use_state(String::new));
    // The cursors of the pages up to this one.
    let pages = use_state(Vec::<String>::new);
    let (settled_actor, settled_target) = (use_settled(&actor), use_settled(&target));
    let base = match &props.channel {
        Some(channel) => format!("channels/{}/audit", page::encoded(channel)),
        None => "audit".to_owned(),
    };
    let mut question = String::new();
    let since = if day.is_empty() { String::new() } else { format!("{}T00:00:00Z", *day) };
    for (name, value) in [
        ("actor", settled_actor.trim()),
        ("action", action.as_str()),
        ("target", settled_target.trim()),
        ("since", since.as_str()),
    ] {
        if !value.is_empty() {
            question += &format!("&{name}={}", page::encoded(value));
        }
    }
    let cursor = pages.last().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
    let desk = use_desk(format!("{base}?limit=50{question}{cursor}"));
    let set = |state: &UseStateHandle<String>| {
        let (state, pages) = (state.clone(), pages.clone());
        Callback::from(move |text: String| {
            pages.set(Vec::new());
            state.set(text);
        })
    };
    let next = desk.data["next"].as_str().map(str::to_owned);
    let (is_first, is_last) = (pages.is_empty(), next.is_none());
    let older = {
        let pages = pages.clone();
        Callback::from(move |()| {
            // Until the page it leads to has come, this is that page still.
            if let Some(next) = next.clone().filter(|next| pages.last() != Some(next)) {
                let mut all = (*pages).clone();
                all.push(next);
                pages.set(all);
            }
        })
    };
    let newer = {
        let pages = pages.clone();
        Callback::from(move |()| {
            let mut all = (*pages).clone();
            all.pop();
            pages.set(all);
        })
    };
    let file = |ending: &str, label: &'static str| {
        let address = format!("/api/v1/{base}.{ending}?limit=1{question}");
        html! { <a class="button" href={address} download="" data-testid={format!("audit-{ending}")}>{ label }</a> }
    };
    let of_channel = props.channel.is_some();
    let kinds = KINDS
        .iter()
        .filter(|(kind, _)| !of_channel || !["account", "invite", "token", "instance"].contains(kind));
    let choices: Vec<_> = kinds.map(|(kind, label)| Choice::new(*kind, *label)).collect();
    let title = match &props.channel {
        Some(channel) => format!("What was done on /{channel}"),
        None => format!("What was done on {}", site.name()),
    };
    html! {
        <article class="settings">
            <h1>{ title }</h1>
            <section class="card form" aria-label="Find">
                <TextField id="audit-actor" label="Who did it (account name)" kind="search" value={(*actor).clone()}
                    on={set(&actor)} testid="audit-actor" />
                <TextField id="audit-target" label="To whom or what" kind="search" value={(*target).clone()}
                    on={set(&target)} testid="audit-target" />
                <Select id="audit-action" label="What" value={(*action).clone()} on={set(&action)} choices={choices}
                    testid="audit-action" />
                <TextField id="audit-since" label="Since (UTC)" kind="date" value={(*day).clone()} on={set(&day)}
                    testid="audit-since" />
            </section>
            <section class="card" aria-label="Entries">
                if desk.is_pending { <Skeleton class="skeleton-line" /> }
                { alert(desk.failure.clone()) }
                if !desk.is_pending && desk.failure.is_none() && desk.items().is_empty() {
                    <p class="quiet">{ "Nothing of this kind was done." }</p>
                }
                <ul class="plain-list" data-testid="audit">{ for desk.items().iter().map(entry) }</ul>
                <div class="actions">
                    // Both at all times: one that comes and goes would have the other's place, and its focus.
                    <Button label="Newer" on={newer} disabled={is_first} testid="audit-newer" />
                    <Button label="Older" on={older} disabled={is_last} testid="audit-older" />
                    { file("csv", "Download as CSV") }
                    { file("json", "Download as JSON") }
                </div>
            </section>
        </article>
    }
}
