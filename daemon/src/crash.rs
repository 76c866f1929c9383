//! Points at which a test makes the process kill itself. Compiled to nothing without the feature `crash-points`.

/// Every point, in the order an ADD and then a DEL pass them.
pub const POINTS: &[&str] = &[
    "add-accepted",
    "ledger-before-write",
    "ledger-after-write",
    "add-claimed",
    "wire-link-made",
    "wire-configured",
    "veth-plugged",
    "add-wired",
    "add-before-answer",
    "del-accepted",
    "veth-unplugged",
    "del-unwired",
    "del-before-answer",
];

/// Dies here, at once and without clean-up, when `KUBE_OVN_CRASH_AT` names this point.
#[cfg(feature = "crash-points")]
pub fn point(name: &str) {
    debug_assert!(POINTS.contains(&name), "{name} is not listed");
    if std::env::var("KUBE_OVN_CRASH_AT").is_ok_and(|at| at == name) {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::Signal::SIGKILL);
    }
}

/// Nothing.
#[cfg(not(feature = "crash-points"))]
#[inline]
pub fn point(_name: &str) {}
