//! The one binary of the whole-system tests; `tidy` finds a file that is not declared here.

// Said aloud although the whole binary is a test: clippy allows `unwrap` under this attribute.
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod document;
#[cfg(test)]
mod files;
#[cfg(test)]
mod holidays;
#[cfg(test)]
mod prefill;
#[cfg(test)]
mod reproject;
#[cfg(test)]
mod s3;
#[cfg(test)]
mod seal;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod story;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod travel;
#[cfg(test)]
mod watch;
mod watching;
#[cfg(test)]
mod way_out;
