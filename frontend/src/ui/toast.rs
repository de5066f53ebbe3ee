//! Short messages that leave by themselves.

use crate::browser::time;
use std::{cell::RefCell, rc::Rc};
use yew::prelude::*;

/// How long a message stays, in milliseconds.
const STAY: i32 = 4000;

/// Properties of [`Toasts`].
#[derive(Properties, PartialEq)]
pub struct ToastsProps {
    /// What may send messages.
    pub children: Html,
}

#[derive(Clone, PartialEq)]
struct Say(Callback<String>);

/// Shows messages of what is in it, one at a time: a new one takes the place of the old.
#[component]
pub fn Toasts(props: &ToastsProps) -> Html {
    let text = use_state(String::new);
    let timer = use_mut_ref(|| None::<time::Timer>);
    let say = {
        let text = text.clone();
        use_callback((), move |words: String, ()| {
            text.set(words);
            let clear = text.clone();
            let slot: Rc<RefCell<Option<time::Timer>>> = timer.clone();
            *slot.borrow_mut() = Some(time::after(STAY, move || clear.set(String::new())));
        })
    };
    html! {
        <ContextProvider<Say> context={Say(say)}>
            { props.children.clone() }
            <div class="toasts" role="status" aria-live="polite">
                if !text.is_empty() { <p class="toast">{ &*text }</p> }
            </div>
        </ContextProvider<Say>>
    }
}

/// To say something short.
#[hook]
pub fn use_toast() -> Callback<String> {
    use_context::<Say>().map_or_else(Callback::noop, |say| say.0)
}
