//! Every limit of the connectors, in one file.

/// Bytes of one reply or callback; more is cut off while reading.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// Milliseconds for one connection to be made. Nothing was sent when it passes.
pub const CONNECT_MILLIS_MAX: u64 = 3_000;
/// Milliseconds of patience with one request for a seal.
pub const SEAL_MILLIS_MAX: u64 = 20_000;
/// Further attempts of one request to a storage service.
pub const S3_RETRIES_MAX: usize = 3;
/// Milliseconds after which a request to a storage service is not sent again, and of silence
/// after which it is given up.
pub const S3_PATIENCE_MILLIS: u64 = 20_000;
/// Idle connections kept per agency.
pub const IDLE_CONNECTIONS_MAX: usize = 64;
/// Milliseconds after which the engine's inbox is asked again, when it could not store a reply.
pub const INBOX_RETRY_MILLIS: u64 = 1_000;
/// Characters of an agency's words that are kept in a fault.
pub const FAULT_TEXT_MAX: usize = 400;

/// Milliseconds past a call's deadline that an agency still begins it, for clocks that differ.
pub const DEADLINE_GRACE_MILLIS: i64 = 60_000;
/// Attempts of a sandbox agency to deliver one message.
pub const DELIVERY_ATTEMPTS_MAX: u32 = 40;
/// Milliseconds before the second attempt to deliver a message; doubled for each further one.
pub const DELIVERY_BACKOFF_MILLIS_MIN: u64 = 50;
/// Most milliseconds between two attempts to deliver a message.
pub const DELIVERY_BACKOFF_MILLIS_MAX: u64 = 2_000;
/// Milliseconds that a sandbox agency waits for one acknowledgement.
pub const DELIVERY_ANSWER_MILLIS: u64 = 10_000;
/// Milliseconds that a sandbox agency holds its 202 back for callbacks that go first.
pub const DELIVERY_FIRST_MILLIS: u64 = 10_000;
/// Deliveries that may wait to be taken up by a sandbox agency's owner task.
pub const DELIVERIES_QUEUED_MAX: usize = 1_024;
/// Milliseconds after which an agency asks to be queried about an accepted call.
pub const NEXT_QUERY_MILLIS: u64 = 5_000;

const _: () = assert!(DELIVERY_BACKOFF_MILLIS_MIN < DELIVERY_BACKOFF_MILLIS_MAX);
