//! What is shown beside a name of all that somebody is. Pure.
//!
//! Badges are settled when a message is taken and kept with it, from what is known by then of whoever writes: they cost no
//! question of their own.

use crate::permission::{Standing, Standings};
use shared::{
    chat::{Badge, FollowAge},
    subscription::Tier,
    unit::Timestamp,
};

pub mod routes;
pub mod service;
pub mod store;

/// Of roles the highest, whether they run the instance, the highest tier, and for how long they have followed.
pub fn badges(is: Standings, follows_since: Option<Timestamp>, now: Timestamp) -> Vec<Badge> {
    let first = |all: &[(Standing, Badge)]| {
        all.iter().find(|(standing, _)| is.has(*standing)).map(|(_, badge)| *badge)
    };
    let role = first(&[
        (Standing::Owner, Badge::Owner),
        (Standing::Moderator, Badge::Moderator),
        (Standing::Vip, Badge::Vip),
    ]);
    let staff = first(&[(Standing::InstanceOwner, Badge::Staff), (Standing::Admin, Badge::Staff)]);
    let tier = first(&[
        (Standing::Tier3, Badge::Subscriber(Tier::Three)),
        (Standing::Tier2, Badge::Subscriber(Tier::Two)),
        (Standing::Tier1, Badge::Subscriber(Tier::One)),
    ]);
    let follower = follows_since.map(|since| Badge::Follower(FollowAge::of(now.since(since))));
    [role, staff, tier, follower].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::account::Role;

    const DAY: i64 = 24 * 60 * 60 * 1000;

    fn of(is: Standings) -> Vec<Badge> {
        badges(is, None, Timestamp::from_millis(0))
    }

    #[test]
    fn the_highest_role_is_shown_beside_a_subscription() {
        let viewer = Standings::of_account(Role::Member);
        assert_eq!(of(viewer), []);
        assert_eq!(of(Standings::GUEST), [], "a guest's is for who knows that they are one");
        assert_eq!(of(viewer.and(Standing::Editor)), []);
        let vip = viewer.and(Standing::Vip).and(Standing::Tier2);
        assert_eq!(of(vip), [Badge::Vip, Badge::Subscriber(Tier::Two)]);
        assert_eq!(of(vip.and(Standing::Moderator)), [Badge::Moderator, Badge::Subscriber(Tier::Two)]);
        assert_eq!(of(vip.and(Standing::Owner).and(Standing::Moderator))[0], Badge::Owner);
    }

    #[test]
    fn of_several_tiers_the_highest_is_shown() {
        let viewer = Standings::of_account(Role::Member);
        assert_eq!(of(viewer.and(Standing::Tier1)), [Badge::Subscriber(Tier::One)]);
        assert_eq!(of(viewer.and(Standing::Tier1).and(Standing::Tier3)), [Badge::Subscriber(Tier::Three)]);
    }

    #[test]
    fn who_runs_the_instance_is_staff_everywhere() {
        for role in [Role::Owner, Role::Admin] {
            assert_eq!(of(Standings::of_account(role)), [Badge::Staff], "{role:?}");
        }
        let own = Standings::of_account(Role::Admin).and(Standing::Owner);
        assert_eq!(of(own), [Badge::Owner, Badge::Staff]);
    }

    #[test]
    fn a_follower_s_badge_tells_for_how_long() {
        let viewer = Standings::of_account(Role::Member).and(Standing::Tier1);
        let now = Timestamp::from_millis(10_000 * DAY);
        let after = |days: i64| {
            let since = Timestamp::from_millis(now.as_millis() - days * DAY);
            badges(viewer, Some(since), now).pop()
        };
        assert_eq!(after(0), Some(Badge::Follower(FollowAge::New)));
        assert_eq!(after(31), Some(Badge::Follower(FollowAge::Month1)));
        assert_eq!(after(400), Some(Badge::Follower(FollowAge::Year1)));
        // A clock that was set back makes nobody older.
        assert_eq!(after(-400), Some(Badge::Follower(FollowAge::New)));
        assert_eq!(badges(viewer, None, now), [Badge::Subscriber(Tier::One)]);
    }
}
