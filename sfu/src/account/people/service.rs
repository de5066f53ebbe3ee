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
};
use shared::{
    account::{EditPerson, Person, Role},
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
        let id = &person.profile.id;
        // Nobody shuts themselves out, and only the owner an admin.
        if *id == who.account || person.role == Role::Owner || role == Some(Role::Owner) {
            return Err(AccountError::Untouchable);
        }
        if person.role == Role::Admin && !appoints {
            return Err(AccountError::NotAllowed);
        }
        if let Some(role) = role {
            self.everybody.set_role(id, role).await?;
        }
        if let Some(suspended) = suspended {
            self.everybody.suspend(id, suspended.then(fresh::now)).await?;
            if suspended {
                self.channels.end_all_of(id).await?;
            }
        }
        tracing::info!(account = %id, by = %who.account, "an account was changed by those who run the instance");
        self.everybody.one(name).await?.ok_or(AccountError::UnknownPerson)
    }
}
