//! Ports of one capability, filled by another: one file for each that others fill.

mod account;
mod analytics;
mod channel;
mod media;
mod topics;

pub(super) use self::{
    account::AccountChannels,
    analytics::{ChannelOwners, Classifier, Silence, fact},
    channel::{NothingLive, ports},
    media::media,
    topics::Topics,
};
