//! What streamers and those who help them work with: going live, who watched, moderating, settings, running the instance.

use super::{Program, sign_in_first, signed_in};
use crate::{
    account::{Admin, Audit, LetterPage, NotificationsPage, ResetPasswordPage, Settings},
    analytics::Analytics,
    api::{Site, Who, use_site},
    browser::page,
    channel::{Access, Activity, Badges, CreateForm, Delete, Details, Emotes, Roles, Supporters, Webhooks},
    chat::{ChatPanel, Moderation, Place},
    publish::{ObsCard, Studio},
    route::{Link, Route},
    ui::{Choice, Notice, Select, Shape, Skeleton, words},
};
use shared::{
    account::Me,
    channel::Channel,
    id::{ChannelName, PersonId},
};
use std::rc::Rc;
use yew::prelude::*;

/// Starts it in the page's body.
pub fn start() {
    super::start::<Backstage>();
}

struct Backstage;

impl Program for Backstage {
    fn show(route: Route) -> Option<Html> {
        Some(match route {
            Route::Studio => html! { <OwnPage studio=true /> },
            Route::StudioOf { channel } => html! { <OwnPage studio=true channel={channel} /> },
            Route::Analytics { channel, broadcast } => {
                html! { <OwnPage studio=false channel={channel} broadcast={broadcast} /> }
            }
            Route::Settings => html! { <SettingsPage /> },
            Route::Admin => html! { <AdminPage /> },
            Route::Notifications => html! { <OwnNotifications /> },
            Route::ResetPassword => html! { <ResetPasswordPage /> },
            Route::Letter { confirms } => html! { <LetterPage confirms={confirms} /> },
            Route::Audit { channel } => html! { <AuditPage channel={channel.map(AttrValue::from)} /> },
            Route::Moderation { channel } => {
                let channel = channel.parse::<ChannelName>().ok()?;
                html! { <ModerationPage channel={channel} /> }
            }
            _ => return None,
        })
    }
}

/// One of the visitor's own channels, with a way to another one if there are several; or what to show in its place.
fn own_channel(
    site: &Site,
    wanted: Option<&str>,
    studio: bool,
    home: Route,
    other: Callback<String>,
) -> Result<(Rc<Channel>, Html), Html> {
    let me = match &site.who {
        Who::Unknown => return Err(html! { <div class="studio"><Skeleton class="skeleton-hero" /></div> }),
        Who::Nobody => return Err(sign_in_first()),
        Who::Somebody(me) => me,
    };
    let known = known(me, studio);
    let found = match wanted {
        Some(name) => known.iter().find(|channel| channel.name.as_str() == name.to_ascii_lowercase()),
        None => known.first(),
    };
    let Some(&channel) = found else {
        let only = if studio {
            "Only its owner can go live on it."
        } else {
            "Only its owner and editors see who watched."
        };
        return Err(match wanted {
            Some(_) => html! {
                <div class="page-state">
                    <Notice icon={Shape::Alert} title="This channel isn't yours." text={only}>
                        <Link to={home} classes="button button-primary">{ "Go to yours" }</Link>
                    </Notice>
                </div>
            },
            None => html! {
                <div class="page-state">
                    <section class="card sheet">
                        <h1>{ "Make your channel" }</h1>
                        <p class="quiet">{ "It is the address where people watch you." }</p>
                        <CreateForm />
                    </section>
                </div>
            },
        });
    };
    let switch = if known.len() > 1 {
        let choices: Vec<_> =
            known.iter().map(|one| Choice::new(one.name.as_str(), one.display_name.as_str())).collect();
        html! { <Select id="own-channel" label="Channel" value={channel.name.to_string()} choices={choices} on={other} /> }
    } else {
        Html::default()
    };
    Ok((Rc::new(channel.clone()), switch))
}

/// A page about one of the visitor's own channels.
#[derive(Properties, PartialEq)]
struct OwnPageProps {
    /// To go live on it; or who watched it.
    studio: bool,
    #[prop_or_default]
    channel: Option<AttrValue>,
    #[prop_or_default]
    broadcast: Option<AttrValue>,
}

#[component]
fn OwnPage(props: &OwnPageProps) -> Html {
    let site = use_site();
    let (studio, title) = (props.studio, if props.studio { "Studio" } else { "Analytics" });
    use_effect_with((title, site.name()), |(title, name)| page::set_title(&format!("{title} · {name}")));
    let at = move |channel: Option<String>| match channel {
        channel if !studio => Route::Analytics { channel, broadcast: None },
        Some(channel) => Route::StudioOf { channel },
        None => Route::Studio,
    };
    let other = Callback::from(move |name: String| at(Some(name)).open());
    let (channel, switch) = match own_channel(&site, props.channel.as_deref(), studio, at(None), other) {
        Ok(own) => own,
        Err(instead) => return instead,
    };
    let key = channel.name.to_string();
    if studio {
        let details = html! { <Details channel={channel.clone()} /> };
        let chat = html! {
            <div class="studio-chat"><ChatPanel channel={channel.name.clone()} place={Place::Beside} /></div>
        };
        let activity = html! { <Activity channel={channel.name.clone()} /> };
        html! {
            <Studio key={key} channel={channel} details={details} chat={chat} activity={activity} switch={switch} />
        }
    } else {
        html! { <Analytics key={key} channel={channel} broadcast={props.broadcast.clone()} switch={switch} /> }
    }
}

/// The channels that somebody goes live on; or those of which they see who watched.
fn known(me: &Me, studio: bool) -> Vec<&Channel> {
    let edits: &[Channel] = if studio { &[] } else { &me.edits };
    me.channels.iter().chain(edits).collect()
}

#[component]
fn AdminPage() -> Html {
    match signed_in(&use_site()) {
        Ok(me) => html! { <Admin me={me} emotes={html! { <Emotes /> }} /> },
        Err(instead) => instead,
    }
}

#[derive(Properties, PartialEq)]
struct AuditPageProps {
    #[prop_or_default]
    channel: Option<AttrValue>,
}

#[component]
fn AuditPage(props: &AuditPageProps) -> Html {
    match signed_in(&use_site()) {
        Ok(_) => {
            html! { <Audit key={props.channel.clone().unwrap_or_default().to_string()} channel={props.channel.clone()} /> }
        }
        Err(instead) => instead,
    }
}

#[derive(Properties, PartialEq)]
struct ModerationPageProps {
    channel: ChannelName,
}

#[component]
fn ModerationPage(props: &ModerationPageProps) -> Html {
    let activity = use_callback(props.channel.clone(), |look: Callback<PersonId>, channel| {
        html! { <Activity channel={channel.clone()} look={look} /> }
    });
    match signed_in(&use_site()) {
        Ok(_) => html! {
            <Moderation key={props.channel.to_string()} channel={props.channel.clone()} activity={activity} />
        },
        Err(instead) => instead,
    }
}

#[component]
fn OwnNotifications() -> Html {
    match signed_in(&use_site()) {
        Ok(_) => html! { <NotificationsPage /> },
        Err(instead) => instead,
    }
}

/// Said to its owner.
fn suspended() -> Html {
    words(
        "p",
        "callout",
        "Those who run this instance have suspended this channel: it can't publish, and nobody else sees it. Ask them why.",
    )
}

#[component]
fn SettingsPage() -> Html {
    let site = use_site();
    let me = match signed_in(&site) {
        Ok(me) => me,
        Err(instead) => return instead,
    };
    let channel = |(at, channel): (usize, &Channel)| {
        html! {
            <details class="card more" key={channel.id.to_string()} open={at == 0}>
                <summary>
                    <h2>{ channel.display_name.as_str() }<span class="quiet">{ format!("/{}", channel.name) }</span></h2>
                </summary>
                if channel.suspended { { suspended() } }
                <Details channel={Rc::new(channel.clone())} full=true />
                <details class="more"><summary>{ "Editors and VIPs" }</summary>
                    <Roles channel={channel.name.clone()} /></details>
                <details class="more"><summary>{ "Who gets in while it is private" }</summary>
                    <Access channel={channel.name.clone()} /></details>
                <details class="more"><summary>{ "Subscriptions and gift codes" }</summary>
                    <Supporters channel={channel.name.clone()} /></details>
                <details class="more"><summary>{ "Emotes" }</summary>
                    <Emotes channel={channel.name.clone()} /></details>
                <details class="more"><summary>{ "Badges of subscribers" }</summary>
                    <Badges channel={channel.name.clone()} /></details>
                <details class="more"><summary>{ "Stream key and OBS" }</summary>
                    <ObsCard channel={channel.name.clone()} /></details>
                <details class="more"><summary>{ "Webhooks" }</summary>
                    <Webhooks channel={channel.name.clone()} /></details>
                <details class="more"><summary>{ "Delete the channel" }</summary>
                    <Delete channel={channel.clone()} /></details>
                <Link to={Route::Audit { channel: Some(channel.name.to_string()) }} classes="button">
                    { "What was done here" }</Link>
            </details>
        }
    };
    let edited = |channel: &Channel| {
        html! {
            <details class="card more" key={channel.id.to_string()}>
                <summary>
                    <h2>{ channel.display_name.as_str() }<span class="quiet">{ format!("/{} · you are an editor", channel.name) }</span></h2>
                </summary>
                <Details channel={Rc::new(channel.clone())} full=true own=false />
                <details class="more"><summary>{ "Emotes" }</summary>
                    <Emotes channel={channel.name.clone()} /></details>
                <details class="more"><summary>{ "Badges of subscribers" }</summary>
                    <Badges channel={channel.name.clone()} /></details>
            </details>
        }
    };
    let channels = html! {
        <>
            { for me.channels.iter().enumerate().map(channel) }
            { for me.edits.iter().map(edited) }
            <section class="card" aria-labelledby="another-title">
                <h2 id="another-title">{ if me.channels.is_empty() { "Make your channel" } else { "Make another channel" } }</h2>
                <CreateForm />
            </section>
        </>
    };
    html! { <Settings me={me.clone()} channels={channels} /> }
}
