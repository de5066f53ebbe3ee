//! Knowing that nothing changed: a hash over a step's inputs, kept in a file beside its output.

use crate::failure::{Result, While};
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

/// A hash over file contents and words. It guards against forgotten rebuilds, not against an attacker.
#[derive(Debug, Default)]
pub struct Stamp(DefaultHasher);

impl Stamp {
    /// Adds a word: a version, a flag.
    pub fn word(mut self, word: &str) -> Self {
        word.hash(&mut self.0);
        self
    }

    /// Adds a file, or every file of a folder; what does not exist counts as that.
    pub fn path(mut self, root: &Path, path: &str) -> Result<Self> {
        for file in files_under(&root.join(path))? {
            file.strip_prefix(root).unwrap_or(&file).hash(&mut self.0);
            fs::read(&file).doing(|| format!("can't read {}", file.display()))?.hash(&mut self.0);
        }
        Ok(self)
    }

    /// The hash as text.
    pub fn finish(self) -> String {
        format!("{:016x}", self.0.finish())
    }
}

/// Whether the file at `path` holds exactly this stamp.
pub fn is_current(path: &Path, stamp: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|old| old == stamp)
}

/// Keeps a stamp for the next time.
pub fn keep(path: &Path, stamp: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, stamp).doing(|| format!("can't write {}", path.display()))
}

/// The file itself, or all files below a folder, in a fixed order. Empty when there is nothing.
pub fn files_under(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&folder).doing(|| format!("can't read {}", folder.display()))? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp_of(root: &Path) -> String {
        Stamp::default().word("v1").path(root, "in").unwrap().finish()
    }

    #[test]
    fn changes_with_contents_and_names_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        fs::create_dir_all(root.join("in/deep")).unwrap();
        fs::write(root.join("in/deep/a"), "1").unwrap();
        let first = stamp_of(root);
        fs::write(root.join("in/deep/a"), "1").unwrap();
        assert_eq!(stamp_of(root), first);
        fs::write(root.join("in/deep/a"), "2").unwrap();
        let second = stamp_of(root);
        assert_ne!(second, first);
        fs::rename(root.join("in/deep/a"), root.join("in/deep/b")).unwrap();
        assert_ne!(stamp_of(root), second);
    }

    #[test]
    fn a_missing_stamp_is_not_current() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("x/stamp");
        assert!(!is_current(&file, "a"));
        keep(&file, "a").unwrap();
        assert!(is_current(&file, "a"));
        assert!(!is_current(&file, "b"));
    }
}
