//! All tests that go through the public interface, by subject. Unit tests stand beside what they test.

mod support;

mod wire;
