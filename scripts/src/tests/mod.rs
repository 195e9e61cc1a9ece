//! The host as a specification: each promise of the sandbox and of suspension is a test.

mod checks;
mod computed;
mod extremes;
mod guide;
mod levels;
mod prefix;
mod runs;
mod sandbox;
mod shipped;
mod trace;
mod until;
