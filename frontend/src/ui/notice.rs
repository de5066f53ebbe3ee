//! What is said where something else would be: empty, broken, over.

use super::icon::{Shape, icon};
use yew::prelude::*;

/// Properties of [`Notice`].
#[derive(Properties, PartialEq)]
pub struct NoticeProps {
    /// Above the words.
    #[prop_or_default]
    pub icon: Option<Shape>,
    /// What happened.
    pub title: AttrValue,
    /// What Weir does about it, or what it means.
    #[prop_or_default]
    pub text: Option<AttrValue>,
    /// What the person can do.
    #[prop_or_default]
    pub children: Html,
}

/// A short message with what to do.
#[component]
pub fn Notice(props: &NoticeProps) -> Html {
    html! {
        <div class="notice" role="status">
            if let Some(shape) = props.icon { { icon(shape) } }
            <p class="notice-title">{ props.title.clone() }</p>
            if let Some(text) = &props.text { <p class="notice-text">{ text.clone() }</p> }
            <div class="notice-actions">{ props.children.clone() }</div>
        </div>
    }
}
