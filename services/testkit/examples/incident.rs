//! Writes an incident with known results: `cargo run -p forthright-testkit --example incident -- FOLDER [SEED [SCALE [ROWS]]]`.
//!
//! `expected.json` in the folder holds what must come out, under the command line's names; `NASTY=1` in the
//! environment makes every kind of nastiness frequent.

use std::path::PathBuf;

use anyhow::{Context, Result};
use testkit::generator::{Arguments, Incident, Rates};

fn main() -> Result<()> {
    let mut given = std::env::args().skip(1);
    let folder = PathBuf::from(given.next().context("which folder? incident FOLDER [SEED [SCALE [ROWS]]]")?);
    let mut arguments = Arguments::default();
    if let Some(seed) = given.next() {
        arguments.seed = seed.parse().context("a seed is a number")?;
    }
    if let Some(scale) = given.next() {
        arguments.scale = scale.parse().context("a scale is a number")?;
    }
    if let Some(rows) = given.next() {
        arguments.rows = rows.parse().context("rows are a number")?;
    }
    if std::env::var_os("NASTY").is_some() {
        arguments.rates = Rates::nasty();
    }
    let expected = Incident::generate(&arguments, &folder)?;
    std::fs::write(folder.join("expected.json"), serde_json::to_vec_pretty(&expected)?)?;
    println!("{}", serde_json::to_string_pretty(&expected.totals.json())?);
    Ok(())
}
