//! The picture first: what else a page reads at its start waits while a player asks for one. The browser draws what it gets in
//! the same thread that the picture's connection is made in.

use crate::browser::{self, time};
use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    task::{Poll, Waker},
};

/// However long the picture takes, in milliseconds.
const LONGEST: i32 = 400;

thread_local! {
    static HELD: Cell<bool> = const { Cell::new(false) };
    static WAITING: RefCell<Vec<Waker>> = const { RefCell::new(Vec::new()) };
}

/// From now on reading waits, for a while.
pub fn hold() {
    HELD.set(true);
    browser::spawn(async {
        time::sleep(LONGEST).await;
        release();
    });
}

/// Whatever waited goes on.
pub fn release() {
    if HELD.replace(false) {
        WAITING.take().into_iter().for_each(Waker::wake);
    }
}

/// Waits while others go first.
pub(super) async fn turn() {
    poll_fn(|context| {
        if HELD.get() {
            WAITING.with_borrow_mut(|waiting| waiting.push(context.waker().clone()));
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
}
