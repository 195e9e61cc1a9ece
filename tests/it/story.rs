//! Stories: real scripts in the real host, the real engine on the reference store, agencies that
//! answer as the story says. Lawful time stands still until a story moves it.

mod breaker;
mod computed;
mod downtime;
mod durable;
mod forwarding;
mod lawful;
mod needs;
mod partial;
mod published;
mod resend;
mod restore;
mod world;
