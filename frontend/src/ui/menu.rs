//! A button that opens a list of things to do or to pick.

use super::icon::{Shape, icon};
use crate::browser::{listen, page};
use yew::prelude::*;

/// One entry of a [`Menu`].
#[derive(Clone, PartialEq)]
pub struct Item {
    /// What it does.
    pub label: AttrValue,
    /// In front of it.
    pub icon: Option<Shape>,
    /// For one of several to pick: whether it is picked.
    pub picked: Option<bool>,
    /// When it is chosen; one without it only says something.
    pub on: Option<Callback<()>>,
    /// To find it in tests.
    pub testid: Option<&'static str>,
}

/// Properties of [`Menu`].
#[derive(Properties, PartialEq)]
pub struct MenuProps {
    /// What the button is for.
    pub label: AttrValue,
    /// What the button shows.
    pub children: Html,
    /// The entries.
    pub items: Vec<Item>,
    /// Opens upwards.
    #[prop_or_default]
    pub up: bool,
    /// Hears when it opens and closes.
    #[prop_or_default]
    pub on_open: Option<Callback<bool>>,
    /// To find the button in tests.
    #[prop_or_default]
    pub testid: Option<AttrValue>,
}

/// A button with a menu. Arrows move, Escape closes and gives focus back.
#[component]
pub fn Menu(props: &MenuProps) -> Html {
    let open = use_state(|| false);
    let (list, button) = (use_node_ref(), use_node_ref());
    {
        let (list, set, on_open) = (list.clone(), open.clone(), props.on_open.clone());
        use_effect_with(*open, move |&is_open| {
            let on_open = on_open.filter(|_| is_open);
            if let Some(on) = &on_open {
                on.emit(true);
            }
            let listener = is_open.then(|| {
                page::move_focus(&list, 1);
                listen::press_outside(".menu", move || set.set(false))
            });
            move || {
                drop(listener);
                if let Some(on) = on_open {
                    on.emit(false);
                }
            }
        });
    }
    let toggle = {
        let open = open.clone();
        move |_: MouseEvent| open.set(!*open)
    };
    let onkeydown = {
        let (open, list, button) = (open.clone(), list.clone(), button.clone());
        move |event: KeyboardEvent| match event.key().as_str() {
            "Escape" if *open => {
                event.stop_propagation();
                open.set(false);
                page::focus(&button);
            }
            "ArrowDown" if *open => {
                event.prevent_default();
                page::move_focus(&list, 1);
            }
            "ArrowUp" if *open => {
                event.prevent_default();
                page::move_focus(&list, -1);
            }
            "Tab" => open.set(false),
            _ => {}
        }
    };
    let entry = |item: &Item| {
        let (open, on, button) = (open.clone(), item.on.clone(), button.clone());
        let choose = move |_: MouseEvent| {
            open.set(false);
            page::focus(&button);
            if let Some(on) = &on {
                on.emit(());
            }
        };
        let role = if item.picked.is_some() { "menuitemradio" } else { "menuitem" };
        let checked = item.picked.map(|picked| if picked { "true" } else { "false" });
        let shape = item.icon.or(item.picked.map(|_| Shape::Check));
        html! {
            <button type="button" role={role} aria-checked={checked} tabindex="-1"
                aria-disabled={item.on.is_none().then_some("true")} onclick={choose}
                data-testid={item.testid}>
                if let Some(shape) = shape { { icon(shape) } }
                <span>{ item.label.clone() }</span>
            </button>
        }
    };
    html! {
        <div class="menu" onkeydown={onkeydown}>
            <button ref={button.clone()} type="button" class="menu-button" aria-haspopup="menu" onclick={toggle}
                aria-expanded={if *open { "true" } else { "false" }} aria-label={props.label.clone()}
                title={props.label.clone()} data-testid={props.testid.clone()}>
                { props.children.clone() }
            </button>
            if *open {
                <div ref={list} role="menu" aria-label={props.label.clone()}
                    class={classes!("menu-list", props.up.then_some("menu-up"))}>
                    { for props.items.iter().map(entry) }
                </div>
            }
        </div>
    }
}
