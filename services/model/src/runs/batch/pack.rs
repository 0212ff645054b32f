//! Batches turned into blocks: sorted by host and key, cut into sections and blocks.
//!
//! Invariant: what comes out does not depend on the order in which rows came in.

use std::collections::HashMap;

use super::{Batch, DISPUTED, Object, Other, text_at};
use crate::intake::Day;
use crate::runs::block::{self, Block, Counts, OBJECT, ObjectSaid};
use crate::runs::reversed;

/// A block ends after the host with which it reaches this many bytes of records.
const BLOCK: usize = 128 * 1024;
/// Objects in one section, so that a block's kinds have numbers of two bytes and a block stays a block.
const SECTION: usize = 4_000;

impl Batch {
    /// Everything that was taken in, as sets blocks and counts blocks; the batch is empty afterwards and keeps its
    /// memory for what follows.
    pub fn drain(&mut self) -> (Vec<Block>, Vec<Block>) {
        let mut order: Vec<(String, u32)> =
            (0_u32..).zip(&self.hosts).map(|(at, host)| (reversed(text_at(&self.text, host.name)), at)).collect();
        order.sort_unstable();
        let mut rank = vec![0_u32; order.len()];
        for (place, (_, host)) in order.iter().enumerate() {
            rank[*host as usize] = place as u32;
        }
        self.objects.sort_unstable_by_key(|object| (rank[object.host as usize], object.key));
        self.others.sort_unstable_by_key(|other| (rank[other.host as usize], other.thing, other.key));
        let sets = self.sets(&order);
        let counts = self.counts(&order);
        self.clear();
        (sets, counts)
    }

    fn counts(&self, order: &[(String, u32)]) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut block = Block::default();
        for (name, host) in order {
            let host = &self.hosts[*host as usize];
            if host.rows == 0 {
                continue;
            }
            let spoilt = (host.spoilt as usize).checked_sub(1).map(|at| self.spoilt[at]);
            let counts = Counts { rows: u64::from(host.rows), ..spoilt.unwrap_or_default() };
            if block.body.is_empty() {
                block.first.clone_from(name);
                block::start_counts(&mut block.body);
            }
            block::write_counts(&mut block.body, name, &counts);
            block.entries += 1;
            block.last.clone_from(name);
            if block.body.len() >= BLOCK {
                blocks.push(std::mem::take(&mut block));
            }
        }
        blocks.extend((block.entries > 0).then_some(block));
        blocks
    }

    fn sets(&self, order: &[(String, u32)]) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut building = Building::default();
        let (mut objects, mut others) = (self.objects.as_slice(), self.others.as_slice());
        for (name, host) in order {
            let mine = objects.partition_point_from_start(|object| object.host == *host);
            let (these, rest) = objects.split_at(mine);
            objects = rest;
            let mine = others.partition_point_from_start(|other| other.host == *host);
            let (those, rest) = others.split_at(mine);
            others = rest;
            self.host_sections(name, these, those, &mut building, &mut blocks);
        }
        blocks.extend(building.finish(self));
        blocks
    }

    /// One host, in as many sections as it needs.
    fn host_sections<'b>(
        &'b self,
        name: &'b str,
        objects: &'b [Object],
        others: &'b [Other],
        building: &mut Building<'b>,
        blocks: &mut Vec<Block>,
    ) {
        let others = others.chunks(SECTION * 2);
        let mut parts: Vec<(&[Object], &[Other])> = objects.chunks(SECTION).map(|part| (part, &[][..])).collect();
        for (at, part) in others.enumerate() {
            match parts.get_mut(at) {
                Some(there) => there.1 = part,
                None => parts.push((&[], part)),
            }
        }
        for (objects, others) in parts {
            building.sections.push((name, objects, others));
            building.bytes += name.len() + objects.len() * OBJECT + others.len() * 16;
            if building.bytes >= BLOCK {
                blocks.extend(std::mem::take(building).finish(self));
            }
        }
    }
}

/// A block's sections, before they are written.
#[derive(Default)]
struct Building<'b> {
    bytes: usize,
    sections: Vec<(&'b str, &'b [Object], &'b [Other])>,
}

impl Building<'_> {
    fn finish(self, batch: &Batch) -> Option<Block> {
        let (first, last) = (self.sections.first()?.0.to_owned(), self.sections.last()?.0.to_owned());
        let mut block = Block { first, last, ..Block::default() };
        let (kinds, numbers) = self.kinds(batch);
        block.body.reserve(self.bytes + 4 * 1024);
        block::start_sets(&mut block.body, &kinds);
        for (host, objects, others) in &self.sections {
            let of = |thing: u8| others.iter().filter(move |other| other.thing == thing).count();
            block::start_section(&mut block.body, host, [objects.len(), of(0), of(1), of(2)]);
            for object in *objects {
                let said = ObjectSaid {
                    key: object.key,
                    size: (object.size >= 0).then_some(object.size),
                    day: Day::of_number(object.day & !DISPUTED),
                    kind: numbers.get(&object.kind).copied(),
                    disputed: object.day & DISPUTED != 0,
                };
                said.write(&mut block.body);
                block.name(text_at(&batch.text, object.path));
            }
            for other in *others {
                block.body.extend_from_slice(&other.key);
                block.name(text_at(&batch.text, other.name));
            }
        }
        Some(block)
    }

    /// The data types of these sections, sorted, and the place of each of the batch's numbers among them. A block has
    /// fewer entries than there are numbers of two bytes.
    fn kinds<'b>(&self, batch: &'b Batch) -> (Vec<&'b str>, HashMap<u32, u16>) {
        let mut used: Vec<u32> =
            self.sections.iter().flat_map(|(_, objects, _)| *objects).map(|object| object.kind).collect();
        used.sort_unstable();
        used.dedup();
        let name = |number: u32| batch.kinds.get(number as usize).map(|name| (name.as_str(), number));
        let mut kinds: Vec<(&str, u32)> = used.into_iter().filter_map(name).collect();
        kinds.sort_unstable();
        let numbers = (0_u16..).zip(&kinds).map(|(place, (_, number))| (*number, place)).collect();
        (kinds.into_iter().map(|(name, _)| name).collect(), numbers)
    }
}

impl Block {
    /// The name of the next entry. Fields with line breaks are never used (R7), so a line is a name.
    fn name(&mut self, name: &str) {
        if self.entries > 0 {
            self.names.push('\n');
        }
        self.entries += 1;
        self.names.push_str(name);
    }
}

/// Sorted slices of which the beginning is wanted.
trait FromStart<T> {
    fn partition_point_from_start(&self, is_mine: impl Fn(&T) -> bool) -> usize;
}

impl<T> FromStart<T> for [T] {
    /// How many of the first entries are mine. Looks at those alone: they are few beside the rest.
    fn partition_point_from_start(&self, is_mine: impl Fn(&T) -> bool) -> usize {
        self.iter().take_while(|entry| is_mine(entry)).count()
    }
}
