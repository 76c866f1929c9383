//! containerd 1.6 or 1.7 by hand on a lab's node: private root, state and socket, one runtime handler per network.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::cri::{Cri, Pod, Refused, Sandbox};
use super::image;
use crate::command;
use crate::lab::Lab;
use crate::service::Service;
use crate::wait;

/// How long a start may take on a busy machine. Nothing asserts on it.
const START: Duration = Duration::from_secs(60);

/// A running containerd; its sandboxes and it end with the value.
#[derive(Debug)]
pub struct Containerd<'a> {
    lab: &'a Lab,
    cri: Cri,
    service: Service,
    /// Namespaces of sandboxes, to be removed if the runtime could not.
    netns: Mutex<BTreeSet<PathBuf>>,
}

impl<'a> Containerd<'a> {
    /// Starts containerd with networks given as (runtime handler, network configuration list).
    ///
    /// The first network is the default one, too.
    ///
    /// # Panics
    /// When it does not become ready for pods.
    #[track_caller]
    pub fn start(lab: &'a Lab, networks: &[(&str, Value)]) -> Self {
        let folder = lab.folder("ctd");
        for (handler, conflist) in networks {
            write_network(&folder, handler, conflist);
        }
        let config = folder.join("config.toml");
        let handlers: Vec<_> = networks.iter().map(|(handler, _)| *handler).collect();
        write(&config, &configuration(&folder, &lab.plugins(), &handlers));
        let mut command = lab.node.command("containerd");
        command.arg("--config").arg(&config);
        let mut service = Service::start("containerd", command, &lab.dir().join("containerd.log"));
        let cri = Cri::new(&folder.join("c.sock"), &folder, &format!("/{}", lab.tag()));
        service.wait_until(START, || cri.list().ok());
        let containerd = Self { lab, cri, service, netns: Mutex::default() };
        containerd.import_pause(&folder);
        wait::until("containerd's network", START, || {
            containerd.cri.unready().ok()?.is_empty().then_some(())
        });
        containerd
    }

    /// The client, for calls that [`Containerd`] has no word for.
    pub fn cri(&self) -> &Cri {
        &self.cri
    }

    /// The process.
    pub fn service(&mut self) -> &mut Service {
        &mut self.service
    }

    /// Starts a sandbox.
    ///
    /// # Errors
    /// The runtime's refusal, with the plugin's words in it.
    pub fn run(&self, pod: &Pod) -> Result<Sandbox, Refused> {
        let sandbox = self.cri.run(pod)?;
        if let Some(path) = sandbox.netns() {
            self.netns.lock().unwrap_or_else(PoisonError::into_inner).insert(PathBuf::from(path));
        }
        Ok(sandbox)
    }

    /// Stops and removes a sandbox.
    ///
    /// # Errors
    /// The runtime's refusal.
    pub fn remove(&self, id: &str) -> Result<(), Refused> {
        self.cri.stop(id)?;
        self.cri.remove(id)
    }

    #[track_caller]
    fn import_pause(&self, folder: &Path) {
        let archive = folder.join("pause.tar");
        image::write_archive(&archive, image::PAUSE, &image::compile_pause(folder));
        let socket = folder.join("c.sock");
        let line = format!("ctr -a {} -n k8s.io images import {}", socket.display(), archive.display());
        command::run(command::words(&line), b"").expect_success();
    }
}

impl Drop for Containerd<'_> {
    fn drop(&mut self) {
        for id in self.cri.list().unwrap_or_default() {
            drop(self.remove(&id));
        }
        let left = std::mem::take(&mut *self.netns.lock().unwrap_or_else(PoisonError::into_inner));
        for path in left.iter().filter(|p| p.exists()) {
            command::run(command::words(&format!("umount -l {}", path.display())), b"");
            drop(fs::remove_file(path));
        }
        // The service and, with the node, shims that outlive it are ended after this.
        remove_cgroups(self.lab.tag());
    }
}

/// Removes what the sandboxes' parent group left in every hierarchy; it is empty by now.
fn remove_cgroups(name: &str) {
    for hierarchy in fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
        drop(fs::remove_dir(hierarchy.path().join(name)));
    }
    drop(fs::remove_dir(Path::new("/sys/fs/cgroup").join(name)));
}

fn network_folder(folder: &Path, handler: &str) -> PathBuf {
    folder.join(format!("net-{handler}"))
}

#[track_caller]
fn write_network(folder: &Path, handler: &str, conflist: &Value) {
    let network = network_folder(folder, handler);
    fs::create_dir_all(&network).unwrap_or_else(|e| panic!("make {}: {e}", network.display()));
    write(&network.join("10-lab.conflist"), &conflist.to_string());
}

#[track_caller]
fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|e| panic!("write {}: {e}", path.display()));
}

/// containerd's configuration, version 2.
///
/// `restrict_oom_score_adj`: a sandbox asks for a negative score, which root without `CAP_SYS_RESOURCE` may not
/// give, and runc then dies with "can't get final child's PID from pipe: EOF".
fn configuration(folder: &Path, plugins: &Path, handlers: &[&str]) -> String {
    let (folder_text, plugins) = (folder.display(), plugins.display());
    let default = network_folder(folder, handlers.first().copied().unwrap_or("none"));
    let runtimes: String = handlers.iter().map(|handler| runtime(folder, handler)).collect();
    format!(
        r#"version = 2
root = "{folder_text}/root"
state = "{folder_text}/state"
[grpc]
  address = "{folder_text}/c.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{image}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  disable_tcp_service = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{default}"
    max_conf_num = 1
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
{runtimes}"#,
        image = image::PAUSE,
        default = default.display(),
        snapshotter = snapshotter(),
    )
}

fn runtime(folder: &Path, handler: &str) -> String {
    format!(
        r#"    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{handler}]
      runtime_type = "io.containerd.runc.v2"
      cni_conf_dir = "{}"
      cni_max_conf_num = 1
"#,
        network_folder(folder, handler).display()
    )
}

/// overlayfs cannot lie on overlayfs, as where the tests run in a container themselves.
fn snapshotter() -> &'static str {
    let kind = command::run(command::words("stat -f -c %T /tmp"), b"").text();
    if kind.trim() == "overlayfs" { "native" } else { "overlayfs" }
}
