//! The command line.

use crate::{
    app,
    config::{self, Config},
    fresh,
    secret::Secret,
    telemetry,
};
use clap::{Parser, Subcommand};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use shared::{
    id::ChannelName,
    text::{AccountName, DisplayName, Password},
};
use std::{
    error::Error,
    fs,
    io::{self, BufRead},
    path::{Path, PathBuf},
    process::ExitCode,
};
use tokio::runtime;

/// As many open files as a server's connections take.
const DESCRIPTORS: u64 = 65_536;

/// Live streaming in one binary.
#[derive(Debug, Parser)]
#[command(name = "weir", version)]
struct Arguments {
    /// The configuration file [default: weir.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve pages, the API and media until told to stop
    Serve,
    /// Work with accounts
    Account {
        #[command(subcommand)]
        command: AccountCommand,
    },
    /// Work with channels
    Channel {
        #[command(subcommand)]
        command: ChannelCommand,
    },
    /// Make a broadcast's ladder; the server starts this itself, with a socket as standard input
    #[command(hide = true)]
    Transcode {
        /// The most bytes of memory
        #[arg(long, value_name = "BYTES", default_value_t = 1 << 30)]
        memory: u64,
        /// Only print how many microseconds of CPU time a 360p picture takes
        #[arg(long)]
        measure: bool,
        /// Measure at the server's own priority
        #[arg(long, requires = "measure")]
        eager: bool,
    },
}

#[derive(Debug, Subcommand)]
enum AccountCommand {
    /// Make an account, for a moderator, say; the server may be running
    Create {
        /// What the person signs in with: 2 to 25 of a-z, 0-9, - and _
        name: AccountName,
        /// The name that others see [default: the name]
        #[arg(long, value_name = "TEXT")]
        display_name: Option<DisplayName>,
        /// Read the password from standard input [default: make one, and show it this once]
        #[arg(long)]
        password_stdin: bool,
        /// Answer with a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Let somebody in who forgot their password; the server may be running
    Password {
        /// What the person signs in with
        name: AccountName,
        /// Read a new password from standard input [default: make a link that works once, for an hour]
        #[arg(long)]
        password_stdin: bool,
        /// Answer with a JSON object
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
enum ChannelCommand {
    /// Make a channel, and show its stream key this once; the server may be running
    Create {
        /// Its address: 2 to 25 of a-z, 0-9, - and _
        name: ChannelName,
        /// Its name as people read it [default: its address]
        #[arg(long, value_name = "TEXT")]
        display_name: Option<DisplayName>,
        /// Answer with a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Delete a channel with all that is its own, for ever; the server may be running
    Delete {
        /// Its address
        name: ChannelName,
        /// Answer with a JSON object
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command line; what goes wrong is one sentence and exit code 1.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // A child knows nothing of the configuration, and has no log.
    if let Command::Transcode { memory, measure, eager } = arguments.command {
        return app::transcode(memory, measure.then_some(eager));
    }
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("weir: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let config = load(arguments.config.as_deref())?;
    telemetry::log::start(&config.log);
    telemetry::panic::install();
    match arguments.command {
        Command::Transcode { .. } => Ok(()),
        Command::Serve => {
            raise_descriptors();
            let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
            let served = runtime.block_on(app::serve(config));
            // A password that is being hashed is nobody's any more.
            runtime.shutdown_background();
            Ok(served?)
        }
        Command::Account { command: AccountCommand::Create { name, display_name, password_stdin, json } } => {
            let (password, made) = if password_stdin {
                (first_line()?, None)
            } else {
                let made: String = Secret::from_random(fresh::bytes()).reveal().chars().take(20).collect();
                (made.clone(), Some(made))
            };
            let password = Password::try_from(password)?;
            let display_name = display_name.map_or_else(|| name.as_str().parse(), Ok)?;
            let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
            let id = runtime.block_on(app::create_account(config, name.clone(), display_name, password))?;
            if json {
                println!("{}", serde_json::json!({ "account": name, "id": id, "password": made }));
            } else {
                println!("Account:  {name}");
                if let Some(made) = made {
                    println!("Password: {made} (shown this once)");
                }
            }
            Ok(())
        }
        Command::Account { command: AccountCommand::Password { name, password_stdin, json } } => {
            let password = if password_stdin { Some(Password::try_from(first_line()?)?) } else { None };
            let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
            let link = runtime.block_on(app::reset_password(config, name.clone(), password))?;
            match link {
                _ if json => println!("{}", serde_json::json!({ "account": name, "link": link })),
                Some(link) => {
                    println!("New password for {name}, by this link, which works once, for an hour:\n{link}")
                }
                None => println!("The password of {name} is another one; every login has ended."),
            }
            Ok(())
        }
        Command::Channel { command: ChannelCommand::Create { name, display_name, json } } => {
            let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
            let made = runtime.block_on(app::create_channel(config, name, display_name))?;
            if json {
                // Scripts count on these three fields: the name, the key, the URL.
                let line = serde_json::json!({
                    "channel": made.channel.name,
                    "streamKey": made.stream_key,
                    "whipUrl": made.whip_url,
                });
                println!("{line}");
            } else {
                println!("Channel:    {}", made.channel.name);
                println!("WHIP URL:   {}", made.whip_url);
                println!("Stream key: {} (shown this once)", made.stream_key);
            }
            Ok(())
        }
        Command::Channel { command: ChannelCommand::Delete { name, json } } => {
            let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(app::delete_channel(config, name.clone()))?;
            if json {
                println!("{}", serde_json::json!({ "channel": name }));
            } else {
                println!("The channel {name} is gone, with all that was its own.");
            }
            Ok(())
        }
    }
}

/// What is given on standard input.
fn first_line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Systems give a process 1,024 open files at first, which is few for a server: each socket is one.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(DESCRIPTORS, |most| most.min(DESCRIPTORS));
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!(%error, "the number of open files stays low: many viewers may find no room");
        }
    }
}

fn load(path: Option<&Path>) -> Result<Config, Box<dyn Error>> {
    let (path, must_exist) = match path {
        Some(path) => (path, true),
        None => (Path::new("weir.toml"), false),
    };
    let name = path.display().to_string();
    let text = match fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if !must_exist && error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(format!("the configuration {name} can't be read: {error}").into()),
    };
    // A variable that is not Unicode is none of ours.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    Ok(config::parse(text.as_deref().map(|text| (name.as_str(), text)), &variables)?)
}
