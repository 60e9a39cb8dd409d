//! Who is at the other end of a connection.

use std::fmt::{self, Display};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// A client, as far as it can be told from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    Ip(IpAddr),
    /// A process on this machine, by a socket that has no address.
    Local,
}

/// The leading bits of an IPv6 address by which a client is known: it has the rest to itself (RFC 6177 §2).
const IPV6_PREFIX_BITS: u32 = 64;

impl Peer {
    /// What all connections of the same client have in common: the network, where a client has one to itself.
    pub fn client(self) -> Peer {
        match self {
            Peer::Ip(IpAddr::V6(address)) => {
                let mask = u128::MAX << (128 - IPV6_PREFIX_BITS);
                Peer::Ip(Ipv6Addr::from_bits(address.to_bits() & mask).into())
            }
            _ => self,
        }
    }
}

impl From<SocketAddr> for Peer {
    /// An IPv4 client of an IPv6 listener counts as IPv4, as people write it.
    fn from(address: SocketAddr) -> Peer {
        Peer::Ip(address.ip().to_canonical())
    }
}

impl Display for Peer {
    /// The address, or a `-`, as the common log format has what is not known.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Ip(address) => address.fmt(formatter),
            Peer::Local => formatter.write_str("-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_written_as_people_do() {
        for (address, expected) in [
            ("[::ffff:192.0.2.1]:80", "192.0.2.1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("192.0.2.1:80", "192.0.2.1"),
        ] {
            let address: SocketAddr = address.parse().expect("an address");
            assert_eq!(Peer::from(address).to_string(), expected);
        }
        assert_eq!(Peer::Local.to_string(), "-");
    }
}
