//! What browsers and authenticators say of passkeys, checked with `webauthn_rp`: W3C WebAuthn Level 3, sections 7.1 and 7.2.
//!
//! No attestation is asked for: which make an authenticator is of is its owner's business. The user must be verified, by
//! whatever the device has: a passkey stands for name and password at once.

use super::service::PasskeyError;
use crate::account::store::Account;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use shared::id::AccountId;
use url::{Host, Url};
use webauthn_rp::{
    AuthenticatedCredential, DiscoverableAuthentication, DiscoverableAuthenticationServerState,
    DiscoverableCredentialRequestOptions, PublicKeyCredentialCreationOptions, Registration,
    RegistrationServerState,
    bin::{Decode, Encode},
    request::{
        AsciiDomain, PublicKeyCredentialDescriptor, RpId, TimedCeremony,
        auth::AuthenticationVerificationOptions,
        register::{CredProtect, PublicKeyCredentialUserEntity, RegistrationVerificationOptions, UserHandle},
    },
    response::{
        AuthTransports, CredentialId,
        auth::error::AuthCeremonyErr,
        register::{CompressedPubKey, DynamicState, StaticState},
    },
};

/// How long an account's id is. It is the user handle, which tells nothing of the person (section 14.6.1).
const HANDLE: usize = 26;

/// A passkey that a browser is making.
pub type Adding = RegistrationServerState<HANDLE>;
/// Somebody who is signing in.
pub type SigningIn = DiscoverableAuthenticationServerState;
/// What somebody who signs in sent.
pub type Assertion = DiscoverableAuthentication<HANDLE>;

/// Which site passkeys are for.
#[derive(Debug, Clone)]
pub struct Party {
    id: RpId,
    origins: Vec<String>,
}

impl Party {
    /// The site at an address. `None` where it has no name: passkeys are for domains alone (section 5.1.2).
    pub fn at(base_url: &str) -> Option<Self> {
        let url = Url::parse(base_url).ok()?;
        let Some(Host::Domain(domain)) = url.host() else { return None };
        let id = RpId::Domain(AsciiDomain::try_from(domain.to_owned()).ok()?);
        let origin = url.origin().ascii_serialization();
        // A proxy may not have said that it speaks HTTPS. As in `http::csrf`, host and port decide.
        let encrypted = origin.strip_prefix("http://").map(|rest| format!("https://{rest}"));
        Some(Self { id, origins: [Some(origin), encrypted].into_iter().flatten().collect() })
    }
}

/// A passkey as it is kept: what an authenticator proves itself against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// What the authenticator calls it.
    pub credential_id: String,
    /// Its public key.
    pub public_key: String,
    /// What changes with each use.
    pub state: String,
    /// How its authenticator is reached.
    pub transports: u8,
}

fn handle(account: &AccountId) -> Result<UserHandle<HANDLE>, PasskeyError> {
    let bytes = account.as_str().as_bytes().try_into().map_err(|_| PasskeyError::Broken)?;
    let Ok(handle) = UserHandle::decode(bytes);
    Ok(handle)
}

fn bytes(text: &str) -> Result<Vec<u8>, PasskeyError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| PasskeyError::Broken)
}

fn options(of: &impl serde::Serialize) -> Result<Value, PasskeyError> {
    serde_json::to_value(of).map_err(|_| PasskeyError::Broken)
}

/// Begins to make a passkey for an account that has these already. What is kept of it, its challenge, what the browser gets.
///
/// # Errors
/// [`PasskeyError::Broken`] if what is kept of the account or its passkeys can't be read.
pub fn start_adding(
    party: &Party,
    account: &Account,
    known: &[Key],
) -> Result<(u128, Adding, Value), PasskeyError> {
    let descriptor = |key: &Key| -> Result<_, PasskeyError> {
        Ok(PublicKeyCredentialDescriptor {
            id: CredentialId::<Vec<u8>>::decode(bytes(&key.credential_id)?)
                .map_err(|_| PasskeyError::Broken)?,
            transports: AuthTransports::decode(key.transports).map_err(|_| PasskeyError::Broken)?,
        })
    };
    let known = known.iter().map(descriptor).collect::<Result<Vec<_>, _>>()?;
    let handle = handle(&account.id)?;
    let user = PublicKeyCredentialUserEntity {
        name: account.name.as_str().try_into().map_err(|_| PasskeyError::Broken)?,
        id: &handle,
        // A name that RFC 8266 has no form for is left out; the other one is enough to tell accounts apart.
        display_name: account.display_name.as_str().try_into().ok(),
    };
    let mut wanted = PublicKeyCredentialCreationOptions::passkey(&party.id, user, known);
    // Devices whose authenticator doesn't know the extension refuse where it is enforced; that the user is verified is asked anyway.
    wanted.extensions.cred_protect = CredProtect::None;
    let ceremony = wanted.start_ceremony();
    let (server, client) = ceremony.map_err(|_| PasskeyError::Broken)?;
    Ok((server.sent_challenge().0, server, options(&client)?))
}

/// Begins to sign somebody in, of whom nothing is known.
///
/// # Errors
/// [`PasskeyError::Broken`] never, as long as the library takes its own options.
pub fn start_signing_in(party: &Party) -> Result<(u128, SigningIn, Value), PasskeyError> {
    let ceremony = DiscoverableCredentialRequestOptions::passkey(&party.id).start_ceremony();
    let (server, client) = ceremony.map_err(|_| PasskeyError::Broken)?;
    Ok((server.sent_challenge().0, server, options(&client)?))
}

/// What a browser made, and which challenge it answers.
///
/// # Errors
/// [`PasskeyError::Unreadable`] for anything but a `RegistrationResponseJSON` (section 5.1).
pub fn read_registration(credential: &Value) -> Result<(u128, Registration), PasskeyError> {
    let json = credential.to_string();
    let registration = Registration::from_json_relaxed(json.as_bytes());
    let registration = registration.map_err(|_| PasskeyError::Unreadable)?;
    let challenge = registration.challenge_relaxed().map_err(|_| PasskeyError::Unreadable)?;
    Ok((challenge.0, registration))
}

/// What somebody who signs in sent, and which challenge it answers.
///
/// # Errors
/// [`PasskeyError::Unreadable`] for anything but an `AuthenticationResponseJSON` (section 5.1).
pub fn read_assertion(credential: &Value) -> Result<(u128, Assertion), PasskeyError> {
    // The library takes it for a mistake of its own where whose passkey it is isn't said.
    if !credential["response"]["userHandle"].is_string() {
        return Err(PasskeyError::Unreadable);
    }
    let json = credential.to_string();
    let assertion = Assertion::from_json_relaxed(json.as_bytes()).map_err(|_| PasskeyError::Unreadable)?;
    let challenge = assertion.challenge_relaxed().map_err(|_| PasskeyError::Unreadable)?;
    Ok((challenge.0, assertion))
}

/// What the authenticator calls the passkey that somebody signs in with.
pub fn credential_id(assertion: &Assertion) -> String {
    URL_SAFE_NO_PAD.encode(assertion.raw_id().as_ref())
}

/// The passkey that a browser made, if all of it holds (section 7.1).
///
/// # Errors
/// [`PasskeyError::Refused`] if anything doesn't: origin, site, challenge, presence, verification, key, signature.
pub fn finish_adding(
    party: &Party,
    adding: Adding,
    registration: &Registration,
) -> Result<Key, PasskeyError> {
    let rules = RegistrationVerificationOptions::<String, String> {
        allowed_origins: &party.origins,
        // Some authenticators add what nobody asked for; it is not used.
        error_on_unsolicited_extensions: false,
        ..RegistrationVerificationOptions::default()
    };
    let made = adding.verify(&party.id, registration, &rules).map_err(|error| {
        tracing::debug!(%error, "a passkey was not taken");
        PasskeyError::Refused
    })?;
    let (known, state, transports) = (made.static_state(), made.dynamic_state(), made.transports());
    let (Ok(public_key), Ok(state), Ok(transports)) = (known.encode(), state.encode(), transports.encode());
    Ok(Key {
        credential_id: URL_SAFE_NO_PAD.encode(made.id().as_ref()),
        public_key: URL_SAFE_NO_PAD.encode(public_key),
        state: URL_SAFE_NO_PAD.encode(state),
        transports,
    })
}

/// What is to be kept of the passkey from now on, if what somebody sent proves that they have it (section 7.2).
///
/// # Errors
/// [`PasskeyError::Copied`] if its counter went back, [`PasskeyError::Wrong`] if anything else doesn't hold.
pub fn finish_signing_in(
    party: &Party,
    signing_in: SigningIn,
    assertion: &Assertion,
    (owner, key): (&AccountId, &Key),
) -> Result<String, PasskeyError> {
    let handle = handle(owner)?;
    let id = bytes(&key.credential_id)?;
    let id = CredentialId::<&[u8]>::decode(&id).map_err(|_| PasskeyError::Broken)?;
    let known = StaticState::<CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>>::decode(&bytes(
        &key.public_key,
    )?)
    .map_err(|_| PasskeyError::Broken)?;
    let state: [u8; 7] = bytes(&key.state)?.try_into().map_err(|_| PasskeyError::Broken)?;
    let state = DynamicState::decode(state).map_err(|_| PasskeyError::Broken)?;
    let mut kept =
        AuthenticatedCredential::new(id, &handle, known, state).map_err(|_| PasskeyError::Broken)?;
    let rules = AuthenticationVerificationOptions::<String, String> {
        allowed_origins: &party.origins,
        error_on_unsolicited_extensions: false,
        ..AuthenticationVerificationOptions::default()
    };
    signing_in.verify(&party.id, assertion, &mut kept, &rules).map_err(|error| {
        tracing::debug!(%error, "a passkey was not believed");
        match error {
            AuthCeremonyErr::SignatureCounter => PasskeyError::Copied,
            _ => PasskeyError::Wrong,
        }
    })?;
    let Ok(state) = kept.dynamic_state().encode();
    Ok(URL_SAFE_NO_PAD.encode(state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared::account::Role;

    fn party() -> Party {
        Party::at("https://tv.example").unwrap()
    }

    fn account() -> Account {
        let id = "0123456789abcdefghjkmnpqrs".parse().unwrap();
        Account::new(id, "ada".parse().unwrap(), "Ada \u{1F30A}".parse().unwrap(), Role::Member)
    }

    #[test]
    fn passkeys_are_for_sites_with_a_name() {
        let origins = |url: &str| Party::at(url).map(|party| party.origins);
        assert_eq!(origins("https://TV.example:443").unwrap(), ["https://tv.example"]);
        assert_eq!(
            origins("http://localhost:8080").unwrap(),
            ["http://localhost:8080", "https://localhost:8080"]
        );
        assert_eq!(origins("https://bücher.example").unwrap(), ["https://xn--bcher-kva.example"]);
        for none in ["http://127.0.0.1:8080", "http://[::1]:8080", "https://", "", "localhost", "file:///x"] {
            assert!(origins(none).is_none(), "{none}");
        }
    }

    #[test]
    fn what_browsers_get_asks_for_a_passkey_that_verifies_its_owner() {
        let (challenge, _, options) = start_adding(&party(), &account(), &[]).unwrap();
        assert_eq!(options["challenge"].as_str().map(str::len), Some(22));
        assert_eq!(options["rp"]["id"], "tv.example");
        let (name, handle) = (&options["user"]["name"], &options["user"]["id"]);
        assert_eq!((name.as_str(), handle.as_str().map(str::len)), (Some("ada"), Some(35)));
        assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
        assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
        assert_eq!((&options["attestation"], &options["timeout"]), (&json!("none"), &json!(300_000)));
        let algorithms = options["pubKeyCredParams"].as_array().unwrap();
        assert!(
            algorithms.iter().any(|one| one["alg"] == -7) && algorithms.iter().any(|one| one["alg"] == -257)
        );
        let (other, _, asked) = start_signing_in(&party()).unwrap();
        assert_ne!(challenge, other);
        assert_eq!((&asked["rpId"], &asked["userVerification"]), (&json!("tv.example"), &json!("required")));
        assert_eq!(asked["allowCredentials"], json!([]));
    }

    #[test]
    fn what_can_t_be_read_is_refused_and_never_a_panic() {
        let kinds =
            [json!({}), json!([]), json!(null), json!(7), json!("x"), json!({ "id": "", "response": {} })];
        for bad in kinds {
            assert!(matches!(read_registration(&bad), Err(PasskeyError::Unreadable)), "{bad}");
            assert!(matches!(read_assertion(&bad), Err(PasskeyError::Unreadable)), "{bad}");
        }
    }
}
