//! The rules of the house that the compiler can't hold, because the server is one crate.

mod rules;
mod source;

use crate::{
    command,
    failure::{Failure, Result, While},
};
use rules::File;
use std::{fs, path::Path, process::Command};

/// Prints what breaks a rule or comes near it; fails when something breaks one.
pub fn report(root: &Path) -> Result<()> {
    let files = files(root)?;
    let mut errors = Vec::new();
    for file in &files {
        let findings = rules::check(file);
        for warning in findings.warnings {
            eprintln!("warning: {warning}");
        }
        errors.extend(findings.errors);
    }
    if errors.is_empty() {
        println!("{} files keep the rules", files.len());
        Ok(())
    } else {
        Failure::err(format!("{}\n{} broken rules", errors.join("\n"), errors.len()))
    }
}

/// Every file that is tracked, or would be with `git add .`.
fn files(root: &Path) -> Result<Vec<File>> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let list = command::output(&mut git).doing(|| "the rules are held against what git tracks".to_owned())?;
    let mut files = Vec::new();
    for path in list.split('\0').filter(|path| !path.is_empty()) {
        let place = root.join(path);
        // Removed and not yet committed, or a link.
        if !place.is_file() {
            continue;
        }
        let contents = fs::read(&place).doing(|| format!("can't read {path}"))?;
        files.push(File { path: path.to_owned(), contents });
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use crate::context::Context;

    #[test]
    fn the_house_keeps_its_rules() {
        super::report(&Context::detect().unwrap().root).unwrap();
    }
}
