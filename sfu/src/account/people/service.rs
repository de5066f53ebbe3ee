//! Who is on the instance, step by step.

use crate::{
    account::{
        join::service::runs_instance,
        service::{AccountError, Accounts},
    },
    actor::Actor,
    fresh,
    page::Wanted,
    permission::{Permission, Standings},
    settle::settle,
    store::StoreError,
};
use shared::{
    account::{EditPerson, Person, Role},
    id::AccountId,
    page::Page,
    text::AccountName,
};

impl Accounts {
    /// Everybody whose names hold a text.
    pub async fn people(
        &self,
        who: &Actor,
        search: &str,
        wanted: &Wanted,
    ) -> Result<Page<Person>, AccountError> {
        runs_instance(who)?;
        Ok(self.everybody.list(search, wanted).await?)
    }

    /// Changes what somebody may do here, or whether they may be here at all.
    pub async fn edit_person(
        &self,
        who: &Actor,
        name: &AccountName,
        edit: EditPerson,
    ) -> Result<Person, AccountError> {
        runs_instance(who)?;
        let EditPerson { role, suspended } = edit;
        let appoints = Standings::of_account(who.role).may(Permission::AppointAdmins);
        if role.is_some() && !appoints {
            return Err(AccountError::NotAllowed);
        }
        let person = self.everybody.one(name).await?.ok_or(AccountError::UnknownPerson)?;
        let id = person.profile.id;
        // Nobody shuts themselves out, and only the owner an admin.
        if id == who.account || person.role == Role::Owner || role == Some(Role::Owner) {
            return Err(AccountError::Untouchable);
        }
        if person.role == Role::Admin && !appoints {
            return Err(AccountError::NotAllowed);
        }
        let (accounts, by, account) = (self.clone(), who.clone(), id.clone());
        settle(async move { accounts.set_person(&by, &account, role, suspended).await }).await?;
        tracing::info!(account = %id, by = %who.account, "an account was changed by those who run the instance");
        self.everybody.one(name).await?.ok_or(AccountError::UnknownPerson)
    }

    /// Writes what somebody may do here, and then ends what they do already and may not any more.
    async fn set_person(
        &self,
        by: &Actor,
        id: &AccountId,
        role: Option<Role>,
        suspended: Option<bool>,
    ) -> Result<(), StoreError> {
        if let Some(role) = role {
            self.everybody.set_role(by, id, role).await?;
        }
        if let Some(suspended) = suspended {
            self.everybody.suspend(by, id, suspended.then(fresh::now)).await?;
        }
        self.endings.tell(id);
        if suspended == Some(true) { self.channels.shut_out(id).await } else { Ok(()) }
    }
}
