//! Emotes of all channels, step by step.

use super::Everywhere;
use crate::{
    actor::Actor,
    chat::{
        commit::work::{Made, Work},
        emote,
        error::ChatError,
        feed::LiveRoom,
        service::{Chat, lock},
    },
    fresh,
    page::Wanted,
    permission,
    settle::settle,
    store::StoreError,
};
use futures_util::{StreamExt, stream};
use shared::emote::{EmoteName, INSTANCE_EMOTES_MOST, InstanceEmote, NewEmote};
use std::sync::Arc;

/// Rooms that are told of a change at once: others' messages shall not wait behind all of them.
const TOLD_AT_ONCE: usize = 16;

fn allowed(who: &Actor) -> Result<(), ChatError> {
    if permission::runs_instance(who.role) { Ok(()) } else { Err(ChatError::NotAdmin) }
}

impl Chat {
    /// All of them, read once and after each change.
    pub(in crate::chat) async fn everywhere(&self) -> Result<Arc<Everywhere>, StoreError> {
        let turn = match lock(&self.0.everywhere).get(&(), self.now()) {
            Ok(known) => return Ok(known),
            Err(turn) => turn,
        };
        let read = Arc::new(Everywhere::new(self.0.store.everywhere("", INSTANCE_EMOTES_MOST).await?));
        lock(&self.0.everywhere).put(turn, (), read.clone(), self.now());
        Ok(read)
    }

    /// A page of them, by name.
    pub async fn emotes_everywhere(&self, wanted: &Wanted) -> Result<Vec<InstanceEmote>, ChatError> {
        let (_, after) = wanted.before();
        Ok(self.0.store.everywhere(after, wanted.rows() as usize).await?)
    }

    /// Makes an emote of a picture, in the place of the one that may have the name.
    pub async fn set_everywhere(
        &self,
        who: &Actor,
        name: EmoteName,
        new: &NewEmote,
    ) -> Result<InstanceEmote, ChatError> {
        allowed(who)?;
        if emote::drawing(name.as_str()).is_some() {
            return Err(ChatError::EmoteTaken);
        }
        let picture = self.picture(&who.account, &new.image).await?;
        let url = picture.url();
        let (this, who, made) = (self.clone(), who.clone(), Made { name: name.clone(), picture });
        settle(async move {
            if !this.0.store.set_everywhere(&who, &made, fresh::now()).await? {
                return Err(ChatError::TooManyEverywhere);
            }
            this.everywhere_changed(&made.name);
            Ok(())
        })
        .await?;
        Ok(InstanceEmote { name, url })
    }

    /// Takes an emote away. Where it was used, its name stands.
    pub async fn remove_everywhere(&self, who: &Actor, name: EmoteName) -> Result<(), ChatError> {
        allowed(who)?;
        let (this, who) = (self.clone(), who.clone());
        settle(async move {
            if !this.0.store.remove_everywhere(&who, &name).await? {
                return Err(ChatError::UnknownEmote);
            }
            this.everywhere_changed(&name);
            Ok(())
        })
        .await
    }

    /// One changed; it is on disk. Rooms that somebody follows are told, some at once.
    fn everywhere_changed(&self, name: &EmoteName) {
        lock(&self.0.everywhere).forget_all();
        let rooms: Vec<Arc<LiveRoom>> =
            lock(&self.0.rooms).values().filter_map(|room| room.get().cloned()).collect();
        let (writer, name) = (self.0.writer.clone(), name.clone());
        tokio::spawn(async move {
            let followed = rooms.into_iter().filter(|room| room.is_followed());
            stream::iter(followed)
                .for_each_concurrent(TOLD_AT_ONCE, |room| async {
                    let work = Work::TellEverywhere(name.clone());
                    if let Err(error) = writer.write(room, work, None).await {
                        // Whoever is there sees it when they come back.
                        tracing::warn!(%error, "a room was not told of an emote");
                    }
                })
                .await;
        });
    }
}
