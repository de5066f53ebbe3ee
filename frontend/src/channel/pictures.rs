//! A channel's own pictures, to be changed by its owner and editors. Each is kept as soon as it is picked.

use crate::{
    api::{rest, use_site},
    browser::{self, file},
    ui::{Button, Kind, Question, Told, alert, el_with, portrait, use_question, use_toast},
};
use serde_json::json;
use shared::channel::Channel;
use std::rc::Rc;
use yew::prelude::*;

/// The most bytes of a picture.
const PICTURE_MOST: f64 = 4.0 * 1024.0 * 1024.0;

/// Properties of [`Pictures`].
#[derive(Properties, PartialEq)]
pub struct PicturesProps {
    /// Whose.
    pub channel: Rc<Channel>,
}

/// The picture beside the channel's name, and the one across its page.
#[component]
pub fn Pictures(props: &PicturesProps) -> Html {
    html! {
        <div class="form">
            <Picture channel={props.channel.clone()} banner=false />
            <Picture channel={props.channel.clone()} banner=true />
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct PictureProps {
    channel: Rc<Channel>,
    banner: bool,
}

#[component]
fn Picture(props: &PictureProps) -> Html {
    let (site, toast) = (use_site(), use_toast());
    let (wrong, busy) = (use_state(|| None::<String>), use_state(|| false));
    let (ask, question) = use_question();
    let (channel, is_banner) = (&props.channel, props.banner);
    let place = if is_banner { "banner" } else { "avatar" };
    let on_file = {
        let (site, toast, wrong, busy) = (site.clone(), toast.clone(), wrong.setter(), busy.setter());
        let name = channel.name.clone();
        move |event: Event| {
            let Some(file) = file::picked(&event) else { return };
            if file.size() > PICTURE_MOST {
                return wrong.set(Some(
                    "A picture has at most 4 MB. Make it smaller, or pick another one.".to_owned(),
                ));
            }
            wrong.set(None);
            busy.set(true);
            let (site, toast, wrong, busy) = (site.clone(), toast.clone(), wrong.clone(), busy.clone());
            let name = name.clone();
            browser::spawn(async move {
                let said = match file.base64().await {
                    None => Some("This file can't be read. Pick it again, or another one.".to_owned()),
                    Some(image) => {
                        match rest::set_channel_picture(&name, place, Some(json!({ "image": image }))).await {
                            Ok(channel) => {
                                site.put(&channel);
                                toast.emit("The channel shows it now".to_owned());
                                None
                            }
                            Err(failure) => Some(failure.refusal()),
                        }
                    }
                };
                wrong.set(said);
                busy.set(false);
            });
        }
    };
    let remove = {
        let act = {
            let (site, toast, wrong, name) =
                (site.clone(), toast.clone(), wrong.setter(), channel.name.clone());
            Callback::from(move |told: Told| {
                let (site, toast, wrong, name) = (site.clone(), toast.clone(), wrong.clone(), name.clone());
                browser::spawn(async move {
                    match rest::set_channel_picture(&name, place, None).await {
                        Ok(channel) => {
                            wrong.set(None);
                            site.put(&channel);
                            toast.emit("The picture is gone".to_owned());
                            told.emit(None);
                        }
                        Err(failure) => told.emit(Some(failure.refusal())),
                    }
                });
            })
        };
        let title = format!(
            "Remove the {} of {}?",
            if is_banner { "banner" } else { "picture" },
            channel.display_name
        );
        Callback::from(move |()| {
            ask.emit(Question {
                title: title.clone(),
                text: if is_banner {
                    "The page begins with the video again. To have it back, you need the file again."
                } else {
                    "The owner's own picture is shown in its place. To have it back, you need the file again."
                },
                keep: "Keep it",
                label: "Remove",
                kind: Kind::Danger,
                act: act.clone(),
            })
        })
    };
    let (shown, label, name, testid, is_there) = if is_banner {
        let shown = channel
            .banner
            .as_deref()
            .map(|address| el_with("img", "banner", &[("src", address), ("alt", "")], Vec::new()));
        (
            shown.unwrap_or_default(),
            "Choose a banner",
            "Remove the banner",
            "channel-banner",
            channel.banner.is_some(),
        )
    } else {
        let shown = portrait(
            channel.avatar.as_deref(),
            channel.display_name.as_str(),
            channel.name.as_str(),
            "medium",
        );
        (shown, "Choose a picture", "Remove the picture", "channel-avatar", channel.own_avatar)
    };
    html! {
        <>
            <div class="picture">
                { shown }
                <label class="button file-button">
                    <input type="file" accept="image/png,image/jpeg,image/webp,image/gif" onchange={on_file}
                        disabled={*busy} data-testid={testid} />
                    <span>{ if *busy { "Sending …" } else { label } }</span>
                </label>
                if is_there {
                    <Button label="Remove" name={name} on={remove} disabled={*busy} testid={format!("remove-{testid}")} />
                }
            </div>
            if is_banner {
                <p class="field-note">{ "The banner is four times as wide as it is high. Of another picture, the middle is taken." }</p>
            }
            { alert((*wrong).clone()) }
            { question }
        </>
    }
}
