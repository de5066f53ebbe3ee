//! Making an account, and what lets people do so, step by step.

use super::rules::{self, InviteSecret, Shut, Way};
use crate::{
    account::{
        service::{AccountError, Accounts},
        store::Account,
        threat::service::Came,
    },
    actor::Actor,
    fresh,
    page::Wanted,
    permission,
    secret::Secret,
    store::StoreError,
};
use shared::{
    account::{CreateInvite, Invite, Me, NewAccount, Role},
    id::InviteId,
    instance::{EditInstance, InstanceSettings, SignUp},
    page::Page,
};
impl Accounts {
    /// Who may make an account now.
    pub async fn sign_up_mode(&self) -> Result<SignUp, StoreError> {
        Ok(self.joining.settings().await?.sign_up)
    }

    /// Makes an account for whoever asks, if they may have one, and signs them in.
    pub async fn sign_up(&self, request: NewAccount, came: Came<'_>) -> Result<(Me, Secret), AccountError> {
        self.limits.take_joining(came.address)?;
        let NewAccount { name, display_name, password, invite } = request;
        let way = rules::way(self.sign_up_mode().await?, invite.as_deref())?;
        // Asked before a password is hashed, which is what costs.
        if let Way::ByInvite(hash) = &way
            && !self.joining.is_good(hash, fresh::now()).await?
        {
            return Err(Shut::NeedsInvite.into());
        }
        if rules::is_of_weir(&name, &display_name) {
            return Err(AccountError::NameTaken);
        }
        self.check_names(&name, &display_name).await?;
        let password_hash = self.hasher.hash(password, fresh::bytes()).await?;
        let account = Account::new(fresh::id(), name, display_name, Role::Member);
        match self.joining.join(&way, &account, &password_hash, fresh::now()).await {
            Ok(true) => {}
            Ok(false) => return Err(Shut::NeedsInvite.into()),
            Err(StoreError::Taken) => return Err(AccountError::NameTaken),
            Err(other) => return Err(other.into()),
        }
        tracing::info!(account = %account.id, "somebody made an account");
        self.threats.signed_up();
        self.sign_in_as(account, None, "making their account", came).await
    }

    /// How the instance runs.
    pub async fn instance_settings(&self, who: &Actor) -> Result<InstanceSettings, AccountError> {
        runs_instance(who)?;
        Ok(self.joining.settings().await?)
    }

    /// Changes how it runs.
    pub async fn edit_instance(
        &self,
        who: &Actor,
        edit: EditInstance,
    ) -> Result<InstanceSettings, AccountError> {
        runs_instance(who)?;
        let now = self.joining.settings().await?;
        let settings = InstanceSettings { sign_up: edit.sign_up.unwrap_or(now.sign_up) };
        self.joining.set(who, &settings).await?;
        Ok(settings)
    }

    /// Makes an invite; its secret comes back this once.
    pub async fn invite(
        &self,
        who: &Actor,
        request: CreateInvite,
    ) -> Result<(Invite, InviteSecret), AccountError> {
        runs_instance(who)?;
        let made_by = self.store.by_id(&who.account).await?.ok_or(AccountError::SignedOut)?.name;
        let now = fresh::now();
        let invite = Invite {
            id: fresh::id(),
            label: request.label,
            made_by,
            created_at: now,
            expires_at: rules::expiry(request.days, now).ok_or(AccountError::InviteDays)?,
            uses: 0,
            uses_most: rules::uses(request.uses).ok_or(AccountError::InviteUses)?,
        };
        let secret = InviteSecret::from_random(fresh::bytes());
        if !self.joining.add(&invite, who, &secret.hash()).await? {
            return Err(AccountError::TooManyInvites);
        }
        Ok((invite, secret))
    }

    /// All invites, newest first.
    pub async fn invites(&self, who: &Actor, wanted: &Wanted) -> Result<Page<Invite>, AccountError> {
        runs_instance(who)?;
        Ok(self.joining.invites(wanted).await?)
    }

    /// Ends an invite.
    pub async fn revoke_invite(&self, who: &Actor, id: &InviteId) -> Result<(), AccountError> {
        runs_instance(who)?;
        if self.joining.revoke(who, id).await? { Ok(()) } else { Err(AccountError::UnknownInvite) }
    }
}

/// That somebody may see and change how the instance runs.
pub(in crate::account) fn runs_instance(who: &Actor) -> Result<(), AccountError> {
    if permission::runs_instance(who.role) { Ok(()) } else { Err(AccountError::NotAllowed) }
}
