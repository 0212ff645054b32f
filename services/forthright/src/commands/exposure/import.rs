//! `exposure import`.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use app::App;
use app::intake::{Again, Import, Imported, Progress};
use model::path_rule::PathRule;
use sources::{Encoding, Format, Options, Preset};

use super::{DONE, PARTIAL, open, say};
use crate::cli::{Everywhere, ImportArgs};
use crate::output::{self, Usage};

/// How long at least lies between two lines of progress, in seconds.
const A_LINE: f64 = 0.2;

pub(super) async fn run(e: &Everywhere, args: ImportArgs) -> Result<u8> {
    let options = options(&args)?;
    let inputs = inputs(e, &args.files, &options)?;
    if args.check {
        return check(e, &inputs).await;
    }
    let again = match (args.again, args.why.as_deref(), args.corrects.as_deref()) {
        (true, Some(why), _) => Again::Yes { why },
        (_, _, Some(name)) => Again::Corrects { name },
        _ => Again::No,
    };
    let app = open(e).await?;
    if let Some(path) = &args.shared_domains {
        app::intake::share(&app, &args.slug, path).await?;
    }
    let mut all = Vec::new();
    for file in &inputs {
        all.push(import_one(e, &app, &args.slug, file, again).await?);
    }
    print(e, &all)
}

/// Says what was counted; the exit code.
pub(super) fn print(e: &Everywhere, all: &[Imported]) -> Result<u8> {
    if let ([one], true) = (all, e.json) {
        output::json(one)?;
    } else {
        output::document(e, &all)?;
    }
    let rejected = all.iter().filter(|one| one.already_counted_at.is_none()).any(|one| one.rejected_rows > 0);
    Ok(if rejected { PARTIAL } else { DONE })
}

fn options(args: &ImportArgs) -> Result<Options> {
    let unknown = |option: &str, value: &str| {
        anyhow::Error::new(Usage {
            what: format!("{option} {value} is not known"),
            hint: "run `forthright exposure import --help` to see what is".to_owned(),
        })
    };
    let path_rule = match &args.path_rule {
        Some(rule) => Some(PathRule::parse(rule).map_err(|error| {
            anyhow::Error::new(Usage {
                what: format!("--path-rule {rule}: {error}"),
                hint: "write it as in --path-rule 'exports/{domain}/**'".to_owned(),
            })
        })?),
        None => None,
    };
    Ok(Options {
        format: Format::parse(&args.format).ok_or_else(|| unknown("--format", &args.format))?,
        encoding: Encoding::parse(&args.encoding).ok_or_else(|| unknown("--encoding", &args.encoding))?,
        preset: Preset::parse(&args.preset).ok_or_else(|| unknown("--preset", &args.preset))?,
        columns: args.map.iter().map(|pair| column(pair)).collect::<Result<_>>()?,
        absent: args.without.clone(),
        path_rule,
        ..Options::default()
    })
}

fn column(pair: &str) -> Result<(String, String)> {
    match pair.split_once('=') {
        Some((column, field)) if !column.is_empty() && !field.is_empty() => Ok((column.to_owned(), field.to_owned())),
        _ => Err(anyhow::Error::new(Usage {
            what: format!("--map {pair} names no column and field"),
            hint: "write it as in --map size=size_bytes".to_owned(),
        })),
    }
}

/// A file to be counted, and what keeps it where it is.
struct Given {
    path: PathBuf,
    options: Options,
    name: String,
    _spool: Option<tempfile::NamedTempFile>,
}

/// The files that the arguments stand for. Standard input is kept in a file first: its content is its identity, and an
/// import may have to resume.
fn inputs(e: &Everywhere, files: &[PathBuf], options: &Options) -> Result<Vec<Given>> {
    let mut given = Vec::new();
    for file in files {
        if file.as_os_str() == "-" {
            let spool = spooled(e)?;
            let (path, options) = (spool.path().to_owned(), options.clone());
            given.push(Given { path, options, name: "-".to_owned(), _spool: Some(spool) });
            continue;
        }
        let expanded = sources::expand(std::slice::from_ref(file)).map_err(app::AppError::from)?;
        expanded.notes.iter().for_each(|note| say(e, format!("note: {note}")));
        for input in expanded.inputs {
            let (name, options) = (name_of(&input.path, file), input.options(options));
            given.push(Given { path: input.path, options, name, _spool: None });
        }
    }
    Ok(given)
}

/// A file by its name; one of a folder or an inventory by its path from there.
fn name_of(path: &std::path::Path, given: &std::path::Path) -> String {
    let base = if given.is_dir() { Some(given) } else { given.parent() };
    let below = base.and_then(|base| path.strip_prefix(base).ok()).filter(|below| !below.as_os_str().is_empty());
    let name = below.map_or_else(|| path.file_name().map(std::path::Path::new), Some);
    name.unwrap_or(path).display().to_string()
}

fn spooled(e: &Everywhere) -> Result<tempfile::NamedTempFile> {
    const FAILED: &str = "cannot spool standard input to the data folder";
    std::fs::create_dir_all(&e.data).context(FAILED)?;
    let mut spool = tempfile::Builder::new().prefix("stdin-").tempfile_in(&e.data).context(FAILED)?;
    std::io::copy(&mut std::io::stdin().lock(), &mut spool).context(FAILED)?;
    spool.flush().context(FAILED)?;
    Ok(spool)
}

async fn import_one(e: &Everywhere, app: &App, slug: &str, file: &Given, again: Again<'_>) -> Result<Imported> {
    let import = Import { path: &file.path, name: &file.name, options: &file.options, again };
    let imported = app::intake::import(app, slug, &import, progress(e)).await?;
    if let Some(at) = imported.already_counted_at {
        say(
            e,
            format!(
                "{}: this content was counted at {at}; nothing changed (--again --why TEXT counts it again)",
                file.name
            ),
        );
    }
    if let Some(original) = &imported.corrects {
        say(
            e,
            format!(
                "{}: a corrected copy of {original}: {} rows that were rejected there are read again, {} count there already",
                file.name, imported.rows, imported.counted_before
            ),
        );
    }
    Ok(imported)
}

async fn check(e: &Everywhere, files: &[Given]) -> Result<u8> {
    let mut all = Vec::new();
    for file in files {
        all.push(app::intake::check(&file.path, &file.name, &file.options).await?);
    }
    if let ([one], true) = (all.as_slice(), e.json) {
        output::json(one)?;
    } else {
        output::document(e, &all)?;
    }
    Ok(if all.iter().all(|checked| checked.rejected.is_empty()) { DONE } else { PARTIAL })
}

/// Records, rate and time left on standard error, when that is a terminal.
pub(super) fn progress(e: &Everywhere) -> impl FnMut(Progress) + use<> {
    let shown = !e.quiet && std::io::stderr().is_terminal();
    let started = tokio::time::Instant::now();
    let (mut first, mut last) = (None, 0.0);
    move |progress| {
        let seconds = started.elapsed().as_secs_f64().max(0.001);
        let ended = progress.bytes >= progress.of;
        if !shown || (seconds - last < A_LINE && !ended) {
            return;
        }
        last = seconds;
        // What an interrupted import had done is no part of the rate.
        let from: Progress = *first.get_or_insert(Progress { records: 0, bytes: 0, of: 0 });
        let rate = (progress.bytes - from.bytes) as f64 / seconds;
        let left = (progress.of.saturating_sub(progress.bytes) as f64 / rate.max(1.0)).ceil();
        eprint!("\r{} rows, {:.0} rows/s, {left:.0} s left   ", progress.records, progress.records as f64 / seconds);
        if ended {
            eprintln!();
        }
    }
}
