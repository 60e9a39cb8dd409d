//! A connection for which the kernel takes little ahead, so that what is not read stays with the server.

use std::net::{SocketAddr, TcpStream};

use socket2::{Domain, Socket, Type};

use crate::support::Result;

const RECEIVE_BUFFER_BYTES: usize = 16 * 1024;

pub fn connect(address: SocketAddr) -> Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // Only before connecting does the size bound the window that is offered.
    socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    socket.connect(&address.into())?;
    Ok(TcpStream::from(socket))
}
