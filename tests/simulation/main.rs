//! A whole server's life in memory, by chance and from a seed: the real site, connections, sessions and
//! outboxes; clients, sockets, edges and clocks that are made up; files that change all the time.
//!
//! Clients ask for all there is, well and badly, in pieces and in pipelines; they stall, hang up and break
//! off. Every answer is compared with what the files were while it was made. At the end, everything must have
//! been answered, and nothing may be left: no memory, no descriptor.
//!
//! ```sh
//! PWS_SEED=17 PWS_STEPS=10000000 cargo test --test simulation -- --nocapture
//! ```
//!
//! A seed is printed whenever one fails; the same seed and number of steps do the same again.

#![allow(clippy::expect_used, clippy::disallowed_methods)]

mod client;
mod disk;
mod feed;
mod judge;
mod pipe;
mod request;
mod rim;
mod told;
mod world;

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{SystemTime, UNIX_EPOCH};

use pws_testing::{answer, rng};

use client::Tally;
use world::{Life, World};

/// A quarter of a minute in a debug build.
const STEPS: u64 = 1_000_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("the descriptors of this process").count()
}

/// Lives through `steps`, in lives of each kind one after the other, and ends each well; what has happened.
fn simulate(seed: u64, steps: u64, step: &Cell<u64>) -> Tally {
    let mut tally = Tally::new();
    for life in Life::ALL {
        let mut world = World::new(seed, life);
        for _ in 0..steps / Life::ALL.len() as u64 {
            step.set(step.get() + 1);
            world.step();
        }
        for (what, count) in world.end() {
            *tally.entry(what).or_default() += count;
        }
    }
    tally
}

/// Runs it and says which seed it was if it fails.
fn simulate_or_tell(seed: u64, steps: u64) -> Tally {
    let step = Cell::new(0);
    catch_unwind(AssertUnwindSafe(|| simulate(seed, steps, &step))).unwrap_or_else(|panic| {
        let what = text_of(&*panic);
        panic!("in step {}, to be seen again with PWS_SEED={seed} PWS_STEPS={steps}: {what}", step.get())
    })
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a text")
}

#[test]
fn a_life_of_a_server_leaves_nothing_unanswered_and_nothing_behind() {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    let seed = number("PWS_SEED").unwrap_or(u64::from(clock ^ std::process::id().rotate_left(16)));
    let steps = number("PWS_STEPS").unwrap_or(STEPS);
    println!("PWS_SEED={seed} PWS_STEPS={steps}");
    // What is made once and kept for good is made now.
    simulate_or_tell(seed, 100);
    let descriptors = open_descriptors();
    let mut tally = Tally::new();
    let left = allocation_counter::measure(|| {
        let happened = simulate_or_tell(seed, steps);
        allocation_counter::opt_out(|| tally = happened.clone());
    });
    println!("{tally:#?}");
    assert_eq!(open_descriptors(), descriptors, "descriptors are left open");
    assert_eq!((left.count_current, left.bytes_current), (0, 0), "memory is left");
}
