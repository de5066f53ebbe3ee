//! What people do with accounts, step by step.

use super::{
    Channels, Names, Warns,
    argon2::{HashError, Hasher},
    device,
    join::{rules::Shut, store::JoinStore},
    passkey::service::Passkeys,
    people::store::PeopleStore,
    profile::store::ProfileStore,
    reset::{Letters, store::ResetStore},
    rules,
    store::{Account, AccountStore, Claim, LoginRow},
    threat::service::{Came, Threats},
    token::service::Tokens,
};
use crate::{
    actor::Actor,
    fresh,
    http::{
        endings::Endings,
        login::{Credential, Logins, SignedIn, Through},
    },
    limit::{Limiter, Rate, network_of},
    page::Wanted,
    portrait::PortraitError,
    secret::Secret,
    store::{Store, StoreError},
};
use futures_util::{FutureExt, future::BoxFuture};
use shared::{
    account::{Login, Me, Role, SetUp, SignIn},
    id::{AccountId, LoginId},
    page::Page,
    text::{AccountName, DisplayName, Password},
    unit::Timestamp,
};
use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::broadcast;

/// Why an account was not made, or nobody signed in.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// No such account, or not its password: which of the two is not told.
    #[error("the name or the password is wrong")]
    WrongPassword,
    /// Too many tries.
    #[error("too many tries: wait before the next")]
    TooMany {
        /// How long.
        wait: Duration,
    },
    /// The set-up link was used, or is from an earlier start.
    #[error("this set-up link no longer works")]
    StaleLink,
    /// The channel's name is somebody's.
    #[error("a channel with this name exists already")]
    ChannelTaken,
    /// The account's name is somebody's.
    #[error("an account with this name exists already: choose another name")]
    NameTaken,
    /// No such login of this account.
    #[error("there is no such login")]
    UnknownLogin,
    /// Nobody is signed in any more.
    #[error("nobody is signed in")]
    SignedOut,
    /// The account is kept from signing in by those who run the instance.
    #[error("this account is suspended")]
    Suspended,
    /// Not without an invite, or not at all.
    #[error(transparent)]
    Shut(#[from] Shut),
    /// A name that could be taken for somebody else's.
    #[error("this name is too much like somebody's")]
    LookAlike {
        /// Which of the names, as requests call it.
        field: &'static str,
    },
    /// Only those who run the instance may, or only its owner.
    #[error("only those who run the instance may do this")]
    NotAllowed,
    /// Nobody of this name.
    #[error("there is nobody of this name")]
    UnknownPerson,
    /// The instance's owner, or oneself.
    #[error("this can't be done to the instance's owner or to oneself")]
    Untouchable,
    /// No such invite.
    #[error("there is no such invite")]
    UnknownInvite,
    /// Days that can't be.
    #[error("an invite is good for 1 to 365 days")]
    InviteDays,
    /// A number of people that can't be.
    #[error("an invite is for 1 to 1000 people")]
    InviteUses,
    /// As many invites as there may be.
    #[error("there are too many invites")]
    TooManyInvites,
    /// The password that should be the current one isn't.
    #[error("the current password is wrong")]
    WrongCurrentPassword,
    /// No mail server is set.
    #[error("this server sends no e-mail")]
    NoLetters,
    /// A link to a new password that is over, or none of ours.
    #[error("this link to a new password doesn't work any more")]
    StaleReset,
    /// The password is asked for first.
    #[error("the password is needed first")]
    PasswordNeeded,
    /// What was shown isn't it.
    #[error("this is not the password")]
    NotThePassword,
    /// Another name was typed than that of the account.
    #[error("this is not the account's name")]
    Confirm,
    /// A first password is for those alone who signed in just now.
    #[error("the login is too old to set a first password")]
    SignInAgain,
    /// What should be a file in base64 isn't.
    #[error("the picture is not in base64")]
    NotBase64,
    /// The picture can't be taken.
    #[error(transparent)]
    Portrait(#[from] PortraitError),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One person's mistakes should not cost them more than a short wait; guessing should take years.
const PER_NAME: Rate = Rate { burst: 10, every: Duration::from_secs(15) };
/// A household or an office shares an address.
const PER_ADDRESS: Rate = Rate { burst: 30, every: Duration::from_secs(5) };
/// A family or a class makes its accounts at once; a script makes few.
const JOINING: Rate = Rate { burst: 20, every: Duration::from_secs(300) };
/// Pictures that one person uploads: each costs some tenths of a second.
const PICTURES: Rate = Rate { burst: 10, every: Duration::from_secs(30) };
/// And what they say of themselves.
const EDITS: Rate = Rate { burst: 20, every: Duration::from_secs(10) };

/// The service; cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    pub(super) store: AccountStore,
    pub(super) joining: JoinStore,
    pub(super) profiles: ProfileStore,
    pub(super) everybody: PeopleStore,
    pub(super) resets: ResetStore,
    tokens: Tokens,
    pub(super) threats: Threats,
    pub(super) passkeys: Passkeys,
    pub(super) channels: Arc<dyn Channels>,
    names: Arc<dyn Names>,
    /// Is told whose logins or tokens ended.
    pub(super) endings: Endings,
    /// None where there is nobody to tell, as in the shell's commands.
    pub(super) warns: Option<Arc<dyn Warns>>,
    /// None where none are sent.
    pub(super) letters: Option<Arc<dyn Letters>>,
    pub(super) hasher: Hasher,
    pub(super) limits: Arc<Limits>,
    edited: broadcast::Sender<AccountId>,
}

/// Changes of what people look like that one who is told of them may be behind; further behind, all of it is asked anew.
const EDITED_MOST: usize = 64;

/// Tries at signing in. Addresses are kept here alone, in memory.
pub(super) struct Limits {
    since: Instant,
    names: Mutex<Limiter<AccountName>>,
    addresses: Mutex<Limiter<IpAddr>>,
    joining: Mutex<Limiter<IpAddr>>,
    pictures: Mutex<Limiter<AccountId>>,
    edits: Mutex<Limiter<AccountId>>,
}

impl Accounts {
    /// On this database, with these channels.
    pub fn new(store: Store, channels: Arc<dyn Channels>, names: Arc<dyn Names>, endings: Endings) -> Self {
        let limits = Limits {
            since: Instant::now(),
            names: Mutex::new(Limiter::new(PER_NAME)),
            addresses: Mutex::new(Limiter::new(PER_ADDRESS)),
            joining: Mutex::new(Limiter::new(JOINING)),
            pictures: Mutex::new(Limiter::new(PICTURES)),
            edits: Mutex::new(Limiter::new(EDITS)),
        };
        Self {
            tokens: Tokens::new(store.clone(), endings.clone()),
            threats: Threats::new(store.clone()),
            passkeys: Passkeys::new(store.clone()),
            joining: JoinStore::new(store.clone()),
            profiles: ProfileStore::new(store.clone()),
            everybody: PeopleStore::new(store.clone()),
            resets: ResetStore::new(store.clone()),
            store: AccountStore::new(store),
            channels,
            names,
            endings,
            warns: None,
            letters: None,
            hasher: Hasher::new(fresh::bytes()),
            limits: Arc::new(limits),
            edited: broadcast::Sender::new(EDITED_MOST),
        }
    }

    /// The same, where people are told of what changes.
    pub fn warning(self, warns: Arc<dyn Warns>) -> Self {
        self.threats.warning(warns.clone());
        Self { warns: Some(warns), ..self }
    }

    /// The same, where people get letters with a link to a new password.
    pub fn mailing(self, letters: Arc<dyn Letters>) -> Self {
        Self { letters: Some(letters), ..self }
    }

    /// Word of who changed what others see of them; it is on disk.
    pub fn edited(&self) -> broadcast::Receiver<AccountId> {
        self.edited.subscribe()
    }

    pub(super) fn was_edited(&self, account: &AccountId) {
        // Nobody may listen, as in the shell's commands.
        let _ = self.edited.send(account.clone());
    }

    /// Programs' tokens.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// What looks like an attack.
    pub fn threats(&self) -> &Threats {
        &self.threats
    }

    /// Whether nobody has an account yet.
    pub async fn needs_set_up(&self) -> Result<bool, StoreError> {
        self.store.has_no_owner().await
    }

    /// A new set-up token, which ends every earlier one; none once somebody has an account.
    pub async fn new_setup_token(&self) -> Result<Option<Secret>, StoreError> {
        if !self.store.has_no_owner().await? {
            return Ok(None);
        }
        let secret = Secret::from_random(fresh::bytes());
        self.store.put_setup_token(&secret.hash()).await?;
        Ok(Some(secret))
    }

    /// Makes the owner's account and first channel, and signs them in.
    pub async fn set_up(&self, request: SetUp, came: Came<'_>) -> Result<(Me, Secret), AccountError> {
        self.limits.take_address(came.address)?;
        let token = Secret::parse(request.token.trim()).map(|token| token.hash());
        let is_good = match &token {
            Some(token) => self.store.is_setup_token(token).await?,
            None => false,
        };
        let Some(token) = token.filter(|_| is_good) else {
            self.threats.failed(None, came.address);
            return Err(AccountError::StaleLink);
        };
        // Asked before the account exists, so that another name can be given with the same link.
        if !self.channels.is_free(&request.channel).await? {
            return Err(AccountError::ChannelTaken);
        }
        let password_hash = self.hasher.hash(request.password, fresh::bytes()).await?;
        let account = Account::new(fresh::id(), request.name, request.display_name, Role::Owner);
        match self.store.claim(&token, &account, &password_hash, fresh::now()).await? {
            Claim::Made => {}
            Claim::Stale => return Err(AccountError::StaleLink),
        }
        self.channels.open_first(&account.id, &request.channel, &account.display_name).await?;
        self.sign_in_as(account, None, "the set-up link", came).await
    }

    /// Signs a person in.
    pub async fn sign_in(&self, request: SignIn, came: Came<'_>) -> Result<(Me, Secret), AccountError> {
        let name = request.name.clone();
        let signed_in = self.try_sign_in(request, came).await;
        if let Err(AccountError::WrongPassword | AccountError::TooMany { .. }) = &signed_in {
            match self.store.by_name(&name).await {
                Ok(None) => self.threats.failed_as_nobody(&name, came.address),
                _ => self.threats.failed(Some(&name), came.address),
            }
        }
        signed_in
    }

    async fn try_sign_in(&self, request: SignIn, came: Came<'_>) -> Result<(Me, Secret), AccountError> {
        self.limits.take_address(came.address)?;
        self.limits.take_name(&request.name)?;
        let known = self.store.by_name(&request.name).await?;
        let (account, hash) = known.map_or((None, None), |(account, hash)| (Some(account), Some(hash)));
        let matches = self.hasher.verify(request.password, hash.clone()).await?;
        let account = account.filter(|_| matches).ok_or(AccountError::WrongPassword)?;
        self.limits.forget_name(&request.name);
        // Told to those alone who know the password.
        if account.is_suspended {
            return Err(AccountError::Suspended);
        }
        self.sign_in_as(account, hash.as_deref(), "password", came).await
    }

    /// That nobody takes this person for somebody else.
    pub(super) async fn check_names(
        &self,
        name: &AccountName,
        display_name: &DisplayName,
    ) -> Result<(), AccountError> {
        let mut others = self.store.names().await?;
        if others.iter().any(|other| other == name.as_str()) {
            return Err(AccountError::NameTaken);
        }
        others.extend(self.channels.names_but_of(None).await?);
        let look_alike = |field| AccountError::LookAlike { field };
        let as_shown = name.as_str().parse::<DisplayName>().map_err(|_| look_alike("name"))?;
        for (field, name) in [("name", &as_shown), ("displayName", display_name)] {
            if self.names.is_unfit(name, &others) {
                return Err(look_alike(field));
            }
        }
        Ok(())
    }

    /// That nobody takes this person, as they want to be called, for somebody else.
    pub(super) async fn check_shown(
        &self,
        account: &AccountId,
        name: &DisplayName,
    ) -> Result<(), AccountError> {
        let mut others = self.store.names_but_of(account).await?;
        others.extend(self.channels.names_but_of(Some(account)).await?);
        let field = "displayName";
        if self.names.is_unfit(name, &others) { Err(AccountError::LookAlike { field }) } else { Ok(()) }
    }

    pub(super) async fn sign_in_as(
        &self,
        account: Account,
        verified: Option<&str>,
        way: &str,
        came: Came<'_>,
    ) -> Result<(Me, Secret), AccountError> {
        let secret = Secret::from_random(fresh::bytes());
        let now = fresh::now();
        let login = LoginRow {
            id: fresh::id(),
            device: device::label(came.user_agent),
            created_at: now,
            last_used_at: now,
        };
        if !self.store.add_login(&account.id, verified, &login, &secret.hash()).await? {
            return Err(AccountError::WrongPassword);
        }
        let who = Actor { account: account.id.clone(), role: account.role, address: came.kept_address };
        self.threats.signed_in(&who, way, &login.device, came).await;
        Ok((self.me_of(account).await?, secret))
    }

    /// Who is signed in.
    pub async fn me(&self, actor: &Actor) -> Result<Me, AccountError> {
        let account = self.store.by_id(&actor.account).await?.ok_or(AccountError::SignedOut)?;
        Ok(self.me_of(account).await?)
    }

    async fn me_of(&self, account: Account) -> Result<Me, StoreError> {
        let channels = self.channels.owned_by(&account.id).await?;
        let edits = self.channels.edited_by(&account.id).await?;
        let moderates = self.channels.moderated_by(&account.id).await?;
        let Account { id, name, display_name, bio, avatar, colour, role, is_suspended: _ } = account;
        Ok(Me { id, name, display_name, bio, avatar, colour, role, channels, edits, moderates })
    }

    /// A person's logins, newest first.
    pub async fn logins(&self, who: &SignedIn, wanted: &Wanted) -> Result<Page<Login>, AccountError> {
        let rows = self.store.logins(&who.actor.account, fresh::now(), wanted).await?;
        let login = |row: LoginRow| Login {
            current: matches!(&who.through, Through::Login(id) if *id == row.id),
            id: row.id,
            device: row.device,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
        };
        Ok(Page { items: rows.items.into_iter().map(login).collect(), next: rows.next })
    }

    /// Makes an account for somebody who doesn't run the instance.
    pub async fn create(
        &self,
        name: AccountName,
        display_name: DisplayName,
        password: Password,
    ) -> Result<AccountId, AccountError> {
        if self.store.is_kept(&name).await? {
            return Err(AccountError::NameTaken);
        }
        let password_hash = self.hasher.hash(password, fresh::bytes()).await?;
        let account = Account::new(fresh::id(), name, display_name, Role::Member);
        self.store.add(&account, &password_hash, fresh::now()).await.map_err(|error| match error {
            StoreError::Taken => AccountError::NameTaken,
            other => other.into(),
        })?;
        Ok(account.id)
    }

    /// Somebody by id.
    pub async fn by_id(&self, id: &AccountId) -> Result<Option<Account>, StoreError> {
        self.store.by_id(id).await
    }

    /// Somebody by what they sign in with.
    pub async fn by_name(&self, name: &AccountName) -> Result<Option<Account>, StoreError> {
        Ok(self.store.by_name(name).await?.map(|(account, _)| account))
    }

    /// Everybody's names, those to sign in with and those that people read.
    pub async fn names(&self) -> Result<Vec<String>, StoreError> {
        self.store.names().await
    }

    /// Ends a login of this person.
    pub async fn revoke(&self, who: &Actor, login: &LoginId) -> Result<(), AccountError> {
        let found = self.store.revoke(&who.account, login).await?;
        self.endings.tell(&who.account);
        if found { Ok(()) } else { Err(AccountError::UnknownLogin) }
    }

    /// The account that runs the instance, once there is one.
    pub async fn owner(&self) -> Result<Option<AccountId>, StoreError> {
        self.store.owner().await
    }

    async fn look_up(&self, token: &str, now: Timestamp) -> Result<Option<SignedIn>, StoreError> {
        let Some(token) = Secret::parse(token) else { return Ok(None) };
        let Some((actor, login, last_used_at)) = self.store.login(&token.hash()).await? else {
            return Ok(None);
        };
        if rules::is_over(last_used_at, now) {
            return Ok(None);
        }
        if rules::is_worth_a_write(last_used_at, now)
            && let Err(error) = self.store.touch(&login, now).await
        {
            // A full disk should not sign people out.
            tracing::warn!(%error, "the use of a login was not written");
        }
        Ok(Some(SignedIn { actor, through: Through::Login(login) }))
    }
}

impl Logins for Accounts {
    fn who<'a>(&'a self, credential: &'a Credential) -> BoxFuture<'a, Result<Option<SignedIn>, StoreError>> {
        match credential {
            Credential::Cookie(token) => self.look_up(token, fresh::now()).boxed(),
            Credential::Bearer(token) => self.tokens.look_up(token, fresh::now()).boxed(),
        }
    }
}

impl Limits {
    fn now(&self) -> Duration {
        self.since.elapsed()
    }

    pub(super) fn take_address(&self, address: Option<IpAddr>) -> Result<(), AccountError> {
        let Some(address) = address else { return Ok(()) };
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        addresses.take(&network_of(address), self.now()).map_err(|wait| AccountError::TooMany { wait })
    }

    /// One more account from an address.
    pub(super) fn take_joining(&self, address: Option<IpAddr>) -> Result<(), AccountError> {
        let Some(address) = address else { return Ok(()) };
        let mut joining = self.joining.lock().unwrap_or_else(PoisonError::into_inner);
        joining.take(&network_of(address), self.now()).map_err(|wait| AccountError::TooMany { wait })
    }

    /// One more picture of a person.
    pub(super) fn take_picture(&self, account: &AccountId) -> Result<(), AccountError> {
        let mut pictures = self.pictures.lock().unwrap_or_else(PoisonError::into_inner);
        pictures.take(account, self.now()).map_err(|wait| AccountError::TooMany { wait })
    }

    /// Once more a person changes what they say of themselves.
    pub(super) fn take_edit(&self, account: &AccountId) -> Result<(), AccountError> {
        let mut edits = self.edits.lock().unwrap_or_else(PoisonError::into_inner);
        edits.take(account, self.now()).map_err(|wait| AccountError::TooMany { wait })
    }

    pub(super) fn take_name(&self, name: &AccountName) -> Result<(), AccountError> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.take(name, self.now()).map_err(|wait| AccountError::TooMany { wait })
    }

    pub(super) fn forget_name(&self, name: &AccountName) {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).forget(name);
    }
}
