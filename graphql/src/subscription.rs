//! Subscriptions. Each reads the durable log from a cursor and uses the engine's watch only as a
//! hint to read again, so that nothing is lost or sent twice over a break.

mod case_events;

pub(crate) use self::case_events::CaseEvents;
