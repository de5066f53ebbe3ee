//! What shows only if something takes its time, and what counts the seconds.

use crate::browser::time;
use yew::prelude::*;

/// Properties of [`Delayed`].
#[derive(Properties, PartialEq)]
pub struct DelayedProps {
    /// What shows after 300 ms.
    pub children: Html,
}

/// Shows its children after 300 ms: what comes sooner needs no skeleton.
#[component]
pub fn Delayed(props: &DelayedProps) -> Html {
    let late = use_state(|| false);
    {
        let late = late.clone();
        use_effect_with((), move |()| {
            let timer = time::after(300, move || late.set(true));
            move || drop(timer)
        });
    }
    if *late { props.children.clone() } else { Html::default() }
}

/// Properties of [`Skeleton`].
#[derive(Properties, PartialEq)]
pub struct SkeletonProps {
    /// What it stands for, as a class that gives it its size.
    pub class: AttrValue,
}

/// The outline of what is being loaded.
#[component]
pub fn Skeleton(props: &SkeletonProps) -> Html {
    html! { <Delayed><div class={classes!("skeleton", props.class.to_string())} aria-hidden="true"></div></Delayed> }
}

/// Draws the component again each second while `runs`; answers with this machine's clock.
#[hook]
pub fn use_seconds(runs: bool) -> i64 {
    let now = use_state(time::wall);
    {
        let now = now.clone();
        use_effect_with(runs, move |&runs| {
            let timer = runs.then(|| time::every(1000, move || now.set(time::wall())));
            move || drop(timer)
        });
    }
    // A component that draws for another reason shows the time as it is then.
    (*now).max(time::wall())
}

/// What is being typed, once nobody has typed for a moment: what is looked for is asked for once, and not by each letter.
#[hook]
pub fn use_settled(text: &str) -> String {
    let settled = use_state_eq(|| text.to_owned());
    {
        let settled = settled.setter();
        use_effect_with(text.to_owned(), move |text| {
            let text = text.clone();
            let timer = time::after(200, move || settled.set(text));
            move || drop(timer)
        });
    }
    (*settled).clone()
}
