//! The time. Nobody else asks for it.
//!
//! Hours of training must be testable in milliseconds, so every wait in the program goes through a
//! [`Clock`]: the system's, one that runs faster (the sandbox), or one wound by hand (unit tests).

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// A source of time that can also be waited on.
pub trait Clock: Send + Sync + Debug {
    /// Returns the present moment as this clock shows it.
    fn now(&self) -> Timestamp;

    /// Completes once `duration` has passed *on this clock*.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A clock that starts at a chosen moment and runs `speed` times as fast as the machine's.
#[derive(Debug)]
pub struct ScaledClock {
    origin: Timestamp,
    started: Instant,
    speed: f64,
}

impl ScaledClock {
    /// Starts a clock that shows `origin` now and then runs `speed` times as fast; a speed that is
    /// not a positive number is taken as 1.
    pub fn new(origin: Timestamp, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self { origin, started: Instant::now(), speed }
    }

    /// Returns how many seconds pass on this clock in one real second.
    pub fn speed(&self) -> f64 {
        self.speed
    }
}

impl Clock for ScaledClock {
    fn now(&self) -> Timestamp {
        let elapsed = self.started.elapsed().mul_f64(self.speed);
        self.origin.saturating_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(duration.div_f64(self.speed)))
    }
}

/// A clock that moves only when somebody waits on it or winds it: no test that uses it sleeps.
#[derive(Debug)]
pub struct HandWoundClock {
    now: Mutex<Timestamp>,
}

impl HandWoundClock {
    /// Makes a clock that shows `now` until it is wound.
    pub fn at(now: Timestamp) -> Self {
        Self { now: Mutex::new(now) }
    }

    /// Moves the clock forward.
    pub fn wind(&self, duration: Duration) {
        let mut now = self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now = now.saturating_add(duration).unwrap_or(Timestamp::MAX);
    }
}

impl Clock for HandWoundClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.wind(duration);
        Box::pin(tokio::task::yield_now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaled_clock_never_runs_backwards_and_starts_at_its_origin() {
        let origin = Timestamp::from_second(1_000_000).unwrap();
        let clock = ScaledClock::new(origin, 3600.0);
        let first = clock.now();
        let second = clock.now();
        assert!(origin <= first && first <= second);
    }

    #[test]
    fn waiting_on_a_hand_wound_clock_moves_it_by_exactly_the_wait() {
        let origin = Timestamp::from_second(1_000_000).unwrap();
        let clock = HandWoundClock::at(origin);
        drop(clock.sleep(Duration::from_secs(90)));
        assert_eq!(clock.now().as_second() - origin.as_second(), 90);
    }
}
