//! On whose channels those who run the instance lay hands: as on accounts, nobody on the instance owner's, and none but that
//! owner on an admin's. Pure.

use crate::{
    actor::Actor,
    channel::service::ChannelError,
    permission::{Permission, Standings},
    store::StoreError,
};
use shared::{account::Role, id::AccountId};

/// Whose a channel is. One of nobody is the instance owner's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Their account.
    pub account: Option<AccountId>,
    /// What it may do on this instance.
    pub role: Role,
}

impl Owner {
    fn is(&self, who: &Actor) -> bool {
        match &self.account {
            Some(account) => *account == who.account,
            None => who.role == Role::Owner,
        }
    }
}

/// Why something isn't done to a channel.
#[derive(Debug, thiserror::Error)]
pub enum RulingError {
    /// It is the instance owner's, or one's own.
    #[error("this can't be done to this channel")]
    Untouchable,
    /// It is an admin's.
    #[error("only the owner of the instance does this to an admin's channel")]
    Admins,
    /// Its owner wants to delete it, and it is suspended.
    #[error("a suspended channel is not its owner's to delete")]
    Suspended,
    /// As with any channel.
    #[error(transparent)]
    Channel(#[from] ChannelError),
}

impl From<StoreError> for RulingError {
    fn from(error: StoreError) -> Self {
        Self::Channel(error.into())
    }
}

/// Whether somebody who runs the instance may do something to a channel that is not their own.
fn may_touch(who: &Actor, owner: &Owner) -> Result<(), RulingError> {
    match owner.role {
        Role::Owner => Err(RulingError::Untouchable),
        Role::Admin if !Standings::of_account(who.role).may(Permission::AppointAdmins) => {
            Err(RulingError::Admins)
        }
        _ => Ok(()),
    }
}

/// Whether somebody who runs the instance may suspend a channel, or let it in again.
pub fn may_suspend(who: &Actor, owner: &Owner) -> Result<(), RulingError> {
    if owner.is(who) { Err(RulingError::Untouchable) } else { may_touch(who, owner) }
}

/// Whether somebody who may delete a channel may delete this one.
pub fn may_delete(who: &Actor, owner: &Owner, is_suspended: bool) -> Result<(), RulingError> {
    if !owner.is(who) {
        may_touch(who, owner)
    } else if is_suspended && owner.role != Role::Owner {
        Err(RulingError::Suspended)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(account: &str, role: Role) -> Actor {
        Actor { account: account.parse().unwrap(), role, address: None }
    }

    fn owner(account: &str, role: Role) -> Owner {
        Owner { account: Some(account.parse().unwrap()), role }
    }

    fn text(done: Result<(), RulingError>) -> &'static str {
        match done {
            Ok(()) => "done",
            Err(RulingError::Untouchable) => "untouchable",
            Err(RulingError::Admins) => "admin's",
            Err(RulingError::Suspended) => "suspended",
            Err(RulingError::Channel(_)) => "channel",
        }
    }

    #[test]
    fn nobody_lays_hands_on_the_instance_owner_s_channels_and_none_but_that_owner_on_an_admin_s() {
        let (ada, bob, cleo) =
            (actor("ada", Role::Owner), actor("bob", Role::Admin), actor("cleo", Role::Member));
        let nobody = Owner { account: None, role: Role::Owner };
        for (who, whose, suspends, deletes) in [
            (&ada, owner("ada", Role::Owner), "untouchable", "done"),
            (&ada, owner("eve", Role::Owner), "untouchable", "untouchable"),
            (&ada, owner("bob", Role::Admin), "done", "done"),
            (&ada, owner("cleo", Role::Member), "done", "done"),
            (&ada, nobody.clone(), "untouchable", "done"),
            (&bob, owner("ada", Role::Owner), "untouchable", "untouchable"),
            (&bob, owner("bob", Role::Admin), "untouchable", "done"),
            (&bob, owner("dora", Role::Admin), "admin's", "admin's"),
            (&bob, owner("cleo", Role::Member), "done", "done"),
            (&bob, nobody, "untouchable", "untouchable"),
            (&cleo, owner("cleo", Role::Member), "untouchable", "done"),
        ] {
            assert_eq!(text(may_suspend(who, &whose)), suspends, "{who:?} {whose:?}");
            assert_eq!(text(may_delete(who, &whose, false)), deletes, "{who:?} {whose:?}");
        }
    }

    #[test]
    fn of_a_suspended_channel_its_owner_is_not_rid_by_deleting_it() {
        let cleo = actor("cleo", Role::Member);
        assert_eq!(text(may_delete(&cleo, &owner("cleo", Role::Member), true)), "suspended");
        let bob = actor("bob", Role::Admin);
        assert_eq!(text(may_delete(&bob, &owner("bob", Role::Admin), true)), "suspended");
        assert_eq!(text(may_delete(&bob, &owner("cleo", Role::Member), true)), "done");
        let ada = actor("ada", Role::Owner);
        assert_eq!(text(may_delete(&ada, &owner("ada", Role::Owner), true)), "done", "whom nobody suspends");
    }
}
