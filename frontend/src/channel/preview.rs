//! A broadcast that plays without sound where it is announced.

use crate::{
    api::whep::{Watching, Why},
    browser::{self, media::Stream, rtc::Link, video},
};
use shared::id::ChannelName;
use std::{cell::RefCell, rc::Rc};
use yew::prelude::*;

/// Properties of [`Preview`].
#[derive(Properties, PartialEq)]
pub struct PreviewProps {
    /// What plays. Another broadcast is another preview: give it another key.
    pub channel: ChannelName,
}

/// The picture, muted. Where it doesn't come, what lies under it stays to be seen.
#[component]
pub fn Preview(props: &PreviewProps) -> Html {
    let node = use_node_ref();
    let shown = use_state(|| false);
    {
        let (node, shown) = (node.clone(), shown.clone());
        use_effect_with(props.channel.clone(), move |channel| {
            let slot: Rc<RefCell<Option<Watching>>> = Rc::default();
            let stream = Stream::empty();
            let (lost, video, hide) = (Rc::downgrade(&slot), node.clone(), shown.clone());
            let watching = Watching::new(
                move |link| {
                    if matches!(link, Link::Failed | Link::Disconnected) {
                        hide.set(false);
                        if let Some(slot) = lost.upgrade() {
                            // Not from within the connection that goes.
                            browser::spawn(async move { drop(slot.take()) });
                        }
                    }
                },
                move |track| {
                    if let Some(stream) = &stream {
                        stream.add(&track);
                        video::set_sound(&video, 0.0, true);
                        video::attach(&video, Some(stream));
                        let video = video.clone();
                        browser::spawn(async move {
                            video::play(&video).await;
                        });
                    }
                },
            );
            if let Some(watching) = watching {
                let asking = watching.ask(channel, Why::Preview);
                *slot.borrow_mut() = Some(watching);
                let refused = slot.clone();
                browser::spawn(async move {
                    if asking.await.is_err() {
                        refused.take();
                    }
                });
            }
            let first = video::frames(&node, move |_| shown.set(true));
            move || {
                drop(first);
                drop(slot.take());
            }
        });
    }
    html! {
        <video ref={node} class={classes!("preview-video", (!*shown).then_some("video-hidden"))} autoplay=true
            muted=true playsinline=true tabindex="-1" aria-hidden="true"></video>
    }
}
