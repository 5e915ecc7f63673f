//! Every limit of the daemon, by name. What is beyond one is refused, with a problem that says so.

use std::num::NonZeroU32;
use std::time::Duration;

/// Most bytes of a request's body, also of a file that is put; more is 413.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Most bytes that are read of a body beyond what its route has taken, so that its sender gets the answer; of
/// one that is longer, or that takes longer than [`REST_TIME`], the connection is closed.
pub const MAX_REST_BYTES: usize = 4 * MAX_BODY_BYTES;

/// How long that may take.
pub const REST_TIME: Duration = Duration::from_secs(5);

/// Most bytes of a request's line and headers together; more is 431.
pub const MAX_HEADER_BYTES: usize = 16 * 1024;

/// Most test messages in a minute, of all admins together: each goes to somebody else's server.
pub const MAX_NOTIFY_TESTS: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// How long a test message may take: less than [`REQUEST_TIME`], so that what became of it is answered.
pub const NOTIFY_TEST_TIME: Duration = Duration::from_secs(20);

/// How long the headers of a request may take to come; then the connection is closed. It is also how long a
/// connection may be idle between two requests. Whoever sends a byte now and then has a connection for no
/// longer.
pub const HEADER_TIME: Duration = Duration::from_secs(10);

/// How long a request may take, its body included; then it is 503, and whether a command was carried out is
/// seen when it is given again with the same key.
pub const REQUEST_TIME: Duration = Duration::from_secs(30);

/// Most requests that are worked on at once; one more is 503.
pub const MAX_REQUESTS: usize = 512;

/// Most connections that are open at once; one more waits until another is closed.
pub const MAX_CONNECTIONS: usize = 1024;

/// Most of them from one address, if no proxy is in front, from which all would come: one caller alone shuts
/// nobody out. The callers of one machine share it, event streams included. One more gets 503 and is closed.
pub const MAX_CONNECTIONS_PER_ADDRESS: usize = MAX_CONNECTIONS / 2;

/// Most requests of one token in a second, twice as many at once; more is 429.
pub const MAX_REQUESTS_PER_SECOND: NonZeroU32 = NonZeroU32::new(1000).unwrap();

/// Most wrong tokens from one address at once; one more each second.
pub const MAX_GUESSES: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// For how long each further one is held back.
pub const WRONG_TOKEN_TIME: Duration = Duration::from_secs(1);

/// Most wrong tokens that are held back at once; further ones are refused without waiting.
pub const MAX_GUESSES_HELD: usize = 64;

/// Fewest characters of a password: NIST SP 800-63B-4, 3.1.1.2, where nothing else is asked for.
pub const MIN_PASSWORD_CHARACTERS: usize = 15;

/// Longest password, in bytes.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// After how long somebody who has logged in must do so again: a long day's work.
pub const LOGIN_TIME: Duration = Duration::from_secs(12 * 3600);

/// Most tokens that one login has at once; of one more, the oldest ends.
pub const MAX_LOGINS_OF_ONE: usize = 20;

/// Most passwords that are tried at once: each takes 19 MiB and a processor.
pub const MAX_PASSWORDS_AT_ONCE: usize = 2;

/// Most passwords that are tried or wait for it; one more is 503.
pub const MAX_PASSWORDS_WAITING: usize = 32;

/// Most passwords for one name from one address at once, right ones too; one more each minute.
pub const MAX_PASSWORD_TRIES: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// How long a stop waits for requests, mailboxes and messages that are under way, all together. Others who
/// manage services kill after 10 s at the earliest.
pub const GRACE: Duration = Duration::from_secs(10);

/// Most commands of one batch.
pub const MAX_BATCH: usize = 100;

/// Tickets or entries of a history on a page, unless the caller asks for fewer or more.
pub const DEFAULT_PAGE: usize = 50;

/// Most tickets or entries of a history on a page.
pub const MAX_PAGE: usize = 200;

/// Longest `Idempotency-Key`, in bytes.
pub const MAX_KEY_BYTES: usize = 255;

/// Longest name of anything in a request (a ticket, a state, a person, another system's key), in bytes.
pub const MAX_NAME_BYTES: usize = 256;

/// Longest contact that is asked for, in bytes: an address with a name.
pub const MAX_CONTACT_BYTES: usize = 512;

/// Most files in the folder of workflows.
pub const MAX_FILES: usize = 1000;

/// Most overrides of who is on call that are not over, and most that are and are still known; one more of the
/// former is 409, of the latter those that were over first are forgotten.
pub const MAX_OVERRIDES: usize = 1000;

/// Most of them that one token makes in 24 hours; one more is 409. Each is a new text of the directory in the
/// journal.
pub const MAX_OVERRIDES_A_DAY: usize = 100;

/// How far ahead such an override may end.
pub const OVERRIDE_AHEAD: Duration = Duration::from_secs(2 * 366 * 86_400);

/// For how long one that is over stays in the directory, and its `Idempotency-Key` is known.
pub const KEEP_OVERRIDES: Duration = Duration::from_secs(7 * 86_400);

/// About how many commits of one ticket its timeline is made of at most: the newest, if there are more.
pub const MAX_HISTORY: usize = 10_000;

/// Most streams of events that are open at once; one more is 503.
pub const MAX_STREAMS: usize = 256;

/// Most streams of events that one token has open at once; one more is 503.
pub const MAX_STREAMS_A_TOKEN: usize = 16;

/// After so long without an event a stream says that it lives.
pub const STREAM_HEARTBEAT: Duration = Duration::from_secs(15);

/// A client of a stream that takes nothing for so long is cut off; it comes again with what it has seen.
pub const STREAM_SLOW: Duration = Duration::from_secs(10);

/// How long a peer may take nothing of an answer; then its connection is closed.
pub const WRITE_TIME: Duration = Duration::from_secs(30);

/// The same while the service stops.
pub const WRITE_TIME_AT_STOP: Duration = Duration::from_secs(2);
