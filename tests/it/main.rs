//! The one binary of the whole-system tests; `tidy` finds a file that is not declared here.

mod bad_input;
mod crash;
mod demo;
mod story;
mod tidy;
