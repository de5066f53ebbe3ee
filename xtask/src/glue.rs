//! What is left to shrink after trunk: names that only the WebAssembly and its JavaScript say to each other, most of which are
//! hashes, and the JavaScript itself, which trunk's own minifier can't read.

use crate::{
    command,
    context::Context,
    failure::{Failure, Result, While},
    stamp, tools,
};
use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::Path,
    process::Command,
};

/// What the compiler emits; wasm-opt refuses a module that uses what it wasn't told of.
const FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// What wasm-opt calls the one module that is imported from.
const MODULE: &str = "a";

/// Shrinks the pair of `….js` and `…_bg.wasm` in a folder that trunk has built.
pub fn shrink(context: &Context, folder: &Path) -> Result<()> {
    let files = stamp::files_under(folder)?;
    let wasm = files.iter().find(|file| file.to_string_lossy().ends_with("_bg.wasm"));
    let wasm = wasm.ok_or_else(|| Failure::new("trunk left no WebAssembly"))?;
    let script = Path::new(&wasm.to_string_lossy().replace("_bg.wasm", ".js")).to_owned();

    let mut wasm_opt = Command::new("wasm-opt");
    command::clean(&mut wasm_opt);
    let names = command::output(
        wasm_opt
            .env("PATH", tools::path(context)?)
            .arg(wasm)
            .args(FEATURES)
            .arg("--minify-imports-and-exports-and-modules")
            .arg("-o")
            .arg(wasm),
    )?;
    let names = Names::parse(&names).ok_or_else(|| Failure::new("wasm-opt did not say what it renamed"))?;
    let glue = fs::read_to_string(&script).doing(|| format!("can't read {}", script.display()))?;
    fs::write(&script, names.apply(&glue)).doing(|| format!("can't write {}", script.display()))?;

    let mut terser = Command::new("terser");
    command::clean(&mut terser);
    command::run(
        terser
            .env("PATH", tools::path(context)?)
            .arg(&script)
            .args(["--module", "--compress", "passes=2", "--mangle", "--output"])
            .arg(&script),
    )
}

/// What imports and exports are called now, by what they were called.
#[derive(Debug, Default, PartialEq, Eq)]
struct Names {
    /// The modules that imports came from; all come from [`MODULE`] now.
    modules: BTreeSet<String>,
    imports: HashMap<String, String>,
    exports: HashMap<String, String>,
}

impl Names {
    /// From wasm-opt's JSON: `{"imports": [[module, old, new] …], "exports": [[old, new] …]}`.
    fn parse(json: &str) -> Option<Self> {
        let value: serde_json::Value = serde_json::from_str(json).ok()?;
        let pairs = |list: &str| {
            let last_two = |entry: &serde_json::Value| {
                let entry = entry.as_array()?;
                let at = |back: usize| Some(entry.get(entry.len().checked_sub(back)?)?.as_str()?.to_owned());
                Some((at(2)?, at(1)?))
            };
            value[list].as_array()?.iter().map(last_two).collect::<Option<HashMap<_, _>>>()
        };
        let module = |entry: &serde_json::Value| Some(entry.get(0)?.as_str()?.to_owned());
        let modules = value["imports"].as_array()?.iter().map(module).collect::<Option<_>>()?;
        Some(Self { modules, imports: pairs("imports")?, exports: pairs("exports")? })
    }

    /// Renames keys of the object of imports, and properties of `wasm`. The same words elsewhere are the script's own.
    fn apply(&self, glue: &str) -> String {
        let mut out = String::with_capacity(glue.len());
        let mut rest = glue;
        while let Some(start) = rest.find(is_word) {
            let (before, word) = rest.split_at(start);
            let end = word.find(|c| !is_word(c)).unwrap_or(word.len());
            let (word, after) = word.split_at(end);
            out.push_str(before);
            let new = if out.ends_with("wasm.") {
                self.exports.get(word)
            } else if after.starts_with(": ") {
                self.imports.get(word)
            } else {
                None
            };
            out.push_str(new.map_or(word, String::as_str));
            rest = after;
        }
        out.push_str(rest);
        self.modules
            .iter()
            .fold(out, |out, module| out.replace(&format!("\"{module}\": "), &format!("\"{MODULE}\": ")))
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_say_the_new_names_and_the_scripts_own_stay() {
        let json =
            r#"{"imports": [["./a_bg.js", "__wbg_now_1f", "$"]], "exports": [["memory", "a"], ["f", "b"]]}"#;
        let names = Names::parse(json).unwrap();
        let glue = "const m = {\n  \"./a_bg.js\": i };\nconst i = {\n  __wbg_now_1f: function(f) { return f(wasm.memory.buffer, wasm.f()); },\n};\n\
                    function f(x) { memory.f(\"__wbg_now_1f\"); }";
        let renamed = "const m = {\n  \"a\": i };\nconst i = {\n  $: function(f) { return f(wasm.a.buffer, wasm.b()); },\n};\n\
                       function f(x) { memory.f(\"__wbg_now_1f\"); }";
        assert_eq!(names.apply(glue), renamed);
        assert_eq!(Names::parse("renamed"), None);
        assert_eq!(Names::parse(r#"{"imports": [[1]], "exports": []}"#), None);
    }
}
