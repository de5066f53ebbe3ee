//! The server from outside: a real process, real sockets, nothing known of its inside.

mod account;
mod activity;
mod analytics;
mod api;
mod audit;
mod channel_page;
mod chat;
mod chat_appeals;
mod chat_badges;
mod chat_emotes;
mod chat_held;
mod chat_hostile;
mod chat_kept;
mod chat_moderation;
mod chat_poll;
mod chat_raid;
mod doctor;
mod emails;
mod embed;
mod events;
mod gone;
mod hostile;
mod hostile_media;
mod joining;
mod ladder;
mod live;
mod loss;
mod media;
mod negotiation;
mod network;
mod notifications;
mod oidc;
mod operation;
mod passkeys;
mod people;
mod private;
mod private_told;
mod programs;
mod redundant;
mod renditions;
mod reset;
mod signed;
mod subscriptions;
mod threats;
mod tokens;
mod webhooks;
mod whep;
mod whip;

use std::time::Duration;
use weir_tests::{peer::Offering, server::Weir};

/// Long for a machine that runs other tests, too.
const SOON: Duration = Duration::from_secs(5);

/// A channel's key, and an offer to publish with it.
fn whip_key(weir: &Weir) -> (String, String) {
    (weir.create_channel("ada").key, Offering::to_send().sdp)
}
