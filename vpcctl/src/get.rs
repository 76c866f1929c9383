//! `get`: the objects of a kind, as a table or whole.

use crds::{List, Object, Spec};
use serde_json::{Value, json};

use crate::args::Output;
use crate::error::Failure;
use crate::table;

/// The text for the objects of `list` named in `names`, all when none is named.
///
/// The second value names those that are not there.
pub(crate) fn render<S: Spec>(
    list: &List<S>,
    names: &[String],
    output: Output,
) -> Result<(String, Vec<String>), Failure> {
    let (chosen, missing) = choose(list, names);
    let text = match output {
        Output::Table => rows(&chosen, false),
        Output::Wide => rows(&chosen, true),
        Output::Json | Output::Yaml if chosen.is_empty() && !missing.is_empty() => String::new(),
        Output::Json => json_text(&whole(&chosen, names)),
        Output::Yaml => yaml_text(&whole(&chosen, names))?,
    };
    Ok((text, missing))
}

fn choose<'a, S: Spec>(list: &'a List<S>, names: &[String]) -> (Vec<&'a Object<S>>, Vec<String>) {
    if names.is_empty() {
        return (list.items.iter().collect(), Vec::new());
    }
    let mut missing = Vec::new();
    let mut chosen = Vec::new();
    for name in names {
        match list.items.iter().find(|object| object.name() == name) {
            Some(object) => chosen.push(object),
            None => missing.push(format!("{}.kubeovn.io {name:?}", S::PLURAL)),
        }
    }
    (chosen, missing)
}

fn rows<S: Spec>(objects: &[&Object<S>], wide: bool) -> String {
    if objects.is_empty() {
        return String::new();
    }
    let columns: Vec<_> = S::COLUMNS.iter().filter(|column| wide || !column.wide_only).collect();
    let header: Vec<&str> = columns.iter().map(|column| column.header).collect();
    let rows: Vec<Vec<String>> =
        objects.iter().map(|object| columns.iter().map(|column| (column.read)(object)).collect()).collect();
    table::render(&header, &rows)
}

/// One object when one was named, else a list, as kubectl does.
fn whole<S: Spec>(objects: &[&Object<S>], names: &[String]) -> Value {
    match objects {
        [object] if names.len() == 1 => json!(object),
        _ => json!({"apiVersion": crds::API_VERSION, "kind": format!("{}List", S::KIND), "items": objects}),
    }
}

/// JSON with kubectl's indentation.
pub(crate) fn json_text(value: &impl serde::Serialize) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    match value.serialize(&mut serializer) {
        Ok(()) => String::from_utf8_lossy(&bytes).into_owned() + "\n",
        Err(_) => String::new(),
    }
}

/// The same as YAML.
pub(crate) fn yaml_text(value: &Value) -> Result<String, Failure> {
    serde_saphyr::to_string(value).map_err(|error| Failure::Output { source: std::io::Error::other(error) })
}

#[cfg(test)]
mod tests {
    use crds::{Subnet, SubnetSpec};

    use super::*;

    fn subnets() -> List<SubnetSpec> {
        let subnet = |name: &str, cidr: &str| {
            let spec =
                SubnetSpec { cidr_block: cidr.into(), provider: "ovn".into(), ..SubnetSpec::default() };
            Subnet::new(name, spec)
        };
        let mut net1 = subnet("net1", "10.0.1.0/24");
        net1.spec.vpc = "test-vpc-1".into();
        net1.spec.exclude_ips = vec!["10.0.1.1".into()];
        net1.status.v4_available_ips = crds::Counter(253);
        List { items: vec![net1, subnet("net2", "fd00::/64")] }
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_table_has_the_columns_of_kubectl() {
        let (text, missing) = render(&subnets(), &[], Output::Table).unwrap();

        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(
            lines[0].join(" "),
            "NAME PROVIDER VPC VLAN PROTOCOL CIDR PRIVATE NAT DEFAULT GATEWAYTYPE V4USED V4AVAILABLE V6USED V6AVAILABLE EXCLUDEIPS U2OINTERCONNECTIONIP"
        );
        assert_eq!(
            lines[1].join(" "),
            "net1 ovn test-vpc-1 10.0.1.0/24 false false false 0 253 0 0 [\"10.0.1.1\"]"
        );
        assert_eq!((lines.len(), missing.len()), (3, 0));
    }

    #[test]
    fn one_named_object_is_printed_alone_and_several_as_a_list() {
        let json = |wanted: &[&str]| -> Value {
            let (text, _) = render(&subnets(), &names(wanted), Output::Json).unwrap();
            serde_json::from_str(&text).unwrap()
        };

        assert_eq!(json(&["net2"])["spec"]["cidrBlock"], "fd00::/64");
        assert_eq!(json(&["net2", "net1"])["items"][1]["metadata"]["name"], "net1");
        assert_eq!(json(&[])["kind"], "SubnetList");
    }

    #[test]
    fn what_is_printed_as_yaml_reads_back_the_same() {
        let (text, _) = render(&subnets(), &[], Output::Yaml).unwrap();

        let back: List<SubnetSpec> = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(back, subnets());
    }

    #[test]
    fn what_is_not_there_is_named() {
        let (text, missing) = render(&subnets(), &names(&["net1", "x"]), Output::Table).unwrap();

        assert_eq!(text.lines().count(), 2);
        assert_eq!(missing, ["subnets.kubeovn.io \"x\""]);
        assert_eq!(render(&subnets(), &names(&["x"]), Output::Json).unwrap().0, "");
    }
}
