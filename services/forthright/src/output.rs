//! What people and scripts see: CSV, JSON, errors with hints, logs.
//!
//! Decides nothing. Invariant: data goes to standard output, talk to standard error.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Result;
use app::AppError;
use model::printed::{on_one_line, printed, steers};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use crate::cli::Everywhere;

/// Logs to standard error; FORTHRIGHT_LOG overrides.
pub(crate) fn set_up_logging(everywhere: &Everywhere) {
    let level = match (everywhere.quiet, everywhere.verbose) {
        (true, _) => "error",
        (false, 0) => "warn,sqlx=error,apalis_core=off",
        (false, 1) => "info,sqlx=error,apalis_core=off",
        (false, _) => "debug,sqlx=info",
    };
    let filter = EnvFilter::try_from_env("FORTHRIGHT_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let ansi = !everywhere.no_color && std::env::var_os("NO_COLOR").is_none() && std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(ansi).init();
}

/// Prints an error, its causes once, and the next step.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if is_broken_pipe(error) {
        // Whoever reads has seen enough (`| head`): nothing is wrong.
        return ExitCode::SUCCESS;
    }
    let mut said = error.to_string();
    for cause in error.chain().skip(1) {
        let text = cause.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
    }
    eprintln!("error: {}", printed(&said));
    let (hint, code) = hint_and_code(error);
    if let Some(hint) = hint {
        eprintln!("hint: {}", printed(&hint));
    }
    ExitCode::from(code)
}

/// Whether standard output was closed by its reader. The database's and the mail server's faults are errors of their own.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let direct = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    let json = error.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
    let csv = error.downcast_ref::<csv::Error>().and_then(|error| match error.kind() {
        csv::ErrorKind::Io(error) => Some(error.kind()),
        _ => None,
    });
    [direct, json, csv].contains(&Some(std::io::ErrorKind::BrokenPipe))
}

fn hint_and_code(error: &anyhow::Error) -> (Option<String>, u8) {
    if let Some(error) = error.downcast_ref::<AppError>() {
        return (error.hint().map(str::to_owned), error.exit_code());
    }
    if let Some(error) = error.downcast_ref::<workers::WorkerError>() {
        return (error.hint().map(str::to_owned), error.exit_code());
    }
    if let Some(Usage { hint, .. }) = error.downcast_ref::<Usage>() {
        return (Some(hint.clone()), 2);
    }
    (None, 1)
}

/// Words that do not make a call: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Usage {
    pub(crate) what: String,
    pub(crate) hint: String,
}

/// One JSON document. What steers a terminal is escaped: the same document to whoever reads it.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    let mut out = std::io::stdout().lock();
    if text.contains(steers) {
        let mut escaped = String::with_capacity(text.len() + 64);
        for char in text.chars() {
            match steers(char) {
                true => {
                    char.encode_utf16(&mut [0; 2]).iter().for_each(|unit| escaped.push_str(&format!("\\u{unit:04x}")))
                }
                false => escaped.push(char),
            }
        }
        out.write_all(escaped.as_bytes())?;
    } else {
        out.write_all(text.as_bytes())?;
    }
    out.write_all(b"\n")?;
    Ok(())
}

/// CSV by RFC 4180 with `\n`, header first; cells that a spreadsheet would run are defused.
pub(crate) fn csv(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result<()> {
    let out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(out);
    writer.write_record(header)?;
    for row in rows {
        writer.write_record(row.into_iter().map(defused))?;
    }
    writer.flush()?;
    Ok(())
}

/// A cell that begins like a formula gets an apostrophe in front. Negative numbers stay.
fn defused(cell: String) -> String {
    let runs = match cell.as_bytes().first() {
        Some(b'=' | b'@' | b'\t' | b'\r') => true,
        Some(b'+' | b'-') => cell.parse::<f64>().is_err(),
        _ => false,
    };
    if runs { format!("'{cell}") } else { cell }
}

/// A table for people: columns as wide as their cells.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> Result<()> {
    let mut widths: Vec<usize> = header.iter().map(|name| name.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (cell, width) in cells.zip(&widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width + 2 - cell.chars().count().min(*width)));
        }
        text.trim_end().to_owned()
    };
    writeln!(out, "{}", line(&mut header.iter().copied()))?;
    for row in rows {
        writeln!(out, "{}", line(&mut row.iter().map(String::as_str)))?;
    }
    out.flush()?;
    Ok(())
}

/// A list as asked for: CSV, JSON (an object a row), or a table.
pub(crate) fn list(everywhere: &Everywhere, header: &[&str], rows: Vec<Vec<String>>) -> Result<()> {
    if everywhere.json {
        let objects: Vec<serde_json::Map<String, serde_json::Value>> = rows
            .into_iter()
            .map(|row| {
                header
                    .iter()
                    .map(|name| (*name).to_owned())
                    .zip(row.into_iter().map(serde_json::Value::String))
                    .collect()
            })
            .collect();
        json(&objects)
    } else if everywhere.csv {
        csv(header, rows)
    } else {
        let plain = |row: Vec<String>| row.iter().map(|cell| on_one_line(cell)).collect();
        table(header, &rows.into_iter().map(plain).collect::<Vec<_>>())
    }
}

/// A document as asked for: JSON, or `key: value` lines.
pub(crate) fn document<T: Serialize>(everywhere: &Everywhere, value: &T) -> Result<()> {
    if everywhere.json {
        return json(value);
    }
    let value = serde_json::to_value(value)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    lines(&mut out, "", &value)?;
    out.flush()?;
    Ok(())
}

fn lines(out: &mut impl Write, prefix: &str, value: &serde_json::Value) -> Result<()> {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                lines(out, &name, value)?;
            }
        }
        serde_json::Value::Array(items) if items.iter().all(|item| !item.is_object()) => {
            for item in items {
                lines(out, prefix, item)?;
            }
        }
        serde_json::Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                lines(out, &format!("{prefix}.{}", index + 1), item)?;
            }
        }
        // A further line is no line of ours.
        serde_json::Value::String(text) => writeln!(out, "{prefix}: {}", printed(text).replace('\n', "\n    "))?,
        serde_json::Value::Null => writeln!(out, "{prefix}: -")?,
        other => writeln!(out, "{prefix}: {other}")?,
    }
    Ok(())
}

/// Text for people. What somebody else wrote cannot steer the terminal.
pub(crate) fn text(text: &str) -> Result<()> {
    std::io::stdout().lock().write_all(printed(text).as_bytes())?;
    Ok(())
}

/// A time, or nothing.
pub(crate) fn time(micros: Option<i64>) -> String {
    micros.map(|micros| model::time::Timestamp::from_micros(micros).to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_who_has_seen_enough_is_no_error_and_a_full_disk_is() {
        let of = |kind| anyhow::Error::new(std::io::Error::from(kind));
        assert!(is_broken_pipe(&of(std::io::ErrorKind::BrokenPipe)));
        assert!(is_broken_pipe(&csv::Error::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe)).into()));
        assert!(!is_broken_pipe(&of(std::io::ErrorKind::StorageFull)));
    }

    #[test]
    fn a_formula_is_defused_and_a_number_stays() {
        assert_eq!(defused("=1+1".to_owned()), "'=1+1");
        assert_eq!(defused("@cmd".to_owned()), "'@cmd");
        assert_eq!(defused("-x".to_owned()), "'-x");
        assert_eq!(defused("-1".to_owned()), "-1");
        assert_eq!(defused("a=b".to_owned()), "a=b");
    }
}
