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

    /// Counts one more connection of `client`; false if that is one too many.
    pub fn enter(&mut self, client: Peer) -> bool {
        let (Some(count_max), Peer::Ip(address)) = (self.count_max, client) else { return true };
        let count = self.by_client.entry(key(address)).or_default();
        let has_room = *count < count_max;
        *count += usize::from(has_room);
        has_room
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
        assert!(counts.enter(a) && counts.enter(a) && !counts.enter(a) && counts.enter(b));
        counts.leave(a);
        assert!(counts.enter(a) && !counts.enter(a));
        assert!(counts.enter(client("2001:db8::1")) && counts.enter(client("2001:db8::2")));
        assert!(!counts.enter(client("2001:db8::3")) && counts.enter(client("2001:db8:0:1::3")));
        for gone in [a, a, b] {
            counts.leave(gone);
        }
        assert_eq!(counts.by_client.len(), 2, "who is gone is forgotten");
    }

    #[test]
    fn without_a_bound_nobody_is_counted() {
        let mut counts = ClientCounts::new(None);
        let client = Peer::Ip("192.0.2.1".parse().expect("an address"));
        assert!((0..1000).all(|_| counts.enter(client)));
        assert!(counts.by_client.is_empty());
        counts.leave(client);
    }
}
