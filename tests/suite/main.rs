//! All tests that go through the public interface, by subject. Unit tests stand beside what they test.

#![allow(clippy::expect_used, clippy::disallowed_methods)]

mod support;

mod answers;
mod browser;
mod cache;
mod cli;
mod conformance;
mod corpus;
mod edges;
mod faults;
mod guide;
mod ladder;
mod properties;
mod reading;
mod regressions;
mod serving;
mod site;
mod status;
mod syscalls;
mod tidy;
mod timeline;
mod watched;
mod wire;
