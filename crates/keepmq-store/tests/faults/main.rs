//! The journal under one fault at a time, each with a name.
#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

mod damage;
mod disk;
mod full;
mod keys;
mod rig;
mod space;
