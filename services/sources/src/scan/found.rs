//! What was found in one object: distinct addresses and hosts.
//!
//! Does not hold text around them. Invariant: every address and host is one by `model`, and there are never more than
//! the limit.

use std::collections::BTreeSet;

use model::domain::DomainName;
use model::email::EmailAddress;

/// Addresses and hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    addresses: BTreeSet<EmailAddress>,
    hosts: BTreeSet<DomainName>,
    limit: usize,
    exceeded: bool,
}

impl Found {
    pub(crate) fn new(limit: usize) -> Self {
        Self { addresses: BTreeSet::new(), hosts: BTreeSet::new(), limit, exceeded: false }
    }

    pub(crate) fn address(&mut self, address: EmailAddress) {
        if self.len() < self.limit {
            self.addresses.insert(address);
        } else {
            self.exceeded |= !self.addresses.contains(&address);
        }
    }

    pub(crate) fn host(&mut self, host: DomainName) {
        if self.len() < self.limit {
            self.hosts.insert(host);
        } else {
            self.exceeded |= !self.hosts.contains(&host);
        }
    }

    /// In order.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = &EmailAddress> {
        self.addresses.iter()
    }

    /// In order.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &DomainName> {
        self.hosts.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.addresses.len() + self.hosts.len()
    }

    /// Whether there were more than the limit.
    pub(crate) fn exceeded(&self) -> bool {
        self.exceeded
    }
}
