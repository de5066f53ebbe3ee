//! Profiles, pictures and passwords, step by step.

use crate::{
    account::{
        argon2::HashError,
        service::{AccountError, Accounts},
    },
    actor::Actor,
    fresh,
    portrait::{self, Portrait, PortraitError},
    secret::hex,
    settle::settle,
    store::StoreError,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use shared::{
    account::{ChangePassword, EditMe, Me, PublicProfile},
    badge::NameColour,
    channel::Visibility,
    id::{AccountId, LoginId},
    text::AccountName,
};
use tokio::sync::Semaphore;

/// Pictures that are made at once: each takes memory by its pixels.
static MAKING: Semaphore = Semaphore::const_new(1);
/// Those that are made or wait for it, as what waits takes memory, too.
static INSIDE: Semaphore = Semaphore::const_new(4);

impl Accounts {
    /// What everybody may know of a person.
    pub async fn profile(&self, name: &AccountName) -> Result<PublicProfile, AccountError> {
        let profile = self.profiles.of(name).await?.ok_or(AccountError::UnknownPerson)?;
        let mut channels = self.channels.owned_by(&profile.id).await?;
        // What isn't listed isn't found this way either.
        channels.retain(|channel| channel.visibility == Visibility::Public && !channel.suspended);
        Ok(PublicProfile { profile, channels })
    }

    /// Changes what a person says of themselves.
    pub async fn edit_me(&self, who: &Actor, edit: EditMe) -> Result<Me, AccountError> {
        let account = self.store.by_id(&who.account).await?.ok_or(AccountError::SignedOut)?;
        // A name is held against everybody else's.
        self.limits.take_edit(&who.account)?;
        if let Some(name) = edit.display_name.as_ref().filter(|name| **name != account.display_name) {
            self.check_shown(&who.account, name).await?;
        }
        self.profiles.edit(&who.account, &edit).await?;
        self.channels.owner_changed(&who.account);
        self.was_edited(&who.account);
        self.me(who).await
    }

    /// Gives a person's name a colour in chats, or leaves it the one that it has by itself.
    pub async fn set_colour(&self, who: &AccountId, colour: Option<NameColour>) -> Result<(), AccountError> {
        self.limits.take_edit(who)?;
        self.profiles.set_colour(who, colour).await?;
        self.was_edited(who);
        Ok(())
    }

    /// Makes a picture of what a person uploads, and puts it in the place of theirs.
    pub async fn set_avatar(&self, who: &Actor, image: &str) -> Result<Me, AccountError> {
        // Four letters of base64 are three bytes.
        if image.len() / 4 * 3 > portrait::BYTES_MOST + 3 {
            return Err(PortraitError::TooLarge.into());
        }
        self.limits.take_picture(&who.account)?;
        let inside = INSIDE.try_acquire().map_err(|_| HashError::Busy)?;
        let file = STANDARD.decode(image.trim()).map_err(|_| AccountError::NotBase64)?;
        let permit = MAKING.acquire().await.map_err(|_| PortraitError::Broken)?;
        let made = tokio::task::spawn_blocking(move || {
            // Held by the work itself: who goes away makes no room.
            let _permits = (permit, inside);
            portrait::portrait(&file)
        });
        let made = made.await.map_err(|_| PortraitError::Broken)??;
        let hash = hex(Sha256::digest(&made.bytes));
        self.profiles.set_avatar(&who.account, Some((&hash, &made))).await?;
        self.channels.owner_changed(&who.account);
        self.me(who).await
    }

    /// Takes a person's picture away.
    pub async fn remove_avatar(&self, who: &Actor) -> Result<Me, AccountError> {
        self.profiles.set_avatar(&who.account, None).await?;
        self.channels.owner_changed(&who.account);
        self.me(who).await
    }

    /// A picture by its hash.
    pub async fn avatar(&self, hash: &str) -> Result<Option<Portrait>, StoreError> {
        if hash.len() != 64 { Ok(None) } else { self.profiles.avatar(hash).await }
    }

    /// Another password. Every other login ends.
    pub async fn change_password(
        &self,
        who: &Actor,
        login: &LoginId,
        request: ChangePassword,
    ) -> Result<(), AccountError> {
        let account = self.store.by_id(&who.account).await?.ok_or(AccountError::SignedOut)?;
        self.limits.take_name(&account.name)?;
        let hash = self.profiles.password_hash(&who.account).await?;
        match (request.current, hash.as_deref()) {
            // Who came by a provider has none to show: that they are who they are the provider said, just now.
            (None, Some("")) => {
                if !self.signed_in_recently(login).await? {
                    return Err(AccountError::SignInAgain);
                }
            }
            (None, _) => return Err(AccountError::WrongCurrentPassword),
            (Some(current), _) => {
                if !self.hasher.verify(current, hash.clone()).await? {
                    return Err(AccountError::WrongCurrentPassword);
                }
            }
        }
        self.limits.forget_name(&account.name);
        let new = self.hasher.hash(request.new, fresh::bytes()).await?;
        let known = hash.unwrap_or_default();
        let (this, account, login) = (self.clone(), who.account.clone(), login.clone());
        settle(async move {
            if !this.profiles.set_password(&account, (&known, &new), &login).await? {
                return Err(AccountError::WrongCurrentPassword);
            }
            tracing::info!(%account, "a password was changed");
            this.password_was_changed(&account).await;
            Ok(())
        })
        .await
    }

    /// Ends every login of a person but this one.
    pub async fn end_other_logins(&self, who: &Actor, login: &LoginId) -> Result<(), AccountError> {
        self.profiles.end_other_logins(&who.account, login).await?;
        self.endings.tell(&who.account);
        Ok(())
    }
}
