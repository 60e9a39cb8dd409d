//! Listeners of either kind, as the loop has them: TCP, and the unix domain within this machine.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use mio::net::{TcpListener, UnixListener};
use mio::{Interest, Registry, Token};
use socket2::{Domain, SockAddr, Type};

use super::peer::Peer;
use super::socket::{Listener, StreamSocket};

/// Where connections come from.
#[derive(Debug)]
pub enum StreamListener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl StreamListener {
    /// Has the poll tell with `token` of those who come.
    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match self {
            StreamListener::Tcp(listener) => registry.register(listener, token, Interest::READABLE),
            StreamListener::Unix(listener) => registry.register(listener, token, Interest::READABLE),
        }
    }

    /// The address and port; `None` if it has none.
    pub fn local_addr(&self) -> io::Result<Option<SocketAddr>> {
        match self {
            StreamListener::Tcp(listener) => listener.local_addr().map(Some),
            StreamListener::Unix(_) => Ok(None),
        }
    }
}

impl Listener for StreamListener {
    type Socket = StreamSocket;

    fn accept(&mut self) -> io::Result<(StreamSocket, Peer)> {
        Ok(match self {
            StreamListener::Tcp(listener) => {
                let (stream, address) = listener.accept()?;
                let descriptor = OwnedFd::from(std::net::TcpStream::from(stream));
                (StreamSocket::from(descriptor), address.into())
            }
            StreamListener::Unix(listener) => {
                let (stream, _) = listener.accept()?;
                let descriptor = OwnedFd::from(UnixStream::from(stream));
                (StreamSocket::from(descriptor), Peer::Local)
            }
        })
    }
}

/// Listens at `path`, and takes over what a process that has ended has left there. Errors say what failed, on
/// what, and what to try.
pub fn listen_at_path(path: &Path) -> io::Result<UnixListener> {
    let is_socket = path.symlink_metadata().is_ok_and(|found| found.file_type().is_socket());
    if is_socket && is_left(path)? {
        std::fs::remove_file(path).map_err(|error| explain(error, path))?;
    }
    UnixListener::bind(path).map_err(|error| explain(error, path))
}

/// Whether nobody listens any more at the socket at `path`. Somebody whose backlog is full is not waited for.
fn is_left(path: &Path) -> io::Result<bool> {
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    let connected = socket.connect(&SockAddr::unix(path)?);
    Ok(connected.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused))
}

fn explain(error: io::Error, path: &Path) -> io::Error {
    let reason = match error.kind() {
        ErrorKind::AddrInUse => "somebody listens there, or it is no socket (try another path)".to_owned(),
        ErrorKind::NotFound => "there is no such folder (try another path)".to_owned(),
        _ => format!("{error} (try another path)"),
    };
    io::Error::new(error.kind(), format!("cannot listen on unix:{}: {reason}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_is_taken_over_and_what_lives_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        let told = |path: &Path| listen_at_path(path).expect_err("refused").to_string();
        let first = listen_at_path(&path).expect("a listener");
        let expected = format!(
            "cannot listen on unix:{}: somebody listens there, or it is no socket (try another path)",
            path.display()
        );
        assert_eq!(told(&path), expected);
        drop(first);
        drop(listen_at_path(&path).expect("a listener in place of what was left"));
        let file = folder.path().join("file");
        std::fs::write(&file, "kept").expect("a file");
        assert!(told(&file).contains("it is no socket"));
        assert_eq!(std::fs::read_to_string(&file).expect("the file"), "kept");
        assert!(told(&folder.path().join("nowhere/socket")).contains("there is no such folder"));
    }
}
