//! The one binary: command line, configuration, wiring.
//!
//! Does nothing itself: parses, calls one `app` function, presents. Invariant: stdout is data, stderr is talk.

mod cli;
mod commands;
mod config;
mod demo;
mod output;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    output::set_up_logging(&cli.everywhere);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(commands::run(cli)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => output::report(&error),
    }
}
