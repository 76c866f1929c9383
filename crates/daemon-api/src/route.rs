//! Where the daemon listens and what it answers: socket, paths, the header, the folder for pending DELs.

use std::path::{Path, PathBuf};

/// The socket of a daemon that was given no `--bind-socket`, and of a DEL that has lost its configuration.
pub const DEFAULT_SOCKET: &str = "/run/openvswitch/kube-ovn-daemon.sock";

/// `POST`: wire a pod interface or reserve its addresses (upstream's route).
pub const ADD: &str = "/api/v1/add";
/// `POST`: undo an ADD (upstream's route).
pub const DEL: &str = "/api/v1/del";
/// `POST`: compare an attachment with what is really there.
pub const CHECK: &str = "/api/v1/check";
/// `POST`: would an ADD work now?
pub const STATUS: &str = "/api/v1/status";
/// `POST`: release the attachments of one network that are not in the list.
pub const GC: &str = "/api/v1/gc";
/// `GET` + `/{kind}`: the objects of a kind with their status, as a Kubernetes list.
pub const OBJECTS: &str = "/api/v1/objects/";
/// `GET` + `/{namespace}/{name}`: the chain of facts behind a pod's attachments.
pub const EXPLAIN_POD: &str = "/api/v1/explain/pod/";
/// `GET` + `/{namespace}/{name}`, and `/{port}` for one port only: probes as the kubelet would make them.
pub const PROBE: &str = "/api/v1/probe/";
/// `GET` + `/{vpc}`: the effective routes of a VPC.
pub const ROUTES: &str = "/api/v1/routes/";
/// `GET`: the ledger compared with the sandboxes and the kernel.
pub const AUDIT: &str = "/api/v1/audit";

/// The header that carries a [`crate::CallContext`] as one line of ASCII JSON.
pub const CALL_HEADER: &str = "kube-ovn-call";

/// Most bytes of a request body the daemon reads. A CNI request is below 1 KiB.
pub const MAX_BODY_BYTES: usize = 1 << 20;
/// Most bytes of the call header. Kubernetes limits all annotations of an object to 256 KiB.
pub const MAX_CALL_BYTES: usize = 384 << 10;

/// The folder beside `socket` where the plugin leaves the DELs that the daemon could not take.
///
/// It is derived from the socket because the socket is the only path both sides are certain to share. It may live
/// on a tmpfs: after a reboot every sandbox is gone and the daemon's sweep finds what the folder would have said.
pub fn pending_dir(socket: &Path) -> PathBuf {
    let mut name = socket.as_os_str().to_owned();
    name.push(".pending");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pending_folder_stands_beside_the_socket() {
        assert_eq!(pending_dir(Path::new("/run/x/d.sock")), PathBuf::from("/run/x/d.sock.pending"));
    }
}
