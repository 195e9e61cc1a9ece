//! The one binary of the whole-system tests; `tidy` finds a file that is not declared here.

mod story;
mod tidy;
