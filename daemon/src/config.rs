//! The configuration, checked: nothing after this reads a flag or the environment.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ovsdb::endpoint::Endpoints;
use thiserror::Error;

use crate::args::Args;

/// What the daemon was told to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// Copy the CNI configuration and exit.
    InstallCniConfig(InstallCniConfig),
    /// Serve.
    Serve(Box<Config>),
}

/// Upstream's `--install-cni-config`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallCniConfig {
    /// The file to copy.
    pub source: PathBuf,
    /// The folder to copy it to.
    pub folder: PathBuf,
    /// Its name there.
    pub name: String,
}

/// How to serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The folder with `kubeovn.io/v1` YAML.
    pub standalone: PathBuf,
    /// Where the ledger is kept.
    pub state_dir: PathBuf,
    /// The CNI socket.
    pub socket: PathBuf,
    /// TCP address of health and metrics; `None` for none.
    pub metrics_addr: Option<SocketAddr>,
    /// Serve `/metrics`, not only health.
    pub serves_metrics: bool,
    /// Probe for duplicate addresses.
    pub detects_conflicts: bool,
    /// Time between two looks of the sweeper.
    pub sweep_interval: Duration,
    /// Where the database of the node's Open vSwitch is; `None` for a node without one.
    pub ovs_db: Option<Endpoints>,
    /// Where OVN's northbound database is; `None` when somebody else keeps it.
    pub ovn_nb: Option<Endpoints>,
    /// Where carried probes come from; `None` when probes are not carried.
    pub probes: Option<ProbeAddresses>,
    /// MTU of pods on OVN whose Subnet says nothing; `None` for what fits into the node's tunnels.
    pub mtu: Option<u32>,
    /// This node's name, as upstream finds it: `NODE_NAME`, else the host name in lower case.
    pub node_name: String,
    /// Flags of upstream's that were given and have no effect.
    pub idle_flags: Vec<String>,
}

/// Where carried probes come from, by family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeAddresses {
    /// IPv4.
    pub v4: Ipv4Addr,
    /// IPv6.
    pub v6: Ipv6Addr,
}

/// How to log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// JSON lines instead of text.
    pub is_json: bool,
    /// A `tracing` filter.
    pub filter: String,
}

/// A flag that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The value does not fit the flag.
    #[error("--{flag}={value}: {why}")]
    Bad {
        /// The flag.
        flag: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Neither a folder nor a cluster to take the resources from.
    #[error(
        "no --standalone=DIR was given and this build has no cluster mode yet: put your Subnet YAML into a folder \
         and start with --standalone=FOLDER"
    )]
    NoResources,
}

impl LogConfig {
    /// Checks the logging flags.
    ///
    /// # Errors
    /// [`ConfigError::Bad`].
    pub fn from_args(args: &Args) -> Result<Self, ConfigError> {
        let is_json = match args.text("log-format") {
            "text" => false,
            "json" => true,
            other => return Err(bad("log-format", other, "is neither text nor json")),
        };
        Ok(Self { is_json, filter: args.text("log-level").to_owned() })
    }
}

impl Job {
    /// Checks the flags. `environment` looks up a variable, `host_name` is the kernel's.
    ///
    /// # Errors
    /// [`ConfigError`] for the first flag that cannot be meant.
    pub fn from_args(
        args: &Args,
        environment: impl Fn(&str) -> Option<String>,
        host_name: &str,
    ) -> Result<Self, ConfigError> {
        if boolean(args, "install-cni-config")? {
            return Ok(Self::InstallCniConfig(InstallCniConfig {
                source: absolute(args, "cni-conf-file")?,
                folder: absolute(args, "cni-conf-dir")?,
                name: file_name(args, "cni-conf-name")?,
            }));
        }
        if args.text("standalone").is_empty() {
            return Err(ConfigError::NoResources);
        }
        let node_name = environment("NODE_NAME").filter(|n| !n.is_empty());
        Ok(Self::Serve(Box::new(Config {
            standalone: PathBuf::from(args.text("standalone")),
            state_dir: absolute(args, "state-dir")?,
            socket: socket(args)?,
            metrics_addr: metrics_addr(args)?,
            serves_metrics: boolean(args, "enable-metrics")?,
            detects_conflicts: boolean(args, "enable-arp-detect-ip-conflict")?,
            sweep_interval: seconds(args, "sweep-interval")?,
            probes: probes(args)?,
            mtu: mtu(args)?,
            ovs_db: endpoints(args, "ovs-db")?,
            ovn_nb: endpoints(args, "ovn-nb")?,
            node_name: node_name.unwrap_or_else(|| host_name.to_lowercase()),
            idle_flags: args.idle(),
        })))
    }
}

fn bad(flag: &'static str, value: &str, why: &'static str) -> ConfigError {
    ConfigError::Bad { flag, value: value.to_owned(), why }
}

/// Go's `strconv.ParseBool`.
fn boolean(args: &Args, flag: &'static str) -> Result<bool, ConfigError> {
    match args.text(flag) {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        other => Err(bad(flag, other, "is neither true nor false")),
    }
}

fn absolute(args: &Args, flag: &'static str) -> Result<PathBuf, ConfigError> {
    let path = PathBuf::from(args.text(flag));
    if path.is_absolute() { Ok(path) } else { Err(bad(flag, args.text(flag), "is not an absolute path")) }
}

/// `sockaddr_un.sun_path` holds 107 bytes and a zero.
fn socket(args: &Args) -> Result<PathBuf, ConfigError> {
    if args.text("bind-socket").len() > 107 {
        return Err(bad(
            "bind-socket",
            args.text("bind-socket"),
            "is longer than the 107 bytes of a socket path",
        ));
    }
    absolute(args, "bind-socket")
}

fn file_name(args: &Args, flag: &'static str) -> Result<String, ConfigError> {
    let name = args.text(flag);
    if name.is_empty() || name.contains('/') || name == "." || name == ".." {
        return Err(bad(flag, name, "is not a file name"));
    }
    Ok(name.to_owned())
}

fn metrics_addr(args: &Args) -> Result<Option<SocketAddr>, ConfigError> {
    match args.text("metrics-addr") {
        "" => Ok(None),
        text => text
            .parse()
            .map(Some)
            .map_err(|_| bad("metrics-addr", text, "is not ADDRESS:PORT, e.g. 0.0.0.0:10665 or [::]:10665")),
    }
}

/// Not link-local: guests have a route to 169.254/16 of their own.
fn probes(args: &Args) -> Result<Option<ProbeAddresses>, ConfigError> {
    let (v4, v6) = (args.text("probe-address-v4"), args.text("probe-address-v6"));
    let usable_v4 = |ip: &Ipv4Addr| {
        !(ip.is_link_local()
            || ip.is_loopback()
            || ip.is_multicast()
            || ip.is_unspecified()
            || ip.is_broadcast())
    };
    let usable_v6 = |ip: &Ipv6Addr| {
        !(ip.is_unicast_link_local() || ip.is_loopback() || ip.is_multicast() || ip.is_unspecified())
    };
    let why = "is no unicast address that could be a pod's, but not link-local";
    let addresses = ProbeAddresses {
        v4: v4.parse().ok().filter(usable_v4).ok_or_else(|| bad("probe-address-v4", v4, why))?,
        v6: v6.parse().ok().filter(usable_v6).ok_or_else(|| bad("probe-address-v6", v6, why))?,
    };
    Ok(boolean(args, "enable-tproxy")?.then_some(addresses))
}

fn mtu(args: &Args) -> Result<Option<u32>, ConfigError> {
    match args.text("mtu").parse() {
        Ok(0) => Ok(None),
        Ok(mtu @ 68..=65535) => Ok(Some(mtu)),
        Ok(_) | Err(_) => Err(bad("mtu", args.text("mtu"), "is neither 0 nor a number from 68 to 65535")),
    }
}

fn endpoints(args: &Args, flag: &'static str) -> Result<Option<Endpoints>, ConfigError> {
    match args.text(flag).trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| {
            bad(
                flag,
                text,
                "is not unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT, or several of them separated by commas",
            )
        }),
    }
}

fn seconds(args: &Args, flag: &'static str) -> Result<Duration, ConfigError> {
    let text = args.text(flag);
    match text.trim_end_matches('s').parse::<f64>() {
        Ok(value) if (0.01..=86_400.0).contains(&value) => Ok(Duration::from_secs_f64(value)),
        Ok(_) | Err(_) => Err(bad(flag, text, "is not a number of seconds between 0.01 and 86400")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(flags: &[&str]) -> Result<Job, ConfigError> {
        let args = Args::parse([&["kube-ovn-daemon"], flags].concat()).unwrap();
        Job::from_args(&args, |_| None, "Node-A")
    }

    #[test]
    fn defaults_are_the_documented_ones() {
        let Ok(Job::Serve(config)) = job(&["--standalone=/d"]) else { panic!("serves") };

        assert_eq!(config.socket, PathBuf::from("/run/openvswitch/kube-ovn-daemon.sock"));
        assert_eq!(config.state_dir, PathBuf::from("/var/lib/kube-ovn"));
        assert_eq!(config.metrics_addr, Some("0.0.0.0:10665".parse().unwrap()));
        assert!(config.detects_conflicts);
        assert_eq!(config.node_name, "node-a");
    }

    #[test]
    fn a_bad_value_names_flag_value_and_reason() {
        let text = |flags: &[&str]| job(flags).unwrap_err().to_string();

        assert!(
            text(&["--standalone=/d", "--metrics-addr=x"])
                .starts_with("--metrics-addr=x: is not ADDRESS:PORT")
        );
        assert!(text(&["--standalone=/d", "--state-dir=x"]).contains("absolute"));
        assert!(text(&["--standalone=/d", "--enable-metrics=maybe"]).contains("neither true nor false"));
        assert!(text(&[]).contains("--standalone=FOLDER"));
    }
}
