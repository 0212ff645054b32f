//! Waves: the sending domain is looked at before a large one, and one that goes wrong stops by itself.

mod domain;
mod forecast;
mod further;
mod limits;
mod stops;

use testkit::process::Backend;

use crate::setup::{SLUG, Stage};

/// So many notices, drafted and approved.
fn approved(backend: Backend, notices: usize) -> Stage {
    let stage = Stage::new(backend);
    stage.small(notices);
    stage.run.ok(&["notice", "draft", SLUG]);
    stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
    stage
}

/// A column of `wave list`.
fn column(stage: &Stage, wave: &str, column: &str) -> String {
    let waves = stage.run.csv(&["wave", "list", SLUG]);
    waves.iter().find(|row| row["wave"] == wave).unwrap()[column].clone()
}
