//! The one place where a name becomes addresses: they are checked here, and the connection goes to one of them.
//!
//! Does not connect. Invariant: what reqwest gets is what was checked; there is no second resolution, so a name that
//! changes its mind in between (DNS rebinding) changes nothing.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolving};

use super::network::Allow;

/// Most addresses of a name that are looked at.
const MOST_ADDRESSES: usize = 32;

/// Addresses, once they are known.
pub type Addresses<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Turns a host name into its addresses.
pub trait Resolve: Send + Sync {
    /// All addresses of `host`.
    fn addresses<'a>(&'a self, host: &'a str) -> Addresses<'a>;
}

/// The resolver of the system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn addresses<'a>(&'a self, host: &'a str) -> Addresses<'a> {
        Box::pin(async move {
            // The dot at the end keeps the system's search list and its file of hosts out of it.
            let absolute = format!("{}.", host.trim_end_matches('.'));
            let found = tokio::net::lookup_host((absolute, 0)).await?;
            Ok(found.map(|address| address.ip()).take(MOST_ADDRESSES).collect())
        })
    }
}

/// Why a name gives nothing to connect to. Travels through reqwest as the cause of its error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreachable {
    #[error("{address} is {why}")]
    Refused { address: IpAddr, why: &'static str },
    #[error("the name has no address")]
    Nothing,
    #[error("the name cannot be resolved: {0}")]
    Failed(String),
}

/// Resolves and checks. One refused address refuses the name: nobody has a good reason to mix them.
pub(crate) struct Checked {
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) allow: Allow,
}

impl Checked {
    async fn addresses(resolver: &dyn Resolve, allow: &Allow, host: &str) -> Result<Vec<SocketAddr>, Unreachable> {
        let found = resolver.addresses(host).await.map_err(|error| Unreachable::Failed(error.to_string()))?;
        if found.is_empty() {
            return Err(Unreachable::Nothing);
        }
        let check = |address: IpAddr| match allow.refusal(address) {
            Some(why) => Err(Unreachable::Refused { address: address.to_canonical(), why }),
            // Port 0 stands for the address's own.
            None => Ok(SocketAddr::new(address.to_canonical(), 0)),
        };
        found.into_iter().take(MOST_ADDRESSES).map(check).collect()
    }
}

impl reqwest::dns::Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolver, allow) = (Arc::clone(&self.resolver), self.allow.clone());
        Box::pin(async move {
            let addresses = Self::addresses(resolver.as_ref(), &allow, name.as_str()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
