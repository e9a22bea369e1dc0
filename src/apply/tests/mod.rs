//! The executor against an account in memory. Time is wound by hand; nothing sleeps.

mod bind;
mod by_id;
mod crash;
mod crash_later;
mod outcomes;
mod replace;
mod retire;
mod settle;
mod stage;
mod updates;
mod wait;
