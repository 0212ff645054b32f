//! Imports of a large directory that are killed: nothing is written about half of it, and repeated it is as if nothing
//! had been.

use std::time::{Duration, Instant};

use testkit::process::Backend;

use crate::setup::{SLUG, Stage, path};

const DOMAINS: usize = 200_000;
const KILLS: u32 = 8;

/// Domains of half as many tenants, not in order.
fn directory(stage: &Stage) -> std::path::PathBuf {
    use std::fmt::Write;
    let mut text = String::from("domain,tenant_id,tenant_name,country,language\n");
    for n in (0..DOMAINS).map(|n| n * 7_919 % DOMAINS) {
        let tenant = n / 2;
        let _ = writeln!(text, "org{n:06}.example,t-{tenant:06},Organisation {tenant},US,en");
    }
    stage.file("large.csv", &text)
}

fn export(stage: &Stage) -> Vec<u8> {
    let file = stage.folder.path().join("exported.csv");
    stage.run.ok(&["directory", "export", "--organisations", path(&file)]);
    std::fs::read(file).unwrap()
}

#[test]
fn killed_at_eight_moments_an_import_of_200_000_domains_ends_as_if_undisturbed() {
    for backend in Backend::each() {
        let undisturbed = Stage::new(backend);
        let file = directory(&undisturbed);
        undisturbed.run.ok(&["directory", "import", "--organisations", path(&file)]);
        let expected = export(&undisturbed);

        let stage = Stage::new(backend);
        stage.small(3);
        let args = ["directory", "import", "--organisations", path(&file), "--source", "large"];
        let (mut reading, mut kills) = (Duration::ZERO, 0);
        for turn in 0..KILLS {
            let mut running = stage.run.spawn(&args);
            if turn == 0 {
                let begun = Instant::now();
                while stage.run.run(&["notice", "draft", SLUG]).status != 4 && running.ended().is_none() {}
                reading = begun.elapsed();
            } else {
                // From the middle of reading to a while behind it.
                std::thread::sleep(reading.mul_f64(0.5) + reading.mul_f64(0.1) * turn);
            }
            running.kill();
            let refused = stage.run.run(&["notice", "draft", SLUG]);
            if turn > 0 && refused.status == 0 {
                // It came to its end before it was killed.
                break;
            }
            kills += 1;
            let said = &refused.stderr;
            assert_eq!(refused.status, 4, "{backend:?} {turn}: {said}");
            assert!(said.contains("`large`") && said.contains("not finished") && said.contains("hint:"), "{said}");
            assert_eq!(stage.run.as_actor("lead").run(&["wave", "release", SLUG, "early", "--all"]).status, 4);
        }
        let said = stage.run.json(&args);
        assert_eq!(said["written"], true);
        let file = stage.folder.path().join("exported.csv");
        stage.run.ok(&["directory", "export", "--organisations", path(&file), "--source", "large"]);
        assert!(std::fs::read(file).unwrap() == expected, "{backend:?}: the directory is another one");
        println!("{backend:?}: {kills} kills, and the last import had {} to add", said["added"]);
        assert!(kills > 0, "{kills}");
        stage.run.ok(&["notice", "draft", SLUG]);
        assert_eq!(stage.run.csv(&["notice", "list", SLUG]).len(), 3);
        stage.run.ok(&["audit", "verify"]);
    }
}
