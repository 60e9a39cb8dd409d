//! How many connections each client has, where that is limited.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use crate::net::peer::Peer;

/// The leading bits of an IPv6 address by which a client is known: it has the rest to itself (RFC 6177 §2).
const IPV6_PREFIX_BITS: u32 = 64;

/// Counts by client, each within the same bound. Local ones cannot be told from each other, and have none.
#[derive(Debug)]
pub struct ClientCounts {
    by_client: HashMap<IpAddr, usize>,
    /// `None`: nobody is counted.
    count_max: Option<usize>,
}

impl ClientCounts {
    pub fn new(count_max: Option<usize>) -> ClientCounts {
        ClientCounts { by_client: HashMap::new(), count_max }
    }

    /// Whether one more connection of `client` is within its bound.
    pub fn has_room(&self, client: Peer) -> bool {
        let (Some(count_max), Peer::Ip(address)) = (self.count_max, client) else { return true };
        self.by_client.get(&key(address)).is_none_or(|count| *count < count_max)
    }

    /// Counts one more connection of `client`.
    pub fn enter(&mut self, client: Peer) {
        if let (Some(_), Peer::Ip(address)) = (self.count_max, client) {
            *self.by_client.entry(key(address)).or_default() += 1;
        }
    }

    /// A connection that was counted is gone.
    pub fn leave(&mut self, client: Peer) {
        let (Some(_), Peer::Ip(address)) = (self.count_max, client) else { return };
        let client = key(address);
        if let Some(count) = self.by_client.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                self.by_client.remove(&client);
            }
        }
    }
}

fn key(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let mask = u128::MAX << (128 - IPV6_PREFIX_BITS);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_its_own_bound() {
        let mut counts = ClientCounts::new(Some(2));
        let client = |text: &str| Peer::Ip(text.parse().expect("an address"));
        let (a, b) = (client("192.0.2.1"), client("192.0.2.2"));
        let comes = |counts: &mut ClientCounts, client: Peer| {
            let has_room = counts.has_room(client);
            if has_room {
                counts.enter(client);
            }
            has_room
        };
        assert_eq!([a, a, a, b].map(|client| comes(&mut counts, client)), [true, true, false, true]);
        counts.leave(a);
        assert_eq!([a, a].map(|client| comes(&mut counts, client)), [true, false]);
        let hosts = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::3"].map(client);
        assert_eq!(hosts.map(|client| comes(&mut counts, client)), [true, true, false, true]);
        for gone in [a, a, b] {
            counts.leave(gone);
        }
        assert_eq!(counts.by_client.len(), 2, "who is gone is forgotten");
    }

    #[test]
    fn without_a_bound_nobody_is_counted() {
        let mut counts = ClientCounts::new(None);
        let client = Peer::Ip("192.0.2.1".parse().expect("an address"));
        counts.enter(client);
        assert!(counts.has_room(client));
        assert!(counts.by_client.is_empty());
        counts.leave(client);
    }
}
