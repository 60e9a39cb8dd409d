//! Stopping from outside the loop: by a handle from another thread, or by signal.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mio::{Interest, Registry, Token, Waker};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook_mio::v1_0::Signals;

use crate::process::signals::{Ignored, Terminal};

/// The signals that mean something here, or at least not the end that they are to who does not know them.
const HEEDED: [i32; 5] = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2];

/// Stops a server from anywhere: another thread, a test.
#[derive(Clone, Debug)]
pub struct StopHandle {
    asked: Arc<AtomicU32>,
    waker: Arc<Waker>,
}

impl StopHandle {
    /// Asks the server to finish the responses under way and end; a second call ends it at once.
    pub fn stop(&self) -> io::Result<()> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.waker.wake()
    }
}

/// What the loop is asked from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// How often to stop.
    pub stops: u32,
    /// To tell what it has done so far.
    pub wants_summary: bool,
}

/// The loop's end of it.
pub struct Stops {
    handle: StopHandle,
    seen: u32,
    signals: Option<(Signals, Terminal)>,
}

impl Stops {
    /// Wakes the poll with `token` whenever a handle is used.
    pub fn new(registry: &Registry, token: Token) -> io::Result<Stops> {
        let handle =
            StopHandle { asked: Arc::new(AtomicU32::new(0)), waker: Arc::new(Waker::new(registry, token)?) };
        Ok(Stops { handle, seen: 0, signals: None })
    }

    /// Counts SIGINT and SIGTERM too, and SIGHUP if the terminal that the process was started on is gone, and
    /// wakes the poll with `token` for them, and for SIGUSR1, which asks for a summary. SIGUSR2 does nothing
    /// from now on. What is ignored, or blocked, stays so.
    pub fn listen_to_signals(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let ignored = Ignored::now();
        let mut signals = Signals::new(HEEDED.iter().filter(|signal| !ignored.contains(**signal)))?;
        registry.register(&mut signals, token, Interest::READABLE)?;
        self.signals = Some((signals, Terminal::find()));
        Ok(())
    }

    pub fn handle(&self) -> StopHandle {
        self.handle.clone()
    }

    /// What it was asked since the last call.
    pub fn take(&mut self) -> Asked {
        let asked = self.handle.asked.load(Ordering::Relaxed);
        let by_handle = asked.wrapping_sub(self.seen);
        self.seen = asked;
        let mut asked = Asked { stops: by_handle, wants_summary: false };
        if let Some((signals, terminal)) = &mut self.signals {
            for signal in signals.pending() {
                match signal {
                    SIGINT | SIGTERM => asked.stops += 1,
                    SIGHUP if terminal.is_gone() => asked.stops += 1,
                    SIGUSR1 => asked.wants_summary = true,
                    _ => {}
                }
            }
        }
        asked
    }
}
