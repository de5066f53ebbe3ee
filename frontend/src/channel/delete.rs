//! Deleting a channel.

use crate::{
    api::{Who, erase, use_site},
    ui::{Button, Erasure, GONE_WITH_A_CHANNEL, Kind, use_erasure, use_toast, words},
};
use shared::channel::Channel;
use std::rc::Rc;
use yew::prelude::*;

/// Properties of [`Delete`].
#[derive(Properties, PartialEq)]
pub struct DeleteProps {
    /// Which.
    pub channel: Channel,
}

/// A button that asks first.
#[component]
pub fn Delete(props: &DeleteProps) -> Html {
    let site = use_site();
    let toast = use_toast();
    let (ask, question) = use_erasure();
    let channel = &props.channel;
    let name = channel.name.to_string();
    let on = {
        let (channel, name) = (channel.clone(), name.clone());
        Callback::from(move |()| {
            let (site, toast, id) = (site.clone(), toast.clone(), channel.id.clone());
            let act = erase(format!("channels/{name}/delete"), move || {
                if let Some(me) = site.me() {
                    let mut me = (*me).clone();
                    me.channels.retain(|one| one.id != id);
                    site.set_who.emit(Who::Somebody(Rc::new(me)));
                }
                toast.emit("The channel is gone".to_owned());
            });
            ask.emit(Erasure {
                title: format!("Delete the channel {}?", channel.display_name),
                text: GONE_WITH_A_CHANNEL.to_owned(),
                word: name.clone(),
                what: "its address",
                label: "Delete the channel",
                act,
            });
        })
    };
    html! {
        <div class="form">
            { words("p", "quiet", GONE_WITH_A_CHANNEL) }
            <Button label="Delete the channel" name={format!("Delete the channel {name}")} kind={Kind::Danger} on={on}
                testid="delete-channel" />
            { question }
        </div>
    }
}
