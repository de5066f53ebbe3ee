//! Buttons.

use super::icon::{Shape, icon};
use yew::prelude::*;

/// How much a button asks for attention.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// The one thing to press.
    Primary,
    /// Everything else.
    #[default]
    Plain,
    /// Takes something away.
    Danger,
}

impl Kind {
    /// The class that draws it.
    pub fn class(self) -> &'static str {
        match self {
            Self::Primary => "button button-primary",
            Self::Plain => "button",
            Self::Danger => "button button-danger",
        }
    }
}

/// Properties of [`Button`].
#[derive(Properties, PartialEq)]
pub struct ButtonProps {
    /// How much it asks for attention.
    #[prop_or_default]
    pub kind: Kind,
    /// In front of the label.
    #[prop_or_default]
    pub icon: Option<Shape>,
    /// What it does.
    pub label: AttrValue,
    /// The same in full, for screen readers, where several buttons have one label: it begins with the label.
    #[prop_or_default]
    pub name: Option<AttrValue>,
    /// When pressed; a button without it sends its form.
    #[prop_or_default]
    pub on: Option<Callback<()>>,
    /// Can't be pressed now.
    #[prop_or_default]
    pub disabled: bool,
    /// Something it started is under way.
    #[prop_or_default]
    pub busy: bool,
    /// Has the focus when its dialog opens.
    #[prop_or_default]
    pub autofocus: bool,
    /// To find it in tests.
    #[prop_or_default]
    pub testid: Option<AttrValue>,
}

/// A button with a label.
#[component]
pub fn Button(props: &ButtonProps) -> Html {
    let kind = if props.on.is_some() { "button" } else { "submit" };
    let onclick = props.on.clone().map(|on| Callback::from(move |_: MouseEvent| on.emit(())));
    html! {
        <button type={kind} class={props.kind.class()} disabled={props.disabled || props.busy}
            aria-busy={props.busy.then_some("true")} aria-label={props.name.clone()} autofocus={props.autofocus}
            onclick={onclick} data-testid={props.testid.clone()}>
            if let Some(shape) = props.icon { { icon(shape) } }
            <span>{ props.label.clone() }</span>
        </button>
    }
}

/// Properties of [`IconButton`].
#[derive(Properties, PartialEq)]
pub struct IconButtonProps {
    /// What it shows.
    pub icon: Shape,
    /// What it does, for the tooltip and screen readers.
    pub label: AttrValue,
    /// When pressed.
    pub on: Callback<()>,
    /// For a button that stays in: whether it is.
    #[prop_or_default]
    pub pressed: Option<bool>,
    /// To find it in tests.
    #[prop_or_default]
    pub testid: Option<AttrValue>,
}

/// A button that is an icon.
#[component]
pub fn IconButton(props: &IconButtonProps) -> Html {
    let on = props.on.clone();
    let pressed = props.pressed.map(|pressed| if pressed { "true" } else { "false" });
    html! {
        <button type="button" class="icon-button" title={props.label.clone()} aria-label={props.label.clone()}
            aria-pressed={pressed} onclick={move |_: MouseEvent| on.emit(())} data-testid={props.testid.clone()}>
            { icon(props.icon) }
        </button>
    }
}
