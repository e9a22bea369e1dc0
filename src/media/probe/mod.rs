//! Fetching a link from here before a training is paid for: can it be fetched, is it the file, will it be tomorrow?
//!
//! # Flow
//! One GET for the first 64 KiB, without any secret; redirects are followed one by one, each judged. A second GET for
//! a few bytes shows whether the link works twice. Then parts can be read, to look inside.
//!
//! # Guarantees
//! - Nothing is sent to an address that is not public: neither by its text, nor by what its name stands for. What is
//!   connected to is what was judged, as names are resolved once, by [`Resolver`].
//! - No key, cookie or referrer is sent; the link's own signature goes to its own host alone.
//! - What one link costs is bounded: requests, bytes and time.
//! - Findings, errors and `Debug` hold hosts and statuses, and never a path, a query or a header's value.
//!
//! # Caveats
//! - Behind a proxy (`HTTPS_PROXY`) names are resolved by the proxy: only the text of a host is judged then.
//! - A link that works once only is used up by the first look. That it cannot be trained from is worth more.
//! - What cannot be fetched from here may be reachable from elsewhere: such findings are `assumed`.
//!
//! | file | does |
//! |---|---|
//! | `config.rs` | what a probe is made from |
//! | `reach.rs` | which addresses may be connected to |
//! | `get.rs` | asks, follows redirects, tries again |
//! | `answer.rs` | what an answer says, read strictly |
//! | `trouble.rs`, `refusal.rs` | what goes wrong, in words, and what to do about it |
//! | `page.rs`, `kind.rs`, `size.rs`, `twice.rs` | one question each |
//! | `fetched.rs` | reads parts |

mod answer;
mod config;
mod fetched;
mod get;
mod kind;
mod page;
mod reach;
mod refusal;
mod size;
mod trouble;
mod twice;

use std::sync::Arc;
use std::time::Duration;

pub use config::{ProbeConfig, Proxies};
pub use fetched::Fetched;
pub use reach::{Resolution, Resolver, SystemResolver};

use self::answer::{Ask, Got};
use self::fetched::BLOCK;
use self::get::{Budget, Getter};
use self::trouble::Trouble;
use super::{Certainty, Check, Finding};
use crate::face::Link;
use crate::http::ClientError;

/// How many requests one link is worth, redirects included.
const REQUEST_LIMIT: u32 = 60;
/// How many bytes one link is worth.
const BYTE_LIMIT: u64 = 24 * 1024 * 1024;
/// How many bytes the second look asks for: enough to see whether it begins alike.
const SECOND_LOOK: u64 = 64;
/// In how many parts the time of a link is cut, so that one silence leaves some for another try.
const TRIES: u32 = 3;

/// The size that Tavus' pages name for training videos, in megabytes (docs.tavus.io, guides of
/// phoenix-3, 4 and 4.5, read between August and October 2026).
pub const VIDEO_MEGABYTES: u64 = 750;

/// Fetches links to see what they bring. Made once for a run.
#[derive(Debug)]
pub struct Probe {
    getter: Arc<Getter>,
    request_timeout: Duration,
}

/// What is to be found out about a link.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// The size that it may have, in megabytes; none where nobody limits it.
    pub megabytes: Option<u64>,
    /// Whether to look a second time, as [`Check::Stable`] needs.
    pub is_twice: bool,
}

/// What was found about a link.
#[derive(Debug)]
pub struct Probed {
    /// All that is wrong, or could be better.
    pub findings: Vec<Finding>,
    /// The file, where there is one to look into; there may be errors all the same.
    pub fetched: Option<Fetched>,
}

impl Probe {
    /// Makes a probe.
    ///
    /// # Errors
    /// When the CA file cannot be used, or the TLS library or the proxy's address is refused.
    pub fn new(config: &ProbeConfig) -> Result<Self, ClientError> {
        Ok(Self { getter: Arc::new(Getter::new(config)?), request_timeout: config.request_timeout })
    }

    /// Fetches the beginning of what a link leads to, and says what is wrong with it.
    pub async fn open(&self, link: &Link, wanted: Wanted) -> Probed {
        let mut findings = Vec::new();
        let fetched = self.open_into(&mut findings, link, wanted).await.unwrap_or_else(|finding| {
            findings.push(*finding);
            None
        });
        Probed { findings, fetched }
    }

    /// Notes findings on the way; one that ends it is returned as an error.
    async fn open_into(
        &self,
        findings: &mut Vec<Finding>,
        link: &Link,
        wanted: Wanted,
    ) -> Result<Option<Fetched>, Box<Finding>> {
        let mut budget = Budget { requests: REQUEST_LIMIT, bytes: BYTE_LIMIT, time: self.request_timeout };
        let first = self.first_look(findings, link, &mut budget).await.map_err(|trouble| trouble.finding(link))?;
        if let Some(finding) = page::finding(link, &first).or_else(|| kind::encoding_finding(&first)) {
            return Err(finding.into());
        }
        findings.extend(size::findings(&first, wanted.megabytes));
        if first.body.is_empty() {
            return Ok(None);
        }
        findings.extend(kind::finding(&first));
        let mut is_tag_kept = true;
        if wanted.is_twice {
            let second = self.second_look(link, &first, &mut budget).await;
            let compared = twice::compare(link, &first, second.as_ref());
            is_tag_kept = compared.is_tag_kept;
            if let Some(finding) = compared.finding {
                if finding.is_error() {
                    return Err(finding.into());
                }
                findings.push(finding);
            }
        }
        budget.time = self.request_timeout;
        Ok(Some(Fetched::new(self.getter.clone(), link.clone(), first, is_tag_kept, budget)))
    }

    /// Asks for the first part, and for the whole from a server that answers wrongly: a download asks for no parts.
    async fn first_look(&self, findings: &mut Vec<Finding>, link: &Link, budget: &mut Budget) -> Result<Got, Trouble> {
        let within = self.request_timeout / TRIES;
        match self.getter.get(link, Ask::Part { offset: 0, length: BLOCK }, within, budget).await {
            Err(trouble @ Trouble::NotThatPart(..)) => {
                let got = self.getter.get(link, Ask::Beginning { length: BLOCK }, within, budget).await?;
                let rule = "a server that is asked for a part sends that part, or the whole (RFC 9110, section 14)";
                let finding = Finding::advice(Check::Reachable, trouble.to_string(), rule, Certainty::Evident);
                findings.push(finding.help("nothing, if the training works; else upload the file somewhere else"));
                Ok(got)
            }
            other => other,
        }
    }

    async fn second_look(&self, link: &Link, first: &Got, budget: &mut Budget) -> Result<Got, Trouble> {
        let within = self.request_timeout / TRIES;
        let ask = if first.is_part {
            Ask::Part { offset: 0, length: SECOND_LOOK }
        } else {
            Ask::Beginning { length: SECOND_LOOK }
        };
        self.getter.get(link, ask, within, budget).await
    }
}
