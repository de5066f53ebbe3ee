//! A room's raids: the one that is about to leave, and when the next may be begun. Pure.

use shared::{
    raid::{RAID_SECONDS, Raid},
    unit::Timestamp,
};
use std::time::Duration;

/// From a raid's leaving to the word of the next.
const REST: Duration = Duration::from_secs(45);

/// Its raids.
#[derive(Debug, Default)]
pub struct Raids {
    last: Option<Raid>,
    next_at: Option<Timestamp>,
}

impl Raids {
    /// The last one, which may have left.
    pub fn last(&self) -> Option<&Raid> {
        self.last.as_ref()
    }

    /// The one that is about to leave.
    pub fn ahead(&self, now: Timestamp) -> Option<&Raid> {
        self.last.as_ref().filter(|raid| raid.leaves_at > now)
    }

    /// One is about to leave.
    pub fn begin(&mut self, raid: Raid) {
        self.next_at = Some(Timestamp::from_millis(raid.leaves_at.as_millis() + REST.as_millis() as i64));
        self.last = Some(raid);
    }

    /// It is called off.
    pub fn call_off(&mut self) {
        self.last = None;
    }

    /// How long until one may be begun, if not now.
    pub fn wait(&self, now: Timestamp) -> Option<Duration> {
        // A clock that was set back keeps nobody waiting for longer than a raid takes.
        let most = REST + Duration::from_secs(RAID_SECONDS.into());
        self.next_at.map(|next| next.since(now)).filter(|wait| !wait.is_zero() && *wait <= most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + millis)
    }

    #[test]
    fn raids_keep_apart_from_each_other() {
        let mut raids = Raids::default();
        let name = "Grace".parse().unwrap();
        let raid = Raid { to: "grace".parse().unwrap(), name, leaves_at: at(15_000) };
        assert_eq!((raids.wait(at(0)), raids.ahead(at(0))), (None, None));
        raids.begin(raid.clone());
        assert_eq!(raids.ahead(at(14_999)), Some(&raid));
        assert_eq!((raids.ahead(at(15_000)), raids.last()), (None, Some(&raid)), "it has left");
        assert_eq!(raids.wait(at(0)), Some(Duration::from_secs(60)));
        raids.call_off();
        assert_eq!(raids.last(), None);
        assert_eq!(raids.wait(at(59_999)), Some(Duration::from_millis(1)), "calling it off is no way around");
        assert_eq!(raids.wait(at(60_000)), None);
        assert_eq!(raids.wait(Timestamp::from_millis(0)), None, "the clock was set back");
    }
}
