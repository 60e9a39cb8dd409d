//! Thousands of connections that never say a word.

use std::io::{ErrorKind, Read};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

use pws_testing::patience::wait_until;
use pws_testing::vitals::{assert_memory_is_back, assert_nothing_leaks, settled};
use socket2::{Domain, Socket, Type};

use super::honest::asking_during;
use super::{alone, folder};
use crate::support::binary::serve;
use crate::support::tools;

const WANTED: u64 = 15_000;
/// Both the server, for files, and the tests that run beside this one need some.
const SPARE: u64 = 4000;
/// Of one source address: its ports are finite.
const PER_ADDRESS: usize = 5000;
/// Measured: 83, of which a connection's slot is 64 and its place in a list of deadlines 8.
const BYTES_MAX: u64 = 256;
/// Measured: 5 to 10 ms, on two processors that other tests use too.
const P99_MAX: Duration = Duration::from_millis(300);

#[track_caller]
fn connect_from(source: Ipv4Addr, address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::new(IpAddr::V4(source), 0).into()).expect("a port");
    socket.connect(&address.into()).expect("a connection");
    socket.into()
}

#[track_caller]
fn is_cut(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).expect("it does not wait");
    match stream.read(&mut [0]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

/// Whether the crowd came to be there at once before the first of it was cut; else nothing was shown.
#[track_caller]
fn is_endured(count: usize, timeout: Duration) -> bool {
    let timeout_secs = timeout.as_secs().to_string();
    let process = serve(folder(), &["--access-log", "off", "--idle-timeout", &timeout_secs]);
    assert_eq!(process.connect().get("/page.html").status, 200);
    let (files, memory_kib) = (settled(|| process.open_files()), process.memory_kib());
    let started = Instant::now();
    let (while_they_come, mut silent) = asking_during(process.address(), || {
        let source = |number: usize| Ipv4Addr::new(127, 0, 1, (number / PER_ADDRESS) as u8 + 1);
        (0..count).map(|number| connect_from(source(number), process.address())).collect::<Vec<_>>()
    });
    let (while_they_wait, ()) = asking_during(process.address(), || {});
    let (files_then, memory_then) = (settled(|| process.open_files()), process.memory_kib());
    if started.elapsed() >= timeout {
        return false;
    }
    let bytes_each = memory_then.saturating_sub(memory_kib) * 1024 / count as u64;
    eprintln!("{count} silent connections: {bytes_each} bytes each; {:?} to come", started.elapsed());
    eprintln!("while they come: {while_they_come}\nwhile they wait: {while_they_wait}");
    assert!(files_then >= files + count, "{files_then} descriptors: they are all inside");
    assert!(bytes_each <= BYTES_MAX, "{bytes_each} bytes");
    assert!(while_they_come.p99() <= P99_MAX && while_they_wait.p99() <= P99_MAX);
    sleep(timeout.saturating_sub(started.elapsed()));
    assert_nothing_leaks(&process, files);
    // The descriptors are gone, and the last packets may still be on their way.
    wait_until("everybody is told", || silent.iter_mut().all(is_cut));
    assert_memory_is_back(&process, memory_kib);
    let (afterwards, _) = asking_during(process.address(), || {});
    eprintln!("afterwards: {afterwards}; cut after {:?}", started.elapsed());
    true
}

#[test]
fn a_crowd_that_is_silent_costs_little_delays_nobody_and_is_cut() {
    let _alone = alone();
    let open_files = pws::process::resources::raise_open_files();
    let count = WANTED.min(open_files.saturating_sub(SPARE));
    if count < WANTED {
        tools::skip(&format!("{open_files} open files are allowed: {count} connections, not {WANTED}"));
    }
    if count > 0 {
        // A slow machine gets more time.
        let is_shown = [4, 16, 64].iter().any(|secs| is_endured(count as usize, Duration::from_secs(*secs)));
        assert!(is_shown, "they never were there at once");
    }
}
