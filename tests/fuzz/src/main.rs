//! With the engine: fuzzes the target that `WEIR_FUZZ` names, whose kept inputs it first writes as files to the folder in
//! `WEIR_FUZZ_SEEDS`. Without: `weir-fuzz TARGET FILE…` repeats a find.
#![cfg_attr(feature = "libfuzzer", no_main)]

#[cfg(feature = "libfuzzer")]
mod engine {
    use std::{path::Path, sync::LazyLock};
    use weir_fuzz::{TARGETS, Target, kept};

    static TARGET: LazyLock<Target> = LazyLock::new(|| {
        let name = std::env::var("WEIR_FUZZ").unwrap_or_default();
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        weir_fuzz::target(&name).unwrap_or_else(|| panic!("WEIR_FUZZ names none of {}", names.join(", ")))
    });

    libfuzzer_sys::fuzz_target!(
        init: {
            if let Some(folder) = std::env::var_os("WEIR_FUZZ_SEEDS") {
                kept::write(TARGET.name, Path::new(&folder)).expect("the seeds can be written");
            }
        },
        |data: &[u8]| (TARGET.run)(data)
    );
}

#[cfg(not(feature = "libfuzzer"))]
fn main() -> std::process::ExitCode {
    use std::process::ExitCode;
    use weir_fuzz::{TARGETS, kept, target};

    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((target, files)) =
        arguments.split_first().and_then(|(name, files)| Some((target(name)?, files)))
    else {
        eprintln!("usage: weir-fuzz TARGET FILE…; the targets are:");
        TARGETS.iter().for_each(|target| eprintln!("  {:<10} {}", target.name, target.about));
        return ExitCode::FAILURE;
    };
    for file in files {
        match std::fs::read(file) {
            Ok(input) => {
                println!("{file}: {}", kept::escaped(&input));
                (target.run)(&input);
            }
            Err(error) => {
                eprintln!("{file}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
