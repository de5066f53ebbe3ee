//! A text to copy, hidden if it is a secret.

use super::{button::IconButton, icon::Shape, toast::use_toast};
use crate::browser::{self, page};
use yew::prelude::*;

/// Properties of [`CopyField`].
#[derive(Properties, PartialEq)]
pub struct CopyFieldProps {
    /// Stable, unique on the page.
    pub id: AttrValue,
    /// What it is.
    pub label: AttrValue,
    /// The text.
    pub value: AttrValue,
    /// Hidden until asked for.
    #[prop_or_default]
    pub secret: bool,
    /// To find it in tests.
    #[prop_or_default]
    pub testid: Option<AttrValue>,
}

/// A text to copy.
#[component]
pub fn CopyField(props: &CopyFieldProps) -> Html {
    let shown = use_state(|| false);
    let toast = use_toast();
    let copy = {
        let (value, label) = (props.value.to_string(), props.label.clone());
        Callback::from(move |()| {
            let (value, label, toast) = (value.clone(), label.clone(), toast.clone());
            browser::spawn(async move {
                let done = page::copy(value).await;
                toast.emit(if done {
                    format!("{label} copied")
                } else {
                    "This browser doesn't let pages copy: select the text and copy it yourself".to_owned()
                });
            });
        })
    };
    let toggle = {
        let shown = shown.clone();
        Callback::from(move |()| shown.set(!*shown))
    };
    let hidden = props.secret && !*shown;
    html! {
        <div class="field">
            <label for={props.id.clone()}>{ props.label.clone() }</label>
            <div class="copy-field">
                <input id={props.id.clone()} readonly=true value={props.value.clone()} data-testid={props.testid.clone()}
                    type={if hidden { "password" } else { "text" }} autocomplete="off" spellcheck="false" />
                if props.secret {
                    <IconButton icon={if hidden { Shape::Eye } else { Shape::EyeOff }} on={toggle}
                        label={format!("{} {}", if hidden { "Show" } else { "Hide" }, props.label)} />
                }
                <IconButton icon={Shape::Copy} label={format!("Copy {}", props.label)} on={copy} />
            </div>
        </div>
    }
}
