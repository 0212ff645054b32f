//! Rules about the tree itself: arrows between crates, file headers, where SQL may stand.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

fn rust_files() -> Vec<(String, String)> {
    let root = root();
    let mut found = Vec::new();
    sources(&root.join("services"), &mut found);
    sources(&root.join("tests"), &mut found);
    assert!(found.len() > 50);
    let name = |path: &Path| path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
    found.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}

fn is_test(name: &str) -> bool {
    name.contains("tests") || name.contains("services/testkit/")
}

/// Every file of the tree that is text: name, content. What tools make (and `.gitignore` names) is left out.
fn texts() -> Vec<(String, String)> {
    let root = root();
    let mut folders = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            if [".git", "target", "forthright-data"].contains(&name.as_str()) || name.ends_with(".orig") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                found.push((name, text));
            }
        }
    }
    assert!(found.iter().any(|(name, _)| name == "Cargo.toml"));
    found
}

#[test]
fn crates_depend_on_each_other_as_drawn() {
    let drawn: [(&str, &[&str]); 9] = [
        ("model", &[]),
        ("store", &["model"]),
        ("sources", &["model"]),
        ("mail", &["model"]),
        ("app", &["model", "store", "sources", "mail"]),
        ("workers", &["model", "app", "mail", "store"]),
        ("web", &["model", "app"]),
        ("testkit", &["model", "app", "store", "sources", "mail", "workers", "web"]),
        ("forthright", &["model", "app", "store", "sources", "mail", "workers", "web"]),
    ];
    let ours: BTreeSet<&str> = drawn.iter().map(|(name, _)| *name).collect();
    for (name, allowed) in drawn {
        let text = std::fs::read_to_string(root().join("services").join(name).join("Cargo.toml")).unwrap();
        let section = text.split("\n[dependencies]\n").nth(1).unwrap_or_default();
        let section = section.split("\n[").next().unwrap_or_default();
        for line in section.lines() {
            let dependency = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if ours.contains(dependency) {
                assert!(
                    allowed.contains(&dependency),
                    "{name} depends on {dependency}: draw it in a decision record first"
                );
            }
        }
    }
}

#[test]
fn both_databases_have_migrations_of_the_same_names() {
    let names = |folder: &str| -> BTreeSet<String> {
        let folder = root().join("migrations").join(folder);
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<String> =
        rust_files().into_iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(name, _)| name).collect();
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn no_file_is_longer_than_a_sitting() {
    let long: Vec<String> = rust_files()
        .into_iter()
        .filter(|(name, text)| !is_test(name) && text.lines().count() > 800)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(long, Vec::<String>::new());
}

#[test]
fn production_code_neither_unwraps_nor_is_unfinished() {
    let forbidden =
        [concat!(".unwrap", "()"), concat!("todo", "!("), concat!("dbg", "!("), concat!("unimplemented", "!(")];
    for (name, text) in rust_files().into_iter().filter(|(name, _)| !is_test(name)) {
        let production = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in production.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for words in forbidden {
                assert!(!line.contains(words), "{name}: {line}");
            }
        }
    }
}

#[test]
fn sql_stands_in_the_store_only() {
    for (name, text) in rust_files() {
        if name.starts_with("services/store/") || is_test(&name) {
            continue;
        }
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for words in ["SELECT ", "INSERT INTO ", "DELETE FROM "] {
                assert!(!line.contains(words), "{name}: {line}");
            }
        }
    }
}

#[test]
fn each_dependency_says_what_for() {
    let text = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let section = text.split("[workspace.dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    for line in section.lines().filter(|line| line.contains(" = ") && !line.contains("path = ")) {
        assert!(line.contains('#'), "{line}");
    }
}

#[test]
fn crash_points_are_in_no_release_and_each_is_killed_at() {
    let call = concat!("crash_", "point!(\"");
    let files = rust_files();
    let mut named = BTreeSet::new();
    for (name, text) in files.iter().filter(|(name, _)| name.starts_with("services/")) {
        for rest in text.split(call).skip(1) {
            assert!(!is_test(name), "{name} is a test");
            named.insert(rest.split('"').next().unwrap().to_owned());
        }
    }
    let killed_at = &files.iter().find(|(name, _)| name == "tests/faults/crashes.rs").unwrap().1;
    let missing: Vec<&String> = named.iter().filter(|point| !killed_at.contains(&format!("\"{point}\""))).collect();
    assert!(named.len() >= 10 && missing.is_empty(), "no test kills at {missing:?}");
    // The macro and what it calls stand behind debug assertions, which no release switches on.
    let source = &files.iter().find(|(name, _)| name == "services/store/src/crash.rs").unwrap().1;
    assert!(source.contains("#[cfg(debug_assertions)]\n        $crate::crash::pass($name);"));
    assert!(source.contains("#[cfg(debug_assertions)]\npub fn pass(name: &str) {"));
    let others = files.iter().filter(|(name, text)| name.starts_with("services/") && text.contains("crash::pass("));
    assert_eq!(others.count(), 1, "crash.rs alone calls it");
    for (name, text) in texts().iter().filter(|(name, _)| name.ends_with("Cargo.toml") || name.contains(".cargo/")) {
        assert!(!text.contains("debug-assertions"), "{name} switches debug assertions on or off");
    }
}

#[test]
fn nothing_names_a_machine() {
    let forbidden = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];
    // Copied unchanged; its comments link to the root zone's pages.
    let copied = "services/model/data/public_suffix_list.dat";
    for (name, text) in texts().into_iter().filter(|(name, _)| name != copied) {
        for words in forbidden {
            assert!(!text.contains(words), "{name} names {words}");
        }
    }
}
