//! Publishing with another program: address, key, settings.

use crate::{
    api::rest,
    browser::{self, page},
    ui::{Button, CopyField, Kind, Question, Told, use_question},
};
use shared::id::ChannelName;
use yew::prelude::*;

/// Properties of [`ObsCard`].
#[derive(Properties, PartialEq)]
pub struct ObsCardProps {
    /// Where it publishes to.
    pub channel: ChannelName,
    /// The key, if it was made just now: it is shown this once.
    #[prop_or_default]
    pub stream_key: Option<AttrValue>,
}

/// How to publish with OBS.
#[component]
pub fn ObsCard(props: &ObsCardProps) -> Html {
    let key = use_state(|| props.stream_key.clone());
    let (ask, question) = use_question();
    let rotate = {
        let (key, channel) = (key.setter(), props.channel.clone());
        Callback::from(move |told: Told| {
            let (key, channel) = (key.clone(), channel.clone());
            browser::spawn(async move {
                match rest::rotate_stream_key(&channel).await {
                    Ok(new) => {
                        key.set(Some(new.stream_key.into()));
                        told.emit(None);
                    }
                    Err(failure) => told.emit(Some(failure.refusal())),
                }
            });
        })
    };
    let ask = Callback::from(move |()| {
        ask.emit(Question {
            title: "Make a new stream key?".to_owned(),
            text: "The old key stops working at once. What is live with it ends.",
            keep: "Keep the old key",
            label: "Make a new key",
            kind: Kind::Danger,
            act: rotate.clone(),
        })
    });
    let server = format!("{}/whip/{}", page::origin(), props.channel);
    html! {
        <section class="card obs" aria-labelledby="obs-title" data-testid="obs">
            <h2 id="obs-title">{ "Use OBS instead" }</h2>
            <p class="quiet">{ "OBS 30 or later, or any program that speaks WHIP." }</p>
            <CopyField id="obs-server" label="Server" value={server} testid="whip-url" />
            if let Some(key) = &*key {
                <CopyField id="obs-key" label="Stream key" value={key.clone()} secret=true testid="stream-key" />
                <p class="field-note">{ "Shown this once: copy it now. Whoever has it can broadcast here." }</p>
            } else {
                <div class="field">
                    <span class="label">{ "Stream key" }</span>
                    <p class="field-note">{ "Only you have it: it is shown once, when it is made." }</p>
                    <div><Button label="Make a new key" on={ask} testid="rotate-key" /></div>
                </div>
            }
            <ol class="steps">
                <li>{ "Settings → Stream → Service: " }<b>{ "WHIP" }</b></li>
                <li>{ "Server: the address above. Bearer Token: the stream key." }</li>
                <li>{ "Output → Keyframe interval: " }<b>{ "2 s" }</b>{ ", B-frames: " }<b>{ "0" }</b></li>
            </ol>
            { question }
        </section>
    }
}
