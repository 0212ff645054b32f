//! The pilot: a few approved notices that go first, so that what is wrong with the words shows before everybody has them.
//!
//! Releases nothing. Invariant: the choice follows from the approved notices alone, and every group is in the pilot
//! before one is in it twice.

use std::collections::BTreeMap;

use model::approval::draw;
use serde::Serialize;
use store::Conn;
use store::notices::Notice;

use super::groups::of_each;
use crate::{AppError, Incident};

/// As it stands in the record.
pub(crate) const RULE: &str =
    "one of each group in turn, the largest group first; within a group by chance, the same each time";

/// How a pilot was chosen.
#[derive(Debug, Serialize)]
pub struct Piloted {
    /// In words.
    pub rule: &'static str,
    /// How many notices of each group.
    pub groups: BTreeMap<String, usize>,
    /// Groups of which none is in it: a larger pilot would have them.
    pub groups_left_out: usize,
}

/// Up to `count` of these notices, by tenant.
pub(crate) async fn pilot(
    conn: &mut Conn,
    incident: &Incident,
    approved: Vec<Notice>,
    count: usize,
) -> Result<(Vec<Notice>, Piloted), AppError> {
    let of_each = of_each(conn, incident, &approved).await?;
    let ids: Vec<&str> = approved.iter().map(|notice| notice.tenant_id.as_str()).collect();
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for at in draw(&incident.slug, &ids, ids.len()) {
        if let Some((alike, _)) = of_each.get(at) {
            groups.entry(alike.id()).or_default().push(at);
        }
    }
    let mut queues: Vec<(String, Vec<usize>)> = groups.into_iter().collect();
    queues.sort_by(|(a, theirs), (b, others)| (others.len(), a).cmp(&(theirs.len(), b)));
    let (mut chosen, mut taken) = (vec![false; approved.len()], BTreeMap::new());
    let (mut round, mut left) = (0, count);
    while left > 0 && queues.iter().any(|(_, queue)| queue.len() > round) {
        for (group, queue) in queues.iter().filter(|(_, queue)| queue.len() > round).take(left) {
            chosen[queue[round]] = true;
            *taken.entry(group.clone()).or_default() += 1;
        }
        left -= left.min(queues.iter().filter(|(_, queue)| queue.len() > round).count());
        round += 1;
    }
    let groups_left_out = queues.len() - taken.len();
    let mut chosen = chosen.into_iter();
    let pilot = approved.into_iter().filter(|_| chosen.next().unwrap_or(false)).collect();
    Ok((pilot, Piloted { rule: RULE, groups: taken, groups_left_out }))
}
