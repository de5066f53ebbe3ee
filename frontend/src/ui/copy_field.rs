//! A text to copy, hidden if it is a secret.

use super::{button::IconButton, icon::Shape};
use crate::browser::{self, page, time};
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
    /// How many lines show.
    #[prop_or(1)]
    pub rows: u32,
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
    // Said here and not in a toast: an open dialog covers those, for eyes and screen readers.
    let copied = use_state(|| None::<bool>);
    {
        let copied = copied.clone();
        use_effect_with(*copied, move |done| {
            let timer = (*done == Some(true)).then(|| time::after(2000, move || copied.set(None)));
            move || drop(timer)
        });
    }
    let copy = {
        let (value, copied) = (props.value.to_string(), copied.clone());
        Callback::from(move |()| {
            let (value, copied) = (value.clone(), copied.clone());
            browser::spawn(async move { copied.set(Some(page::copy(value).await)) });
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
                if props.rows > 1 {
                    <textarea id={props.id.clone()} readonly=true value={props.value.clone()} spellcheck="false"
                        rows={props.rows.to_string()} data-testid={props.testid.clone()} />
                } else {
                    <input id={props.id.clone()} readonly=true value={props.value.clone()} data-testid={props.testid.clone()}
                        type={if hidden { "password" } else { "text" }} autocomplete="off" spellcheck="false" />
                }
                if props.secret {
                    <IconButton icon={if hidden { Shape::Eye } else { Shape::EyeOff }} on={toggle}
                        label={format!("{} {}", if hidden { "Show" } else { "Hide" }, props.label)} />
                }
                <IconButton icon={if *copied == Some(true) { Shape::Check } else { Shape::Copy }}
                    label={format!("Copy {}", props.label)} on={copy} />
            </div>
            <p class={if *copied == Some(false) { "field-note field-error" } else { "unseen" }} role="status">
                { match *copied {
                    Some(true) => "Copied",
                    Some(false) => "This browser doesn't let pages copy: select the text and copy it yourself.",
                    None => "",
                } }
            </p>
        </div>
    }
}
