//! The database, as far as every capability's own store shares it: one pool, one set of SQL, errors that a person can act on.
//!
//! SQL is written with `$1` placeholders, `ON CONFLICT` and the types TEXT and BIGINT, so that PostgreSQL needs no second copy.
//! In SQLite a transaction that reads before it writes may be refused when another writes at once, so each begins with a write.

pub mod activity;
pub mod audit;
pub mod erase;
mod error;
pub mod like;
pub mod outbox;
mod sqlite;

pub use error::StoreError;

use sqlx::{AnyConnection, AnyPool, Connection, any::AnyPoolOptions, pool::PoolOptions};
use std::{path::Path, time::Duration};

/// The most connections: SQLite has one writer at a time, and readers are short.
const CONNECTIONS: u32 = 4;
/// How long a request waits for a connection before it is told that the store is busy.
const WAIT: Duration = Duration::from_secs(6);

/// A handle on the database; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    interest: outbox::Interest,
}

impl Store {
    /// Opens the SQLite file in `data_dir`, making both if they aren't there.
    pub async fn open_in(data_dir: &Path) -> Result<Self, StoreError> {
        let file = sqlite::prepare(data_dir)?;
        Self::open(&sqlite::url(&file)).await
    }

    /// Opens the database at `url` and brings its tables up to date.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        if !url.starts_with("sqlite:") {
            return Err(StoreError::Unsupported);
        }
        // A pool tries until its time is over and forgets why: one connection by itself says what is wrong at once.
        let mut trial = AnyConnection::connect(url).await?;
        sqlite::configure(&mut trial).await?;
        trial.close().await?;
        let options: AnyPoolOptions = PoolOptions::new();
        let pool = options
            .max_connections(CONNECTIONS)
            .acquire_timeout(WAIT)
            .after_connect(|connection, _| Box::pin(sqlite::configure(connection)))
            .connect(url)
            .await?;
        sqlx::migrate!("./migrations").run(&pool).await.map_err(error::of_migration)?;
        Ok(Self { pool, interest: outbox::Interest::default() })
    }

    /// Where the capabilities' stores send their SQL.
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// What webhooks are told of that happens often.
    pub fn interest(&self) -> &outbox::Interest {
        &self.interest
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Closes every connection, so that SQLite folds its log into the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

#[cfg(test)]
mod tests;
