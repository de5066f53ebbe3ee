//! Who is in a channel's media room, as its owner is told.

use super::{Entry, MediaSessions, SHARD_ANSWERS};
use crate::{
    app::media::{
        room::Receives,
        router::{Message, RoomKey},
    },
    rtc::{peer::PeerKey, plane::Command},
};
use shared::{
    id::ChannelId,
    publish::{PeerRole, PeerStatus},
    unit::Timestamp,
};
use std::collections::HashMap;
use tokio::sync::mpsc;

/// The most peers that are told at once.
const PEERS_MOST: usize = 500;

impl MediaSessions {
    /// Who is there: all that are connected or about to be, and the first [`PEERS_MOST`] of them, publishers first and then
    /// those who were there before others.
    pub async fn present(&self, channel: &ChannelId) -> (u32, Vec<PeerStatus>) {
        let (mut present, room) = {
            let table = self.table();
            let is_there = |entry: &&Entry| entry.channel == *channel && entry.is_told();
            let present: Vec<(bool, Option<Timestamp>, PeerKey)> = table
                .sessions
                .values()
                .filter(is_there)
                .map(|entry| (!entry.is_publisher, entry.connected_at, entry.seat.key))
                .collect();
            (present, table.rooms.get(channel).copied())
        };
        let connected = present.iter().filter(|(_, at, _)| at.is_some()).count() as u32;
        present.sort_by_key(|(is_viewer, at, key)| (*is_viewer, at.is_none(), *at, key.0));
        present.truncate(PEERS_MOST);
        let playing = match room {
            Some(room) => self.playing(room).await,
            None => HashMap::new(),
        };
        let status = |(is_viewer, connected_at, key): (bool, Option<Timestamp>, PeerKey)| {
            // Its number tells nothing: a session's name would be a key to it.
            let peer = format!("peer-{}", key.0).parse().ok()?;
            let Receives { picture, estimate } = playing.get(&key).cloned().unwrap_or_default();
            let (rendition, codec) = picture.unzip();
            let role = if is_viewer { PeerRole::Viewer } else { PeerRole::Publisher };
            Some(PeerStatus { peer, role, connected_at, rendition, codec, estimate })
        };
        (connected, present.into_iter().filter_map(status).collect())
    }

    /// How many get each rendition of a channel's picture, by its name.
    pub async fn watched(&self, channel: &ChannelId) -> HashMap<String, u32> {
        let room = self.table().rooms.get(channel).copied();
        let mut watched = HashMap::new();
        if let Some(room) = room {
            for (name, _) in self.playing(room).await.into_values().filter_map(|receives| receives.picture) {
                *watched.entry(name).or_default() += 1;
            }
        }
        watched
    }

    /// What each viewer of a room gets, as far as shards say it in time.
    async fn playing(&self, room: RoomKey) -> HashMap<PeerKey, Receives> {
        let shards = self.plane.gauges().count();
        let (reply, mut answers) = mpsc::channel(shards.max(1));
        for shard in 0..shards {
            // A shard that is too busy leaves its viewers' renditions out.
            let _ = self.plane.tell(shard, Command::Message(Message::Playing { room, reply: reply.clone() }));
        }
        drop(reply);
        let mut playing = HashMap::new();
        let all = async {
            while let Some(answer) = answers.recv().await {
                playing.extend(answer);
            }
        };
        let _ = tokio::time::timeout(SHARD_ANSWERS, all).await;
        playing
    }
}
