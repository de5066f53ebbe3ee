use sqlx::{error::DatabaseError, migrate::MigrateError};
use std::path::PathBuf;

/// Why the store could not do what it was asked. Each sentence says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No space is left.
    #[error("the server's disk is full: free some space, and it carries on by itself")]
    Full,
    /// Nothing can be written.
    #[error("the server's database can't be written: it or its disk is read-only")]
    ReadOnly,
    /// Others hold it for too long.
    #[error("the server's database is busy: try again in a moment")]
    Busy,
    /// What must be unique is there already.
    #[error("that is taken already")]
    Taken,
    /// The data directory can't be used.
    #[error(
        "Weir can't write to its data directory {path}: {source}. Give it another with WEIR_DATA_DIR, or make this one writable"
    )]
    DataDir {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is no database, or a broken one.
    #[error("the database file is damaged or not a database: restore it from a backup")]
    Damaged,
    /// A newer Weir wrote it.
    #[error("the database was written by another version of Weir ({0}): run that version or a newer one")]
    Version(String),
    /// Not SQLite.
    #[error("the database URL must begin with sqlite: in this version")]
    Unsupported,
    /// A row that no version of Weir writes.
    #[error("the database has a row that can't be read ({0})")]
    Row(String),
    /// Anything else.
    #[error("the server's database failed: {0}")]
    Other(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => of_database(database.as_ref()).unwrap_or(Self::Other(error)),
            sqlx::Error::PoolTimedOut => Self::Busy,
            _ => Self::Other(error),
        }
    }
}

/// SQLite gives (extended) result codes as numbers, PostgreSQL gives SQLSTATEs.
fn of_database(error: &dyn DatabaseError) -> Option<StoreError> {
    if error.is_unique_violation() {
        return Some(StoreError::Taken);
    }
    let code = error.code()?;
    match code.as_ref() {
        "53100" => return Some(StoreError::Full),
        "25006" => return Some(StoreError::ReadOnly),
        "40001" | "40P01" | "53300" | "55P03" => return Some(StoreError::Busy),
        _ => {}
    }
    // The low byte is the primary code.
    match code.parse::<u32>().ok()? & 0xff {
        5 | 6 => Some(StoreError::Busy),
        // SQLITE_CANTOPEN: the log beside the file can't be made.
        8 | 14 => Some(StoreError::ReadOnly),
        11 | 26 => Some(StoreError::Damaged),
        13 => Some(StoreError::Full),
        _ => None,
    }
}

pub(super) fn of_migration(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        other => StoreError::Version(other.to_string()),
    }
}
