//! Who is served, by address.

use std::net::IpAddr;
use std::str::FromStr;

use super::peer::Peer;

/// A network, as CIDR writes it (RFC 4632, RFC 4291 §2.3), or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u32,
}

impl Network {
    fn holds(self, address: IpAddr) -> bool {
        let differ = match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => u128::from(own.to_bits() ^ other.to_bits()) << 96,
            (IpAddr::V6(own), IpAddr::V6(other)) => own.to_bits() ^ other.to_bits(),
            _ => return false,
        };
        differ.leading_zeros() >= self.prefix_bits
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Network, String> {
        let wrong = || "an address or a network such as 192.0.2.0/24 or 2001:db8::/32 is needed".to_owned();
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        // As a peer's is written: see there.
        let (address, bits_max) = match address.to_canonical() {
            IpAddr::V4(address) => (IpAddr::V4(address), 32),
            address => (address, 128),
        };
        let prefix_bits = bits.map_or(Ok(bits_max), |bits| bits.parse().map_err(|_| wrong()))?;
        if prefix_bits > bits_max {
            return Err(wrong());
        }
        Ok(Network { address, prefix_bits })
    }
}

/// Who is served, in the order in which it was said: the last network that an address is in counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guests(Vec<(bool, Network)>);

impl Guests {
    /// Says of a network that it `is_allowed` or not.
    pub fn say(&mut self, is_allowed: bool, network: Network) {
        self.0.push((is_allowed, network));
    }

    /// Whether `peer` is served. Of whom nothing was said: not if the first word was that somebody is. This
    /// machine's own sockets have no address, and are.
    pub fn welcomes(&self, peer: Peer) -> bool {
        let Peer::Ip(address) = peer else { return true };
        let otherwise = self.0.first().is_none_or(|(is_allowed, _)| !is_allowed);
        let said = self.0.iter().rev().find(|(_, network)| network.holds(address));
        said.map_or(otherwise, |(is_allowed, _)| *is_allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_welcome(said: &[&str], expected: &[(&str, bool)]) {
        let mut guests = Guests::default();
        for text in said {
            let (sign, network) = text.split_at(1);
            guests.say(sign == "+", network.parse().expect("a network"));
        }
        for (address, is_welcome) in expected {
            let peer = Peer::Ip(address.parse().expect("an address"));
            assert_eq!(guests.welcomes(peer), *is_welcome, "{said:?}: {address}");
        }
        assert!(guests.welcomes(Peer::Local));
    }

    #[test]
    fn the_last_word_about_an_address_counts() {
        assert_welcome(&[], &[("192.0.2.1", true), ("::1", true)]);
        assert_welcome(&["+192.0.2.0/24"], &[("192.0.2.255", true), ("192.0.3.0", false), ("::1", false)]);
        assert_welcome(&["-192.0.2.7"], &[("192.0.2.7", false), ("192.0.2.6", true), ("2001:db8::1", true)]);
        assert_welcome(
            &["+10.0.0.0/8", "-10.1.0.0/16", "+10.1.2.3"],
            &[("10.2.0.0", true), ("10.1.2.4", false), ("10.1.2.3", true), ("11.0.0.0", false)],
        );
        assert_welcome(&["-10.1.0.0/16", "+10.0.0.0/8"], &[("10.1.0.1", true), ("192.0.2.1", true)]);
        assert_welcome(&["-0.0.0.0/0"], &[("192.0.2.1", false), ("::1", true)]);
        assert_welcome(&["+::/0"], &[("192.0.2.1", false), ("::1", true)]);
        assert_welcome(&["+2001:db8::/33"], &[("2001:db8:7fff::1", true), ("2001:db8:8000::1", false)]);
    }

    #[test]
    fn networks_are_written_as_people_do() {
        for text in
            ["192.0.2.0/24", "192.0.2.1", "::1", "2001:db8::/32", "::/0", "0.0.0.0/0", "::ffff:192.0.2.1"]
        {
            assert!(text.parse::<Network>().is_ok(), "{text}");
        }
        for text in ["", "192.0.2", "192.0.2.0/33", "::/129", "192.0.2.0/", "192.0.2.0/-1", "a.example", "/8"]
        {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
