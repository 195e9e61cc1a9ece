//! The API as its users meet it: over real HTTP and `WebSocket`, against a real engine in memory.

mod desk;
mod guide;
mod http;
mod nulls;
mod scope;
mod sdl;
mod socket;
mod sources;
mod upload;
mod work;
