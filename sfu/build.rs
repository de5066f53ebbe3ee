//! Embeds the built frontend: every file of a folder, and its `.br` sibling where there is one.
//!
//! The folder is `WEIR_FRONTEND_DIR`, or `target/frontend-embedded` in the workspace. An empty one makes a server
//! that says how to build the frontend. Embeds Swagger UI beside it, which shows the API.

use std::{
    env, fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=WEIR_FRONTEND_DIR");
    println!("cargo::rerun-if-changed=build.rs");
    // sqlx reads the folder at compile time, and only a build script can make Cargo look at it.
    println!("cargo::rerun-if-changed=migrations");
    let dir = match env::var_os("WEIR_FRONTEND_DIR") {
        Some(dir) => PathBuf::from(dir),
        None => default_dir()?,
    };
    println!("cargo::rerun-if-changed={}", dir.display());
    let mut files = Vec::new();
    if dir.is_dir() {
        list(&dir, &mut files)?;
        files.sort();
    }
    let mut code = String::from("&[\n");
    for file in files.iter().filter(|file| file.extension().is_none_or(|ending| ending != "br")) {
        let path = file.strip_prefix(&dir).map_err(io::Error::other)?;
        let name = path.to_str().ok_or_else(|| io::Error::other("a frontend file's name is not UTF-8"))?;
        let mut packed = file.clone().into_os_string();
        packed.push(".br");
        let packed = PathBuf::from(packed);
        let brotli = if packed.is_file() { format!("Some({})", include(&packed)) } else { "None".to_owned() };
        let name = name.replace('\\', "/");
        code.push_str(&format!(
            "    Asset {{ path: {name:?}, plain: {}, brotli: {brotli} }},\n",
            include(file)
        ));
    }
    code.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("Cargo sets OUT_DIR"))?);
    fs::write(out.join("assets.rs"), code)?;
    docs(&out)
}

/// What the API's page needs of Swagger UI, packed by brotli where that is worth it.
fn docs(out: &Path) -> io::Result<()> {
    let archive = io::Cursor::new(utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED);
    let mut archive = zip::ZipArchive::new(archive).map_err(io::Error::other)?;
    let root =
        archive.file_names().next().and_then(|name| name.split('/').next()).unwrap_or_default().to_owned();
    let mut code = String::from("&[\n");
    for path in ["dist/swagger-ui-bundle.js", "dist/swagger-ui.css", "LICENSE", "NOTICE"] {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (plain, packed) = (out.join(name), out.join(format!("{name}.br")));
        if !packed.exists() {
            let mut file = archive.by_name(&format!("{root}/{path}")).map_err(io::Error::other)?;
            let mut content = Vec::new();
            file.read_to_end(&mut content)?;
            fs::write(&plain, &content)?;
            let parameters = brotli::enc::BrotliEncoderParams { quality: 9, lgwin: 22, ..Default::default() };
            let mut brotli = Vec::new();
            brotli::BrotliCompress(&mut content.as_slice(), &mut brotli, &parameters)?;
            fs::write(&packed, brotli)?;
        }
        let (plain, brotli) = (include(&plain), include(&packed));
        code.push_str(&format!("    Asset {{ path: {name:?}, plain: {plain}, brotli: Some({brotli}) }},\n"));
    }
    code.push_str("]\n");
    fs::write(out.join("docs.rs"), code)
}

/// Made when it isn't there: Cargo would run this script, and compile the server, each time for a path that is missing.
fn default_dir() -> io::Result<PathBuf> {
    let crate_dir =
        env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| io::Error::other("Cargo sets CARGO_MANIFEST_DIR"))?;
    let workspace = Path::new(&crate_dir).parent().map(Path::to_path_buf).unwrap_or_default();
    let dir = workspace.join("target").join("frontend-embedded");
    fs::create_dir_all(&dir)?;
    Ok(dir)
}

fn list(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn include(file: &Path) -> String {
    format!("include_bytes!({:?})", file.display().to_string())
}
