//! What is said in the place of something that could not be loaded.

use super::{button::Button, element::alert, format_state::sentence};
use yew::prelude::*;

/// Properties of [`Trouble`].
#[derive(Properties, PartialEq)]
pub struct TroubleProps {
    /// What did not come, as in the middle of a sentence.
    pub what: AttrValue,
    /// Why, and what is done about it.
    pub why: AttrValue,
    /// Something older is in sight.
    #[prop_or_default]
    pub stale: bool,
    /// It is being tried.
    #[prop_or_default]
    pub busy: bool,
    /// Tries again.
    pub again: Callback<()>,
}

/// What did not come and why, with a button to try again.
#[component]
pub fn Trouble(props: &TroubleProps) -> Html {
    let what = &props.what;
    let said = if props.stale {
        format!("{what} didn't come again: what you see may be old")
    } else {
        format!("{what} didn't come")
    };
    html! {
        <div class="trouble">
            { alert(Some(format!("{} {}", sentence(&said), props.why))) }
            <Button label="Try again" name={format!("Try again to load {what}")} busy={props.busy}
                on={props.again.clone()} testid="again" />
        </div>
    }
}
