//! What can be asked of `cargo xtask`.

use crate::{
    bench, build,
    context::Context,
    failure::{Failure, Result},
    fuzz, step, test, tidy,
};
use std::{
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
};

const USAGE: &str = "\
usage: cargo xtask COMMAND

  run [-- ARGS]             set up, build and start Weir; ARGS go to `weir serve`
  build                     target/release/weir with the frontend inside
  test [WORD…]              every check and every test; with WORDs only those whose step is named so
  bench NAME [--json FILE]  measure something; without NAME, the list
  fuzz [TARGET] [--seconds N] [--keep]
                            look for inputs that break something, for N seconds in all (600); --keep
                            puts what reaches new code into tests/fuzz/corpus
  tidy                      the rules of the house alone
";

/// Runs what the arguments ask for.
pub fn main(arguments: Vec<String>) -> ExitCode {
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\n{failure}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        ["run", rest @ ..] => run(rest),
        ["build"] => {
            let context = Context::detect()?;
            step::run(build::steps(&context))?;
            println!("{}", context.weir().display());
            Ok(())
        }
        ["test", words @ ..] => test::run(&Context::detect()?, words),
        ["bench", rest @ ..] => bench::dispatch(&Context::detect()?, rest),
        ["fuzz", rest @ ..] => fuzz::run(&Context::detect()?, &fuzz::Plan::parse(rest)?),
        ["tidy"] => tidy::report(&Context::detect()?.root),
        _ => Failure::err(format!("can't do `{}`\n\n{USAGE}", words.join(" "))),
    }
}

fn run(rest: &[&str]) -> Result<()> {
    let serve = match rest {
        [] => &[],
        ["--", serve @ ..] => serve,
        _ => return Failure::err("put `--` before the arguments for `weir serve`"),
    };
    let context = Context::detect()?;
    step::run(build::steps(&context))?;
    let mut weir = Command::new(context.weir());
    crate::command::clean(&mut weir);
    // Becoming the server, rather than starting it, leaves signals and the exit code to it alone.
    let error = weir.arg("serve").args(serve).exec();
    Failure::err(format!("can't start {}: {error}", context.weir().display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(words: &[&str]) -> String {
        dispatch(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).unwrap_err().to_string()
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert!(refusal(&["dance"]).contains("can't do `dance`"));
        assert!(refusal(&["run", "--port"]).contains("put `--` before"));
        assert!(refusal(&["fuzz", "--seconds", "long"]).contains("not a whole number"));
        assert!(refusal(&["bench", "nothing-like-it"]).contains("start"));
    }

    #[test]
    fn help_is_not_a_failure() {
        assert!(dispatch(&["--help".to_owned()]).is_ok());
    }
}
