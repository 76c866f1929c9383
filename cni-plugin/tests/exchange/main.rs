//! Whole calls of the plugin against a daemon on a real socket.

mod daemons;
mod fake;
mod recorded;
