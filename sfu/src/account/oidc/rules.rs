//! Pure rules of signing in by a provider: what is asked of it, where a browser may go afterwards, what newcomers are called.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use shared::text::{AccountName, DisplayName};
use url::Url;

/// Why a browser came back without anybody being signed in. Pages have the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It took too long, was used before, or began in another browser.
    Expired,
    /// The provider says no, or its person did.
    Refused,
    /// The provider can't be reached, or not in time.
    Unreachable,
    /// What the provider says can't be believed.
    Untrue,
    /// The account is kept from signing in.
    Suspended,
    /// Nobody can make an account.
    Closed,
    /// An account takes an invite, and there is none that works.
    Invite,
    /// Too many tries.
    Often,
    /// Whom the provider names is connected with another account, or this account with somebody else there.
    Taken,
    /// The account that wanted to be connected isn't signed in any more.
    SignedOut,
    /// A fault of ours.
    Fault,
}

impl Trouble {
    /// As pages are told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Untrue => "untrue",
            Self::Suspended => "suspended",
            Self::Closed => "closed",
            Self::Invite => "invite",
            Self::Often => "often",
            Self::Taken => "taken",
            Self::SignedOut => "signed-out",
            Self::Fault => "fault",
        }
    }
}

/// The longest path that is gone back to.
const PATH_MOST: usize = 512;

/// A page of this site to go to, or the first one: nothing that a browser could take for another site's address.
pub fn return_path(wanted: Option<&str>) -> String {
    let is_own = |path: &&str| {
        let Ok(base) = Url::parse("https://weir.invalid/") else { return false };
        let stays =
            base.join(path).is_ok_and(|url| url.origin() == base.origin() && !url.path().starts_with("//"));
        path.len() <= PATH_MOST
            && path.starts_with('/')
            && !path.starts_with("//")
            && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
            && !path.to_ascii_lowercase().starts_with("/api/")
            && stays
    };
    wanted.filter(is_own).unwrap_or("/").to_owned()
}

/// A path with one more thing that its page is told.
pub fn telling(path: &str, name: &str, value: &str) -> String {
    let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    format!("{path}{}{name}={value}", if path.contains('?') { '&' } else { '?' })
}

/// The challenge of a verifier (RFC 7636, section 4.2: S256).
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// What differs from one request for somebody's identity to the next.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What the provider knows this instance by.
    pub client_id: &'a str,
    /// Where the browser comes back to.
    pub redirect_uri: &'a str,
    /// By which it is known again.
    pub state: &'a str,
    /// By which the ID token is.
    pub nonce: &'a str,
    /// What only who has [`challenge`]'s verifier can redeem the code with.
    pub verifier: &'a str,
}

/// Where a browser is sent (OpenID Connect Core 1.0, section 3.1.2.1; RFC 7636, section 4.3).
pub fn authorization_url(endpoint: &Url, request: Request<'_>) -> String {
    let mut url = endpoint.clone();
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", request.client_id)
        .append_pair("redirect_uri", request.redirect_uri)
        .append_pair("scope", "openid profile")
        .append_pair("state", request.state)
        .append_pair("nonce", request.nonce)
        .append_pair("code_challenge", &challenge(request.verifier))
        .append_pair("code_challenge_method", "S256");
    url.into()
}

/// What a newcomer could be called, made of what the provider calls them: a name that fits the house's alphabet and one that
/// people would see. Both may be empty; whether they are somebody's is another question.
pub fn proposal(preferred: Option<&str>, full: Option<&str>) -> (String, String) {
    let plain = |text: &str| {
        let text = text.split('@').next().unwrap_or_default().trim().to_lowercase();
        let mut name = String::new();
        for c in text.chars() {
            let fits = c.is_ascii_alphanumeric() || c == '-' || c == '_';
            let gap = !fits && !name.is_empty() && !name.ends_with('-');
            match (fits, gap) {
                (true, _) => name.push(c),
                (false, true) => name.push('-'),
                _ => {}
            }
        }
        let start = name.find(|c: char| c.is_ascii_alphanumeric()).unwrap_or(name.len());
        let cut: String = name[start..].chars().take(25).collect();
        let cut = cut.trim_end_matches(['-', '_']).to_owned();
        cut.parse::<AccountName>().map(|name| name.to_string()).unwrap_or_default()
    };
    let shown = |text: &str| text.trim().parse::<DisplayName>().ok().map(|name| name.as_str().to_owned());
    let name = [preferred, full].into_iter().flatten().map(plain).find(|name| !name.is_empty());
    let name = name.unwrap_or_default();
    let display = full.and_then(shown).or_else(|| shown(&name)).unwrap_or_default();
    (name, display)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        for own in ["/", "/ada", "/studio/ada?x=1#y", "/search?q=a%20b", "/apis"] {
            assert_eq!(return_path(Some(own)), own);
        }
        let long = format!("/{}", "a".repeat(PATH_MOST));
        for other in [
            "",
            "ada",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "/a b",
            "/..//evil.example",
            "/./\\evil.example",
            "/.//evil.example",
            "/é",
            "/api/v1/logout",
            "/API/v1/me",
            long.as_str(),
        ] {
            assert_eq!(return_path(Some(other)), "/", "{other:?}");
        }
        assert_eq!(return_path(None), "/");
        assert_eq!(telling("/sign-in?return=/a", "trouble", "a&b=c"), "/sign-in?return=/a&trouble=a%26b%3Dc");
        assert_eq!(telling("/settings", "trouble", "x"), "/settings?trouble=x");
    }

    #[test]
    fn the_provider_is_asked_for_a_code_that_only_we_can_redeem() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        let endpoint = Url::parse("https://login.example.org/auth?tenant=a").unwrap();
        let request = Request {
            client_id: "weir & co",
            redirect_uri: "https://tv.example/api/v1/oidc/callback",
            state: "st",
            nonce: "no",
            verifier,
        };
        let url = authorization_url(&endpoint, request);
        assert!(url.starts_with(
            "https://login.example.org/auth?tenant=a&response_type=code&client_id=weir+%26+co&"
        ));
        assert!(url.contains("&scope=openid+profile&state=st&nonce=no&code_challenge=E9Melhoa"), "{url}");
        assert!(url.ends_with("&code_challenge_method=S256") && !url.contains(verifier));
    }

    #[test]
    fn newcomers_are_called_as_the_provider_calls_them_as_far_as_that_fits() {
        for (preferred, full, name, shown) in [
            (Some("ada"), Some("Ada Lovelace"), "ada", "Ada Lovelace"),
            (Some("Ada.Lovelace"), None, "ada-lovelace", "ada-lovelace"),
            (Some("ada@example.org"), Some(""), "ada", "ada"),
            (Some("__ada__"), None, "ada", "ada"),
            (Some("ädä"), Some("Ädä"), "", "Ädä"),
            (Some("陳"), Some("Chen Wei"), "chen-wei", "Chen Wei"),
            (Some("a"), None, "", ""),
            (Some("x"), Some("evil\u{202E}name"), "evil-name", "evil-name"),
            (None, None, "", ""),
            (
                Some("a-very-long-name-that-goes-on-and-on"),
                None,
                "a-very-long-name-that-goe",
                "a-very-long-name-that-goe",
            ),
        ] {
            let expected = (name.to_owned(), shown.to_owned());
            assert_eq!(proposal(preferred, full), expected, "{preferred:?} {full:?}");
        }
    }
}
