//! How many connections each client has.

use std::collections::HashMap;

use crate::net::peer::Peer;

/// Counts by client, each within the same bound if there is one. Local ones cannot be told from each other,
/// and have none.
#[derive(Debug)]
pub struct ClientCounts {
    by_client: HashMap<Peer, usize>,
    count_max: Option<usize>,
}

impl ClientCounts {
    pub fn new(count_max: Option<usize>) -> ClientCounts {
        ClientCounts { by_client: HashMap::new(), count_max }
    }

    /// Whether one more connection of `peer` is within its client's bound.
    pub fn has_room(&self, peer: Peer) -> bool {
        self.count_max.filter(|_| peer != Peer::Local).is_none_or(|count_max| self.count_of(peer) < count_max)
    }

    /// How many connections the client of `peer` has.
    pub fn count_of(&self, peer: Peer) -> usize {
        self.by_client.get(&peer.client()).copied().unwrap_or(0)
    }

    /// Counts one more connection of `peer`.
    pub fn enter(&mut self, peer: Peer) {
        *self.by_client.entry(peer.client()).or_default() += 1;
    }

    /// Gives memory back when nobody is left.
    pub fn shrink(&mut self) {
        self.by_client.shrink_to_fit();
    }

    /// A connection that was counted is gone.
    pub fn leave(&mut self, peer: Peer) {
        let client = peer.client();
        if let Some(count) = self.by_client.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                self.by_client.remove(&client);
            }
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
    fn without_a_bound_all_have_room() {
        let mut counts = ClientCounts::new(None);
        let client = Peer::Ip("192.0.2.1".parse().expect("an address"));
        counts.enter(client);
        assert!(counts.has_room(client) && counts.count_of(client) == 1);
        counts.leave(client);
        assert!(counts.by_client.is_empty());
    }
}
