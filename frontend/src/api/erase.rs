//! Having something deleted for ever.

use super::rest;
use crate::{browser, ui::Typed};
use serde_json::json;
use yew::Callback;

/// What stands behind the dialog that asks: sends what was typed to this path below `/api/v1/`, and goes on once it is done.
pub fn erase(path: String, then: impl Fn() + 'static) -> Callback<Typed> {
    let then = std::rc::Rc::new(then);
    Callback::from(move |typed: Typed| {
        let (path, then) = (path.clone(), then.clone());
        browser::spawn(async move {
            let mut body = json!({ "confirm": typed.confirm });
            if let Some(password) = typed.password {
                body["password"] = password.into();
            }
            match rest::plain("POST", &path, Some(body.to_string())).await {
                Ok(_) => {
                    typed.told.emit(None);
                    then();
                }
                Err(failure) => {
                    let is_password = failure.field() == Some("password");
                    typed.told.emit(Some((is_password, failure.refusal())));
                }
            }
        });
    })
}
