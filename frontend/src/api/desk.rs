//! What the server lists, and what can be asked of it there: one hook for all pages that show a list and change it.
//! What comes is kept as JSON and read where it is shown, as a reader for each type would weigh more than the pages.

use super::rest;
use crate::{
    browser::{self, time},
    ui::{Told, Trouble, use_toast},
};
use serde_json::Value;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use yew::prelude::*;

/// How long to wait before a list that did not come is asked for again, in milliseconds: at first, and at most.
const WAIT: (i32, i32) = (1000, 8000);

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
    /// What it changes is not shown anew at once.
    pub quiet: bool,
    /// Lists elsewhere on the page that are read again, by what their paths begin with.
    pub touches: &'static str,
    /// Told what came of it, once the list shows it: the answer, or what is wrong.
    pub told: Option<Callback<Result<Value, String>>>,
}

impl Order {
    /// The same, and what follows from the answer once it is done. What is wrong is for the form or the question to say.
    pub fn then(self, then: impl Fn(Value) + 'static) -> Self {
        let told = Callback::from(move |answer: Result<Value, String>| {
            if let Ok(answer) = answer {
                then(answer);
            }
        });
        Self { told: Some(told), ..self }
    }
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
    /// The list is being read.
    pub is_reading: bool,
    /// Reads the list again.
    pub again: Callback<()>,
    /// Asks for something, and reads the list again.
    pub order: Callback<Order>,
}

impl Desk {
    /// What is on the list.
    pub fn items(&self) -> &[Value] {
        self.data["items"].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// What stands behind a question: asks for something, and tells the question and whoever else waits how it went.
    pub fn act(&self, order: Order) -> Callback<Told> {
        self.order.reform(move |question: Told| {
            let also = order.told.clone();
            let told = Callback::from(move |answer: Result<Value, String>| {
                let wrong = answer.as_ref().err().cloned();
                if let Some(also) = &also {
                    also.emit(answer);
                }
                question.emit(wrong);
            });
            Order { told: Some(told), ..order.clone() }
        })
    }

    /// That `what` could not be read, if so, with a way to try again.
    pub fn trouble(&self, what: &'static str) -> Html {
        let Some(why) = self.failure.clone() else { return Html::default() };
        html! {
            <Trouble what={what} why={why} stale={!self.data.is_null()} busy={self.is_reading} again={self.again.clone()} />
        }
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

/// Reads every list on the page again whose path begins with this.
pub(super) fn touch(prefix: &str) {
    let shown: Vec<Callback<()>> = SHOWN.with_borrow(|shown| {
        shown.iter().filter(|(_, path, _)| path.starts_with(prefix)).map(|(.., read)| read.clone()).collect()
    });
    shown.into_iter().for_each(|read| read.emit(()));
}

#[derive(Default)]
struct Known {
    /// What is wanted; empty for nothing, and once nobody shows it any more.
    path: String,
    data: Rc<Value>,
    /// What the data is of.
    of: String,
    is_read: bool,
    is_reading: bool,
    /// Which reading is the newest: what an older one brings is not looked at.
    turn: u32,
    failure: Option<String>,
    wait: i32,
    timer: Option<time::Timer>,
    wrong: Option<String>,
    is_busy: bool,
}

#[derive(Clone)]
struct Reader {
    known: Rc<RefCell<Known>>,
    update: UseForceUpdateHandle,
}

impl Reader {
    fn start(&self, path: String) {
        browser::spawn(self.clone().read(path));
    }

    /// Begins to read, if this is what is wanted; answers which reading it is.
    fn begin(&self, path: &str) -> Option<u32> {
        let mut now = self.known.borrow_mut();
        if now.path != path || path.is_empty() {
            return None;
        }
        now.turn += 1;
        (now.is_reading, now.timer) = (true, None);
        let (turn, was_wrong) = (now.turn, now.failure.is_some());
        drop(now);
        if was_wrong {
            self.update.force_update();
        }
        Some(turn)
    }

    async fn read(self, path: String) {
        let Some(turn) = self.begin(&path) else { return };
        let answer = rest::plain("GET", &path, None).await;
        let mut now = self.known.borrow_mut();
        if now.path != path || now.turn != turn {
            return;
        }
        (now.is_read, now.is_reading) = (true, false);
        match answer {
            Ok(data) => (now.data, now.of, now.failure, now.wait) = (Rc::new(data), path, None, WAIT.0),
            Err(failure) => {
                if now.of != path {
                    now.data = Rc::default();
                }
                now.failure = Some(failure.sentence());
                if failure.may_pass() {
                    let reader = self.clone();
                    now.timer = Some(time::after(now.wait, move || reader.start(path)));
                    now.wait = (now.wait * 2).min(WAIT.1);
                }
            }
        }
        drop(now);
        self.update.force_update();
    }
}

/// The list at a path below `/api/v1/`; none where the path is empty. Another path is another list. One that does not come is
/// asked for again by itself, unless the server has said that it won't give it.
#[hook]
pub fn use_desk(path: String) -> Desk {
    let known = use_mut_ref(Known::default);
    let toast = use_toast();
    let reader = Reader { known: known.clone(), update: use_force_update() };
    let again = {
        let (reader, path) = (reader.clone(), path.clone());
        Callback::from(move |()| reader.start(path.clone()))
    };
    {
        let (known, again) = (known.clone(), again.clone());
        use_effect_with(path.clone(), move |path| {
            let mut now = known.borrow_mut();
            // What was there stays in sight until there is something else.
            (now.path, now.is_read, now.failure, now.wait) = (path.clone(), false, None, WAIT.0);
            drop(now);
            let id = NEXT.replace(NEXT.get() + 1);
            again.emit(());
            SHOWN.with_borrow_mut(|shown| shown.push((id, path.clone(), again)));
            move || {
                SHOWN.with_borrow_mut(|shown| shown.retain(|(other, ..)| *other != id));
                let mut now = known.borrow_mut();
                now.path.clear();
                now.timer = None;
            }
        });
    }
    let order = {
        let reader = reader.clone();
        Callback::from(move |order: Order| {
            let (reader, toast, path) = (reader.clone(), toast.clone(), path.clone());
            let mut now = reader.known.borrow_mut();
            (now.is_busy, now.wrong) = (true, None);
            drop(now);
            reader.update.force_update();
            browser::spawn(async move {
                let Order { method, path: at, body, done, in_form, quiet, touches, told } = order;
                let answer = match rest::plain(method, &at, body.map(|body| body.to_string())).await {
                    // What is gone already is what was wanted.
                    Err(failure) if method == "DELETE" && failure.status() == Some(404) => Ok(Value::Null),
                    answer => answer.map_err(|failure| failure.refusal()),
                };
                if answer.is_ok() {
                    if !touches.is_empty() {
                        touch(touches);
                    }
                    if !quiet {
                        reader.clone().read(path).await;
                    }
                    if !done.is_empty() {
                        toast.emit(done.to_owned());
                    }
                } else {
                    reader.start(path);
                }
                let mut now = reader.known.borrow_mut();
                now.is_busy = false;
                match &answer {
                    Err(words) if in_form => now.wrong = Some(words.clone()),
                    Err(words) if told.is_none() => toast.emit(words.clone()),
                    _ => {}
                }
                drop(now);
                reader.update.force_update();
                if let Some(told) = told {
                    told.emit(answer);
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
        is_reading: now.is_reading,
        again,
        order,
    }
}
