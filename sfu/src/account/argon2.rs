//! Passwords, hashed with argon2id. One hash takes 19 MiB and tens of milliseconds, so two run at once and few wait.

use argon2::{
    Argon2, PasswordHash, PasswordHasher, PasswordVerifier,
    password_hash::{Salt, SaltString},
};
use shared::text::Password;
use std::sync::Arc;
use tokio::sync::Semaphore;

const AT_ONCE: usize = 2;
const WAITING: usize = 14;

/// Why a password was not hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Too many wait already: the caller is told to come back.
    #[error("too many people are signing in at this moment")]
    Busy,
    /// The hash could not be made.
    #[error("the password could not be hashed: {0}")]
    Failed(String),
}

/// Hashes passwords off the async threads.
#[derive(Debug, Clone)]
pub struct Hasher {
    running: Arc<Semaphore>,
    /// Those that run and those that wait.
    inside: Arc<Semaphore>,
    /// What an unknown account's password is checked against, so that it costs the same.
    decoy: Arc<str>,
}

impl Hasher {
    /// `random` makes a decoy that no password matches.
    pub fn new(random: [u8; 32]) -> Self {
        let salt = base64::Engine::encode(&base64::engine::general_purpose::STANDARD_NO_PAD, &random[..16]);
        let output = base64::Engine::encode(&base64::engine::general_purpose::STANDARD_NO_PAD, random);
        let params = Argon2::default();
        let (m, t, p) = (params.params().m_cost(), params.params().t_cost(), params.params().p_cost());
        Self {
            running: Arc::new(Semaphore::new(AT_ONCE)),
            inside: Arc::new(Semaphore::new(AT_ONCE + WAITING)),
            decoy: format!("$argon2id$v=19$m={m},t={t},p={p}${salt}${output}").into(),
        }
    }

    /// A new password's hash, in PHC's format.
    pub async fn hash(&self, password: Password, salt: [u8; 32]) -> Result<String, HashError> {
        self.run(move || {
            let salt = SaltString::encode_b64(&salt[..Salt::RECOMMENDED_LENGTH])
                .map_err(|error| HashError::Failed(error.to_string()))?;
            let hash = Argon2::default().hash_password(password.expose().as_bytes(), &salt);
            hash.map(|hash| hash.to_string()).map_err(|error| HashError::Failed(error.to_string()))
        })
        .await
    }

    /// Whether the password is the one that was hashed; with no hash, says no after the same work.
    pub async fn verify(&self, password: Password, hash: Option<String>) -> Result<bool, HashError> {
        let decoy = self.decoy.clone();
        // Who came by a provider has none.
        let hash = hash.filter(|hash| !hash.is_empty());
        self.run(move || {
            let known = hash.is_some();
            let text = hash.as_deref().unwrap_or(&decoy);
            let parsed = PasswordHash::new(text).map_err(|error| HashError::Failed(error.to_string()))?;
            let matches = Argon2::default().verify_password(password.expose().as_bytes(), &parsed).is_ok();
            Ok(matches && known)
        })
        .await
    }

    /// The permits travel with the work: a caller that goes away does not make room for more than may run.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let inside = self.inside.clone().try_acquire_owned().map_err(|_| HashError::Busy)?;
        let running = self.running.clone().acquire_owned().await.map_err(|_| HashError::Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            let _held = (inside, running);
            work()
        });
        done.await.map_err(|error| HashError::Failed(error.to_string()))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::try_from(text.to_owned()).unwrap()
    }

    #[tokio::test]
    async fn only_the_password_that_was_hashed_matches() {
        let hasher = Hasher::new([1; 32]);
        let hash = hasher.hash(password("correct horse"), [2; 32]).await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(hasher.verify(password("correct horse"), Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify(password("correct horsf"), Some(hash)).await.unwrap());
        assert!(!hasher.verify(password("correct horse"), None).await.unwrap());
        assert!(PasswordHash::new(&hasher.decoy).is_ok(), "the decoy costs a whole hash");
    }

    #[tokio::test]
    async fn a_crowd_is_told_to_come_back() {
        let hasher = Hasher::new([1; 32]);
        let held = hasher.inside.clone().acquire_many_owned((AT_ONCE + WAITING) as u32).await.unwrap();
        assert!(matches!(hasher.verify(password("correct horse"), None).await, Err(HashError::Busy)));
        drop(held);
        assert!(hasher.verify(password("correct horse"), None).await.is_ok());
    }
}
