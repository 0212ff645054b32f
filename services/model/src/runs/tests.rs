//! Runs against the plainest way to count: sets and maps of the rows themselves.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::intake::{Counted, Day, FieldSet};

/// A row as the plainest reader would hold it.
#[derive(Debug, Clone)]
struct Plain {
    host: &'static str,
    path: Option<u8>,
    size: Option<i64>,
    day: Option<u32>,
    kind: Option<&'static str>,
    person: Option<u8>,
    lacks: bool,
}

fn plain() -> impl Strategy<Value = Plain> {
    let hosts = vec!["acme.example", "www.acme.example", "acme-x.example", "b.example"];
    (
        prop::sample::select(hosts),
        prop::option::of(0_u8..12),
        prop::option::of(0_i64..3),
        prop::option::of(prop::sample::select(vec![20_190_101_u32, 20_200_229, 99_991_231])),
        prop::option::of(prop::sample::select(vec!["invoice", "Invoice", "zz"])),
        prop::option::of(0_u8..6),
        any::<bool>(),
    )
        .prop_map(|(host, path, size, day, kind, person, lacks)| Plain {
            host,
            path,
            size,
            day,
            kind,
            person,
            lacks,
        })
}

fn add(batch: &mut Batch, row: &Plain, seen: &mut Seen) {
    let path = row.path.map(|path| format!("box/{path}.pdf"));
    let person = row.person.map(|person| format!("p{person}"));
    let keys = PersonKeys::new(b"key");
    let mut missing = FieldSet::NONE;
    if row.lacks {
        missing.insert(Counted::ProjectId);
    }
    batch.add(
        &Reading {
            host: row.host,
            object: path.as_deref().map(|path| (object_key(path), path)),
            size: row.size,
            day: row.day.and_then(Day::of_number),
            kind: row.kind,
            email: person.as_deref().map(|name| (keys.email(name), "")),
            user: person.as_deref().map(|name| (keys.user(name), name)),
            project: person.as_deref().map(|name| (project_key(name), name)),
            missing,
            invalid: FieldSet::NONE,
        },
        seen,
    );
}

fn blocks_of(rows: &[Plain], cut: usize) -> Vec<(Vec<Block>, Vec<Block>)> {
    // Small, so that it forgets.
    let (mut batch, mut seen) = (Batch::new(7), Seen::new(256));
    rows.chunks(cut.max(1))
        .map(|part| {
            part.iter().for_each(|row| add(&mut batch, row, &mut seen));
            batch.drain()
        })
        .collect()
}

/// The figures of the hosts that are wanted, over all blocks, in parts of the keys.
fn fold(runs: &[(Vec<Block>, Vec<Block>)], ranges: &[KeyRange], wants: impl Fn(&str) -> bool) -> Figures {
    let mut sum = Figures::default();
    for (at, range) in ranges.iter().enumerate() {
        let (mut fold, mut kinds) = (Fold::default(), Kinds::default());
        for (sets, counts) in runs {
            for block in sets {
                let mut sets = SetsBlock::open(&block.body).unwrap();
                let numbers = kinds.numbers_of(&sets.kinds);
                while let Some(section) = sets.next_section().unwrap() {
                    assert!(*block.first <= *section.host && *section.host <= *block.last);
                    if wants(section.host) {
                        fold.take(&section, &numbers, *range);
                    }
                }
            }
            for block in counts.iter().filter(|_| at == 0) {
                let mut hosts = CountsBlock::open(&block.body).unwrap();
                while let Some((host, counts)) = hosts.next_host().unwrap() {
                    if wants(host) {
                        fold.count(&counts);
                    }
                }
            }
        }
        sum.add_part(fold.figures(&kinds));
    }
    sum
}

/// R8 in the plainest words.
fn expected(rows: &[Plain]) -> Figures {
    let mut figures = Figures::default();
    let mut objects: BTreeMap<u8, Vec<&Plain>> = BTreeMap::new();
    for row in rows {
        figures.counts.rows += 1;
        figures.counts.rows_missing += u64::from(row.lacks);
        figures.counts.missing[Counted::ProjectId as usize] += u64::from(row.lacks);
        if let Some(path) = row.path {
            objects.entry(path).or_default().push(row);
        }
    }
    let people: BTreeSet<u8> = rows.iter().filter_map(|row| row.person).collect();
    (figures.emails, figures.users, figures.projects) = (people.len() as u64, people.len() as u64, people.len() as u64);
    for said in objects.values() {
        let sizes: BTreeSet<i64> = said.iter().filter_map(|row| row.size).collect();
        let days: BTreeSet<u32> = said.iter().filter_map(|row| row.day).collect();
        let kinds: BTreeSet<&str> = said.iter().filter_map(|row| row.kind).collect();
        figures.objects += 1;
        figures.bytes += sizes.first().copied().unwrap_or(0);
        figures.without_size += u64::from(sizes.is_empty());
        figures.without_date += u64::from(days.is_empty());
        figures.without_type += u64::from(kinds.is_empty());
        figures.in_dispute += u64::from(sizes.len() > 1 || days.len() > 1 || kinds.len() > 1);
        if let Some(day) = days.first().and_then(|day| Day::of_number(*day)) {
            figures.first = Some(figures.first.map_or(day, |first| first.min(day)));
            figures.last = figures.last.max(Some(day));
        }
        if let Some(kind) = kinds.first() {
            *figures.types.entry((*kind).to_owned()).or_default() += 1;
        }
    }
    figures
}

proptest! {
    #[test]
    fn however_rows_are_ordered_cut_and_partitioned_the_figures_are_the_plain_ones(
        rows in prop::collection::vec(plain(), 0..60),
        cut in 1_usize..70,
        at_most in 1_u64..200,
        seed in any::<u64>(),
    ) {
        let mut shuffled = rows.clone();
        shuffled.sort_by_key(|row| object_key(&format!("{seed}{row:?}")));
        let ranges = KeyRange::parts(rows.len() as u64 * 4, at_most);
        let runs = blocks_of(&shuffled, cut);
        prop_assert_eq!(fold(&runs, &ranges, |_| true), expected(&rows));
        let acme: Vec<Plain> = rows.iter().filter(|row| row.host.ends_with("acme.example")).cloned().collect();
        prop_assert_eq!(fold(&runs, &ranges, |host| is_within(host, "example!acme")), expected(&acme));
    }

    #[test]
    fn repetition_changes_raw_references_only(rows in prop::collection::vec(plain(), 1..40), cut in 1_usize..50) {
        let twice = [rows.clone(), rows.clone()].concat();
        let (once, twice) = (fold(&blocks_of(&rows, cut), &[KeyRange::ALL], |_| true), fold(&blocks_of(&twice, cut), &[KeyRange::ALL], |_| true));
        prop_assert_eq!(twice.counts.rows, 2 * once.counts.rows);
        prop_assert_eq!(Figures { counts: Counts::default(), ..twice }, Figures { counts: Counts::default(), ..once });
    }

    #[test]
    fn runs_brought_together_are_one_run_that_says_the_same(rows in prop::collection::vec(plain(), 1..60), cut in 1_usize..20) {
        let runs = blocks_of(&rows, cut);
        let mut batch = Batch::new(1);
        for block in runs.iter().flat_map(|(sets, _)| sets) {
            batch.absorb(&block.body, &block.names, |_| true).unwrap();
        }
        let (together, counts) = batch.drain();
        prop_assert!(counts.is_empty());
        let (mut whole, mut seen) = (Batch::new(2), Seen::new(1 << 20));
        rows.iter().for_each(|row| add(&mut whole, row, &mut seen));
        prop_assert_eq!(together, whole.drain().0);
    }

    #[test]
    fn no_bytes_make_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), honest in any::<bool>()) {
        let mut body = bytes;
        if honest && let Some(first) = body.first_mut() {
            *first = 1;
        }
        if let Ok(mut block) = SetsBlock::open(&body) {
            while let Ok(Some(section)) = block.next_section() {
                section.objects().for_each(drop);
            }
        }
        if let Ok(mut block) = CountsBlock::open(&body) {
            while let Ok(Some(_)) = block.next_host() {}
        }
        let _ = Batch::new(0).absorb(&body, "", |_| true);
    }

    #[test]
    fn every_key_is_in_exactly_one_part(entries in 0_u64..100_000, at_most in 0_u64..10_000, byte in any::<u8>()) {
        let key = [byte; 16];
        let holding = KeyRange::parts(entries, at_most).into_iter().filter(|part| {
            let mut fold = Fold::default();
            fold.take_keys(Thing::User, &[key], *part);
            !fold.keys(Thing::User).is_empty()
        });
        prop_assert_eq!(holding.count(), 1);
    }

    #[test]
    fn names_below_a_domain_lie_between_it_and_its_end(host in "[a-z0-9-]{1,5}(\\.[a-z0-9-]{1,5}){0,3}", domain in "[a-z0-9-]{1,3}(\\.[a-z0-9-]{1,3}){0,1}") {
        prop_assert_eq!(host_of(&reversed(&host)), host.clone());
        let (name, of) = (reversed(&host), reversed(&domain));
        let below = host == domain || host.ends_with(&format!(".{domain}"));
        prop_assert_eq!(is_within(&name, &of), below);
        prop_assert_eq!(name >= of && name < end_of(&of), below);
    }
}

#[test]
fn a_host_with_more_than_a_block_holds_is_in_several() {
    let (mut batch, mut seen) = (Batch::new(0), Seen::new(1 << 20));
    for n in 0..30_000_u32 {
        let path = format!("box/{n}");
        batch.add(
            &Reading {
                host: "big.example",
                object: Some((object_key(&path), &path)),
                size: Some(i64::from(n)),
                day: None,
                kind: Some(if n % 2 == 0 { "a" } else { "b" }),
                email: None,
                user: Some((project_key(&path), "")),
                project: None,
                missing: FieldSet::NONE,
                invalid: FieldSet::NONE,
            },
            &mut seen,
        );
    }
    let (sets, counts) = batch.drain();
    assert!(sets.len() > 5 && sets.iter().all(|block| block.body.len() < 400_000), "{}", sets.len());
    let figures = fold(&[(sets, counts)], &KeyRange::parts(60_000, 1_000), |_| true);
    assert_eq!((figures.objects, figures.users, figures.bytes), (30_000, 30_000, 30_000 * 29_999 / 2));
    assert_eq!(figures.types, BTreeMap::from([("a".to_owned(), 15_000), ("b".to_owned(), 15_000)]));
    assert_eq!(batch.bytes(), 0);
}

#[test]
fn another_key_or_kind_of_person_gives_another_key() {
    let (ours, theirs) = (PersonKeys::new(b"ours"), PersonKeys::new(b"theirs"));
    assert_eq!(ours.email("a@b.example"), PersonKeys::new(b"ours").email("a@b.example"));
    assert_ne!(ours.email("a@b.example"), theirs.email("a@b.example"));
    assert_ne!(ours.email("x"), ours.user("x"));
}

#[test]
fn more_data_types_than_a_block_has_numbers_for_keep_their_names() {
    let (mut batch, mut seen) = (Batch::new(0), Seen::new(1 << 20));
    for n in 0..70_000_u32 {
        let (path, kind) = (format!("box/{n}"), format!("type-{n}"));
        let row = Reading {
            host: if n % 2 == 0 { "a.example" } else { "b.example" },
            object: Some((object_key(&path), &path)),
            size: None,
            day: None,
            kind: (n % 7 > 0).then_some(&*kind),
            email: None,
            user: None,
            project: None,
            missing: FieldSet::NONE,
            invalid: FieldSet::NONE,
        };
        batch.add(&row, &mut seen);
    }
    let first = batch.drain();
    let mut merged = Batch::new(1);
    for block in &first.0 {
        merged.absorb(&block.body, &block.names, |_| true).unwrap();
    }
    for run in [first, merged.drain()] {
        let figures = fold(&[run], &[KeyRange::ALL], |_| true);
        assert_eq!((figures.types.len(), figures.without_type), (60_000, 10_000));
        assert!(figures.types.values().all(|count| *count == 1));
    }
}

#[test]
fn from_a_domain_to_its_end_lies_what_ends_in_it_and_nothing_else() {
    let from = reversed("acme.example");
    let to = end_of(&from);
    let holds = |host: &str| (from.as_str()..to.as_str()).contains(&reversed(host).as_str());
    assert!(["acme.example", "www.acme.example", "a.b.acme.example", "xn--a.acme.example"].into_iter().all(holds));
    assert!(!["acme-x.example", "notacme.example", "example", "acmea.example", "acme.example2"].into_iter().any(holds));
}
