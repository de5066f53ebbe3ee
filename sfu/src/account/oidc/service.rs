//! Signing in by a provider, step by step.

use super::{
    http::{Code, Provider, ProviderError},
    rules::{self, Request, Trouble},
    shelf::Shelf,
    store::{Named, OidcStore},
    token::Identity,
};
use crate::{
    account::{
        join::rules::{Shut, Way, is_of_weir, way},
        service::{AccountError, Accounts},
        store::Account,
        threat::service::Came,
    },
    actor::Actor,
    config::oidc::Provider as Settings,
    fresh,
    http::login::SignedIn,
    secret::{Secret, SecretHash},
    store::{Store, StoreError},
};
use shared::{
    account::{Me, Role},
    id::{AccountId, LoginId},
    oidc::{ConnectOidc, OidcConnection, OidcNewcomer, OidcSignUp, StartOidc},
    text::{AccountName, DisplayName},
};
use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// Nobody set a provider up.
    #[error("there is no provider to sign in by")]
    NoProvider,
    /// It is of no help.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// It is too late, or another browser.
    #[error("what was begun here is over")]
    Expired,
    /// It is the only way to sign in, or there is no connection.
    #[error("the provider can't be disconnected")]
    OnlyWay,
    /// The account, or whom the provider names, is connected already.
    #[error("it is connected already")]
    Connected,
    /// What holds for every account.
    #[error(transparent)]
    Account(#[from] AccountError),
}

impl From<StoreError> for OidcError {
    fn from(error: StoreError) -> Self {
        Self::Account(error.into())
    }
}

/// What a browser wants there.
#[derive(Debug, Clone)]
enum Aim {
    /// To sign in, maybe for the first time.
    SignIn {
        /// The invite that it has.
        invite: Option<String>,
    },
    /// To connect this account.
    Connect(AccountId),
}

/// A browser that was sent to the provider.
#[derive(Debug, Clone)]
struct Flow {
    /// By which the same browser is known.
    browser: SecretHash,
    nonce: String,
    verifier: String,
    redirect_uri: String,
    return_to: String,
    aim: Aim,
}

/// Somebody without an account, while they choose a name.
#[derive(Debug, Clone)]
struct Newcomer {
    identity: Identity,
    invite: Option<String>,
    return_to: String,
}

/// Where a browser is sent, and the cookie by which it is known when it comes back.
#[derive(Debug)]
pub struct Started {
    /// The provider's page.
    pub url: String,
    /// The cookie's secret.
    pub browser: Secret,
}

/// What a browser brings back, as its address has it (OpenID Connect Core 1.0, section 3.1.2.5; RFC 9207).
#[derive(Debug, Clone, Default)]
pub struct Brought {
    /// To redeem.
    pub code: Option<String>,
    /// By which the flow is known.
    pub state: Option<String>,
    /// That nothing came of it.
    pub error: Option<String>,
    /// Who says all this.
    pub iss: Option<String>,
}

/// From where and with what a browser comes.
#[derive(Debug, Clone, Copy)]
pub struct Comer<'a> {
    /// The secret of its cookie.
    pub browser: Option<&'a Secret>,
    /// As whom it is signed in already.
    pub who: Option<&'a SignedIn>,
    /// What it says it is.
    pub user_agent: &'a str,
    /// From where.
    pub address: Option<IpAddr>,
    /// The same, where the instance keeps it.
    pub kept_address: Option<IpAddr>,
}

impl<'a> Comer<'a> {
    fn came(&self) -> Came<'a> {
        Came { user_agent: self.user_agent, address: self.address, kept_address: self.kept_address }
    }
}

/// What came of it, and the page to go to.
#[derive(Debug)]
pub enum Finished {
    /// Somebody is signed in.
    SignedIn {
        /// The new login.
        login: Secret,
        /// Where they wanted to go.
        to: String,
    },
    /// Somebody has to choose a name.
    Newcomer {
        /// By which their browser is known on that page.
        browser: Secret,
        /// That page.
        to: String,
    },
    /// An account is connected; or nothing came of it, which the page says.
    Back {
        /// The page.
        to: String,
    },
}

/// The page to choose a name.
const NAME_PAGE: &str = "/sign-up/name";

/// The service; cheap to clone.
#[derive(Clone)]
pub struct Oidc {
    accounts: Accounts,
    store: OidcStore,
    provider: Option<Arc<Provider>>,
    flows: Arc<Mutex<Shelf<Flow>>>,
    newcomers: Arc<Mutex<Shelf<Newcomer>>>,
}

fn locked<T>(shelf: &Mutex<Shelf<T>>) -> MutexGuard<'_, Shelf<T>> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Oidc {
    /// With this provider, if there is one.
    pub fn new(store: Store, accounts: Accounts, provider: Option<Settings>) -> Self {
        Self {
            accounts,
            store: OidcStore::new(store),
            provider: provider.map(|settings| Arc::new(Provider::new(settings))),
            flows: Arc::default(),
            newcomers: Arc::default(),
        }
    }

    /// The accounts that it signs in to.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// What people call the provider.
    pub fn name(&self) -> Option<&str> {
        self.provider.as_ref().map(|provider| provider.settings.name.as_str())
    }

    fn provider(&self) -> Result<&Provider, OidcError> {
        self.provider.as_deref().ok_or(OidcError::NoProvider)
    }

    /// Begins to sign in, or to make an account.
    pub async fn start(
        &self,
        request: StartOidc,
        base_url: &str,
        address: Option<IpAddr>,
    ) -> Result<Started, OidcError> {
        // No invite is longer.
        let invite = request.invite.filter(|invite| (1..=100).contains(&invite.trim().len()));
        let return_to = rules::return_path(request.return_to.as_deref());
        self.begin(Aim::SignIn { invite }, return_to, base_url, address).await
    }

    /// Begins to connect an account.
    pub async fn start_connecting(
        &self,
        (who, login): (&Actor, &LoginId),
        request: ConnectOidc,
        base_url: &str,
        address: Option<IpAddr>,
    ) -> Result<Started, OidcError> {
        let issuer = &self.provider()?.settings.issuer;
        if self.store.connection(&who.account, issuer).await?.connected.is_some() {
            return Err(OidcError::Connected);
        }
        self.accounts.prove(who, login, request.password).await?;
        self.begin(Aim::Connect(who.account.clone()), "/settings".to_owned(), base_url, address).await
    }

    async fn begin(
        &self,
        aim: Aim,
        return_to: String,
        base_url: &str,
        address: Option<IpAddr>,
    ) -> Result<Started, OidcError> {
        let provider = self.provider()?;
        self.accounts.limits.take_address(address)?;
        let metadata = provider.metadata().await?;
        let [state, browser, nonce, verifier] = [(); 4].map(|()| Secret::from_random(fresh::bytes()));
        let flow = Flow {
            browser: browser.hash(),
            nonce: nonce.reveal(),
            verifier: verifier.reveal(),
            redirect_uri: format!("{base_url}/api/v1/oidc/callback"),
            return_to,
            aim,
        };
        let url = rules::authorization_url(
            &metadata.authorization_endpoint,
            Request {
                client_id: &provider.settings.client_id,
                redirect_uri: &flow.redirect_uri,
                state: &state.reveal(),
                nonce: &flow.nonce,
                verifier: &flow.verifier,
            },
        );
        locked(&self.flows).put(&state.hash(), flow, fresh::now());
        Ok(Started { url, browser })
    }

    /// A browser comes back. Whatever it brings, it is shown a page.
    pub async fn finish(&self, brought: Brought, comer: Comer<'_>) -> Finished {
        // Taken whatever comes of it: a state is good once.
        let state = brought.state.as_deref().and_then(Secret::parse);
        let flow = state.and_then(|state| locked(&self.flows).take(&state.hash(), fresh::now()));
        let of_browser = |flow: &Flow| comer.browser.is_some_and(|browser| browser.hash() == flow.browser);
        let Some(flow) = flow.filter(of_browser) else {
            // Of what another browser began nothing is told, not even where it was to lead.
            return back("/sign-in", Trouble::Expired);
        };
        let page = match &flow.aim {
            Aim::Connect(_) => "/settings".to_owned(),
            Aim::SignIn { invite: Some(invite) } => rules::telling("/sign-up", "invite", invite),
            Aim::SignIn { invite: None } => rules::telling("/sign-in", "return", &flow.return_to),
        };
        let address = comer.address;
        match self.arrive(flow, brought, comer).await {
            Ok(finished) => finished,
            Err(error) => {
                let trouble = trouble(&error);
                tracing::info!(%error, trouble = trouble.name(), "nobody was signed in by the provider");
                self.accounts.threats.failed(None, address);
                back(&page, trouble)
            }
        }
    }

    async fn arrive(&self, flow: Flow, brought: Brought, comer: Comer<'_>) -> Result<Finished, OidcError> {
        let provider = self.provider()?;
        let metadata = provider.metadata().await?;
        let Settings { issuer, name, .. } = &provider.settings;
        // RFC 9207: a code of another provider's is not taken to this one.
        if brought.iss.as_ref().is_some_and(|iss| iss != issuer)
            || (metadata.names_issuer && brought.iss.is_none())
        {
            return Err(ProviderError::Token(super::token::TokenError::Issuer).into());
        }
        let (None, Some(code)) = (&brought.error, &brought.code) else {
            let why = brought.error.unwrap_or_else(|| "no code".to_owned());
            return Err(ProviderError::Refused(why.chars().take(100).collect()).into());
        };
        let code =
            Code { code, redirect_uri: &flow.redirect_uri, verifier: &flow.verifier, nonce: &flow.nonce };
        let (identity, access) = provider.redeem(code).await?;
        let known = self.store.account_of(issuer, &identity.subject).await?;
        let Flow { aim, return_to, .. } = flow;
        match (aim, known) {
            (Aim::Connect(account), known) => {
                let who = comer.who.filter(|who| who.actor.account == account && who.login().is_ok());
                let who = who.ok_or(AccountError::SignedOut)?;
                if known.is_some() {
                    return Err(OidcError::Connected);
                }
                let identity = provider.complete(identity, &access).await;
                self.connect(&who.actor, &identity).await?;
                Ok(Finished::Back { to: rules::telling("/settings", "connected", name) })
            }
            (Aim::SignIn { .. }, Some(account)) => {
                let (_, login) = self.sign_in(&account, comer).await?;
                Ok(Finished::SignedIn { login, to: return_to })
            }
            (Aim::SignIn { invite }, None) => {
                let way = self.way(invite.as_deref()).await?;
                let identity = provider.complete(identity, &access).await;
                let newcomer = Newcomer { identity, invite, return_to };
                let (name, shown) = newcomer.proposal();
                let names = name.parse::<AccountName>().ok().zip(shown.parse::<DisplayName>().ok());
                if let Some((name, shown)) = names
                    && self.check_names(&name, &shown).await.is_ok()
                {
                    self.accounts.limits.take_joining(comer.address)?;
                    let (_, login) = self.join(&way, &newcomer, name, shown, comer).await?;
                    return Ok(Finished::SignedIn { login, to: newcomer.return_to });
                }
                let browser = Secret::from_random(fresh::bytes());
                locked(&self.newcomers).put(&browser.hash(), newcomer, fresh::now());
                Ok(Finished::Newcomer { browser, to: NAME_PAGE.to_owned() })
            }
        }
    }

    /// How somebody may come, with the invite that they have, if it works.
    async fn way(&self, invite: Option<&str>) -> Result<Way, OidcError> {
        let way = way(self.accounts.sign_up_mode().await?, invite).map_err(AccountError::from)?;
        if let Way::ByInvite(hash) = &way
            && !self.accounts.joining.is_good(hash, fresh::now()).await?
        {
            return Err(AccountError::Shut(Shut::NeedsInvite).into());
        }
        Ok(way)
    }

    async fn check_names(&self, name: &AccountName, shown: &DisplayName) -> Result<(), AccountError> {
        if is_of_weir(name, shown) {
            return Err(AccountError::NameTaken);
        }
        self.accounts.check_names(name, shown).await
    }

    async fn sign_in(&self, account: &AccountId, comer: Comer<'_>) -> Result<(Me, Secret), OidcError> {
        let account = self.accounts.store.by_id(account).await?.ok_or(AccountError::SignedOut)?;
        if account.is_suspended {
            return Err(AccountError::Suspended.into());
        }
        // Between the two looks it can only have been suspended: no password is asked for.
        let signed_in =
            self.accounts.sign_in_as(account, None, &self.provider()?.settings.name, comer.came()).await;
        let signed_in = signed_in.map_err(|error| match error {
            AccountError::WrongPassword => AccountError::Suspended,
            other => other,
        })?;
        Ok(signed_in)
    }

    async fn connect(&self, who: &Actor, identity: &Identity) -> Result<(), OidcError> {
        let Settings { issuer, name, .. } = &self.provider()?.settings;
        let connected = self.store.connect(who, named(identity, issuer, name), fresh::now()).await;
        connected.map_err(|error| match error {
            StoreError::Taken => OidcError::Connected,
            other => other.into(),
        })?;
        tracing::info!(account = %who.account, "an account was connected with the provider");
        Ok(())
    }

    async fn join(
        &self,
        way: &Way,
        newcomer: &Newcomer,
        name: AccountName,
        shown: DisplayName,
        comer: Comer<'_>,
    ) -> Result<(Me, Secret), OidcError> {
        let Settings { issuer, name: provider, .. } = &self.provider()?.settings;
        let account = Account::new(fresh::id(), name, shown, Role::Member);
        let by = Actor { account: account.id.clone(), role: account.role, address: comer.kept_address };
        let named = named(&newcomer.identity, issuer, provider);
        match self.store.join(way, &by, &account, named, fresh::now()).await {
            Ok(true) => {}
            Ok(false) => return Err(AccountError::Shut(Shut::NeedsInvite).into()),
            // The same person in two windows, or somebody who was faster with the name.
            Err(StoreError::Taken) => match self.store.account_of(issuer, named.subject).await? {
                Some(account) => return self.sign_in(&account, comer).await,
                None => return Err(AccountError::NameTaken.into()),
            },
            Err(other) => return Err(other.into()),
        }
        tracing::info!(account = %account.id, "somebody made an account by the provider");
        self.accounts.threats.signed_up();
        Ok(self.accounts.sign_in_as(account, None, provider, comer.came()).await?)
    }

    fn newcomer_of(&self, browser: Option<&Secret>) -> Result<Newcomer, OidcError> {
        let browser = browser.ok_or(OidcError::Expired)?;
        locked(&self.newcomers).get(&browser.hash(), fresh::now()).cloned().ok_or(OidcError::Expired)
    }

    /// Who has to choose a name in this browser.
    pub fn newcomer(&self, browser: Option<&Secret>) -> Result<OidcNewcomer, OidcError> {
        let provider = self.provider()?.settings.name.clone();
        let newcomer = self.newcomer_of(browser)?;
        let (name, display_name) = newcomer.proposal();
        Ok(OidcNewcomer { provider, name, display_name, return_to: newcomer.return_to })
    }

    /// Makes their account, as they chose to be called.
    pub async fn sign_up(&self, request: OidcSignUp, comer: Comer<'_>) -> Result<(Me, Secret), OidcError> {
        self.provider()?;
        let newcomer = self.newcomer_of(comer.browser)?;
        self.accounts.limits.take_joining(comer.address)?;
        let way = self.way(newcomer.invite.as_deref()).await?;
        self.check_names(&request.name, &request.display_name).await?;
        let made = self.join(&way, &newcomer, request.name, request.display_name, comer).await?;
        if let Some(browser) = comer.browser {
            locked(&self.newcomers).take(&browser.hash(), fresh::now());
        }
        Ok(made)
    }

    /// How an account is connected.
    pub async fn connection(&self, who: &Actor) -> Result<OidcConnection, OidcError> {
        let Settings { issuer, name, .. } = &self.provider()?.settings;
        let connection = self.store.connection(&who.account, issuer).await?;
        let (since, known_as) = connection.connected.unzip();
        Ok(OidcConnection {
            provider: name.clone(),
            can_disconnect: since.is_some() && connection.has_other_way,
            since,
            has_password: connection.has_password,
            known_as: known_as.unwrap_or_default(),
        })
    }

    /// Ends that connection.
    pub async fn disconnect(&self, who: &Actor) -> Result<(), OidcError> {
        let Settings { issuer, name, .. } = &self.provider()?.settings;
        if !self.store.disconnect(who, issuer, name).await? {
            return Err(OidcError::OnlyWay);
        }
        tracing::info!(account = %who.account, "an account was disconnected from the provider");
        Ok(())
    }
}

impl Newcomer {
    fn proposal(&self) -> (String, String) {
        rules::proposal(self.identity.preferred.as_deref(), self.identity.full.as_deref())
    }
}

fn named<'a>(identity: &'a Identity, issuer: &'a str, provider: &'a str) -> Named<'a> {
    let known_as = identity.preferred.as_deref().or(identity.full.as_deref()).unwrap_or_default();
    // Shown to its own person and to those who read the record: as any name of theirs, or not at all.
    let known_as = if known_as.parse::<DisplayName>().is_ok() { known_as.trim() } else { "" };
    Named { issuer, subject: &identity.subject, known_as, provider }
}

fn back(page: &str, trouble: Trouble) -> Finished {
    Finished::Back { to: rules::telling(page, "trouble", trouble.name()) }
}

fn trouble(error: &OidcError) -> Trouble {
    match error {
        OidcError::NoProvider | OidcError::OnlyWay => Trouble::Fault,
        OidcError::Expired => Trouble::Expired,
        OidcError::Connected => Trouble::Taken,
        OidcError::Provider(error) => match error {
            ProviderError::Unreachable { .. } | ProviderError::Status { .. } => Trouble::Unreachable,
            ProviderError::Refused(_) => Trouble::Refused,
            ProviderError::Answer(_) | ProviderError::Metadata(_) | ProviderError::Token(_) => {
                Trouble::Untrue
            }
        },
        OidcError::Account(error) => match error {
            AccountError::Suspended => Trouble::Suspended,
            AccountError::Shut(Shut::Closed) => Trouble::Closed,
            AccountError::Shut(Shut::NeedsInvite) => Trouble::Invite,
            AccountError::TooMany { .. } => Trouble::Often,
            AccountError::SignedOut => Trouble::SignedOut,
            _ => Trouble::Fault,
        },
    }
}
