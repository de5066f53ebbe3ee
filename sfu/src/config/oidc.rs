//! The OpenID provider that people may sign in by: all of it is set, or nothing.

use std::fmt;
use url::Url;

/// What was set, as it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `oidc.issuer`.
    pub issuer: Option<String>,
    /// `oidc.client_id`.
    pub client_id: Option<String>,
    /// `oidc.client_secret`.
    pub client_secret: Option<ClientSecret>,
    /// `oidc.name`.
    pub name: Option<String>,
}

/// The provider, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its address, as it names itself.
    pub issuer: String,
    /// What it knows this instance by.
    pub client_id: String,
    /// What proves that.
    pub client_secret: ClientSecret,
    /// What people call it.
    pub name: String,
}

/// What this instance proves itself by to the provider. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret(Box<str>);

impl ClientSecret {
    /// As it is sent to the provider.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for ClientSecret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(…)")
    }
}

/// Some of the settings are there, and one that they need isn't.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "signing in by an OpenID provider takes oidc.issuer, oidc.client_id and oidc.client_secret (WEIR_OIDC_ISSUER, …): \
     {0} is not set. Set it, or none of them"
)]
pub struct Missing(pub &'static str);

impl Settings {
    /// The provider, if there is one. Without a name of its own it is called by its host.
    ///
    /// # Errors
    /// [`Missing`] if some of it is set and not all that it takes.
    pub fn provider(&self) -> Result<Option<Provider>, Missing> {
        if *self == Self::default() {
            return Ok(None);
        }
        let issuer = self.issuer.clone().ok_or(Missing("oidc.issuer"))?;
        let client_id = self.client_id.clone().ok_or(Missing("oidc.client_id"))?;
        let client_secret = self.client_secret.clone().ok_or(Missing("oidc.client_secret"))?;
        let host = || Url::parse(&issuer).ok()?.host_str().map(str::to_owned);
        let name = self.name.clone().or_else(host).unwrap_or_default();
        Ok(Some(Provider { issuer, client_id, client_secret, name }))
    }
}

/// An issuer: an address without a query or a fragment (OpenID Connect Discovery 1.0, section 2).
pub(super) fn issuer(text: &str) -> Option<String> {
    let text = text.trim();
    let url = Url::parse(text).ok()?;
    let fits = matches!(url.scheme(), "https" | "http")
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && text.len() <= 500;
    fits.then(|| text.to_owned())
}

/// Text of one line.
pub(super) fn plain(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = (1..=500).contains(&text.len()) && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use std::collections::HashMap;

    fn parsed(pairs: &[(&str, &str)]) -> Result<Option<Provider>, String> {
        let variables: HashMap<String, String> =
            pairs.iter().map(|(name, value)| (format!("WEIR_OIDC_{name}"), (*value).to_owned())).collect();
        let config = parse(None, &variables).map_err(|error| error.to_string())?;
        config.oidc.provider().map_err(|error| error.to_string())
    }

    const ALL: [(&str, &str); 3] =
        [("ISSUER", "https://login.example.org/"), ("CLIENT_ID", "weir"), ("CLIENT_SECRET", "s3cret\n")];

    #[test]
    fn there_is_a_whole_provider_or_none() {
        assert_eq!(parsed(&[]), Ok(None));
        let whole = parsed(&ALL).unwrap().unwrap();
        assert_eq!((whole.name.as_str(), whole.client_secret.expose()), ("login.example.org", "s3cret"));
        assert_eq!(whole.issuer, "https://login.example.org/", "as it is written");
        let named = parsed(&[&ALL[..], &[("NAME", "The club")]].concat()).unwrap().unwrap();
        assert_eq!(named.name, "The club");
        for left_out in ALL {
            let some: Vec<_> = ALL.into_iter().filter(|one| *one != left_out).collect();
            let said = parsed(&some).unwrap_err();
            let missing = format!("oidc.{} is not set", left_out.0.to_lowercase());
            assert!(said.contains(&missing), "{said}");
        }
        assert!(parsed(&[("NAME", "The club")]).unwrap_err().contains("oidc.issuer is not set"));
    }

    #[test]
    fn what_can_not_be_a_provider_is_refused_and_no_secret_is_repeated() {
        for bad in ["", "login.example.org", "ftp://x", "https://x/?y", "https://x/#y", "https://a:b@x/"] {
            let said = parsed(&[&ALL[1..], &[("ISSUER", bad)]].concat()).unwrap_err();
            assert!(said.contains("oidc.issuer"), "{said}");
        }
        assert!(!format!("{:?}", parsed(&ALL)).contains("s3cret"));
        let said = parsed(&[("CLIENT_SECRET", "a\u{1}secret")]).unwrap_err();
        assert!(!said.contains("secret\""), "{said}");
        let toml = "[oidc]\nclient_secret = [\"hush\"]\nissuer = 4";
        let said = parse(Some(("weir.toml", toml)), &HashMap::new()).unwrap_err().to_string();
        assert!(!said.contains("hush"), "{said}");
    }
}
