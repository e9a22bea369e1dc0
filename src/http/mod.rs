//! How this program speaks HTTP: with whom a secret may be shared, what an answer proves, what is sent again.
//!
//! Shared by the rooms that have a server at the other end ([`crate::tavus`], [`crate::forge`]). It knows nothing of
//! what they say to each other. [`crate::media`] takes the roots and the words for errors alone: it has no secret to send.
//!
//! | file | does |
//! |---|---|
//! | `sender.rs` | sends, limits, repeats what may be repeated, tells the trace |
//! | `transport.rs` | the two HTTP clients underneath, TLS and roots |
//! | `answer.rs` | a whole answer, or a failure and how far it got |
//! | `certificate.rs` | what is wrong with a server's certificate |
//! | `rows.rs` | one page of a listing, row by row, within bounds |
//! | `error.rs` | what a failure proves, and whether it is worth another try |
//! | `retry.rs` | pure: error and attempt -> wait or give up; the one back-off |
//! | `address.rs`, `key.rs` | where a secret may go, the secret |

mod address;
mod answer;
mod certificate;
mod error;
mod key;
mod retry;
mod rows;
mod sender;
mod transport;

pub(crate) use crate::text::{MESSAGE_LIMIT, WORD_LIMIT, clean, clean_document, clean_name};
pub use address::{Address, AddressError};
pub(crate) use answer::{Answer, told};
pub use certificate::CertificateProblem;
pub(crate) use certificate::cause;
pub use error::{ApiError, Effect, Failure, Retry};
pub use key::{ApiKey, ApiKeyError};
pub(crate) use retry::back_off;
pub use retry::{Decision, GiveUp, RetryPolicy, decide};
pub(crate) use rows::{Place, Rows, read_rows};
pub(crate) use sender::{Call, Sender, SenderConfig, tell_wait};
pub use transport::ClientError;
pub(crate) use transport::Roots;
