//! Ports of one capability, filled by another: one file for each that others fill.

mod account;
mod channel;
mod media;
mod topics;

pub(super) use self::{
    account::AccountChannels,
    channel::{NothingLive, ports},
    media::media,
    topics::Topics,
};
