//! Channels as they were read last, until they are edited.

use super::{CACHED_MOST, Cache};
use crate::channel::rules::Record;
use shared::id::{ChannelId, ChannelName};
use std::sync::{Arc, PoisonError};

impl Cache {
    pub(super) fn edits(&self) -> u64 {
        self.records.read().unwrap_or_else(PoisonError::into_inner).edits
    }

    /// The record, or the count of edits that a read starts from.
    pub(super) fn get(&self, name: &ChannelName) -> Result<Arc<Record>, u64> {
        let records = self.records.read().unwrap_or_else(PoisonError::into_inner);
        records.by_name.get(name).cloned().ok_or(records.edits)
    }

    pub(super) fn get_by_id(&self, id: &ChannelId) -> Result<Arc<Record>, u64> {
        let records = self.records.read().unwrap_or_else(PoisonError::into_inner);
        let record = records.names.get(id).and_then(|name| records.by_name.get(name));
        // Another channel may have the name by now.
        record.filter(|record| record.channel.id == *id).cloned().ok_or(records.edits)
    }

    pub(super) fn put(&self, record: &Arc<Record>, edits: u64) {
        let mut records = self.records.write().unwrap_or_else(PoisonError::into_inner);
        if records.edits != edits {
            return;
        }
        if records.by_name.len() >= CACHED_MOST {
            records.by_name.clear();
            records.names.clear();
        }
        let channel = &record.channel;
        records.names.insert(channel.id.clone(), channel.name.clone());
        records.by_name.insert(channel.name.clone(), record.clone());
    }

    pub(in crate::channel) fn forget(&self, name: &ChannelName) {
        let mut records = self.records.write().unwrap_or_else(PoisonError::into_inner);
        records.edits += 1;
        if let Some(record) = records.by_name.remove(name) {
            records.names.remove(&record.channel.id);
        }
        drop(records);
        self.forget_list();
    }

    pub(super) fn forget_all(&self) {
        let mut records = self.records.write().unwrap_or_else(PoisonError::into_inner);
        records.edits += 1;
        records.by_name.clear();
        records.names.clear();
        drop(records);
        self.forget_list();
    }

    pub(super) fn forget_list(&self) {
        *self.public.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::rules;
    use shared::channel::Visibility;

    #[test]
    fn the_id_of_a_channel_that_is_gone_is_no_other_s_of_its_name() {
        let with_id = |id: &str| {
            let mut record = rules::tests::record("stage", Visibility::Public);
            record.channel.id = id.parse().unwrap();
            Arc::new(record)
        };
        let (old, new) = (with_id("01m7wdz29w03j42rh873nf9zn0"), with_id("01m7wdz29w03j42rh873nf9zn1"));
        let cache = Cache::default();
        cache.put(&old, 0);
        assert!(cache.get_by_id(&old.channel.id).is_ok());
        cache.forget(&old.channel.name);
        cache.put(&new, 1);
        assert_eq!(cache.get_by_id(&old.channel.id).err(), Some(1));
        assert_eq!(cache.get_by_id(&new.channel.id).unwrap().channel.id, new.channel.id);
        assert_eq!(cache.records.read().unwrap().names.len(), 1, "nothing is left of the old one");
        // Whichever was put without the other being forgotten.
        cache.put(&old, 1);
        assert!(cache.get_by_id(&new.channel.id).is_err());
    }
}
