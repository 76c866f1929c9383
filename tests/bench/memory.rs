//! The daemon's memory, idle and with a full node's claims.

use tests::binaries::PLUGIN;
use tests::netns::Netns;

use crate::process::{Call, INTERFACE};
use crate::stage::{self, Stage};

/// Claims of a node with as many pods as Kubernetes wants on one, and some more.
pub(crate) const CLAIMS: usize = 250;

/// Resident memory in MB while [`CLAIMS`] pods hold an address; they are deleted afterwards.
pub(crate) fn with_claims(stage: &Stage) -> f64 {
    let pod = Netns::create(&format!("{}-many", stage.tag));
    let (conf, netns) = (stage::delegated(&stage.socket(), stage::WIDE_PROVIDER), pod.path());
    let plugins = stage.plugins();
    let all = |verb: &str| {
        for n in 0..CLAIMS {
            let pod = format!("many-{n}");
            let call = Call {
                plugins: &plugins,
                conf: &conf,
                program: PLUGIN,
                container: &pod,
                netns: &netns,
                pod: &pod,
                interface: INTERFACE,
            };
            call.timed(verb);
        }
    };
    all("ADD");
    let megabytes = stage.daemon_megabytes();
    all("DEL");
    megabytes
}
