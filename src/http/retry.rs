//! Whether to send a request again, and when. Pure: the caller brings the luck and does the waiting.
//!
//! [`decide`] is only for requests that may be repeated at all: GET, PATCH, DELETE. A create never comes here.
//! [`back_off`] serves whoever comes back after a failure: a request, a pass of a loop, a face that rests.

use std::time::Duration;

use super::{ApiError, Retry};

/// How often and how patiently a request is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a request is sent at most, the first time included.
    pub attempts: u32,
    /// The wait after the first failure. It doubles each time.
    pub min_delay: Duration,
    /// The longest wait that we choose ourselves.
    pub max_delay: Duration,
    /// The longest wait that the other side may ask for. Beyond it the request is given up and says so.
    pub longest_asked: Duration,
    /// The wait after the first 429 that does not say when to come back. It doubles each time, up to the longest that
    /// may be asked for. None: as after any failure that may pass.
    pub limit_delay: Option<Duration>,
}

/// How often a request is sent at most where the other side limits how often it is asked, and its policy minds that:
/// three waits.
const LIMITED_ATTEMPTS: u32 = 4;

impl Default for RetryPolicy {
    /// Five attempts within about ten seconds. Public integrations wait 5 s and cap at 60 s (read October
    /// 2026); no page of the vendor says anything about it.
    fn default() -> Self {
        Self {
            attempts: 5,
            min_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(60),
            longest_asked: Duration::from_secs(300),
            limit_delay: None,
        }
    }
}

impl RetryPolicy {
    /// Returns the policy for a forge. GitHub asks to wait "for at least one minute" after a limit that does not say how
    /// long, then "an exponentially increasing amount of time" (docs.github.com, "Rate limits for the REST API", 2026);
    /// GitLab's limits count by the minute. A run waits 7 minutes in all, and then says that it is a limit.
    pub fn of_forge() -> Self {
        Self { limit_delay: Some(Duration::from_secs(60)), ..Self::default() }
    }
}

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Send it again after this wait.
    Wait(Duration),
    /// Report the failure.
    GiveUp(GiveUp),
}

/// Why a request is not sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiveUp {
    /// The same answer would come.
    Hopeless,
    /// It was sent as often as the policy allows.
    Exhausted,
    /// The other side asks for a longer wait than the policy allows.
    AskedTooLong(Duration),
}

/// Decides what to do after the failure of the `attempt`th sending, counted from 1. `random01` is a number from 0
/// to 1 that spreads the waits of many requests.
///
/// | the failure | before the last attempt | after it |
/// |---|---|---|
/// | would come again | give up | give up |
/// | may pass | half to all of min·2^(attempt-1), at most max | give up |
/// | comes with Retry-After ≤ longest | that long, and up to min more | give up |
/// | comes with Retry-After > longest | give up and say so | give up |
/// | is a limit (429) that says nothing, and the policy minds limits | limit·2^(attempt-1), and up to min more | give up, also after the fourth |
pub fn decide(error: &ApiError, attempt: u32, policy: &RetryPolicy, random01: f64) -> Decision {
    let random01 = if random01.is_finite() { random01.clamp(0.0, 1.0) } else { 0.5 };
    let is_limited = policy.limit_delay.is_some() && error.status() == Some(429);
    match error.retry() {
        Retry::Never => Decision::GiveUp(GiveUp::Hopeless),
        Retry::After(asked) if asked > policy.longest_asked => Decision::GiveUp(GiveUp::AskedTooLong(asked)),
        _ if attempt >= policy.attempts => Decision::GiveUp(GiveUp::Exhausted),
        _ if is_limited && attempt >= LIMITED_ATTEMPTS => Decision::GiveUp(GiveUp::Exhausted),
        // Never earlier than told, and not everybody at the same moment.
        Retry::After(asked) => Decision::Wait(asked + policy.min_delay.mul_f64(random01)),
        Retry::Backoff if is_limited => {
            let full = back_off(policy.limit_delay.unwrap_or_default(), attempt, policy.longest_asked);
            Decision::Wait(full + policy.min_delay.mul_f64(random01))
        }
        Retry::Backoff => {
            let full = back_off(policy.min_delay, attempt, policy.max_delay);
            Decision::Wait(full.mul_f64(0.5 + random01 / 2.0))
        }
    }
}

/// Returns how long to wait after so many failures in a row: `first`, then twice as long each time, and never longer
/// than `longest`.
pub(crate) fn back_off(first: Duration, failures: u32, longest: Duration) -> Duration {
    first.saturating_mul(1 << failures.saturating_sub(1).min(31)).min(longest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::Failure;

    fn answered(status: u16, retry_after: Option<u64>) -> ApiError {
        let failure =
            Failure::Status { status, message: String::new(), retry_after: retry_after.map(Duration::from_secs) };
        ApiError { method: "GET", path: "/v2/faces".into(), failure }
    }

    #[test]
    fn what_would_come_again_is_asked_once() {
        for status in [301, 307, 400, 401, 402, 403, 404, 409, 422] {
            let decision = decide(&answered(status, Some(1)), 1, &RetryPolicy::default(), 0.0);
            assert_eq!(decision, Decision::GiveUp(GiveUp::Hopeless), "{status}");
        }
    }

    #[test]
    fn a_wait_of_minutes_is_honoured_and_one_of_an_hour_is_reported() {
        let policy = RetryPolicy::default();
        assert_eq!(decide(&answered(429, Some(120)), 1, &policy, 0.0), Decision::Wait(Duration::from_secs(120)));
        let hour = Duration::from_secs(3600);
        assert_eq!(decide(&answered(429, Some(3600)), 1, &policy, 0.0), Decision::GiveUp(GiveUp::AskedTooLong(hour)));
    }

    #[test]
    fn a_forges_limit_is_waited_for_by_the_minute_and_then_reported() {
        let policy = RetryPolicy::of_forge();
        let waits: Vec<_> = (1..=4).map(|attempt| decide(&answered(429, None), attempt, &policy, 0.0)).collect();
        let minutes = [60, 120, 240].map(|seconds| Decision::Wait(Duration::from_secs(seconds)));
        assert_eq!(waits[..3], minutes);
        assert_eq!(waits[3], Decision::GiveUp(GiveUp::Exhausted));
        assert_eq!(decide(&answered(429, Some(5)), 1, &policy, 0.0), Decision::Wait(Duration::from_secs(5)), "as told");
        assert_eq!(decide(&answered(429, Some(5)), 4, &policy, 0.0), Decision::GiveUp(GiveUp::Exhausted));
        let other = decide(&answered(503, None), 1, &policy, 1.0);
        assert_eq!(other, Decision::Wait(Duration::from_millis(500)), "no limit, no minutes");
        let plain = decide(&answered(429, None), 1, &RetryPolicy::default(), 1.0);
        assert_eq!(plain, Decision::Wait(Duration::from_millis(500)));
    }

    #[test]
    fn without_luck_the_waits_double() {
        let policy = RetryPolicy::default();
        let waits: Vec<_> = (1..=4).map(|attempt| decide(&answered(503, None), attempt, &policy, 1.0)).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000].map(|ms| Decision::Wait(Duration::from_millis(ms))));
    }

    #[test]
    fn a_wait_doubles_up_to_the_longest_however_many_failures_there_were() {
        let [second, hour] = [1, 3600].map(Duration::from_secs);
        let waits = [0, 1, 2, 12, 13, 33, u32::MAX].map(|failures| back_off(second, failures, hour).as_secs());
        assert_eq!(waits, [1, 1, 2, 2048, 3600, 3600, 3600]);
        assert_eq!(back_off(Duration::MAX, 9, Duration::MAX), Duration::MAX);
        assert_eq!(back_off(hour, 1, second), second);
    }

    proptest! {
        #[test]
        fn a_request_is_never_sent_more_often_than_allowed(attempts in 0u32..9, beyond in 0u32..9, luck in 0.0..1.0f64) {
            let policy = RetryPolicy { attempts, ..RetryPolicy::default() };
            let decision = decide(&answered(503, None), attempts + beyond, &policy, luck);
            prop_assert_eq!(decision, Decision::GiveUp(GiveUp::Exhausted));
        }

        #[test]
        fn no_wait_is_shorter_than_asked_or_longer_than_the_limits(
            attempt in 1u32..5, luck in -1.0..2.0f64, asked in proptest::option::of(0u64..=300),
        ) {
            let policy = RetryPolicy::default();
            let Decision::Wait(wait) = decide(&answered(503, asked), attempt, &policy, luck) else {
                return Err(TestCaseError::fail("gave up"));
            };
            match asked.map(Duration::from_secs) {
                Some(asked) => prop_assert!(wait >= asked && wait <= asked + policy.min_delay),
                None => prop_assert!(wait >= policy.min_delay / 2 && wait <= policy.max_delay),
            }
        }
    }
}
