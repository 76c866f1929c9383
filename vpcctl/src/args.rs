//! The command line.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Arg, ArgMatches, Command, ValueEnum, value_parser};
use clap_complete::Shell;
use crds::{IpSpec, Spec, SubnetSpec, VpcSpec};
use daemon_api::PodRef;
use daemon_api::route::DEFAULT_SOCKET;

/// The environment variable that names the socket.
pub(crate) const SOCKET_VARIABLE: &str = "KUBE_OVN_SOCKET";

/// The kinds that can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Subnet,
    Ip,
    Vpc,
}

impl ValueEnum for Kind {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Subnet, Self::Ip, Self::Vpc]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        fn named<S: Spec>() -> PossibleValue {
            PossibleValue::new(S::SINGULAR).alias(S::PLURAL).aliases(S::SHORT_NAMES)
        }
        Some(match self {
            Self::Subnet => named::<SubnetSpec>(),
            Self::Ip => named::<IpSpec>(),
            Self::Vpc => named::<VpcSpec>(),
        })
    }
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Table,
    Wide,
    Json,
    Yaml,
}

impl ValueEnum for Output {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Table, Self::Wide, Self::Json, Self::Yaml]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::Table => "table",
            Self::Wide => "wide",
            Self::Json => "json",
            Self::Yaml => "yaml",
        }))
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    Get { kind: Kind, names: Vec<String>, output: Output },
    ExplainPod { pod: PodRef, as_json: bool },
    Routes { vpc: String, output: Output },
    ProbeTest { pod: PodRef, port: Option<u16>, as_json: bool },
    IpamCheck { as_json: bool },
    IpamWhois { address: IpAddr },
    Completion { shell: Shell },
}

/// A command line that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The daemon's socket.
    pub(crate) socket: PathBuf,
    /// What is asked for.
    pub(crate) order: Order,
}

/// The grammar.
pub(crate) fn command() -> Command {
    Command::new("vpcctl")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Show, explain and check the VPC networking of this node")
        .after_help("Exit codes: 0 all is well, 1 something was found or is not there, 2 the daemon could not be asked, 64 usage.")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(
            Arg::new("socket")
                .long("socket")
                .global(true)
                .value_name("PATH")
                .value_parser(value_parser!(PathBuf))
                .help(format!("The daemon's socket [env: {SOCKET_VARIABLE}] [default: {DEFAULT_SOCKET}]")),
        )
        .subcommand(get())
        .subcommand(explain())
        .subcommand(routes())
        .subcommand(probe())
        .subcommand(ipam())
        .subcommand(
            Command::new("completion").about("Print a shell's completion script").arg(
                Arg::new("shell")
                    .required(true)
                    .value_parser(["bash", "zsh", "fish"])
                    .value_name("SHELL"),
            ),
        )
}

fn get() -> Command {
    Command::new("get")
        .about("Show objects with the columns of kubectl get")
        .arg(
            Arg::new("kind")
                .required(true)
                .value_name("KIND")
                .value_parser(value_parser!(Kind))
                .ignore_case(true),
        )
        .arg(Arg::new("name").num_args(0..).value_name("NAME").help("Only these; all when none is given"))
        .arg(output())
}

fn output() -> Arg {
    Arg::new("output")
        .short('o')
        .long("output")
        .value_name("FORMAT")
        .help("How to print")
        .value_parser(value_parser!(Output))
        .default_value("table")
}

fn routes() -> Command {
    Command::new("routes")
        .about("Show what a VPC's router does with a packet, and where each row comes from")
        .arg(Arg::new("vpc").required(true).value_name("VPC").value_parser(object_name))
        .arg(output())
}

fn explain() -> Command {
    Command::new("explain")
        .about("Show the chain of facts behind an object")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("pod")
                .about("From the request to the kernel, and where the chain breaks")
                .arg(Arg::new("pod").required(true).value_name("NAMESPACE/NAME").value_parser(pod))
                .arg(text_or_json()),
        )
}

fn probe() -> Command {
    let pod = Arg::new("pod").required(true).value_name("NAMESPACE/POD[:PORT]").value_parser(pod_and_port);
    Command::new("probe")
        .about("Ask about the kubelet's probes")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("test")
                .about("Probe a pod as the kubelet would, hop by hop")
                .arg(pod)
                .arg(text_or_json()),
        )
}

fn ipam() -> Command {
    let address =
        Arg::new("address").required(true).value_name("ADDRESS").value_parser(value_parser!(IpAddr));
    Command::new("ipam")
        .about("Ask the ledger of addresses")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("check")
                .about("Compare the ledger with the sandboxes and the kernel")
                .arg(text_or_json()),
        )
        .subcommand(Command::new("whois").about("Who holds an address").arg(address))
}

fn text_or_json() -> Arg {
    Arg::new("output")
        .short('o')
        .long("output")
        .value_name("FORMAT")
        .help("text for people, json for programs")
        .value_parser(["text", "json"])
        .default_value("text")
}

fn object_name(text: &str) -> Result<String, String> {
    let is_of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    let is_name = !text.is_empty() && text.chars().all(is_of_name);
    is_name.then(|| text.to_owned()).ok_or_else(|| "no object can be called so".to_owned())
}

fn pod_and_port(text: &str) -> Result<(PodRef, Option<u16>), String> {
    let Some((named, port)) = text.split_once(':') else { return Ok((pod(text)?, None)) };
    match port.parse() {
        Ok(port) if port > 0 => Ok((pod(named)?, Some(port))),
        Ok(_) | Err(_) => Err(format!("{port:?} is no port from 1 to 65535")),
    }
}

fn pod(text: &str) -> Result<PodRef, String> {
    let (namespace, name) = text.split_once('/').ok_or("write NAMESPACE/NAME, such as default/web")?;
    PodRef::new(namespace, name).map_err(|e| e.to_string())
}

/// Reads a command line. `socket` is what the environment says.
///
/// # Errors
/// What clap has to say: a mistake, or a help text that was asked for.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    socket: Option<OsString>,
) -> Result<Asked, clap::Error> {
    let mut matches = command().try_get_matches_from(arguments)?;
    let socket = matches
        .remove_one::<PathBuf>("socket")
        .or_else(|| socket.map(PathBuf::from))
        .unwrap_or_else(|| DEFAULT_SOCKET.into());
    let order = order(&matches).ok_or_else(|| {
        command().error(clap::error::ErrorKind::InvalidSubcommand, "the command is not complete")
    })?;
    Ok(Asked { socket, order })
}

/// `None` only for combinations that the grammar does not let through.
fn order(matches: &ArgMatches) -> Option<Order> {
    let (command, matches) = matches.subcommand()?;
    match command {
        "get" => Some(Order::Get {
            kind: *matches.get_one("kind")?,
            names: matches.get_many("name").into_iter().flatten().cloned().collect(),
            output: *matches.get_one("output")?,
        }),
        "explain" => {
            let (_, matches) = matches.subcommand()?;
            Some(Order::ExplainPod {
                pod: matches.get_one::<PodRef>("pod")?.clone(),
                as_json: as_json(matches),
            })
        }
        "routes" => Some(Order::Routes {
            vpc: matches.get_one::<String>("vpc")?.clone(),
            output: *matches.get_one("output")?,
        }),
        "probe" => {
            let (_, matches) = matches.subcommand()?;
            let (pod, port) = matches.get_one::<(PodRef, Option<u16>)>("pod")?.clone();
            Some(Order::ProbeTest { pod, port, as_json: as_json(matches) })
        }
        "ipam" => match matches.subcommand()? {
            ("check", matches) => Some(Order::IpamCheck { as_json: as_json(matches) }),
            (_, matches) => Some(Order::IpamWhois { address: *matches.get_one("address")? }),
        },
        _ => {
            let shell: Shell = matches.get_one::<String>("shell")?.parse().ok()?;
            Some(Order::Completion { shell })
        }
    }
}

fn as_json(matches: &ArgMatches) -> bool {
    matches.get_one::<String>("output").is_some_and(|output| output == "json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str, environment: Option<&str>) -> Result<Asked, clap::Error> {
        parse(line.split_whitespace().map(OsString::from), environment.map(OsString::from))
    }

    fn order_of(line: &str) -> Order {
        parsed(line, None).unwrap().order
    }

    #[test]
    fn the_grammar_holds_together() {
        command().debug_assert();
    }

    #[test]
    fn kinds_have_the_names_that_kubectl_knows() {
        for line in ["vpcctl get subnet", "vpcctl get subnets", "vpcctl get Subnet"] {
            let wanted = Order::Get { kind: Kind::Subnet, names: vec![], output: Output::Table };
            assert_eq!(order_of(line), wanted, "{line}");
        }
        assert_eq!(
            order_of("vpcctl get ips a b -o yaml"),
            Order::Get { kind: Kind::Ip, names: vec!["a".into(), "b".into()], output: Output::Yaml }
        );
    }

    #[test]
    fn the_flag_wins_over_the_environment_and_that_over_the_default() {
        let socket = |line, environment| parsed(line, environment).unwrap().socket;

        assert_eq!(socket("vpcctl get vpc --socket /a", Some("/b")), PathBuf::from("/a"));
        assert_eq!(socket("vpcctl --socket /a get vpc", None), PathBuf::from("/a"));
        assert_eq!(socket("vpcctl get vpc", Some("/b")), PathBuf::from("/b"));
        assert_eq!(socket("vpcctl get vpc", None), PathBuf::from(DEFAULT_SOCKET));
    }

    #[test]
    fn a_pod_is_a_namespace_and_a_name() {
        let pod = PodRef::new("ns1", "web-0").unwrap();

        assert_eq!(
            order_of("vpcctl explain pod ns1/web-0 -o json"),
            Order::ExplainPod { pod, as_json: true }
        );
        for bad in ["web-0", "/web", "ns/", "a/b/c", "../x"] {
            assert!(parsed(&format!("vpcctl explain pod {bad}"), None).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_probe_is_of_a_pod_and_perhaps_of_one_port() {
        let test = |port| Order::ProbeTest { pod: PodRef::new("ns1", "web").unwrap(), port, as_json: false };

        assert_eq!(order_of("vpcctl probe test ns1/web"), test(None));
        assert_eq!(order_of("vpcctl probe test ns1/web:8080"), test(Some(8080)));
        for bad in ["web", "ns1/web:", "ns1/web:0", "ns1/web:http", "ns1/web:1:2"] {
            assert!(parsed(&format!("vpcctl probe test {bad}"), None).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_name_of_a_vpc_is_checked_before_anybody_is_asked() {
        assert!(parsed("vpcctl routes a/b", None).is_err() && parsed("vpcctl routes", None).is_err());
        let wanted = Order::Routes { vpc: "test-vpc-1".into(), output: Output::Wide };
        assert_eq!(order_of("vpcctl routes test-vpc-1 -o wide"), wanted);
    }

    #[test]
    fn an_address_is_checked_before_anybody_is_asked() {
        assert!(parsed("vpcctl ipam whois 10.0.1", None).is_err());
        assert_eq!(
            order_of("vpcctl ipam whois fd00::1"),
            Order::IpamWhois { address: "fd00::1".parse().unwrap() }
        );
    }
}
