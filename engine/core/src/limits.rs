//! Every limit of the engine, in one file, related by compile-time assertions.
//!
//! Rhai's own defaults differ between debug and release builds, so each is set here.

/// Operations that one run of a script may take.
pub const RUN_OPERATIONS_MAX: u64 = 200_000;
/// Nested script function calls.
pub const RUN_CALL_LEVELS_MAX: usize = 32;
/// Nesting of an expression, at the top level and inside functions.
pub const RUN_EXPRESSION_DEPTH_MAX: usize = 64;
/// Bytes of text of one value in a script: a string, or a list or map with all that is in it.
pub const RUN_STRING_BYTES_MAX: usize = 32 * 1024;
/// Elements of one array in a script.
pub const RUN_ARRAY_SIZE_MAX: usize = 4_096;
/// Members of one object map in a script.
pub const RUN_MAP_SIZE_MAX: usize = 1_024;
/// Variables in scope at once.
pub const RUN_VARIABLES_MAX: usize = 256;
/// Functions that one script file may define.
pub const SCRIPT_FUNCTIONS_MAX: usize = 128;
/// Bytes of one script file.
pub const SCRIPT_BYTES_MAX: usize = 256 * 1024;
/// Milliseconds of wall-clock time after which a run is stopped as an infrastructure error.
pub const RUN_MILLIS_MAX: u64 = 2_000;
/// Bytes of the stack of a thread that runs scripts.
pub const RUN_STACK_BYTES: usize = 8 * 1024 * 1024;

/// Requests that one run may make.
pub const RUN_REQUESTS_MAX: u32 = 1_000;
/// Handles that one combinator may join.
pub const FAN_OUT_MAX: usize = 256;
/// Combinators that one run may build.
pub const RUN_JOINS_MAX: usize = 1_000;
/// Requests below one combinator, counted once for each way to reach them.
pub const JOIN_WEIGHT_MAX: usize = 1_024;
/// Combinators inside combinators.
pub const JOIN_DEPTH_MAX: usize = 16;
/// Units of a period, whatever the unit is.
pub const PERIOD_AMOUNT_MAX: u32 = 10_000;
/// Argument bytes that one run may put into its requests.
pub const RUN_REQUEST_BYTES_MAX: usize = 1024 * 1024;
/// Passes over a case in one turn before it counts as a loop.
pub const TURN_PASSES_MAX: u32 = 64;
/// Entries that one turn may append.
pub const TURN_ENTRIES_MAX: usize = 4_096;
/// Entries after which a turn hears no further command: those wait for the next one, so that what
/// many have sent together never fills a turn.
pub const TURN_ENTRIES_FULL: usize = TURN_ENTRIES_MAX / 4;
/// Entries that one case may hold.
pub const CASE_ENTRIES_MAX: u32 = 100_000;
/// Matters of one combined service.
pub const CASE_MATTERS_MAX: usize = 128;
/// Times that one script may begin anew.
pub const RUN_GENERATIONS_MAX: u16 = 10_000;
/// Commands that may wait for one case before senders are told to come back.
pub const CASE_INBOX_MAX: usize = 1_024;

/// Bytes of a message to a matter's mailbox.
pub const MESSAGE_BYTES_MAX: usize = 32 * 1024;
/// Bytes of the name of a channel.
pub const CHANNEL_BYTES_MAX: usize = 64;
/// Messages that may lie unread in one mailbox.
pub const MAILBOX_MAX: usize = 256;

/// Incidents that one request may settle.
pub const INCIDENTS_AT_ONCE_MAX: usize = 1_000;

/// Bytes of a name that a request carries: an operation, a role, a place, a patch. Index rows hold
/// some of them.
pub const NAME_BYTES_MAX: usize = 200;
/// Bytes of the title of a task, which lists carry.
pub const TITLE_BYTES_MAX: usize = 600;
/// Tasks that may be open in one case before a script opens another: its summary carries them.
pub const CASE_TASKS_MAX: usize = 512;

/// Levels of nesting in a value.
pub const VALUE_DEPTH_MAX: usize = 24;
/// Bytes of a value.
pub const VALUE_BYTES_MAX: usize = 256 * 1024;

/// Bytes of a record that a store keeps inline; larger ones go to the case's blob folder.
pub const RECORD_INLINE_BYTES_MAX: usize = 4 * 1024;
/// Bytes that no record may pass: sled puts larger leaves into files that it never syncs.
pub const RECORD_BYTES_MAX: usize = 6 * 1024;
/// Records that a parked case may take, index rows included.
pub const PARKED_RECORDS_MAX: usize = 7;

/// Attempts of one turn that fails for reasons of the machine, before it becomes an incident.
pub const TURN_ATTEMPTS_MAX: u32 = 5;
/// Milliseconds of patience with one call to an agency, from its first attempt.
pub const CALL_PATIENCE_MILLIS: i64 = 5 * 60 * 1_000;
/// Milliseconds of patience with a source of materials, after which the applicant is asked.
pub const SOURCE_PATIENCE_MILLIS: i64 = 5_000;
/// Milliseconds that filling a form waits for what its sources say; past them it is filled later.
pub const PREFILL_WAIT_MILLIS: u64 = 6_000;
/// Questions to sources by which the form of one case may be filled.
pub const PREFILL_QUESTIONS_MAX: usize = 100;
/// Milliseconds before the second attempt of a call; doubled for each further one.
pub const CALL_BACKOFF_MILLIS_MIN: u64 = 200;
/// Most milliseconds between two attempts of a call.
pub const CALL_BACKOFF_MILLIS_MAX: u64 = 30_000;
/// How far an agency's clock may be ahead of ours.
pub const AGENCY_CLOCK_SKEW_MILLIS: i64 = 5 * 60 * 1_000;
/// Calls under way at once per connector.
pub const CALLS_IN_FLIGHT_MAX: usize = 64;
/// Generations of one call before a person must look.
pub const CALL_GENERATIONS_MAX: u16 = 3;

/// Messages of agencies that a restored store keeps about calls which it does not know.
pub const PARKED_REPLIES_MAX: usize = 10_000;

/// Bytes of one uploaded file: a set of drawings, not a film.
pub const UPLOAD_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Bytes of all files of one case.
pub const CASE_FILES_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// Characters of the name of an uploaded file.
pub const UPLOAD_NAME_CHARS_MAX: usize = 120;
/// Uploads under way at once; each holds one part in memory.
pub const UPLOADS_AT_ONCE_MAX: usize = 64;
/// Milliseconds for which a file stays that no log names: whoever sent it may still hand it in,
/// and a mutation that is repeated finds it.
pub const FILE_GRACE_MILLIS: i64 = 7 * 24 * 3_600 * 1_000;
/// Bytes of one reference document, such as the organisation of a province.
pub const REFERENCE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Milliseconds for which the event feed is kept: 14 days.
pub const FEED_MILLIS: i64 = 14 * 24 * 3_600 * 1_000;
/// Milliseconds for which an idempotency record is kept: 7 days.
pub const IDEMPOTENCY_MILLIS: i64 = 7 * 24 * 3_600 * 1_000;
/// Rows that a search may look at for one page.
pub const SCAN_BUDGET: usize = 10_000;
/// Cases that one count of figures reads.
pub const FIGURES_CASES_MAX: u64 = 200_000;
/// Matters that wait longest, as one count of figures names them.
pub const FIGURES_STUCK_MAX: usize = 200;
/// Largest page.
pub const PAGE_MAX: usize = 100;

const _: () = assert!(RECORD_INLINE_BYTES_MAX < RECORD_BYTES_MAX);
const _: () = assert!(UPLOAD_BYTES_MAX < CASE_FILES_BYTES_MAX);
const _: () = assert!(RUN_REQUESTS_MAX < CASE_ENTRIES_MAX);
const _: () = assert!(TURN_ENTRIES_MAX <= CASE_ENTRIES_MAX as usize);
const _: () = assert!(FAN_OUT_MAX <= RUN_REQUESTS_MAX as usize);
const _: () = assert!(FAN_OUT_MAX <= JOIN_WEIGHT_MAX);
const _: () = assert!(RUN_STRING_BYTES_MAX <= VALUE_BYTES_MAX);
const _: () = assert!(CALL_BACKOFF_MILLIS_MIN < CALL_BACKOFF_MILLIS_MAX);
const _: () = assert!(IDEMPOTENCY_MILLIS <= FEED_MILLIS);
const _: () = assert!(IDEMPOTENCY_MILLIS <= FILE_GRACE_MILLIS);
