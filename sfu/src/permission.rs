//! What people may do: one table of what there is to do and of who may. Whoever lets people do something asks here what they
//! may by what they are. Pure.
//!
//! A capability knows what somebody is, from its own record, and says what else must hold (that a room lets guests write, that
//! a channel is open). What is one's own (one's account and its logins, what one wrote, whom one follows) is found by whose it
//! is: there the table's rows say that one must be signed in, which the extractor asks.

use shared::{account::Role, channel::ChannelRole, subscription::Tier};

/// What somebody is, on a channel or on the instance. One person is often several at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Standing {
    /// Nobody is signed in.
    Guest,
    /// Somebody with an account.
    Viewer,
    /// Follows the channel.
    Follower,
    /// Subscribes to it, in the first tier.
    Tier1,
    /// In the second.
    Tier2,
    /// In the third.
    Tier3,
    /// Its owner wants them there.
    Vip,
    /// Keeps its chat pleasant.
    Moderator,
    /// Looks after what it says of itself and how it runs.
    Editor,
    /// Whose it is.
    Owner,
    /// Helps to run the instance.
    Admin,
    /// Runs the instance.
    InstanceOwner,
}

use Standing::{
    Admin, Editor, Follower, Guest, InstanceOwner, Moderator, Owner, Tier1, Tier2, Tier3, Viewer, Vip,
};

/// Every standing there is.
pub const STANDINGS: [Standing; 12] =
    [Guest, Viewer, Follower, Tier1, Tier2, Tier3, Vip, Moderator, Editor, Owner, Admin, InstanceOwner];

/// Something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See what anybody may see: the instance, public channels, open rooms.
    SeeOpen,
    /// See a channel that is private, watch it, and follow what happens there. To those whom its owner lets in in another way
    /// (its list, a password, a link, a subscription) it is open.
    SeePrivate,
    /// Write in chat, where the room's rules let one.
    WriteChat,
    /// Write where only subscribers do, and where only followers do.
    WriteAmongSubscribers,
    /// The same, without the wait of slow mode and without being held for a moderator.
    WriteAtWill,
    /// Delete what others wrote, time them out, and see who is.
    ModerateChat,
    /// Type the emotes that are for subscribers of the first tier.
    TypeTier1Emotes,
    /// Those of the second.
    TypeTier2Emotes,
    /// Those of the third.
    TypeTier3Emotes,
    /// Change a room's rules.
    RuleChat,
    /// Send a channel's viewers on to another.
    Raid,
    /// Say who is a channel's editor, moderator or VIP.
    Appoint,
    /// See who is.
    SeeRoles,
    /// Change what a channel says of itself.
    EditChannel,
    /// Say who may see a channel and which pages may show it.
    Admit,
    /// Have the secrets that a channel is published with, and announce broadcasts.
    Publish,
    /// End a channel's broadcast.
    EndBroadcast,
    /// Delete a channel.
    DeleteChannel,
    /// See a channel that is suspended, and what is set there.
    SeeSuspended,
    /// See who watched, and what arrives from the publisher.
    SeeFigures,
    /// Say whether renditions are made.
    SetLadder,
    /// See and change what is one's own: the account, its logins, tokens and channels.
    OwnAccount,
    /// Follow a channel that one may see.
    Follow,
    /// See who follows a channel.
    SeeFollowers,
    /// See what happened on a channel: who followed, subscribed and raided.
    SeeActivity,
    /// Give subscriptions and end them, make gift codes, and see who subscribes.
    GrantTiers,
    /// See the instance's figures.
    SeeInstanceFigures,
    /// See and change how the instance runs, and who is on it.
    RunInstance,
    /// Say who helps to run it.
    AppointAdmins,
    /// See what was done on a channel, and by whom.
    SeeAudit,
    /// See what was done on the instance, and by whom.
    SeeInstanceAudit,
    /// Have a channel's events sent elsewhere.
    SetWebhooks,
}

const EVERYBODY: &[Standing] = &STANDINGS;
const WITH_ACCOUNT: &[Standing] =
    &[Viewer, Follower, Tier1, Tier2, Tier3, Vip, Moderator, Editor, Owner, Admin, InstanceOwner];

/// Who may do what.
pub const TABLE: [(Permission, &[Standing]); 32] = [
    (Permission::SeeOpen, EVERYBODY),
    (Permission::SeePrivate, &[Vip, Moderator, Editor, Owner, Admin, InstanceOwner]),
    (Permission::WriteChat, EVERYBODY),
    (Permission::WriteAmongSubscribers, &[Tier1, Tier2, Tier3, Vip, Moderator, Editor, Owner]),
    (Permission::WriteAtWill, &[Vip, Moderator, Editor, Owner]),
    (Permission::ModerateChat, &[Moderator, Owner]),
    (Permission::TypeTier1Emotes, &[Tier1, Tier2, Tier3, Moderator, Owner]),
    (Permission::TypeTier2Emotes, &[Tier2, Tier3, Moderator, Owner]),
    (Permission::TypeTier3Emotes, &[Tier3, Moderator, Owner]),
    (Permission::RuleChat, &[Moderator, Owner]),
    (Permission::Raid, &[Editor, Owner]),
    (Permission::Appoint, &[Owner]),
    (Permission::SeeRoles, &[Editor, Owner]),
    (Permission::EditChannel, &[Editor, Owner]),
    (Permission::Admit, &[Owner]),
    (Permission::Publish, &[Owner]),
    (Permission::EndBroadcast, &[Editor, Owner, Admin, InstanceOwner]),
    (Permission::DeleteChannel, &[Owner, Admin, InstanceOwner]),
    (Permission::SeeSuspended, &[Owner, Admin, InstanceOwner]),
    (Permission::SeeFigures, &[Editor, Owner]),
    (Permission::SetLadder, &[Editor, Owner]),
    (Permission::OwnAccount, WITH_ACCOUNT),
    (Permission::Follow, WITH_ACCOUNT),
    (Permission::SeeFollowers, &[Editor, Owner]),
    (Permission::SeeActivity, &[Moderator, Editor, Owner]),
    (Permission::GrantTiers, &[Owner]),
    (Permission::SeeInstanceFigures, &[Admin, InstanceOwner]),
    (Permission::RunInstance, &[Admin, InstanceOwner]),
    (Permission::AppointAdmins, &[InstanceOwner]),
    (Permission::SeeAudit, &[Owner]),
    (Permission::SeeInstanceAudit, &[Admin, InstanceOwner]),
    (Permission::SetWebhooks, &[Owner]),
];

/// All that one person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standings(u16);

impl Standings {
    /// Nobody.
    pub const GUEST: Self = Self(1 << Guest as u16);

    /// Somebody with an account, as far as the instance knows.
    pub fn of_account(role: Role) -> Self {
        let viewer = Self(1 << Viewer as u16);
        match role {
            Role::Owner => viewer.and(InstanceOwner),
            Role::Admin => viewer.and(Admin),
            Role::Member => viewer,
        }
    }

    /// The same person, who is this, too.
    #[must_use]
    pub fn and(self, standing: Standing) -> Self {
        Self(self.0 | 1 << standing as u16)
    }

    /// The same person, with a role that a channel's owner gave them.
    #[must_use]
    pub fn with_role(self, role: Option<ChannelRole>) -> Self {
        match role {
            Some(ChannelRole::Editor) => self.and(Editor),
            Some(ChannelRole::Vip) => self.and(Vip),
            None => self,
        }
    }

    /// The same person, with a subscription.
    #[must_use]
    pub fn with_tier(self, tier: Option<Tier>) -> Self {
        match tier {
            Some(Tier::One) => self.and(Tier1),
            Some(Tier::Two) => self.and(Tier2),
            Some(Tier::Three) => self.and(Tier3),
            None => self,
        }
    }

    /// Whether they are this.
    pub fn has(self, standing: Standing) -> bool {
        self.0 & 1 << standing as u16 != 0
    }

    /// Whether they may do this.
    pub fn may(self, permission: Permission) -> bool {
        let row = TABLE.iter().find(|(of, _)| *of == permission);
        row.is_some_and(|(_, who)| who.iter().any(|standing| self.has(*standing)))
    }
}

/// Whether somebody of this role runs the instance.
pub fn runs_instance(role: Role) -> bool {
    Standings::of_account(role).may(Permission::RunInstance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_each_permission_once_and_nobody_twice() {
        for (place, (permission, who)) in TABLE.iter().enumerate() {
            assert!(!TABLE[..place].iter().any(|(earlier, _)| earlier == permission), "{permission:?}");
            assert!(who.is_sorted() && !who.is_empty(), "{permission:?}");
        }
    }

    #[test]
    fn the_table_is_what_it_was_meant_to_be() {
        // One column a standing, from guest to the instance's owner.
        let expected = [
            (Permission::SeeOpen, "gvf123VMEOAI"),
            (Permission::SeePrivate, "......VMEOAI"),
            (Permission::WriteChat, "gvf123VMEOAI"),
            (Permission::WriteAmongSubscribers, "...123VMEO.."),
            (Permission::WriteAtWill, "......VMEO.."),
            (Permission::ModerateChat, ".......M.O.."),
            (Permission::TypeTier1Emotes, "...123.M.O.."),
            (Permission::TypeTier2Emotes, "....23.M.O.."),
            (Permission::TypeTier3Emotes, ".....3.M.O.."),
            (Permission::RuleChat, ".......M.O.."),
            (Permission::Raid, "........EO.."),
            (Permission::Appoint, ".........O.."),
            (Permission::SeeRoles, "........EO.."),
            (Permission::EditChannel, "........EO.."),
            (Permission::Admit, ".........O.."),
            (Permission::Publish, ".........O.."),
            (Permission::EndBroadcast, "........EOAI"),
            (Permission::DeleteChannel, ".........OAI"),
            (Permission::SeeSuspended, ".........OAI"),
            (Permission::SeeFigures, "........EO.."),
            (Permission::SetLadder, "........EO.."),
            (Permission::OwnAccount, ".vf123VMEOAI"),
            (Permission::Follow, ".vf123VMEOAI"),
            (Permission::SeeFollowers, "........EO.."),
            (Permission::SeeActivity, ".......MEO.."),
            (Permission::GrantTiers, ".........O.."),
            (Permission::SeeInstanceFigures, "..........AI"),
            (Permission::RunInstance, "..........AI"),
            (Permission::AppointAdmins, "...........I"),
            (Permission::SeeAudit, ".........O.."),
            (Permission::SeeInstanceAudit, "..........AI"),
            (Permission::SetWebhooks, ".........O.."),
        ];
        assert_eq!(expected.len(), TABLE.len());
        for (permission, row) in expected {
            for (standing, letter) in STANDINGS.into_iter().zip(row.chars()) {
                let may = Standings(0).and(standing).may(permission);
                assert_eq!(may, letter != '.', "{standing:?} {permission:?}");
            }
        }
    }

    #[test]
    fn somebody_is_several_things_at_once() {
        let somebody = Standings::of_account(Role::Admin)
            .with_role(Some(ChannelRole::Editor))
            .with_tier(Some(Tier::Two));
        for standing in STANDINGS {
            let is = matches!(standing, Viewer | Admin | Editor | Tier2);
            assert_eq!(somebody.has(standing), is, "{standing:?}");
        }
        assert!(!Standings::GUEST.may(Permission::OwnAccount));
    }
}
