//! Ports of one capability, filled by another: one file for each that others fill.

mod account;
mod analytics;
mod channel;
mod chat;
mod gone;
mod media;
mod notification;
mod private;
mod record;
mod social;
mod told;
mod topics;

pub(super) use self::{
    account::{AccountChannels, Looks, ResetLetters},
    analytics::{ChannelOwners, Classifier, LiveFigures, fact},
    channel::{NothingLive, ports},
    chat::{ChatFigures, ChatTopic, chat_ports, follow_edits, follow_people},
    gone::Leavings,
    media::media,
    notification::{BellsOf, FollowsHeard, Teller, Warnings, outboxes},
    private::{Subscribable, SubscriptionsHeard},
    record::{OwnChannels, Said},
    social::{Followable, Watched},
    topics::Topics,
};
