//! The starts of waves that are limited, as they were given out to hosts, and who receives for which domain.
//!
//! Computes nothing (`model::pace` does). Invariant: whoever reads a wave's calendar to give starts out holds its row
//! until that is durable, so that no start is given twice.

use std::collections::{HashMap, HashSet};

use model::pace::{Calendar, Limits};
use sqlx::AssertSqlSafe;

use crate::rows::{ROWS_AN_INSERT, insert_text, list as list_of};
use crate::{Conn, StoreError, Tx};

statements! {
    LIMITS = "SELECT id, pace, pace_per_system, per_day FROM waves";
    /// Makes the row or waits for whoever holds it.
    HOLD = "
        INSERT INTO starts (wave_id, system, next_at, day, day_count)
        VALUES ($1, '', 0, 0, 0)
        ON CONFLICT (wave_id, system) DO UPDATE SET next_at = starts.next_at
        RETURNING next_at, day, day_count";
    KEEP = "
        UPDATE starts
        SET next_at = $1, day = $2, day_count = $3
        WHERE wave_id = $4 AND system = ''";
    DAY = "SELECT day, day_count FROM starts WHERE wave_id = $1 AND system = ''";
}

#[derive(sqlx::FromRow)]
struct LimitsRow {
    id: String,
    pace: Option<i64>,
    pace_per_system: Option<i64>,
    per_day: Option<i64>,
}

/// The limits of each wave; they never change.
pub async fn limits(conn: &mut Conn) -> Result<Vec<(String, Limits)>, StoreError> {
    let rows: Vec<LimitsRow> = on!(conn, |c| sqlx::query_as(LIMITS).fetch_all(c).await)?;
    let limits = |row: &LimitsRow| Limits { pace: row.pace, per_system: row.pace_per_system, per_day: row.per_day };
    Ok(rows.into_iter().map(|row| (row.id.clone(), limits(&row))).collect())
}

/// A wave's calendar, as far as these receiving systems are concerned; held until the transaction ends.
pub async fn hold(tx: &mut Tx, wave: &str, systems: &[&str]) -> Result<Calendar, StoreError> {
    let (next_at, day, day_count): (i64, i64, i64) = on!(tx, |c| sqlx::query_as(HOLD).bind(wave).fetch_one(c).await)?;
    let mut calendar = Calendar { next_at, systems: HashMap::new(), day, day_count };
    for part in systems.chunks(ROWS_AN_INSERT) {
        let text = format!(
            "SELECT system, next_at FROM starts WHERE wave_id = $1 AND system IN {}",
            list_of(tx.dialect(), 2, part.len())
        );
        let rows: Vec<(String, i64)> = on!(tx, |c| {
            let mut query = sqlx::query_as(AssertSqlSafe(text)).bind(wave);
            for system in part {
                query = query.bind(*system);
            }
            query.fetch_all(c).await
        })?;
        calendar.systems.extend(rows);
    }
    Ok(calendar)
}

/// Those of these mails that the sender holds and has not begun, locked until the transaction ends. Before [`hold`]: a
/// lease that ends takes its mail first and the calendar then, too.
pub async fn of_sender(tx: &mut Tx, sender: &str, ids: &[&str]) -> Result<HashSet<String>, StoreError> {
    let mut held = HashSet::new();
    for part in ids.chunks(ROWS_AN_INSERT) {
        let text = format!(
            "UPDATE outbox SET start_day = NULL WHERE lease = $1 AND state = 'leased' AND id IN {} RETURNING id",
            list_of(tx.dialect(), 2, part.len())
        );
        let found: Vec<String> = on!(tx, |c| {
            let mut query = sqlx::query_scalar(AssertSqlSafe(text)).bind(sender);
            for id in part {
                query = query.bind(*id);
            }
            query.fetch_all(c).await
        })?;
        held.extend(found);
    }
    Ok(held)
}

/// Writes down to which mails starts of a day were given: with their leases these end.
pub async fn note_given(tx: &mut Tx, day: i64, ids: &[&str]) -> Result<(), StoreError> {
    for part in ids.chunks(ROWS_AN_INSERT) {
        let text = format!("UPDATE outbox SET start_day = $1 WHERE id IN {}", list_of(tx.dialect(), 2, part.len()));
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text)).bind(day);
            for id in part {
                query = query.bind(*id);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// Writes down what was given out.
pub async fn keep(tx: &mut Tx, wave: &str, calendar: &Calendar) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(KEEP)
        .bind(calendar.next_at)
        .bind(calendar.day)
        .bind(calendar.day_count)
        .bind(wave)
        .execute(c)
        .await
        .map(drop))?;
    let systems: Vec<(&String, &i64)> = calendar.systems.iter().collect();
    for part in systems.chunks(ROWS_AN_INSERT) {
        let text = insert_text(
            tx.dialect(),
            "INSERT INTO starts (wave_id, system, next_at, day, day_count)",
            5,
            part.len(),
            "ON CONFLICT (wave_id, system) DO UPDATE SET next_at = excluded.next_at",
        );
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for (system, next_at) in part {
                query = query.bind(wave).bind(*system).bind(**next_at).bind(0_i64).bind(0_i64);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// The day that is counted, and the starts given out on it.
pub async fn day(conn: &mut Conn, wave: &str) -> Result<Option<(i64, i64)>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(DAY).bind(wave).fetch_optional(c).await)?)
}

/// Of these domains, those whose receiving system was looked up after `since` (real time).
pub async fn systems_of(conn: &mut Conn, domains: &[&str], since: i64) -> Result<HashMap<String, String>, StoreError> {
    let mut systems = HashMap::new();
    for part in domains.chunks(ROWS_AN_INSERT) {
        let text = format!(
            "SELECT domain, system FROM receiving_systems WHERE looked_at >= $1 AND domain IN {}",
            list_of(conn.dialect(), 2, part.len())
        );
        let rows: Vec<(String, String)> = on!(conn, |c| {
            let mut query = sqlx::query_as(AssertSqlSafe(text)).bind(since);
            for domain in part {
                query = query.bind(*domain);
            }
            query.fetch_all(c).await
        })?;
        systems.extend(rows);
    }
    Ok(systems)
}

/// Writes down which receiving systems were found for domains.
pub async fn keep_systems(tx: &mut Tx, found: &[(String, String)], now: i64) -> Result<(), StoreError> {
    for part in found.chunks(ROWS_AN_INSERT) {
        let text = insert_text(
            tx.dialect(),
            "INSERT INTO receiving_systems (domain, system, looked_at)",
            3,
            part.len(),
            "ON CONFLICT (domain) DO UPDATE SET system = excluded.system, looked_at = excluded.looked_at",
        );
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for (domain, system) in part {
                query = query.bind(domain).bind(system).bind(now);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}
