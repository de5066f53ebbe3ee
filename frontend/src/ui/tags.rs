//! A field for a few short words.

use super::icon::{Shape, icon};
use crate::browser::page;
use yew::prelude::*;

/// Properties of [`Tags`].
#[derive(Properties, PartialEq)]
pub struct TagsProps {
    /// Stable, unique on the page.
    pub id: AttrValue,
    /// What they are.
    pub label: AttrValue,
    /// Those that are there.
    pub tags: Vec<String>,
    /// What stands in the empty field.
    #[prop_or(AttrValue::Static("Add one and press Enter"))]
    pub placeholder: AttrValue,
    /// More words under it.
    #[prop_or_default]
    pub hint: Option<AttrValue>,
    /// The most there can be.
    pub most: usize,
    /// With each change; answers with what is wrong with a new word.
    pub on: Callback<Vec<String>, Option<String>>,
}

/// A field for a few short words: Enter or a comma adds one, a press takes one away.
#[component]
pub fn Tags(props: &TagsProps) -> Html {
    let draft = use_state(String::new);
    let error = use_state(|| None::<String>);
    let add = {
        let (draft, error, tags, on, most) =
            (draft.clone(), error.clone(), props.tags.clone(), props.on.clone(), props.most);
        move || {
            let word = draft.trim().trim_matches(',').trim().to_owned();
            if word.is_empty() {
                return;
            }
            if tags.len() >= most {
                error.set(Some(format!("There is room for {most}. Take one away first.")));
                return;
            }
            let mut next = tags.clone();
            if !next.contains(&word) {
                next.push(word);
            }
            let wrong = on.emit(next);
            if wrong.is_none() {
                draft.set(String::new());
            }
            error.set(wrong);
        }
    };
    let onkeydown = {
        let add = add.clone();
        move |event: KeyboardEvent| {
            if event.key() == "Enter" || event.key() == "," {
                event.prevent_default();
                add();
            }
        }
    };
    let oninput = {
        let draft = draft.clone();
        move |event: InputEvent| draft.set(page::typed(&event))
    };
    let chip = |(at, tag): (usize, &String)| {
        let (tags, on) = (props.tags.clone(), props.on.clone());
        let remove = move |_: MouseEvent| {
            let mut next = tags.clone();
            next.remove(at);
            on.emit(next);
        };
        html! {
            <li key={tag.clone()}>
                <button type="button" class="chip" onclick={remove} aria-label={format!("Remove {tag}")}>
                    { tag }{ icon(Shape::Close) }
                </button>
            </li>
        }
    };
    html! {
        <div class="field">
            <label for={props.id.clone()}>{ props.label.clone() }</label>
            if !props.tags.is_empty() {
                <ul class="chips">{ for props.tags.iter().enumerate().map(chip) }</ul>
            }
            <input id={props.id.clone()} type="text" value={(*draft).clone()} placeholder={props.placeholder.clone()}
                oninput={oninput} onkeydown={onkeydown} onblur={move |_: FocusEvent| add()} />
            if let Some(hint) = props.hint.as_ref().filter(|_| error.is_none()) { <p class="field-note">{ hint.clone() }</p> }
            if let Some(error) = &*error { <p class="field-note field-error" role="alert">{ error }</p> }
        </div>
    }
}
