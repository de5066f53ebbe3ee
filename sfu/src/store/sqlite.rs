//! SQLite: where its file is, and how each connection is set.

use super::StoreError;
use sqlx::{AnyConnection, Executor};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Makes the data directory and tries to write there, so that a start that can't work says so plainly.
pub(super) fn prepare(data_dir: &Path) -> Result<PathBuf, StoreError> {
    let failed = |source: io::Error| StoreError::DataDir { path: data_dir.to_owned(), source };
    let dir = std::path::absolute(data_dir).map_err(failed)?;
    make_private(&dir).map_err(failed)?;
    let trial = dir.join(".weir-write-check");
    fs::write(&trial, b"").and_then(|()| fs::remove_file(&trial)).map_err(failed)?;
    Ok(dir.join("weir.db"))
}

/// Password hashes live there: others on the machine have no business in it.
fn make_private(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// The file as a URL: whatever bytes a path has, it stays one.
pub(super) fn url(file: &Path) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(byte);
    let path: String = file
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .map(|byte| if plain(byte) { (*byte as char).to_string() } else { format!("%{byte:02X}") })
        .collect();
    format!("sqlite://{path}?mode=rwc")
}

/// WAL lets readers and the writer work side by side; FULL keeps what was acknowledged through a power cut.
pub(super) async fn configure(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    for pragma in [
        "PRAGMA busy_timeout = 5000",
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "PRAGMA foreign_keys = ON",
        "PRAGMA cache_size = -1000",
    ] {
        match connection.execute(pragma).await {
            Ok(_) => {}
            // A database opened read-only keeps the journal that it has.
            Err(error) if pragma.contains("journal_mode") && is_read_only(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn is_read_only(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 8)
}
