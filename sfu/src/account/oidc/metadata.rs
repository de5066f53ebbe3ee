//! What a provider says of itself (OpenID Connect Discovery 1.0). Pure.

use serde::Deserialize;
use url::Url;

/// Where a provider says so, by its issuer (section 4).
pub fn address(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

/// How this instance proves itself at the token endpoint (OpenID Connect Core 1.0, section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// `client_secret_basic`: in a header.
    Basic,
    /// `client_secret_post`: in the body.
    Post,
}

/// As much of it as is of use here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Where people sign in.
    pub authorization_endpoint: Url,
    /// Where a code becomes an ID token.
    pub token_endpoint: Url,
    /// Where its keys are.
    pub jwks_uri: Url,
    /// Where more is known of people.
    pub userinfo_endpoint: Option<Url>,
    /// What the token endpoint takes.
    pub proof: Proof,
    /// Whether browsers that come back name the issuer (RFC 9207).
    pub names_issuer: bool,
}

/// Why it can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// No JSON, or not of this shape.
    #[error("its configuration can't be read: {0}")]
    Shape(String),
    /// It is another's.
    #[error("it calls itself {0}: oidc.issuer must be exactly this")]
    Issuer(String),
    /// An address that isn't called.
    #[error("its {0} is no address that can be used")]
    Endpoint(&'static str),
    /// This instance can't prove itself.
    #[error("its token endpoint takes neither client_secret_basic nor client_secret_post")]
    Proof,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    authorization_response_iss_parameter_supported: Option<bool>,
}

impl Metadata {
    /// Reads what the provider of this issuer answered (section 4.3).
    ///
    /// # Errors
    /// [`MetadataError`] for what is no such answer, or another issuer's.
    pub fn parse(body: &[u8], issuer: &str) -> Result<Self, MetadataError> {
        let document: Document =
            serde_json::from_slice(body).map_err(|error| MetadataError::Shape(error.to_string()))?;
        if document.issuer != issuer {
            return Err(MetadataError::Issuer(document.issuer.chars().take(200).collect()));
        }
        // A provider with TLS has it everywhere: what is secret is sent there.
        let is_secure = issuer.starts_with("https:");
        let endpoint = |name, text: &str| {
            let url = Url::parse(text).ok().filter(|url| {
                url.scheme() == "https" || (url.scheme() == "http" && !is_secure && url.has_host())
            });
            url.ok_or(MetadataError::Endpoint(name))
        };
        let methods = document.token_endpoint_auth_methods_supported;
        let takes = |name: &str| methods.iter().flatten().any(|method| method == name);
        let proof = if methods.is_none() || takes("client_secret_basic") {
            Proof::Basic
        } else if takes("client_secret_post") {
            Proof::Post
        } else {
            return Err(MetadataError::Proof);
        };
        let userinfo = document.userinfo_endpoint.as_deref();
        Ok(Self {
            authorization_endpoint: endpoint("authorization_endpoint", &document.authorization_endpoint)?,
            token_endpoint: endpoint("token_endpoint", &document.token_endpoint)?,
            jwks_uri: endpoint("jwks_uri", &document.jwks_uri)?,
            userinfo_endpoint: userinfo.and_then(|text| endpoint("userinfo_endpoint", text).ok()),
            proof,
            names_issuer: document.authorization_response_iss_parameter_supported.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ISSUER: &str = "https://login.example.org/realm";

    fn document() -> Value {
        json!({
            "issuer": ISSUER, "authorization_endpoint": format!("{ISSUER}/auth"),
            "token_endpoint": format!("{ISSUER}/token"), "jwks_uri": format!("{ISSUER}/keys"),
        })
    }

    fn with(field: &str, value: Value) -> Result<Metadata, MetadataError> {
        let mut document = document();
        document[field] = value;
        Metadata::parse(document.to_string().as_bytes(), ISSUER)
    }

    #[test]
    fn a_provider_is_found_by_its_issuer_and_must_be_it() {
        for issuer in [ISSUER, "https://login.example.org/realm/"] {
            assert_eq!(address(issuer), "https://login.example.org/realm/.well-known/openid-configuration");
        }
        let read = Metadata::parse(document().to_string().as_bytes(), ISSUER).unwrap();
        assert_eq!((read.proof, read.names_issuer), (Proof::Basic, false));
        assert_eq!(read.token_endpoint.as_str(), "https://login.example.org/realm/token");
        for other in ["https://login.example.org/realm/", "https://evil.example", ""] {
            assert_eq!(with("issuer", json!(other)), Err(MetadataError::Issuer(other.to_owned())));
        }
        for bad in [&b"<html>"[..], b"", b"[]", b"{}", b"null", &[0xff]] {
            assert!(matches!(Metadata::parse(bad, ISSUER), Err(MetadataError::Shape(_))));
        }
    }

    #[test]
    fn secrets_go_to_endpoints_with_tls_and_in_a_way_that_they_take() {
        for bad in ["http://login.example.org/token", "", "/token", "ftp://x/", "javascript:x"] {
            assert_eq!(
                with("token_endpoint", json!(bad)),
                Err(MetadataError::Endpoint("token_endpoint")),
                "{bad}"
            );
        }
        let of = |methods: &[&str]| {
            with("token_endpoint_auth_methods_supported", json!(methods)).map(|read| read.proof)
        };
        assert_eq!(of(&["client_secret_post", "client_secret_basic"]), Ok(Proof::Basic));
        assert_eq!(of(&["private_key_jwt", "client_secret_post"]), Ok(Proof::Post));
        assert_eq!(of(&["private_key_jwt"]), Err(MetadataError::Proof));
        assert_eq!(with("userinfo_endpoint", json!("nonsense")).unwrap().userinfo_endpoint, None);
        let plain = document().to_string().replace("https:", "http:");
        assert!(Metadata::parse(plain.as_bytes(), &ISSUER.replace("https:", "http:")).is_ok());
    }
}
