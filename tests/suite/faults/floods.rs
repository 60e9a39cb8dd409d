//! Connections that come and go by the thousand.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use pws_testing::vitals::{assert_memory_is_back, assert_no_spinning, assert_nothing_leaks, settled};
use socket2::SockRef;

use super::honest::asking_during;
use super::{alone, folder};
use crate::support::binary::serve;

const THREADS: usize = 4;
const CONNECTIONS: usize = 2000;
/// Measured: 10 to 115 ms, on two processors of which the flood takes what it can get.
const P99_MAX: Duration = Duration::from_millis(600);

#[derive(Clone, Copy, Debug)]
enum Going {
    ByReset,
    ByEnd,
    /// With half of a request sent.
    AmidAHead,
}

#[track_caller]
fn flood(address: SocketAddr, going: Going) {
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).expect("a connection");
        match going {
            Going::ByReset => {
                SockRef::from(&stream).set_linger(Some(Duration::ZERO)).expect("no lingering");
            }
            Going::ByEnd => {}
            Going::AmidAHead => {
                // It may not be there for as long as this takes.
                let _ = rustix::net::send(&stream, b"GET /page", rustix::net::SendFlags::NOSIGNAL);
            }
        }
    }
}

#[test]
fn a_flood_of_connections_leaves_nothing_behind() {
    let _alone = alone();
    let process = serve(folder(), &["--access-log", "off"]);
    assert_eq!(process.connect().get("/page.html").status, 200);
    let (files, memory_kib) = (settled(|| process.open_files()), process.memory_kib());
    for going in [Going::ByReset, Going::ByEnd, Going::AmidAHead] {
        let started = Instant::now();
        let (latencies, ()) = asking_during(process.address(), || {
            std::thread::scope(|scope| {
                for _ in 0..THREADS {
                    scope.spawn(|| flood(process.address(), going));
                }
            });
        });
        let count = THREADS * CONNECTIONS;
        eprintln!("{count} connections {going:?} in {:?}, the others: {latencies}", started.elapsed());
        assert!(latencies.p99() <= P99_MAX, "{latencies}");
        assert_nothing_leaks(&process, files);
    }
    assert_memory_is_back(&process, memory_kib);
    assert_no_spinning(&process);
}
