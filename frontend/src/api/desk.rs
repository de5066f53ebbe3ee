//! What the server lists, and what can be asked of it there: one hook for all pages that show a list and change it.
//! What comes is kept as JSON and read where it is shown, as a reader for each type would weigh more than the pages.

use super::rest;
use crate::{browser, ui::use_toast};
use serde_json::Value;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use yew::prelude::*;

/// Something to ask of the server.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Order {
    /// `PUT`, `DELETE` …
    pub method: &'static str,
    /// Where, below `/api/v1/`.
    pub path: String,
    /// With what.
    pub body: Option<Value>,
    /// What to say when it is done.
    pub done: &'static str,
    /// What is wrong is said beside the form, and not in a passing message.
    pub in_form: bool,
    /// Lists elsewhere on the page that are read again, by what their paths begin with.
    pub touches: &'static str,
}

/// A list as far as it is known, and the way to change it.
#[derive(Clone, PartialEq)]
pub struct Desk {
    /// What the server said last; null until then.
    pub data: Rc<Value>,
    /// It has not said anything yet.
    pub is_pending: bool,
    /// Why it could not be read.
    pub failure: Option<String>,
    /// What is wrong with what a form asked.
    pub wrong: Option<String>,
    /// What was asked last is under way.
    pub is_busy: bool,
    /// What the server answered to the last order.
    pub answer: Rc<Value>,
    /// Asks for something, and reads the list again.
    pub order: Callback<Order>,
}

impl Desk {
    /// What is on the list.
    pub fn items(&self) -> &[Value] {
        self.data["items"].as_array().map(Vec::as_slice).unwrap_or_default()
    }
}

/// A field of an object as text; empty if it is none.
pub fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// A field of an object as a number; 0 if it is none.
pub fn count(value: &Value, field: &str) -> u64 {
    value[field].as_u64().unwrap_or_default()
}

thread_local! {
    /// Every list that is on the page, and how it is read again.
    static SHOWN: RefCell<Vec<(u32, String, Callback<()>)>> = const { RefCell::new(Vec::new()) };
    static NEXT: Cell<u32> = const { Cell::new(0) };
}

fn touch(prefix: &str) {
    let shown: Vec<Callback<()>> = SHOWN.with_borrow(|shown| {
        shown.iter().filter(|(_, path, _)| path.starts_with(prefix)).map(|(.., read)| read.clone()).collect()
    });
    shown.into_iter().for_each(|read| read.emit(()));
}

#[derive(Default)]
struct Known {
    path: String,
    data: Rc<Value>,
    is_read: bool,
    failure: Option<String>,
    wrong: Option<String>,
    is_busy: bool,
    answer: Rc<Value>,
}

/// The list at a path below `/api/v1/`; none where the path is empty. Another path is another list.
#[hook]
pub fn use_desk(path: String) -> Desk {
    let known = use_mut_ref(Known::default);
    let update = use_force_update();
    let toast = use_toast();
    let read = {
        let (known, update) = (known.clone(), update.clone());
        move |path: String| async move {
            let answer = rest::plain("GET", &path, None).await;
            let mut now = known.borrow_mut();
            if now.path != path {
                return;
            }
            now.is_read = true;
            match answer {
                Ok(data) => (now.data, now.failure) = (Rc::new(data), None),
                Err(failure) => now.failure = Some(failure.sentence()),
            }
            drop(now);
            update.force_update();
        }
    };
    {
        let (known, read) = (known.clone(), read.clone());
        use_effect_with(path.clone(), move |path| {
            let mut now = known.borrow_mut();
            // What was there stays in sight until there is something else.
            (now.path, now.is_read, now.failure) = (path.clone(), false, None);
            drop(now);
            let id = NEXT.replace(NEXT.get() + 1);
            if !path.is_empty() {
                browser::spawn(read.clone()(path.clone()));
                let at = path.clone();
                let again = Callback::from(move |()| browser::spawn(read.clone()(at.clone())));
                SHOWN.with_borrow_mut(|shown| shown.push((id, path.clone(), again)));
            }
            move || SHOWN.with_borrow_mut(|shown| shown.retain(|(other, ..)| *other != id))
        });
    }
    let order = {
        let (known, update) = (known.clone(), update.clone());
        Callback::from(move |order: Order| {
            let (known, update, toast, read, path) =
                (known.clone(), update.clone(), toast.clone(), read.clone(), path.clone());
            (known.borrow_mut().is_busy, known.borrow_mut().wrong) = (true, None);
            update.force_update();
            browser::spawn(async move {
                let Order { method, path: at, body, done, in_form, touches } = order;
                let answer = rest::plain(method, &at, body.map(|body| body.to_string())).await;
                known.borrow_mut().is_busy = false;
                match answer {
                    Ok(answer) => {
                        known.borrow_mut().answer = Rc::new(answer);
                        if !touches.is_empty() {
                            touch(touches);
                        }
                        if !done.is_empty() {
                            toast.emit(done.to_owned());
                        }
                    }
                    Err(failure) if in_form => known.borrow_mut().wrong = Some(failure.sentence()),
                    Err(failure) => toast.emit(failure.sentence()),
                }
                update.force_update();
                if !path.is_empty() {
                    read(path).await;
                }
            });
        })
    };
    let now = known.borrow();
    Desk {
        data: now.data.clone(),
        is_pending: !now.is_read,
        failure: now.failure.clone(),
        wrong: now.wrong.clone(),
        is_busy: now.is_busy,
        answer: now.answer.clone(),
        order,
    }
}
