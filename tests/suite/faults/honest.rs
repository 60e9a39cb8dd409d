//! A client that does as it should while others do not, and how long it waits.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::on_end::OnEnd;
use pws_testing::client::Client;

/// Between two requests.
const PAUSE: Duration = Duration::from_millis(2);
/// Fewer requests tell nothing of the slowest hundredth.
const REQUESTS_MIN: usize = 200;

/// How long each request waited for its answer, from shortest to longest.
pub struct Latencies(Vec<Duration>);

impl Latencies {
    pub fn p99(&self) -> Duration {
        self.at(0.99)
    }

    fn at(&self, share: f64) -> Duration {
        self.0[(self.0.len() as f64 * share) as usize]
    }
}

impl fmt::Display for Latencies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |share| self.at(share).as_secs_f64() * 1000.0;
        let count = self.0.len();
        write!(formatter, "{count} answers, p50 {:.2} ms, p99 {:.2} ms, ", ms(0.5), ms(0.99))?;
        write!(formatter, "longest {:.2} ms", ms(1.0 - f64::EPSILON))
    }
}

/// Asks for `/page.html` of [`folder`](super::folder) all the while that `fault` lasts, by turns over a
/// connection that is kept and a new one. Every answer must be whole.
#[track_caller]
pub fn asking_during<T>(address: SocketAddr, fault: impl FnOnce() -> T) -> (Latencies, T) {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut kept = Client::connect(address);
            let mut waits = Vec::new();
            while !is_over.load(Ordering::Relaxed) || waits.len() < REQUESTS_MIN {
                let asked = Instant::now();
                let answer = match waits.len() % 2 {
                    0 => kept.get("/page.html"),
                    _ => Client::connect(address).get("/page.html"),
                };
                waits.push(asked.elapsed());
                assert_eq!((answer.status, answer.text().as_str()), (200, "<p>page"));
                sleep(PAUSE);
            }
            waits.sort();
            Latencies(waits)
        });
        let end = OnEnd(&is_over);
        let result = fault();
        drop(end);
        (asking.join().expect("every honest request is answered"), result)
    })
}
