//! The API as its users meet it: over real HTTP and `WebSocket`, against a real engine in memory.

mod acts;
mod bulk;
mod clocks;
mod desk;
mod documents;
mod figures;
mod guide;
mod hands;
mod http;
mod incidents;
mod nulls;
mod parked;
mod records;
mod refused;
mod scope;
mod sdl;
mod socket;
mod sources;
mod tax;
mod upload;
mod versions;
mod work;
