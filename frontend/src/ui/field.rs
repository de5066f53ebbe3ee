//! Form fields with label, hint and error.

use crate::browser::page;
use yew::prelude::*;

/// Properties of [`TextField`] and [`Lines`].
#[derive(Properties, PartialEq)]
pub struct TextFieldProps {
    /// Stable, unique on the page.
    pub id: AttrValue,
    /// What to write.
    pub label: AttrValue,
    /// What is written.
    pub value: AttrValue,
    /// With each change.
    pub on: Callback<String>,
    /// When the person leaves it.
    #[prop_or_default]
    pub on_left: Callback<()>,
    /// `text`, `password`…
    #[prop_or(AttrValue::Static("text"))]
    pub kind: AttrValue,
    /// Helps browsers to fill it.
    #[prop_or_default]
    pub autocomplete: Option<AttrValue>,
    /// More words under it.
    #[prop_or_default]
    pub hint: Option<AttrValue>,
    /// What is wrong.
    #[prop_or_default]
    pub error: Option<AttrValue>,
    /// In front of the text, as part of it.
    #[prop_or_default]
    pub prefix: Option<AttrValue>,
    /// A dialog that opens puts the focus here.
    #[prop_or_default]
    pub autofocus: bool,
    /// To find it in tests.
    #[prop_or_default]
    pub testid: Option<AttrValue>,
}

fn below(props: &TextFieldProps) -> (Option<String>, Html) {
    let id = format!("{}-note", props.id);
    if let Some(error) = &props.error {
        (
            Some(id.clone()),
            html! { <p id={id} class="field-note field-error" role="alert">{ error.clone() }</p> },
        )
    } else if let Some(hint) = &props.hint {
        (Some(id.clone()), html! { <p id={id} class="field-note">{ hint.clone() }</p> })
    } else {
        (None, Html::default())
    }
}

/// A line of text.
#[component]
pub fn TextField(props: &TextFieldProps) -> Html {
    let (on, left) = (props.on.clone(), props.on_left.clone());
    let (note, below) = below(props);
    let input = html! {
        <input id={props.id.clone()} type={props.kind.clone()} value={props.value.clone()}
            autocomplete={props.autocomplete.clone()} autocapitalize="none" spellcheck="false" autofocus={props.autofocus}
            aria-invalid={props.error.is_some().then_some("true")} aria-describedby={note}
            oninput={move |event: InputEvent| on.emit(page::typed(&event))}
            onblur={move |_: FocusEvent| left.emit(())} data-testid={props.testid.clone()} />
    };
    html! {
        <div class="field">
            <label for={props.id.clone()}>{ props.label.clone() }</label>
            if let Some(prefix) = &props.prefix {
                <div class="field-prefixed"><span aria-hidden="true">{ prefix.clone() }</span>{ input }</div>
            } else {
                { input }
            }
            { below }
        </div>
    }
}

/// Several lines of text.
#[component]
pub fn Lines(props: &TextFieldProps) -> Html {
    let (on, left) = (props.on.clone(), props.on_left.clone());
    let (note, below) = below(props);
    html! {
        <div class="field">
            <label for={props.id.clone()}>{ props.label.clone() }</label>
            <textarea id={props.id.clone()} rows="4" value={props.value.clone()}
                aria-invalid={props.error.is_some().then_some("true")} aria-describedby={note}
                oninput={move |event: InputEvent| on.emit(page::typed(&event))}
                onblur={move |_: FocusEvent| left.emit(())} data-testid={props.testid.clone()} />
            { below }
        </div>
    }
}

/// One of the things to pick from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What it is known by.
    pub value: String,
    /// What it is called.
    pub label: String,
}

impl Choice {
    /// A choice.
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into() }
    }
}

/// Properties of [`Select`].
#[derive(Properties, PartialEq)]
pub struct SelectProps {
    /// Stable, unique on the page.
    pub id: AttrValue,
    /// What to pick.
    pub label: AttrValue,
    /// What is picked.
    pub value: AttrValue,
    /// What there is.
    pub choices: Vec<Choice>,
    /// When another is picked.
    pub on: Callback<String>,
    /// Can't be changed now.
    #[prop_or_default]
    pub disabled: bool,
    /// More words under it.
    #[prop_or_default]
    pub hint: Option<AttrValue>,
    /// To find it in tests.
    #[prop_or_default]
    pub testid: Option<AttrValue>,
}

/// A list to pick one from. It shows what it is told to show, and not what was picked and then refused.
#[component]
pub fn Select(props: &SelectProps) -> Html {
    let on = props.on.clone();
    let node = use_node_ref();
    {
        let (node, value) = (node.clone(), props.value.clone());
        let is_there = props.choices.iter().any(|choice| choice.value == *value);
        // With each drawing: to the one before, nothing may have changed.
        use_effect(move || {
            if is_there {
                page::show_value(&node, &value);
            }
        });
    }
    let option = |choice: &Choice| {
        html! {
            <option value={choice.value.clone()} selected={choice.value == *props.value}>{ &choice.label }</option>
        }
    };
    html! {
        <div class="field">
            <label for={props.id.clone()}>{ props.label.clone() }</label>
            <select ref={node} id={props.id.clone()} disabled={props.disabled} data-testid={props.testid.clone()}
                onchange={move |event: Event| on.emit(page::value_of(&event))}>
                { for props.choices.iter().map(option) }
            </select>
            if let Some(hint) = &props.hint { <p class="field-note">{ hint.clone() }</p> }
        </div>
    }
}
