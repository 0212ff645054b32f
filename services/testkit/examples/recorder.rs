//! A recording mail server by hand: `cargo run -p forthright-testkit --example recorder -- LOG`.
//!
//! Prints its address and keeps a JSON line per accepted message in LOG until standard input ends.

use std::io::{Read, stdin};
use std::path::Path;

use anyhow::{Context, Result};
use testkit::smtp::Recorder;

fn main() -> Result<()> {
    let log = std::env::args().nth(1).context("which log? recorder LOG")?;
    let recorder = Recorder::start_with_log(Path::new(&log))?;
    println!("{}", recorder.url());
    stdin().read_to_end(&mut Vec::new())?;
    println!("{} messages", recorder.count());
    Ok(())
}
