//! The frontend: trunk builds its three pages, the app, its pages backstage and the player alone; brotli shrinks them, the
//! server embeds them.

use crate::{
    command,
    context::Context,
    failure::{Result, While},
    glue,
    stamp::{self, Stamp},
    step::Outcome,
    tools, wasm_target,
};
use brotli::enc::BrotliEncoderParams;
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What the frontend is made of.
const INPUTS: [&str; 8] = [
    "frontend",
    "shared",
    "index.html",
    "backstage.html",
    "embed.html",
    "Trunk.toml",
    "Cargo.lock",
    "Cargo.toml",
];

/// The pages, each with code of its own, so that whoever only watches loads nothing else.
pub const PAGES: [&str; 3] = ["index.html", "backstage.html", "embed.html"];

/// The script for other people's pages: as it is, under a name that never changes, since they name it.
const EMBED_SCRIPT: &str = "frontend/assets/embed.js";

/// Formats that are compressed in themselves.
const COMPRESSED: [&str; 12] =
    ["avif", "br", "gif", "gz", "ico", "jpeg", "jpg", "mp4", "png", "webm", "webp", "woff2"];

/// Builds the frontend when anything it is made of changed.
pub fn build(context: &Context) -> Result<Outcome> {
    let std = if wasm_target::can_build_std()? { "std of its own" } else { "std as it comes" };
    let mut stamp = Stamp::default().word(&tools::versions(context)?).word(std);
    for input in INPUTS {
        stamp = stamp.path(&context.root, input)?;
    }
    let stamp = stamp.finish();
    let kept = context.target.join("frontend.stamp");
    let dist = context.frontend_dist();
    let built = PAGES.iter().all(|page| dist.join(page).is_file());
    let outcome = if built && stamp::is_current(&kept, &stamp) {
        Outcome::Unchanged
    } else {
        make(context, &dist)?;
        stamp::keep(&kept, &stamp)?;
        Outcome::Done
    };
    // Always looked at: the embedded folder may have been removed or changed by hand.
    let changed = embed(&dist, &context.frontend_embedded())?;
    Ok(if changed { Outcome::Done } else { outcome })
}

/// Builds each page in a folder of its own, as trunk empties the one it builds into, and puts them together.
fn make(context: &Context, dist: &Path) -> Result<()> {
    let mut files = vec![(context.root.join(EMBED_SCRIPT), PathBuf::from("embed.js"))];
    let own_std = wasm_target::fetch_std()?;
    for page in PAGES {
        let folder = context.target.join("trunk").join(page.trim_end_matches(".html"));
        trunk(context, page, &folder, own_std)?;
        glue::shrink(context, &folder)?;
        for file in stamp::files_under(&folder)? {
            let name = file.strip_prefix(&folder).unwrap_or(&file).to_owned();
            files.push((file, name));
        }
    }
    if dist.exists() {
        fs::remove_dir_all(dist).doing(|| format!("can't empty {}", dist.display()))?;
    }
    for (file, name) in files {
        let contents = fs::read(&file).doing(|| format!("can't read {}", file.display()))?;
        write_if_changed(&dist.join(name), &contents)?;
    }
    Ok(())
}

fn trunk(context: &Context, page: &str, dist: &Path, own_std: bool) -> Result<()> {
    let mut trunk = Command::new("trunk");
    command::clean(&mut trunk);
    trunk
        .current_dir(&context.root)
        .env("PATH", tools::path(context)?)
        // The tools are on the PATH; trunk must never fetch its own.
        .env("TRUNK_OFFLINE", "true")
        .env("TRUNK_SKIP_VERSION_CHECK", "true")
        // trunk reads this as a boolean and refuses the usual `1`.
        .env_remove("NO_COLOR")
        .args(["build", "--release", "--cargo-profile", "wasm", "--html-output", page, "--dist"])
        .arg(dist)
        .arg(page);
    if own_std {
        trunk
            // Building std is a nightly feature; the sources are this very compiler's, so it may be used.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort")
            .env("CARGO_UNSTABLE_BUILD_STD_FEATURES", "optimize_for_size")
            // A panic stops the page in either case; without its words everything is smaller.
            .env(
                "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
                "-Zunstable-options -Cpanic=immediate-abort",
            );
    }
    command::run(&mut trunk)
}

/// Mirrors `from` into `to` with a `.br` beside each file that gets smaller by it. Files that are the same stay
/// untouched, so that cargo sees no change where there is none. Answers whether anything changed.
fn embed(from: &Path, to: &Path) -> Result<bool> {
    let mut changed = false;
    let mut wanted = BTreeSet::new();
    for source in stamp::files_under(from)? {
        let target = to.join(source.strip_prefix(from).unwrap_or(&source));
        let small = brotli_path(&target);
        let contents = fs::read(&source).doing(|| format!("can't read {}", source.display()))?;
        let same = fs::read(&target).is_ok_and(|old| old == contents);
        if !same {
            // The original is written last: should this be interrupted, the next run starts over with this file.
            let _ = fs::remove_file(&target);
            if let Some(shrunk) = shrink(&source, &contents) {
                write_if_changed(&small, &shrunk)?;
                wanted.insert(small);
            }
            write_if_changed(&target, &contents)?;
            changed = true;
        } else if small.is_file() {
            wanted.insert(small);
        } else if let Some(shrunk) = shrink(&source, &contents) {
            changed |= write_if_changed(&small, &shrunk)?;
            wanted.insert(small);
        }
        wanted.insert(target);
    }
    for stale in stamp::files_under(to)?.into_iter().filter(|file| !wanted.contains(file)) {
        fs::remove_file(&stale).doing(|| format!("can't remove {}", stale.display()))?;
        changed = true;
    }
    Ok(changed)
}

/// Where a file's brotli lies.
pub fn brotli_path(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".br");
    PathBuf::from(name)
}

fn shrink(name: &Path, contents: &[u8]) -> Option<Vec<u8>> {
    let extension = name.extension().and_then(OsStr::to_str).unwrap_or_default();
    if COMPRESSED.contains(&extension) {
        return None;
    }
    let parameters =
        BrotliEncoderParams { quality: 11, lgwin: 22, size_hint: contents.len(), ..Default::default() };
    let mut shrunk = Vec::new();
    brotli::BrotliCompress(&mut &contents[..], &mut shrunk, &parameters).ok()?;
    // A few bytes are not worth a decompression.
    (shrunk.len() + 32 < contents.len()).then_some(shrunk)
}

fn write_if_changed(path: &Path, contents: &[u8]) -> Result<bool> {
    if fs::read(path).is_ok_and(|old| old == contents) {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, contents).doing(|| format!("can't write {}", path.display()))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(size: usize) -> Vec<u8> {
        b"the same words again and again ".iter().copied().cycle().take(size).collect()
    }

    #[test]
    fn embeds_what_compresses_and_forgets_what_is_gone() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (root.path().join("from"), root.path().join("to"));
        fs::create_dir_all(from.join("assets")).unwrap();
        fs::write(from.join("index.html"), text(5_000)).unwrap();
        fs::write(from.join("assets/app.wasm"), text(9_000)).unwrap();
        fs::write(from.join("assets/face.png"), text(9_000)).unwrap();
        fs::write(from.join("robots.txt"), "short").unwrap();
        assert!(embed(&from, &to).unwrap());
        assert!(brotli_path(&to.join("index.html")).is_file());
        assert!(brotli_path(&to.join("assets/app.wasm")).is_file());
        assert!(to.join("assets/face.png").is_file() && !brotli_path(&to.join("assets/face.png")).exists());
        assert!(to.join("robots.txt").is_file() && !brotli_path(&to.join("robots.txt")).exists());

        assert!(!embed(&from, &to).unwrap(), "nothing changed");

        fs::remove_file(from.join("assets/app.wasm")).unwrap();
        assert!(embed(&from, &to).unwrap());
        assert!(!to.join("assets/app.wasm").exists() && !brotli_path(&to.join("assets/app.wasm")).exists());

        fs::remove_file(brotli_path(&to.join("index.html"))).unwrap();
        assert!(embed(&from, &to).unwrap(), "a lost .br comes back");
        assert!(brotli_path(&to.join("index.html")).is_file());
    }

    #[test]
    fn brotli_gives_back_what_went_in() {
        let contents = text(20_000);
        let shrunk = shrink(Path::new("a.js"), &contents).unwrap();
        assert!(shrunk.len() < 200, "{}", shrunk.len());
        let mut back = Vec::new();
        brotli::BrotliDecompress(&mut &shrunk[..], &mut back).unwrap();
        assert_eq!(back, contents);
    }
}
