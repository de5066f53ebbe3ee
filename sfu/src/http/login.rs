//! How a request proves whose it is: a person's login cookie, or a program's API token; and the extractor for handlers.

use super::{passes, peer, problem::ProblemResponse};
use crate::{
    actor::{Actor, Embed, Visitor},
    secret::Secret,
    store::StoreError,
};
use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, HeaderValue, header, request::Parts},
};
use futures_util::future::BoxFuture;
use shared::{
    account::Scope,
    id::{LoginId, TokenId},
    text::Password,
};
use std::sync::Arc;

/// That it is the person themselves who asks, and not somebody at a browser that they left.
pub type Prove = Arc<
    dyn Fn(Actor, LoginId, Option<Password>) -> BoxFuture<'static, Result<(), ProblemResponse>> + Send + Sync,
>;

/// An account, and through what it asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Who.
    pub actor: Actor,
    /// Through what.
    pub through: Through,
}

/// What proved whose a request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Through {
    /// A browser that is signed in.
    Login(LoginId),
    /// A program's token, which may do these things and no others.
    Token {
        /// Which.
        id: TokenId,
        /// What it may do.
        scopes: Vec<Scope>,
    },
}

impl SignedIn {
    /// Whether this may be done in the account's name. Every handler that changes something asks; for those that read, the
    /// extractor asks for [`Scope::Read`].
    pub fn may(&self, scope: Scope) -> Result<(), ProblemResponse> {
        if self.has(scope) { Ok(()) } else { Err(ProblemResponse::missing_scope(name_of(scope))) }
    }

    /// Whether one of these lets it be done.
    pub fn may_by(&self, scopes: &[Scope]) -> Result<(), ProblemResponse> {
        match scopes.last() {
            Some(least) if !scopes.iter().any(|scope| self.has(*scope)) => {
                Err(ProblemResponse::missing_scope(name_of(*least)))
            }
            _ => Ok(()),
        }
    }

    /// The login, where a program's token isn't enough.
    pub fn login(&self) -> Result<&LoginId, ProblemResponse> {
        match &self.through {
            Through::Login(id) => Ok(id),
            Through::Token { .. } => Err(ProblemResponse::login_needed()),
        }
    }

    fn has(&self, scope: Scope) -> bool {
        match &self.through {
            Through::Login(_) => true,
            Through::Token { scopes, .. } => scopes.contains(&scope),
        }
    }
}

/// As whom somebody sees things: nobody, for a token that may not read.
pub fn reader(who: Option<&SignedIn>) -> Option<&Actor> {
    who.filter(|who| who.has(Scope::Read)).map(|who| &who.actor)
}

/// What a request shows to get in: the signed embed that is its Bearer, or else its passes.
pub fn embed_of(headers: &HeaderMap) -> Option<Embed<'_>> {
    let embed = bearer_of(headers).filter(|bearer| bearer.starts_with(EMBED));
    Some(Embed { token: embed.or_else(|| passes::of(headers))?, goes_on: false })
}

/// As whom, and with what, a request comes to see something.
pub fn visitor<'a>(who: Option<&'a SignedIn>, headers: &'a HeaderMap) -> Visitor<'a> {
    Visitor { actor: reader(who), embed: embed_of(headers) }
}

/// A scope as it is written.
pub fn name_of(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "read",
        Scope::ChatWrite => "chat:write",
        Scope::ChatModerate => "chat:moderate",
        Scope::FollowWrite => "follow:write",
        Scope::ChannelWrite => "channel:write",
        Scope::NotificationsRead => "notifications:read",
        Scope::InstanceRead => "instance:read",
        Scope::InstanceManage => "instance:manage",
    }
}

/// What came with a request to prove whose it is.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// A login's cookie.
    Cookie(Box<str>),
    /// `Authorization: Bearer …`.
    Bearer(Box<str>),
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(…)")
    }
}

/// Tells whose a credential is.
pub trait Logins: Send + Sync + 'static {
    /// `None` if it is nobody's, or is over.
    fn who<'a>(&'a self, credential: &'a Credential) -> BoxFuture<'a, Result<Option<SignedIn>, StoreError>>;
}

/// A router's state that knows the logins, so that its handlers may ask for [`SignedIn`].
pub trait HasLogins {
    /// The logins.
    fn logins(&self) -> &Arc<dyn Logins>;
}

/// The login cookie's name.
pub(super) const COOKIE: &str = "weir_login";
/// Browsers keep it as long as an unused login lasts, and get it anew with each sign-in.
const MAX_AGE: u64 = 400 * 24 * 60 * 60;

/// The cookie of a new login.
pub fn cookie(secret: &Secret, secure: bool) -> HeaderValue {
    set_cookie(
        format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={MAX_AGE}", secret.reveal()),
        secure,
    )
}

/// Takes the cookie back.
pub fn no_cookie(secure: bool) -> HeaderValue {
    set_cookie(format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"), secure)
}

/// A cookie as a header, which no log shows.
pub(super) fn set_cookie(mut text: String, secure: bool) -> HeaderValue {
    if secure {
        text.push_str("; Secure");
    }
    let mut value = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// What every Bearer of ours begins with: API tokens, and the publishers' secrets, which WHIP takes.
const OURS: &str = "weir_";

/// What the token of a signed embed begins with. It admits to a channel and says nothing of who asks.
const EMBED: &str = "weir_emb_";

/// What came with a request. A Bearer goes before a cookie, unless it is not ours: some proxies add one of their own.
pub fn credential(headers: &HeaderMap) -> Option<Credential> {
    let cookie = cookie_of(headers, COOKIE);
    match bearer_of(headers).filter(|bearer| !bearer.starts_with(EMBED)) {
        Some(bearer) if bearer.starts_with(OURS) || cookie.is_none() => {
            Some(Credential::Bearer(bearer.into()))
        }
        _ => cookie.map(|token| Credential::Cookie(token.into())),
    }
}

/// Whether a request proves itself by a token that no page of another site could have added.
pub fn is_by_token_alone(headers: &HeaderMap) -> bool {
    cookie_of(headers, COOKIE).is_none() && bearer_of(headers).is_some_and(|bearer| bearer.starts_with(OURS))
}

/// The value of the cookie of that name.
pub(super) fn cookie_of<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, token)| token)
}

fn bearer_of(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whose a request is, if anyone's. A cookie that is over is nobody's; a Bearer that doesn't work is an error, as a program
/// should not go on as nobody without knowing.
pub async fn who(headers: &HeaderMap, logins: &dyn Logins) -> Result<Option<SignedIn>, ProblemResponse> {
    let Some(credential) = credential(headers) else { return Ok(None) };
    let who = logins.who(&credential).await?;
    match &credential {
        Credential::Bearer(text) if who.is_none() => Err(wrong_token(text)),
        _ => Ok(who),
    }
}

/// Whose a viewer's session is, if anyone's. Players send Bearers of other kinds, which mean nothing here.
pub async fn viewer(headers: &HeaderMap, logins: &dyn Logins) -> Result<Option<SignedIn>, ProblemResponse> {
    match credential(headers) {
        Some(Credential::Bearer(bearer)) if !bearer.starts_with(OURS) => Ok(None),
        _ => who(headers, logins).await,
    }
}

fn wrong_token(text: &str) -> ProblemResponse {
    ProblemResponse::wrong_token(if text.starts_with("weir_key_") || text.starts_with("weir_pub_") {
        "This is a publisher's secret, for WHIP. The API takes tokens, which begin with “weir_api_”."
    } else {
        "This token is wrong, was revoked, or is over. Make a new one in the settings of your account."
    })
}

impl<S: HasLogins + Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ProblemResponse> {
        let who = who(&parts.headers, state.logins().as_ref()).await?;
        let mut who = who.ok_or_else(ProblemResponse::signed_out)?;
        who.actor.address = peer::kept_address(parts);
        if parts.method.is_safe() {
            who.may(Scope::Read)?;
        }
        Ok(who)
    }
}

/// An account, for handlers that say by themselves which scope reading takes.
#[derive(Debug, Clone)]
pub struct ByScope(pub SignedIn);

impl<S: HasLogins + Send + Sync> FromRequestParts<S> for ByScope {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ProblemResponse> {
        let who = who(&parts.headers, state.logins().as_ref()).await?;
        let mut who = who.ok_or_else(ProblemResponse::signed_out)?;
        who.actor.address = peer::kept_address(parts);
        Ok(Self(who))
    }
}

impl<S: HasLogins + Send + Sync> OptionalFromRequestParts<S> for SignedIn {
    type Rejection = ProblemResponse;

    /// What anyone may read, a token may that is not for reading; it sees what anyone sees.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, ProblemResponse> {
        let mut who = who(&parts.headers, state.logins().as_ref()).await?;
        if let Some(who) = &mut who {
            who.actor.address = peer::kept_address(parts);
        }
        Ok(who.filter(|who| !parts.method.is_safe() || who.has(Scope::Read)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others_and_kept_from_scripts() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; xweir_login=no"));
        headers.append(header::COOKIE, HeaderValue::from_static("weir_login=yes; c=d"));
        assert_eq!(credential(&headers), Some(Credential::Cookie("yes".into())));
        let secret = Secret::from_random([1; 32]);
        let value = cookie(&secret, true);
        let text = value.to_str().unwrap();
        assert!(text.contains("HttpOnly") && text.contains("SameSite=Lax") && text.ends_with("; Secure"));
        assert!(!cookie(&secret, false).to_str().unwrap().contains("Secure"));
        assert!(!format!("{value:?}").contains(&secret.reveal()));
    }

    #[test]
    fn a_signed_embed_comes_as_a_bearer_of_its_own() {
        assert_eq!(EMBED, crate::channel::embed::token::PREFIX);
        let of = |value: &str| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
            embed_of(&headers).map(|embed| embed.token.to_owned())
        };
        assert_eq!(of("Bearer weir_emb_x").as_deref(), Some("weir_emb_x"));
        for other in ["Bearer weir_api_x", "Bearer eyJ", "Basic weir_emb_x", "weir_emb_x"] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn a_token_of_ours_goes_before_a_cookie_and_another_s_does_not() {
        let of = |pairs: &[(&'static str, &str)]| {
            let headers: HeaderMap =
                pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
            (credential(&headers), is_by_token_alone(&headers))
        };
        let cookie = || Some(Credential::Cookie("c".into()));
        let bearer = |text: &str| Some(Credential::Bearer(text.into()));
        let login = ("cookie", "weir_login=c");
        assert_eq!(of(&[("authorization", "bearer  weir_api_x ")]), (bearer("weir_api_x"), true));
        assert_eq!(of(&[login, ("authorization", "Bearer weir_api_x")]), (bearer("weir_api_x"), false));
        assert_eq!(of(&[login, ("authorization", "Bearer eyJ")]), (cookie(), false));
        assert_eq!(of(&[("authorization", "Bearer eyJ")]), (bearer("eyJ"), false));
        assert_eq!(
            of(&[("authorization", "Bearer weir_emb_x")]),
            (None, true),
            "it says nothing of who asks"
        );
        assert_eq!(of(&[login, ("authorization", "Bearer weir_emb_x")]), (cookie(), false));
        assert_eq!(of(&[("authorization", "Basic weir_api_x")]), (None, false));
        assert_eq!(of(&[("authorization", "Bearer")]), (None, false));
        assert!(!format!("{:?}", bearer("weir_api_x")).contains("weir_api_x"));
    }
}
