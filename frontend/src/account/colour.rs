//! The colour of one's name in chats.

use crate::{
    api::{Who, rest, use_site},
    browser,
    ui::{alert, use_toast},
};
use serde_json::json;
use shared::{account::Me, badge::NameColour};
use std::rc::Rc;
use yew::prelude::*;

/// Properties of [`Colour`].
#[derive(Properties, PartialEq)]
pub struct ColourProps {
    /// Whose.
    pub me: Rc<Me>,
}

/// What people call a colour.
fn label(colour: NameColour) -> String {
    let name = colour.name();
    name[..1].to_ascii_uppercase() + &name[1..]
}

/// The hues to choose from, each as names are shown in it. Kept as soon as one is picked.
#[component]
pub fn Colour(props: &ColourProps) -> Html {
    let (site, toast) = (use_site(), use_toast());
    let (wrong, busy) = (use_state(|| None::<String>), use_state(|| false));
    let now = props.me.colour;
    let pick = |colour: Option<NameColour>| {
        let (set_who, toast) = (site.set_who.clone(), toast.clone());
        let (wrong, busy) = (wrong.setter(), busy.setter());
        move |_: Event| {
            let (set_who, toast, wrong, busy) = (set_who.clone(), toast.clone(), wrong.clone(), busy.clone());
            wrong.set(None);
            busy.set(true);
            browser::spawn(async move {
                match rest::set_colour(json!({ "colour": colour })).await {
                    Ok(me) => {
                        set_who.emit(Who::Somebody(Rc::new(me)));
                        toast.emit("Chats show your name so from now on".to_owned());
                    }
                    Err(failure) => wrong.set(Some(failure.refusal())),
                }
                busy.set(false);
            });
        }
    };
    let hue = |colour: Option<NameColour>| {
        let (label, testid) = match colour {
            Some(colour) => (label(colour), format!("hue-{}", colour.name())),
            None => ("By itself".to_owned(), "hue-auto".to_owned()),
        };
        let style = colour.map(|colour| format!("color:var(--name-{})", colour as u32));
        html! {
            <label class="hue" style={style}>
                <input type="radio" name="hue" checked={now == colour} disabled={*busy} onchange={pick(colour)}
                    data-testid={testid} />
                <b>{ label }</b>
            </label>
        }
    };
    let all = std::iter::once(None).chain(NameColour::ALL.iter().copied().map(Some));
    html! {
        <fieldset class="hues" data-testid="hues">
            <legend>{ "Colour of your name in chats" }</legend>
            { for all.map(hue) }
            { alert((*wrong).clone()) }
        </fieldset>
    }
}
