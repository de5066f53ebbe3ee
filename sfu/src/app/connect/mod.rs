//! Ports of one capability, filled by another: one file for each that others fill.

mod account;
mod analytics;
mod channel;
mod chat;
mod media;
mod social;
mod topics;

pub(super) use self::{
    account::{AccountChannels, Looks},
    analytics::{ChannelOwners, Classifier, LiveFigures, fact},
    channel::{NothingLive, ports},
    chat::{ChatFigures, ChatTopic, chat_ports, follow_edits},
    media::media,
    social::{Followable, FollowsHeard},
    topics::Topics,
};
