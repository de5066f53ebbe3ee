//! The Yew app: player, studio and pages of Weir.

mod account;
mod analytics;
mod api;
mod app;
mod browser;
mod channel;
mod publish;
mod route;
mod ui;
mod watch;

fn main() {
    app::start();
}
