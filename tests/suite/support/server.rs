//! A real server on a free port of the loopback, in a thread of the test.

use std::io;
use std::net::SocketAddr;
use std::thread::JoinHandle;

use pws::limits::Limits;
use pws::{Config, Server, StopHandle};
use pws_testing::client::Client;
use pws_testing::folder::Folder;
use pws_testing::patience::wait_until;

/// Runs until dropped.
pub struct RunningServer {
    /// Lasts as long as the server.
    pub folder: Folder,
    /// The first of them.
    pub address: SocketAddr,
    pub addresses: Vec<SocketAddr>,
    stop_handle: StopHandle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl RunningServer {
    pub fn start(folder: Folder) -> RunningServer {
        RunningServer::start_within(folder, Limits::default())
    }

    #[track_caller]
    pub fn start_within(folder: Folder, limits: Limits) -> RunningServer {
        RunningServer::of(bound(&folder, limits), folder)
    }

    /// Has `server`, which serves `folder`, run.
    #[track_caller]
    pub fn of(server: Server, folder: Folder) -> RunningServer {
        let addresses = server.local_addrs().expect("its addresses");
        let stop_handle = server.stop_handle();
        let thread = Some(std::thread::spawn(move || server.run()));
        RunningServer { folder, address: addresses[0], addresses, stop_handle, thread }
    }

    pub fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    pub fn stop_handle(&self) -> &StopHandle {
        &self.stop_handle
    }

    /// Waits for the server to end by itself; panics if it does not.
    #[track_caller]
    pub fn join(mut self) -> io::Result<()> {
        self.wait();
        self.thread.take().expect("a thread").join().expect("no panic")
    }

    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    #[track_caller]
    fn wait(&self) {
        wait_until("the server ends", || self.has_ended());
    }
}

impl Drop for RunningServer {
    #[track_caller]
    fn drop(&mut self) {
        for _ in 0..2 {
            self.stop_handle.stop().expect("a waker");
        }
        // What is wrong already shall be told, not what follows from it.
        if !std::thread::panicking() {
            self.wait();
            if let Some(thread) = self.thread.take() {
                thread.join().expect("no panic in the server").expect("no error from the server");
            }
        }
    }
}

/// A server on a free port that does not run yet.
#[track_caller]
pub fn bound(folder: &Folder, limits: Limits) -> Server {
    bound_to(vec!["127.0.0.1".to_owned()], folder, limits)
}

/// The same on other addresses.
#[track_caller]
pub fn bound_to(binds: Vec<String>, folder: &Folder, limits: Limits) -> Server {
    Server::bind(Config { binds, port: 0, access_log: false, limits, ..Config::new(folder.root()) })
        .expect("a server")
}
