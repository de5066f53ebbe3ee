//! Takes libvpx into the binary where the system has it as an archive, as Debian has.

use std::{env, fs, io, path::PathBuf, process::Command};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    // What the compiler doesn't find, it answers with the bare name.
    let Ok(asked) = Command::new("cc").arg("-print-file-name=libvpx.a").output() else { return Ok(()) };
    let archive = PathBuf::from(String::from_utf8_lossy(&asked.stdout).trim());
    if archive.is_absolute() && archive.is_file() {
        // The linker looks for `-lvpx` in the folders it is given, in order: one that holds nothing but the archive is first.
        let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("Cargo sets OUT_DIR"))?;
        let folder = PathBuf::from(out).join("static");
        fs::create_dir_all(&folder)?;
        fs::copy(&archive, folder.join("libvpx.a"))?;
        println!("cargo::rustc-link-search=native={}", folder.display());
    }
    Ok(())
}
