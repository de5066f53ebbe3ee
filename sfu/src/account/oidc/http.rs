//! Asking the provider: what it says of itself, its keys, a token for a code. Each answer is bounded in time and bytes.

use super::{
    keys::{Keys, Look},
    metadata::{self, Metadata, MetadataError, Proof},
    token::{self, Expected, Identity, TokenError},
};
use crate::{
    config::oidc::Provider as Settings,
    fresh,
    http::outgoing::{Fetched, Outgoing, OutgoingError},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;
use shared::unit::Timestamp;
use std::{sync::Arc, time::Duration};
use tokio::sync::Mutex;
use url::{Url, form_urlencoded};

/// What it says of itself is asked for again after this long.
const FRESH: Duration = Duration::from_secs(60 * 60);
/// A provider that didn't answer isn't asked again so soon: who comes meanwhile is told at once.
const PAUSE: Duration = Duration::from_secs(3);
/// No access token is longer.
const ACCESS_MOST: usize = 16 * 1024;

/// Why the provider is of no help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// Nobody is there, or too slow.
    #[error("the provider's {what} can't be reached: {why}")]
    Unreachable {
        /// What of it.
        what: &'static str,
        /// Why.
        why: OutgoingError,
    },
    /// It answers with an error.
    #[error("the provider's {what} answers with status {status}")]
    Status {
        /// What of it.
        what: &'static str,
        /// The status.
        status: u16,
    },
    /// It refuses the code.
    #[error("the provider refuses the code: {0:?}")]
    Refused(String),
    /// What it answers is something else.
    #[error("what the provider's {0} answers can't be read")]
    Answer(&'static str),
    /// What it says of itself can't be used.
    #[error("the provider can't be used: {0}")]
    Metadata(#[from] MetadataError),
    /// Its ID token isn't believed.
    #[error("the provider's ID token is refused: {0}")]
    Token(#[from] TokenError),
}

/// What is known of what it says of itself.
#[derive(Debug)]
enum Known {
    Nothing,
    Read(Arc<Metadata>, Timestamp),
    Failed(ProviderError, Timestamp),
}

/// The provider, as it is asked.
pub struct Provider {
    /// As it was set.
    pub settings: Settings,
    outgoing: Outgoing,
    // Held while it is asked, so that it is asked once, however many wait.
    known: Mutex<Known>,
    keys: Mutex<Keys>,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    #[serde(default)]
    access_token: String,
}

/// What is redeemed for a token.
#[derive(Debug, Clone, Copy)]
pub struct Code<'a> {
    /// What the browser brought.
    pub code: &'a str,
    /// Where it was sent to with it.
    pub redirect_uri: &'a str,
    /// The verifier of the challenge that it was asked for with (RFC 7636, section 4.5).
    pub verifier: &'a str,
    /// What its ID token must repeat.
    pub nonce: &'a str,
}

impl Provider {
    /// As it was set. Nothing is asked yet: a provider that is away keeps no server from starting.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            outgoing: Outgoing::inside(),
            known: Mutex::new(Known::Nothing),
            keys: Mutex::new(Keys::default()),
        }
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// [`ProviderError`] if it doesn't, or calls itself something else.
    pub async fn metadata(&self) -> Result<Arc<Metadata>, ProviderError> {
        let mut known = self.known.lock().await;
        let now = fresh::now();
        match &*known {
            Known::Read(metadata, at) if now.since(*at) < FRESH => return Ok(metadata.clone()),
            Known::Failed(error, at) if now.since(*at) < PAUSE => return Err(error.clone()),
            _ => {}
        }
        let address = metadata::address(&self.settings.issuer);
        let read = async {
            let body = self.get("configuration", &address, Vec::new()).await?;
            Ok(Arc::new(Metadata::parse(&body, &self.settings.issuer)?))
        };
        let read: Result<_, ProviderError> = read.await;
        *known = match &read {
            Ok(metadata) => Known::Read(metadata.clone(), fresh::now()),
            Err(error) => Known::Failed(error.clone(), fresh::now()),
        };
        read
    }

    /// Redeems a code (OpenID Connect Core 1.0, section 3.1.3); who is there.
    ///
    /// # Errors
    /// [`ProviderError`] if it is refused, or the answer isn't to be believed.
    pub async fn redeem(&self, code: Code<'_>) -> Result<(Identity, AccessToken), ProviderError> {
        let what = "token endpoint";
        let metadata = self.metadata().await?;
        let (id, secret) = (self.settings.client_id.as_str(), self.settings.client_secret.expose());
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        let mut headers = vec![(CONTENT_TYPE, form)];
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", code.code),
            ("redirect_uri", code.redirect_uri),
            ("code_verifier", code.verifier),
        ];
        match metadata.proof {
            Proof::Basic => headers.push((AUTHORIZATION, basic(id, secret))),
            Proof::Post => pairs.extend([("client_id", id), ("client_secret", secret)]),
        }
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into_bytes();
        let answer = self.ask(what, metadata.token_endpoint.as_str(), headers, Some(body)).await?;
        if answer.status == 400 || answer.status == 401 {
            #[derive(Deserialize)]
            struct Refusal {
                error: String,
            }
            let refusal = serde_json::from_slice::<Refusal>(&answer.body);
            let error = refusal.map_or_else(|_| answer.status.to_string(), |refusal| refusal.error);
            return Err(ProviderError::Refused(error.chars().take(100).collect()));
        }
        let body = good(what, answer)?;
        let tokens: Tokens = serde_json::from_slice(&body).map_err(|_| ProviderError::Answer(what))?;
        let head = token::head(&tokens.id_token)?;
        let keys = self.keys(&metadata, &head).await?;
        let claims = token::signed(&tokens.id_token, &head, &keys)?;
        let Settings { issuer, client_id, .. } = &self.settings;
        let identity = claims.check(Expected { issuer, client_id, nonce: code.nonce }, fresh::now())?;
        Ok((identity, AccessToken(tokens.access_token)))
    }

    /// The keys that may have signed a token, asked for if need be.
    async fn keys(&self, metadata: &Metadata, head: &token::Head) -> Result<Vec<Jwk>, ProviderError> {
        let what = "set of keys";
        let mut keys = self.keys.lock().await;
        let look = |keys: &Keys| keys.look(head.algorithm, head.key.as_deref(), fresh::now());
        if look(&keys) == Look::Ask {
            keys.ask(fresh::now());
            let got = self.get(what, metadata.jwks_uri.as_str(), Vec::new()).await;
            // From its end on, too: who waited meanwhile doesn't ask a provider that hangs once more.
            keys.ask(fresh::now());
            let body = got?;
            if !keys.read(&body, fresh::now()) {
                return Err(ProviderError::Answer(what));
            }
        }
        match look(&keys) {
            Look::Among(found) => Ok(found),
            Look::Ask | Look::Nowhere => Err(TokenError::Signature.into()),
        }
    }

    /// What else it knows of somebody whose names the ID token doesn't have (section 5.3). Names are a courtesy: without an
    /// answer they stay as they are.
    pub async fn complete(&self, identity: Identity, access: &AccessToken) -> Identity {
        #[derive(Deserialize)]
        struct Claims {
            sub: String,
            preferred_username: Option<String>,
            name: Option<String>,
        }
        if identity.preferred.is_some() || access.0.is_empty() || access.0.len() > ACCESS_MOST {
            return identity;
        }
        let Ok(metadata) = self.metadata().await else { return identity };
        let Some(address) = metadata.userinfo_endpoint.as_ref().map(Url::as_str) else { return identity };
        let Ok(mut bearer) = HeaderValue::from_str(&format!("Bearer {}", access.0)) else { return identity };
        bearer.set_sensitive(true);
        let body = match self.get("user info", address, vec![(AUTHORIZATION, bearer)]).await {
            Ok(body) => body,
            Err(error) => {
                tracing::info!(%error, "a newcomer's name is not known");
                return identity;
            }
        };
        match serde_json::from_slice::<Claims>(&body) {
            // Section 5.3.2: of anybody else nothing is taken.
            Ok(claims) if claims.sub == identity.subject => Identity {
                preferred: claims.preferred_username,
                full: identity.full.or(claims.name),
                subject: identity.subject,
            },
            _ => identity,
        }
    }

    async fn get(
        &self,
        what: &'static str,
        address: &str,
        headers: Vec<(HeaderName, HeaderValue)>,
    ) -> Result<Vec<u8>, ProviderError> {
        good(what, self.ask(what, address, headers, None).await?)
    }

    async fn ask(
        &self,
        what: &'static str,
        address: &str,
        mut headers: Vec<(HeaderName, HeaderValue)>,
        body: Option<Vec<u8>>,
    ) -> Result<Fetched, ProviderError> {
        headers.push((ACCEPT, HeaderValue::from_static("application/json")));
        let asked = self.outgoing.fetch(address, headers, body).await;
        asked.map_err(|why| match why {
            OutgoingError::Answer => ProviderError::Answer(what),
            why => ProviderError::Unreachable { what, why },
        })
    }
}

/// What lets the provider tell more of somebody. Never shown, and forgotten with the request.
pub struct AccessToken(String);

fn good(what: &'static str, answer: Fetched) -> Result<Vec<u8>, ProviderError> {
    match answer.status {
        200 => Ok(answer.body),
        status => Err(ProviderError::Status { what, status }),
    }
}

/// How a client proves itself in a header: RFC 6749, section 2.3.1.
fn basic(id: &str, secret: &str) -> HeaderValue {
    let part = |text: &str| -> String { form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    let text = STANDARD.encode(format!("{}:{}", part(id), part(secret)));
    let mut value =
        HeaderValue::from_str(&format!("Basic {text}")).unwrap_or(HeaderValue::from_static("Basic"));
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_proves_itself_with_whatever_its_secret_is_made_of() {
        assert_eq!(basic("weir", "s3cret"), "Basic d2VpcjpzM2NyZXQ=");
        let text = STANDARD.encode("we%3Air:a%2Bb+%25%C3%A9");
        assert_eq!(basic("we:ir", "a+b %é"), format!("Basic {text}"));
        assert!(!format!("{:?}", basic("weir", "s3cret")).contains("d2V"));
    }
}
