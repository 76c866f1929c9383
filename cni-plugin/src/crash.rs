//! Places where a test can have the plugin die, to prove that dying there loses nothing.

/// Every place, in the order a call passes them.
pub const POINTS: [&str; 4] =
    ["plugin-before-connect", "plugin-after-send", "plugin-pending-written", "plugin-before-print"];

/// The variable that names the place to die at.
pub const VARIABLE: &str = "KUBE_OVN_CRASH_AT";

/// Dies here, without unwinding or flushing, when the feature `crash-points` is on and [`VARIABLE`] is `name`.
pub fn point(name: &'static str) {
    debug_assert!(POINTS.contains(&name), "{name} is not in POINTS");
    #[cfg(feature = "crash-points")]
    if std::env::var_os(VARIABLE).is_some_and(|wanted| wanted == name) {
        std::process::abort();
    }
}
