//! A real server on a free port of the loopback, in a thread of the test.

use std::io;
use std::net::SocketAddr;
use std::thread::JoinHandle;

use pws::limits::Limits;
use pws::{Config, Server, StopHandle};

use super::client::Client;
use super::folder::Folder;

/// Runs until dropped.
pub struct RunningServer {
    pub address: SocketAddr,
    stop_handle: StopHandle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl RunningServer {
    pub fn start(folder: &Folder) -> RunningServer {
        RunningServer::start_within(folder, Limits::default())
    }

    pub fn start_within(folder: &Folder, limits: Limits) -> RunningServer {
        let binds = vec!["127.0.0.1".to_owned()];
        let server =
            Server::bind(Config { binds, port: 0, access_log: false, limits, ..Config::new(folder.root()) })
                .expect("a server");
        let address = server.local_addrs().expect("its address")[0];
        let stop_handle = server.stop_handle();
        RunningServer { address, stop_handle, thread: Some(std::thread::spawn(move || server.run())) }
    }

    pub fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    pub fn stop_handle(&self) -> &StopHandle {
        &self.stop_handle
    }

    /// Waits for the server to end by itself.
    pub fn join(mut self) -> io::Result<()> {
        self.thread.take().expect("a thread").join().expect("no panic")
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            for _ in 0..2 {
                self.stop_handle.stop().expect("a waker");
            }
            let result = thread.join();
            if !std::thread::panicking() {
                result.expect("no panic in the server").expect("no error from the server");
            }
        }
    }
}
