//! `exposure import`.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use app::App;
use app::intake::{Again, Import, Imported, Progress};
use model::path_rule::PathRule;
use sources::{Encoding, Format, Options, Preset};

use super::{DONE, FAILED, PARTIAL, open, say};
use crate::cli::{Everywhere, ImportArgs};
use crate::output::{self, Usage};

/// How long at least lies between two lines of progress, in seconds.
const A_LINE: f64 = 0.2;

pub(super) async fn run(e: &Everywhere, args: ImportArgs) -> Result<u8> {
    let options = options(&args)?;
    let inputs = inputs(e, &args.files, &options)?;
    let app = open(e).await?;
    if args.check {
        return check(e, &app, &args.slug, &inputs).await;
    }
    let again = match (args.again, args.why.as_deref(), args.corrects.as_deref()) {
        (true, Some(why), _) => Again::Yes { why },
        (_, _, Some(name)) => Again::Corrects { name },
        _ => Again::No,
    };
    if let Some(path) = &args.shared_domains {
        app::intake::share(&app, &args.slug, path).await?;
    }
    let (mut all, mut failed) = (Vec::new(), Vec::new());
    for file in &inputs {
        match import_one(e, &app, &args.slug, file, again).await {
            Ok(imported) => all.push(imported),
            // One bad file does not stop the others. Anything but the file stops them all.
            Err(error) if inputs.len() > 1 && is_of_the_file(&error) => {
                output::report(&error);
                failed.push(file.name.as_str());
            }
            Err(error) => return Err(error),
        }
    }
    let code = if inputs.len() == 1 { print_one(e, &args.slug, &all) } else { print(e, &args.slug, &all) }?;
    if failed.is_empty() {
        return Ok(code);
    }
    say(e, format!("{} of {} files were not counted: {}", failed.len(), inputs.len(), failed.join(", ")));
    Ok(FAILED)
}

fn is_of_the_file(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<app::AppError>() {
        // Words of the call fit no file.
        Some(app::AppError::Source(sources::SourceError::BadField { .. })) => false,
        Some(app::AppError::Source(_) | app::AppError::Refused { .. }) => true,
        _ => false,
    }
}

/// The document of one file is an object, that of several a list.
fn print_one(e: &Everywhere, slug: &str, all: &[Imported]) -> Result<u8> {
    match all {
        [one] if e.json => {
            output::json(one)?;
            Ok(outcome(e, slug, all))
        }
        _ => print(e, slug, all),
    }
}

fn print(e: &Everywhere, slug: &str, all: &[Imported]) -> Result<u8> {
    if e.json {
        output::json(&all)?;
    } else {
        let mut out = std::io::stdout().lock();
        for one in all {
            out.write_all(sentences(one).as_bytes())?;
        }
    }
    Ok(outcome(e, slug, all))
}

/// Whether rows were rejected now, and where to look for them.
fn outcome(e: &Everywhere, slug: &str, all: &[Imported]) -> u8 {
    let rejected = all.iter().filter(|one| one.already_counted_at.is_none()).any(|one| one.rejected_rows > 0);
    if !rejected {
        return DONE;
    }
    say(
        e,
        format!("hint: run `forthright exposure rejects {slug} --csv` to see the rows that could not be used, and why"),
    );
    PARTIAL
}

/// What became of one file, for people.
fn sentences(one: &Imported) -> String {
    let Imported { file, described, rows, accepted_rows, rejected_rows, blank_lines, .. } = one;
    let mut text = format!("{file} ({described})\n");
    if let Some(at) = one.already_counted_at {
        text += &format!("  this content was counted at {at}; nothing changed (--again --why TEXT counts it again)\n");
    }
    if one.resumed_after > 0 {
        text += &format!("  goes on after {} records that an interrupted import had counted\n", one.resumed_after);
    }
    if let Some(original) = &one.corrects {
        text += &format!(
            "  a corrected copy of {original}: {rows} rows that were rejected there were read again, {} count there already\n",
            one.counted_before
        );
    }
    text += &format!("  rows: {rows}\n  accepted: {accepted_rows}\n  rejected: {rejected_rows}\n");
    if *blank_lines > 0 {
        text += &format!("  blank lines: {blank_lines}\n");
    }
    one.notes.iter().for_each(|note| text += &format!("  note: {note}\n"));
    text
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
    const CANNOT: &str = "cannot spool standard input to the data folder";
    let mut spool = spool(e, "stdin-").context(CANNOT)?;
    std::io::copy(&mut std::io::stdin().lock(), &mut spool).context(CANNOT)?;
    spool.flush().context(CANNOT)?;
    Ok(spool)
}

/// A private file in the data folder for rows until they are counted.
pub(super) fn spool(e: &Everywhere, prefix: &str) -> std::io::Result<tempfile::NamedTempFile> {
    std::fs::create_dir_all(&e.data)?;
    sweep_spools(e)?;
    let spool = tempfile::Builder::new().prefix(prefix).tempfile_in(&e.data)?;
    spool.as_file().lock()?;
    Ok(spool)
}

/// Removes what processes left that were killed: it holds addresses. Whoever still reads one holds its lock.
pub(crate) fn sweep_spools(e: &Everywhere) -> std::io::Result<()> {
    if !e.data.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(&e.data)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if (name.starts_with("stdin-") || name.starts_with("scan-"))
            && std::fs::File::open(&path).is_ok_and(|file| file.try_lock().is_ok())
        {
            // Two processes may find the same one.
            let _ = std::fs::remove_file(&path);
        }
    }
    Ok(())
}

async fn import_one(e: &Everywhere, app: &App, slug: &str, file: &Given, again: Again<'_>) -> Result<Imported> {
    let import = Import { path: &file.path, name: &file.name, options: &file.options, again };
    Ok(app::intake::import(app, slug, &import, progress(e)).await?)
}

async fn check(e: &Everywhere, app: &App, slug: &str, files: &[Given]) -> Result<u8> {
    let (mut all, mut failed) = (Vec::new(), false);
    for file in files {
        match app::intake::check(app, slug, &file.path, &file.name, &file.options).await {
            Ok(checked) => all.push(checked),
            Err(error) if files.len() > 1 => {
                output::report(&error.into());
                failed = true;
            }
            Err(error) => return Err(error.into()),
        }
    }
    if let ([one], true) = (all.as_slice(), e.json) {
        output::json(one)?;
    } else {
        output::document(e, &all)?;
    }
    if failed {
        return Ok(FAILED);
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
        let (begun, from): (f64, Progress) = *first.get_or_insert((seconds, progress));
        let seconds = (seconds - begun).max(0.001);
        let rate = progress.bytes.saturating_sub(from.bytes) as f64 / seconds;
        let rows = (progress.records - from.records) as f64 / seconds;
        let left = (progress.of.saturating_sub(progress.bytes) as f64 / rate.max(1.0)).ceil();
        let rest = if rate > 0.0 { format!("{rows:.0} rows/s, {left:.0} s left") } else { "…".to_owned() };
        eprint!("\r{} rows, {rest}      ", progress.records);
        if ended {
            eprintln!();
        }
    }
}
