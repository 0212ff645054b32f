//! How often codes can be tried: by one client, and by everybody together.
//!
//! Knows no codes. Invariant: memory is bounded by [`CLIENTS`], and guessing by the rate that `model::code` reckons with.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use model::code::A_SECOND;

/// Clients that are told apart at a time; further ones share what is left.
const CLIENTS: usize = 10_000;
/// Tries that a client has in store, and the time in which one more comes.
const STORE: f64 = 10.0;
const ONE_MORE: Duration = Duration::from_secs(6);

/// Buckets of tries: each empties by trying and fills with time.
#[derive(Debug)]
pub(crate) struct Limits(Mutex<Buckets>);

#[derive(Debug)]
struct Buckets {
    everybody: Bucket,
    clients: HashMap<Client, Bucket>,
}

/// Who asks, as far as it can be told: an address, or its network with IPv6; none where nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Client(Option<IpAddr>);

impl Client {
    /// From what the proxy before us wrote last: its own line of `X-Forwarded-For` comes after those of the client.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self::forwarded(headers.get_all("x-forwarded-for").iter().next_back().and_then(|line| line.to_str().ok()))
    }

    fn forwarded(header: Option<&str>) -> Self {
        let last = header.and_then(|list| list.rsplit(',').next()).map(str::trim).unwrap_or_default();
        Self(last.parse::<IpAddr>().ok().map(|address| match address.to_canonical() {
            // Whoever has one address of a /64 has all of them.
            IpAddr::V6(six) => IpAddr::V6((six.to_bits() & !u128::from(u64::MAX)).into()),
            four @ IpAddr::V4(_) => four,
        }))
    }
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tries: f64,
    at: Instant,
}

impl Bucket {
    fn full(most: f64, at: Instant) -> Self {
        Self { tries: most, at }
    }

    fn fill(&mut self, now: Instant, a_second: f64, most: f64) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        (self.tries, self.at) = ((self.tries + passed * a_second).min(most), now);
    }

    /// Takes a try out, if there is one.
    fn take(&mut self) -> Try {
        if self.tries < 1.0 {
            return Try::TooMany;
        }
        self.tries -= 1.0;
        Try::Allowed
    }
}

/// Whether a code may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Try {
    Allowed,
    TooMany,
}

impl Limits {
    pub(crate) fn new() -> Self {
        let everybody = Bucket::full(f64::from(A_SECOND), Instant::now());
        Self(Mutex::new(Buckets { everybody, clients: HashMap::new() }))
    }

    /// Counts a try of a client, and says whether it may be made.
    pub(crate) fn attempt(&self, client: Client) -> Try {
        self.attempt_at(client, Instant::now())
    }

    fn attempt_at(&self, client: Client, now: Instant) -> Try {
        let a_second = 1.0 / ONE_MORE.as_secs_f64();
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.clients.len() >= CLIENTS && !buckets.clients.contains_key(&client) {
            // Who has a full store again need not be remembered.
            buckets.clients.retain(|_, bucket| {
                bucket.fill(now, a_second, STORE);
                bucket.tries < STORE
            });
        }
        let known = buckets.clients.len() < CLIENTS || buckets.clients.contains_key(&client);
        let client = if known { client } else { Client(None) };
        let bucket = buckets.clients.entry(client).or_insert_with(|| Bucket::full(STORE, now));
        bucket.fill(now, a_second, STORE);
        if bucket.take() == Try::TooMany {
            return Try::TooMany;
        }
        let most = f64::from(A_SECOND);
        buckets.everybody.fill(now, most, most);
        buckets.everybody.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(number: u32) -> Client {
        Client(Some(IpAddr::V4(number.into())))
    }

    fn allowed(limits: &Limits, client: Client, at: Instant, tries: usize) -> usize {
        (0..tries).filter(|_| limits.attempt_at(client, at) == Try::Allowed).count()
    }

    #[test]
    fn one_client_has_ten_tries_and_then_one_each_six_seconds() {
        let (limits, begin) = (Limits::new(), Instant::now());
        assert_eq!(allowed(&limits, client(1), begin, 30), 10);
        assert_eq!(allowed(&limits, client(1), begin + Duration::from_secs(5), 30), 0);
        assert_eq!(allowed(&limits, client(1), begin + Duration::from_secs(13), 30), 2);
        assert_eq!(allowed(&limits, client(2), begin + Duration::from_secs(13), 1), 1);
    }

    #[test]
    fn everybody_together_has_no_more_than_is_reckoned_with() {
        let (limits, begin) = (Limits::new(), Instant::now());
        let most = A_SECOND as usize;
        let first = (0..1_000).filter(|n| limits.attempt_at(client(*n), begin) == Try::Allowed).count();
        let later =
            (0..1_000).filter(|n| limits.attempt_at(client(*n), begin + Duration::from_secs(1)) == Try::Allowed);
        assert_eq!((first, later.count()), (most, most));
    }

    #[test]
    fn a_flood_of_clients_takes_no_more_memory() {
        let (limits, begin) = (Limits::new(), Instant::now());
        for number in 0..30_000 {
            limits.attempt_at(client(number), begin);
        }
        // Those beyond share one more place.
        assert!(limits.0.lock().unwrap().clients.len() <= CLIENTS + 1);
        limits.attempt_at(client(99_999), begin + Duration::from_secs(600));
        assert!(limits.0.lock().unwrap().clients.len() < 10);
    }

    #[test]
    fn a_client_is_whom_the_last_proxy_names() {
        let named = |header| Client::forwarded(Some(header));
        assert_eq!(named("10.9.9.9, 192.0.2.7"), named("192.0.2.7"));
        assert_eq!(named("2001:db8::1"), named("2001:db8::2"));
        assert_ne!(named("2001:db8::1"), named("2001:db8:0:1::1"));
        assert_eq!(named("nonsense"), Client::forwarded(None));
    }

    #[test]
    fn lines_that_a_client_adds_make_no_other_client() {
        let named = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", axum::http::HeaderValue::from_static(line));
            }
            Client::of(&headers)
        };
        assert_eq!(named(&["9.9.9.1", "192.0.2.7"]), named(&["192.0.2.7"]));
        assert_eq!(named(&["9.9.9.1", "9.9.9.2", "10.0.0.1, 192.0.2.7"]), named(&["192.0.2.7"]));
        assert_ne!(named(&["192.0.2.7", "192.0.2.8"]), named(&["192.0.2.7"]));
    }
}
