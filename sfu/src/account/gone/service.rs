//! Deleting accounts, step by step.

use crate::{
    account::{
        join::service::runs_instance,
        service::{AccountError, Accounts},
    },
    actor::Actor,
    permission::{Permission, Standings},
    settle::settle,
};
use shared::{
    account::{DeleteAccount, Role},
    id::{AccountId, LoginId},
    text::AccountName,
};

/// That it is this account that is meant.
fn is_meant(name: &AccountName, confirm: &str) -> Result<(), AccountError> {
    if confirm.trim().eq_ignore_ascii_case(name.as_str()) { Ok(()) } else { Err(AccountError::Confirm) }
}

impl Accounts {
    /// Deletes one's own account.
    pub async fn delete_me(
        &self,
        who: &Actor,
        login: &LoginId,
        request: DeleteAccount,
    ) -> Result<(), AccountError> {
        let account = self.store.by_id(&who.account).await?.ok_or(AccountError::SignedOut)?;
        is_meant(&account.name, &request.confirm)?;
        self.prove(who, login, request.password).await?;
        self.delete(who, &who.account).await
    }

    /// Deletes somebody else's account.
    pub async fn delete_person(
        &self,
        who: &Actor,
        login: &LoginId,
        name: &AccountName,
        request: DeleteAccount,
    ) -> Result<(), AccountError> {
        runs_instance(who)?;
        let person = self.everybody.one(name).await?.ok_or(AccountError::UnknownPerson)?;
        is_meant(name, &request.confirm)?;
        let id = person.profile.id;
        if id == who.account || person.role == Role::Owner {
            return Err(AccountError::Untouchable);
        }
        let appoints = Standings::of_account(who.role).may(Permission::AppointAdmins);
        if person.role == Role::Admin && !appoints {
            return Err(AccountError::NotAllowed);
        }
        self.prove(who, login, request.password).await?;
        self.delete(who, &id).await
    }

    /// Deletes an account, and ends what goes on in its name. Once this says so, it is on disk.
    async fn delete(&self, by: &Actor, account: &AccountId) -> Result<(), AccountError> {
        let (accounts, by, account) = (self.clone(), by.clone(), account.clone());
        settle(async move {
            let channels = accounts.channels.owned_by(&account).await?;
            if !accounts.store.delete(&by, &account).await? {
                return Err(AccountError::Untouchable);
            }
            tracing::info!(%account, by = %by.account, "an account was deleted");
            accounts.endings.tell(&account);
            accounts.channels.gone(&account, &channels).await;
            Ok(())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_account_s_own_name_means_it() {
        let ada: AccountName = "ada".parse().unwrap();
        for meant in ["ada", "Ada", " ada "] {
            assert!(is_meant(&ada, meant).is_ok(), "{meant:?}");
        }
        for other in ["", "ad", "adas", "ben", "a da"] {
            assert!(is_meant(&ada, other).is_err(), "{other:?}");
        }
    }
}
