//! What every page knows: the instance, who is signed in, and the event socket.

use super::{Failure, Load, events::Events, rest, socket_state::everything};
use crate::browser::{self, time};
use shared::{
    account::Me,
    channel::{Channel, Directory},
    event::{Payload, Topic},
    id::AccountId,
    instance::Instance,
};
use std::rc::Rc;
use yew::prelude::*;

/// Who uses this browser.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Who {
    /// The server has not said yet.
    #[default]
    Unknown,
    /// Nobody is signed in.
    Nobody,
    /// This account.
    Somebody(Rc<Me>),
}

impl Who {
    fn me_id(&self) -> Option<AccountId> {
        match self {
            Self::Somebody(me) => Some(me.id.clone()),
            _ => None,
        }
    }
}

/// The instance and the login, with a way to change the latter.
#[derive(Clone, PartialEq)]
pub struct Site {
    /// What this instance is.
    pub instance: Load<Rc<Instance>, Failure>,
    /// Who uses this browser.
    pub who: Who,
    /// After signing in or out, or after an own channel changed.
    pub set_who: Callback<Who>,
}

impl Site {
    /// The account, if somebody is signed in.
    pub fn me(&self) -> Option<Rc<Me>> {
        match &self.who {
            Who::Somebody(me) => Some(me.clone()),
            _ => None,
        }
    }

    /// Takes a changed channel into what is known of the account.
    pub fn put(&self, channel: &Channel) {
        if let Some(me) = self.me() {
            let mut me = (*me).clone();
            let known = me.channels.iter_mut().chain(&mut me.edits);
            known.filter(|old| old.id == channel.id).for_each(|old| *old = channel.clone());
            self.set_who.emit(Who::Somebody(Rc::new(me)));
        }
    }

    /// The instance's name, or the software's as long as it isn't known.
    pub fn name(&self) -> String {
        self.instance.data.as_ref().map_or_else(|| "Weir".to_owned(), |instance| instance.name.clone())
    }
}

/// Properties of [`ApiProvider`].
#[derive(Properties, PartialEq)]
pub struct ApiProviderProps {
    /// What may use it.
    pub children: Html,
}

/// Gives [`Site`] and [`Events`] to everything in it.
#[component]
pub fn ApiProvider(props: &ApiProviderProps) -> Html {
    let events = use_memo((), |()| Events::new(everything));
    let instance = use_state(Load::<Rc<Instance>, Failure>::default);
    let who = use_state(Who::default);
    {
        let (instance, who) = (instance.clone(), who.clone());
        use_effect_with((), move |()| {
            browser::spawn(async move {
                let mut load = Load::default();
                let mut wait = 500;
                loop {
                    load = load.after(rest::instance().await.map(Rc::new));
                    instance.set(load.clone());
                    if load.error.is_none() {
                        break;
                    }
                    time::sleep(wait).await;
                    wait = (wait * 2).min(8000);
                }
            });
            browser::spawn(async move {
                let mut wait = 500;
                loop {
                    match rest::me().await {
                        Ok(me) => break who.set(Who::Somebody(Rc::new(me))),
                        Err(failure) if failure.status() == Some(401) => break who.set(Who::Nobody),
                        Err(_) => time::sleep(wait).await,
                    }
                    wait = (wait * 2).min(8000);
                }
            });
        });
    }
    let set_who = {
        let set = who.clone();
        use_callback((who.me_id(), events.clone()), move |next: Who, (id, events)| {
            // The socket's login is the one that it was opened with.
            if next.me_id() != *id {
                events.renew();
            }
            set.set(next);
        })
    };
    let site = Site { instance: (*instance).clone(), who: (*who).clone(), set_who };
    html! {
        <ContextProvider<Events> context={(*events).clone()}>
            <ContextProvider<Site> context={site}>{ props.children.clone() }</ContextProvider<Site>>
        </ContextProvider<Events>>
    }
}

/// The instance and the login.
#[hook]
pub fn use_site() -> Site {
    use_context::<Site>().unwrap_or_else(|| Site {
        instance: Load::default(),
        who: Who::Unknown,
        set_who: Callback::noop(),
    })
}

/// The event socket.
#[hook]
pub fn use_events() -> Events {
    use_context::<Events>().unwrap_or_else(|| Events::new(|_| None))
}

/// Whether the server is there; false only after it has been away for two seconds.
#[hook]
pub fn use_reachable() -> bool {
    let events = use_events();
    let reachable = use_state(|| true);
    {
        let reachable = reachable.clone();
        use_effect_with(events, move |events| {
            let pending: Rc<std::cell::RefCell<Option<time::Timer>>> = Rc::default();
            let subscription = events.watch_reachable(move |is| {
                let set = reachable.clone();
                *pending.borrow_mut() = if is {
                    set.set(true);
                    None
                } else {
                    Some(time::after(2000, move || set.set(false)))
                };
            });
            move || drop(subscription)
        });
    }
    *reachable
}

/// The public channels, live: by REST at first, as that is sooner, then by the event socket.
#[hook]
pub fn use_directory() -> Load<Rc<Directory>, Failure> {
    let events = use_events();
    let load = use_state(Load::<Rc<Directory>, Failure>::default);
    {
        let load = load.clone();
        use_effect_with(events, move |events| {
            let live = Rc::new(std::cell::Cell::new(false));
            let subscription = {
                let (load, live) = (load.clone(), live.clone());
                events.subscribe(Topic::Directory, None, move |payload| {
                    if let Payload::Directory(directory) = payload {
                        live.set(true);
                        load.set(Load { data: Some(Rc::new(directory)), error: None });
                    }
                })
            };
            browser::spawn(async move {
                let mut wait = 1000;
                while !live.get() {
                    let attempt = rest::channels().await.map(Rc::new);
                    let done = attempt.is_ok();
                    if !live.get() {
                        load.set(Load::default().after(attempt));
                    }
                    if done {
                        break;
                    }
                    time::sleep(wait).await;
                    wait = (wait * 2).min(8000);
                }
            });
            move || drop(subscription)
        });
    }
    (*load).clone()
}
