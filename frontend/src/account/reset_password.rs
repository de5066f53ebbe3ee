//! A new password: asking for a link, and the page that it leads to.

use crate::{
    api::{Order, use_desk, use_site},
    browser::{history, page},
    route::{Link, Route},
    ui::{Button, Kind, Notice, Shape, TextField, alert, format_state, word_mark},
};
use serde_json::{Value, json};
use shared::text::Password;
use yew::prelude::*;

/// What a form of one field holds, and what came of it.
struct Form {
    value: UseStateHandle<String>,
    wrong: UseStateHandle<Option<String>>,
    done: UseStateHandle<bool>,
}

impl Form {
    fn typed(&self) -> Callback<String> {
        let (value, wrong) = (self.value.clone(), self.wrong.clone());
        Callback::from(move |text: String| {
            value.set(text);
            wrong.set(None);
        })
    }

    /// Told what the server made of it.
    fn told(&self) -> Option<Callback<Result<Value, String>>> {
        let (wrong, done) = (self.wrong.clone(), self.done.clone());
        Some(Callback::from(move |answer: Result<Value, String>| {
            done.set(answer.is_ok());
            wrong.set(answer.err());
        }))
    }
}

#[hook]
fn use_form() -> Form {
    Form { value: use_state(String::new), wrong: use_state(|| None), done: use_state(|| false) }
}

/// The page: with the token of a link a new password is chosen, without one a link is asked for.
#[component]
pub fn ResetPasswordPage() -> Html {
    let site = use_site();
    use_effect_with(site.name(), |name| page::set_title(&format!("New password · {name}")));
    let token = use_state(|| page::query("token"));
    // The token sets a password: it stays neither in the address nor in the history.
    use_effect_with((), |()| history::replace(&Route::ResetPassword.to_path()));
    let on_another = {
        let token = token.clone();
        Callback::from(move |()| token.set(None))
    };
    match (*token).clone() {
        Some(token) => html! { <Choose token={token} on_another={on_another} /> },
        None => html! { <Ask /> },
    }
}

#[component]
fn Ask() -> Html {
    let desk = use_desk(String::new());
    let form = use_form();
    use_effect_with((), |()| page::focus_id("account"));
    let onsubmit = {
        let (order, value, told) = (desk.order.clone(), form.value.clone(), form.told());
        move |event: SubmitEvent| {
            event.prevent_default();
            order.emit(Order {
                method: "POST",
                path: "password-reset".to_owned(),
                body: Some(json!({ "account": value.trim() })),
                in_form: true,
                told: told.clone(),
                ..Order::default()
            });
        }
    };
    if *form.done {
        return html! {
            <div class="page-state">
                <Notice icon={Shape::Bell} title="Look at your e-mail."
                    text="If there is such an account with a confirmed address, a letter is on its way. Its link works once, for an hour. Without a confirmed address, ask whoever runs this instance.">
                    <Link to={Route::SignIn} classes="button">{ "Sign in" }</Link>
                </Notice>
            </div>
        };
    }
    html! {
        <div class="page-state">
            <section class="card sheet">
                { word_mark() }
                <h1>{ "A new password" }</h1>
                <p class="quiet">{ "A letter with a link goes to the address that you confirmed." }</p>
                <form class="form" onsubmit={onsubmit} novalidate=true>
                    <TextField id="account" label="Name, or e-mail address" value={(*form.value).clone()} on={form.typed()}
                        autocomplete="username" testid="reset-account"
                        error={(*form.wrong).clone().map(AttrValue::from)} />
                    <Button label="Send me a link" kind={Kind::Primary} busy={desk.is_busy} testid="ask-reset" />
                </form>
                <p class="quiet"><Link to={Route::SignIn} classes="link">{ "Back to signing in" }</Link></p>
            </section>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct ChooseProps {
    token: String,
    /// Another link is asked for.
    on_another: Callback<()>,
}

#[component]
fn Choose(props: &ChooseProps) -> Html {
    let desk = use_desk(String::new());
    let form = use_form();
    use_effect_with((), |()| page::focus_id("password"));
    let onsubmit = {
        let (order, value, wrong, told, token) =
            (desk.order.clone(), form.value.clone(), form.wrong.clone(), form.told(), props.token.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            // What the server would refuse is said at once.
            if let Err(error) = Password::try_from((*value).clone()) {
                return wrong.set(Some(format_state::sentence(&error.to_string())));
            }
            order.emit(Order {
                method: "POST",
                path: "password-reset/confirm".to_owned(),
                body: Some(json!({ "token": token, "password": *value })),
                in_form: true,
                told: told.clone(),
                ..Order::default()
            });
        }
    };
    if *form.done {
        return html! {
            <div class="page-state">
                <Notice icon={Shape::Check} title="Your password is set." text="Every browser was signed out. Sign in with the new one.">
                    <Link to={Route::SignIn} classes="button button-primary">{ "Sign in" }</Link>
                </Notice>
            </div>
        };
    }
    html! {
        <div class="page-state">
            <section class="card sheet">
                { word_mark() }
                <h1>{ "Choose a new password" }</h1>
                <p class="quiet">{ "Every browser that is signed in now is signed out." }</p>
                <form class="form" onsubmit={onsubmit} novalidate=true>
                    <TextField id="password" label="New password" kind="password" value={(*form.value).clone()}
                        on={form.typed()} autocomplete="new-password" testid="new-password"
                        hint="At least 10 characters. A few words are easy to keep in mind." />
                    { alert((*form.wrong).clone()) }
                    <Button label="Set it" kind={Kind::Primary} busy={desk.is_busy} testid="set-password" />
                </form>
                <div class="actions">
                    <Button label="Ask for another link" on={props.on_another.clone()} testid="another-link" />
                </div>
            </section>
        </div>
    }
}
