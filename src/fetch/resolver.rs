//! Resolving names, and refusing those that lead to an address out of reach: at the moment of connecting, so that
//! no name can be checked as one address and connected to as another.

use super::address::Reach;
use std::net::IpAddr;

/// Resolves names and refuses those that lead to an address out of reach.
pub(super) struct GuardedResolver {
    pub(super) reach: Reach,
}

impl reqwest::dns::Resolve for GuardedResolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let reach = self.reach;
        Box::pin(async move {
            let found: Vec<_> =
                tokio::net::lookup_host((name.as_str(), 0)).await.map_err(|_| Refusal::Unresolved)?.collect();
            // One private address among public ones is refused too: the client could pick it.
            if let Some(address) = found.iter().map(std::net::SocketAddr::ip).find(|ip| !reach.allows(*ip)) {
                return Err(Refusal::Private(address).into());
            }
            if found.is_empty() {
                return Err(Refusal::Unresolved.into());
            }
            Ok(Box::new(found.into_iter()) as reqwest::dns::Addrs)
        })
    }
}

#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(super) enum Refusal {
    #[error("{0} is not a public address")]
    Private(IpAddr),
    #[error("the name has no address")]
    Unresolved,
}

/// Finds our own refusal among the causes of a transport error.
pub(super) fn refusal(error: &reqwest::Error) -> Option<Refusal> {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref::<Refusal>() {
            return Some(*refused);
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::dns::Resolve;

    /// A name is checked by what it resolves to at the moment of connecting: there is no second look at it.
    #[tokio::test]
    async fn a_name_that_leads_to_a_private_address_is_refused_when_it_is_resolved() {
        let name = || "localhost".parse::<reqwest::dns::Name>().unwrap();
        let refused = GuardedResolver { reach: Reach::Public }.resolve(name()).await;
        let error = refused.err().expect("loopback is not public");
        assert!(matches!(error.downcast_ref(), Some(Refusal::Private(address)) if address.is_loopback()));
        assert!(GuardedResolver { reach: Reach::PublicAndLoopback }.resolve(name()).await.is_ok());
    }
}
