//! Opening the sockets that clients connect to.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};

use mio::net::TcpListener;
use socket2::{Domain, Protocol, Socket, Type};

use crate::limits::{Limits, RECEIVE_BUFFER_BYTES, SOCKET_BYTES};

/// How many connections may wait to be accepted. The kernel clips it to `net.core.somaxconn`.
const BACKLOG_MAX: i32 = 65_535;

/// Bytes in a segment where buffers are small: as many as Ethernet has room for, beside a timestamp. A
/// loopback's segments hold 64 KiB. A buffer smaller than that never fills one, so that each waits for an
/// acknowledgement, which the receiver delays: 1.5 MB a second.
const SEGMENT_BYTES: u32 = 1448;

/// Listens on `port` of every address that `binds` name, or of all interfaces if they name none.
///
/// Port 0 takes one that is free, the same for all. Errors say what failed, on what, and what to try.
pub fn listen(binds: &[String], port: u16, limits: &Limits) -> io::Result<Vec<TcpListener>> {
    if binds.is_empty() {
        let everywhere = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
        return match listen_on(everywhere, false, limits) {
            // No IPv6 on this machine.
            Err(error) if error.raw_os_error().is_some_and(is_missing_family) => {
                let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
                Ok(vec![listen_on(everywhere, false, limits).map_err(|error| explain(error, everywhere))?])
            }
            result => Ok(vec![result.map_err(|error| explain(error, everywhere))?]),
        };
    }
    let mut addresses = Vec::new();
    for bind in binds {
        addresses.extend(resolve(bind, port)?);
    }
    addresses.sort_unstable();
    addresses.dedup();
    // The two wildcards can only stand side by side if the one for IPv6 leaves IPv4 alone.
    let only_v6 = addresses.iter().any(|address| address.ip() == IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let mut listeners: Vec<TcpListener> = Vec::with_capacity(addresses.len());
    let mut missing = None;
    for mut address in addresses {
        if let (0, Some(first)) = (port, listeners.first()) {
            address.set_port(first.local_addr()?.port());
        }
        match listen_on(address, only_v6, limits) {
            Ok(listener) => listeners.push(listener),
            // A name such as localhost may have an address in a family that this machine does without.
            Err(error) if error.raw_os_error().is_some_and(is_missing_family) => {
                missing = Some(explain(error, address));
            }
            Err(error) => return Err(explain(error, address)),
        }
    }
    match missing {
        Some(error) if listeners.is_empty() => Err(error),
        _ => Ok(listeners),
    }
}

/// Listens at one address. Errors say what failed, on what, and what to try.
pub fn listen_at(address: SocketAddr, limits: &Limits) -> io::Result<TcpListener> {
    listen_on(address, false, limits).map_err(|error| explain(error, address))
}

fn resolve(bind: &str, port: u16) -> io::Result<impl Iterator<Item = SocketAddr>> {
    let bare = bind.trim_start_matches('[').trim_end_matches(']');
    (bare, port).to_socket_addrs().map_err(|error| {
        let text =
            format!("cannot listen on {bind}: {error} (try an address of this machine, such as 127.0.0.1)");
        io::Error::new(error.kind(), text)
    })
}

fn listen_on(address: SocketAddr, only_v6: bool, limits: &Limits) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(only_v6)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    // Accepted sockets inherit these, which saves calls for each.
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_notsent_lowat(limits.unsent_bytes_max)?;
    // No TCP_USER_TIMEOUT: the kernel cuts by that who reads slowly, too, as long as what waits in front is
    // more than the client has room for at once.
    if let Some(bytes) = limits.send_buffer_bytes {
        socket.set_send_buffer_size(bytes)?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
        socket.set_tcp_mss(SEGMENT_BYTES)?;
    }
    socket.bind(&address.into())?;
    socket.listen(backlog(limits))?;
    Ok(TcpListener::from_std(socket.into()))
}

/// Who waits to be accepted takes the kernel's memory, too, with what it has sent some 6 KB: where that is
/// bounded, they are few beside those inside. In a burst of more, a newcomer may have to try again, which
/// takes it a second.
fn backlog(limits: &Limits) -> i32 {
    let within_memory = limits.kernel_bytes_max / SOCKET_BYTES / BACKLOG_DIVISOR;
    i32::try_from(within_memory).unwrap_or(BACKLOG_MAX).clamp(BACKLOG_MIN, BACKLOG_MAX)
}

/// One may wait for so many that there is room for.
const BACKLOG_DIVISOR: usize = 8;
/// A browser's connections come all at once.
const BACKLOG_MIN: i32 = 16;

fn is_missing_family(os_error: i32) -> bool {
    use rustix::io::Errno;

    [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL].iter().any(|errno| errno.raw_os_error() == os_error)
}

fn explain(error: io::Error, address: SocketAddr) -> io::Error {
    let port = address.port();
    let reason = match error.kind() {
        ErrorKind::PermissionDenied => {
            "permission denied (ports below 1024 need CAP_NET_BIND_SERVICE; try '--port 8080')".to_owned()
        }
        ErrorKind::AddrInUse => {
            let other = if port < u16::MAX { port.saturating_add(1).max(1024) } else { 9000 };
            format!("the port is taken (try '--port {other}', or '--port 0' for any free one)")
        }
        ErrorKind::AddrNotAvailable => {
            "this machine has no such address (try '--bind 127.0.0.1', or no --bind for all)".to_owned()
        }
        _ => error.to_string(),
    };
    io::Error::new(error.kind(), format!("cannot listen on {address}: {reason}"))
}

/// The URLs at which browsers find what listens on `address`: on this machine and, if that is all its
/// interfaces, on others in its network.
pub fn urls(address: SocketAddr) -> Vec<String> {
    if !address.ip().is_unspecified() {
        return vec![format!("http://{address}/")];
    }
    let port = address.port();
    let here = format!("http://localhost:{port}/");
    let there = address_in_network().map(|ip| format!("http://{}/", SocketAddr::from((ip, port))));
    [here].into_iter().chain(there).collect()
}

/// The address by which others in the network know this machine, if it is in one: the one it would be asked
/// from by way of its default route. Nothing is sent.
fn address_in_network() -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // Of those for documentation (RFC 5737): nobody has it, and it is routed like all others.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    match socket.local_addr().ok()?.ip() {
        IpAddr::V4(ip) if !ip.is_loopback() && !ip.is_unspecified() => Some(ip),
        _ => None,
    }
}

/// The backlog in force: what was asked for, as the kernel clips it.
pub fn effective_backlog(limits: &Limits) -> i32 {
    let clip = std::fs::read_to_string("/proc/sys/net/core/somaxconn").ok();
    let clip = clip.and_then(|text| text.trim().parse().ok()).unwrap_or(BACKLOG_MAX);
    backlog(limits).min(clip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_on_what_and_what_to_try() {
        let address = SocketAddr::from(([0, 0, 0, 0], 80));
        for (kind, expected) in [
            (
                ErrorKind::PermissionDenied,
                "cannot listen on 0.0.0.0:80: permission denied \
                 (ports below 1024 need CAP_NET_BIND_SERVICE; try '--port 8080')",
            ),
            (
                ErrorKind::AddrInUse,
                "cannot listen on 0.0.0.0:80: the port is taken \
                 (try '--port 1024', or '--port 0' for any free one)",
            ),
        ] {
            assert_eq!(explain(kind.into(), address).to_string(), expected);
        }
    }

    #[test]
    fn one_free_port_serves_all_binds() -> io::Result<()> {
        let listeners = listen(&["127.0.0.1".to_owned(), "127.0.0.2".to_owned()], 0, &Limits::default())?;
        let ports: Vec<u16> = listeners
            .iter()
            .map(|listener| listener.local_addr().map(|at| at.port()))
            .collect::<Result<_, _>>()?;
        assert_eq!(ports.len(), 2);
        assert_eq!(ports[0], ports[1]);
        assert_ne!(ports[0], 0);
        Ok(())
    }
}
