//! `exec:`
