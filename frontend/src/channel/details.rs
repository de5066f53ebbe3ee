//! What a channel says of itself, to be changed by its owner. Each field is kept as soon as it is left.

use super::{
    embedding::embedding, pictures::Pictures, planning::Planning, signed::SignedEmbeds, telling::Telling,
};
use crate::{
    api::{rest, use_site},
    browser,
    ui::{Choice, Lines, Select, Tags, TextField, format_state},
};
use shared::{
    channel::{Channel, EditChannel, TAGS_MOST, Visibility},
    text::{Category, Description, DisplayName, Tag, TextError, Title},
};
use std::{collections::HashMap, rc::Rc, str::FromStr};
use yew::prelude::*;

/// Properties of [`Details`].
#[derive(Properties, PartialEq)]
pub struct DetailsProps {
    /// As it is.
    pub channel: Rc<Channel>,
    /// The one who edits owns it, and says who may see it.
    #[prop_or(true)]
    pub own: bool,
    /// With what rarely changes, too.
    #[prop_or_default]
    pub full: bool,
}

#[derive(Clone, PartialEq)]
struct Draft {
    title: String,
    category: String,
    display_name: String,
    description: String,
}

impl Draft {
    fn of(channel: &Channel) -> Self {
        Self {
            title: channel.title.to_string(),
            category: channel.category.to_string(),
            display_name: channel.display_name.to_string(),
            description: channel.description.to_string(),
        }
    }
}

type Errors = HashMap<&'static str, String>;

fn parsed<T: FromStr<Err = TextError> + PartialEq>(
    text: &str,
    now: &T,
    field: &'static str,
    errors: &mut Errors,
) -> Option<T> {
    match text.parse::<T>() {
        Ok(value) => Some(value).filter(|value| value != now),
        Err(error) => {
            errors.insert(field, format_state::sentence(&error.to_string()));
            None
        }
    }
}

/// The form.
#[component]
pub fn Details(props: &DetailsProps) -> Html {
    let site = use_site();
    let draft = use_state(|| Draft::of(&props.channel));
    let errors = use_state(Errors::new);
    let state = use_state(|| "");
    {
        let draft = draft.clone();
        use_effect_with(props.channel.id.clone(), {
            let channel = props.channel.clone();
            move |_| draft.set(Draft::of(&channel))
        });
    }
    let send = {
        let (site, channel, errors, state) =
            (site.clone(), props.channel.clone(), errors.clone(), state.clone());
        Callback::from(move |edit: EditChannel| {
            let (site, name, errors, state) =
                (site.clone(), channel.name.clone(), errors.clone(), state.clone());
            state.set("Saving …");
            // Lists show at once what was added, so that the next one is added to it and not to what was there before; what
            // is picked shows at once, too.
            let (before, mut now) = (channel.clone(), (*channel).clone());
            if let Some(tags) = &edit.tags {
                now.tags.clone_from(tags);
            }
            if let Some(embedding) = &edit.embedding {
                now.embedding.clone_from(embedding);
            }
            if let Some(visibility) = edit.visibility {
                now.visibility = visibility;
            }
            site.put(&now);
            browser::spawn(async move {
                match rest::edit_channel(&name, &edit).await {
                    Ok(channel) => {
                        site.put(&channel);
                        errors.set(Errors::new());
                        state.set("Saved");
                    }
                    Err(failure) => {
                        site.put(&before);
                        let field = ["title", "category", "displayName", "description", "tags"]
                            .into_iter()
                            .find(|field| failure.field() == Some(field))
                            .unwrap_or("");
                        errors.set(Errors::from([(field, failure.refusal())]));
                        state.set("");
                    }
                }
            });
        })
    };
    let save = {
        let (draft, channel, errors, state, send) =
            (draft.clone(), props.channel.clone(), errors.clone(), state.clone(), send.clone());
        Callback::from(move |()| {
            let mut wrong = Errors::new();
            let edit = EditChannel {
                title: parsed::<Title>(&draft.title, &channel.title, "title", &mut wrong),
                category: parsed::<Category>(&draft.category, &channel.category, "category", &mut wrong),
                display_name: parsed::<DisplayName>(
                    &draft.display_name,
                    &channel.display_name,
                    "displayName",
                    &mut wrong,
                ),
                description: parsed::<Description>(
                    &draft.description,
                    &channel.description,
                    "description",
                    &mut wrong,
                ),
                tags: None,
                visibility: None,
                embedding: None,
                about: None,
            };
            if !wrong.is_empty() {
                errors.set(wrong);
                state.set("");
                return;
            }
            errors.set(wrong);
            let changed = edit.title.is_some()
                || edit.category.is_some()
                || edit.display_name.is_some()
                || edit.description.is_some();
            if changed {
                send.emit(edit);
            }
        })
    };
    let on_tags = {
        let send = send.clone();
        Callback::from(move |tags: Vec<String>| -> Option<String> {
            let parsed: Result<Vec<Tag>, TextError> = tags.iter().map(|tag| tag.parse()).collect();
            match parsed {
                Ok(tags) => {
                    send.emit(EditChannel { tags: Some(tags), ..EditChannel::default() });
                    None
                }
                Err(error) => Some(format_state::sentence(&error.to_string())),
            }
        })
    };
    let on_visibility = {
        let send = send.clone();
        Callback::from(move |value: String| {
            let visibility = match value.as_str() {
                "unlisted" => Visibility::Unlisted,
                "private" => Visibility::Private,
                _ => Visibility::Public,
            };
            send.emit(EditChannel { visibility: Some(visibility), ..EditChannel::default() });
        })
    };
    let change = |set: fn(&mut Draft, String)| {
        let (draft, state) = (draft.clone(), state.clone());
        Callback::from(move |text: String| {
            let mut next = (*draft).clone();
            set(&mut next, text);
            draft.set(next);
            state.set("");
        })
    };
    let error = |field: &str| errors.get(field).cloned().map(AttrValue::from);
    let visibility = match props.channel.visibility {
        Visibility::Public => "public",
        Visibility::Unlisted => "unlisted",
        Visibility::Private => "private",
    };
    let id = |field: &str| format!("{}-{field}", props.channel.name);
    let onsubmit = {
        let save = save.clone();
        move |event: SubmitEvent| {
            event.prevent_default();
            save.emit(());
        }
    };
    html! {
        <>
        <form class="form" onsubmit={onsubmit} novalidate=true>
            <TextField id={id("title")} label="Title" value={draft.title.clone()} error={error("title")} testid="title"
                on={change(|draft, text| draft.title = text)} on_left={save.clone()} hint="What this broadcast is about." />
            <TextField id={id("category")} label="Category" value={draft.category.clone()} error={error("category")}
                testid="category" on={change(|draft, text| draft.category = text)} on_left={save.clone()}
                hint="A game, Music, Talk …" />
            <Tags id={id("tags")} label="Tags" most={TAGS_MOST} on={on_tags}
                tags={props.channel.tags.iter().map(ToString::to_string).collect::<Vec<_>>()} />
            if props.own { <Select id={id("visibility")} label="Who can watch" value={visibility} on={on_visibility} testid="visibility"
                choices={vec![
                    Choice::new("public", "Everyone: listed on the first page"),
                    Choice::new("unlisted", "Whoever has the address"),
                    Choice::new("private", "Only those whom you let in, and pages that you give a signed embed"),
                ]} /> }
            if props.full {
                <TextField id={id("name")} label="Name that people see" value={draft.display_name.clone()}
                    error={error("displayName")} on={change(|draft, text| draft.display_name = text)} on_left={save.clone()} />
                <Lines id={id("description")} label="In short" value={draft.description.clone()}
                    error={error("description")} on={change(|draft, text| draft.description = text)} on_left={save.clone()} />
                if props.own {
                    { embedding(&props.channel, &send) }
                    <SignedEmbeds channel={props.channel.name.clone()} />
                }
            }
            // Enter sends a form of several fields only where there is a button to send it.
            <button hidden=true></button>
            if let Some(error) = error("") { <p class="field-note field-error" role="alert">{ error }</p> }
            <p class="field-note form-state" role="status" data-testid="saved">{ *state }</p>
        </form>
        if props.full {
            <details class="more"><summary>{ "Pictures" }</summary><Pictures channel={props.channel.clone()} /></details>
            <details class="more"><summary>{ "About, at length" }</summary><Telling channel={props.channel.name.clone()} /></details>
            <details class="more"><summary>{ "Schedule" }</summary><Planning channel={props.channel.name.clone()} /></details>
        }
        </>
    }
}
