use super::*;
use crate::resources::problem::Severity;

const NET1: &str = "kind: Subnet
apiVersion: kubeovn.io/v1
metadata:
  name: net1
spec:
  vpc: test-vpc-1
  cidrBlock: 10.0.1.0/24
";

fn names(parsed: &Parsed) -> Vec<String> {
    parsed.objects.iter().map(|object| format!("{}/{}@{}", object.kind, object.name, object.at)).collect()
}

fn problems(parsed: &Parsed) -> Vec<String> {
    parsed.problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_file_of_several_documents_gives_each_object_with_its_line() {
    let text = format!(
        "# tenants\n---\n{NET1}---\napiVersion: kubeovn.io/v1\nkind: Vpc\nmetadata:\n  name: test-vpc-1\n"
    );

    let parsed = parse_file("a.yaml", &text);

    assert_eq!(names(&parsed), ["Subnet/net1@a.yaml:3", "Vpc/test-vpc-1@a.yaml:11"]);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    let Resource::Subnet(subnet) = &parsed.objects[0].resource else { panic!("no subnet") };
    assert_eq!(subnet.spec.cidr_block, "10.0.1.0/24");
}

#[test]
fn one_bad_document_hides_no_other_and_is_named_by_its_line_in_the_file() {
    let text = format!("{NET1}---\nkind: Vpc\n bad indent\n: x\n---\n{}", NET1.replace("net1", "net2"));

    let parsed = parse_file("a.yaml", &text);

    assert_eq!(names(&parsed), ["Subnet/net1@a.yaml:1", "Subnet/net2@a.yaml:13"]);
    assert_eq!(parsed.problems.len(), 1);
    assert_eq!(parsed.problems[0].at.file, "a.yaml");
    assert!((9..=11).contains(&parsed.problems[0].at.line), "{}", parsed.problems[0]);
}

#[test]
fn a_value_of_the_wrong_kind_is_named_with_its_line_and_text() {
    let text = format!("---\n{NET1}  mtu: large\n");

    let parsed = parse_file("a.yaml", &text);

    assert!(parsed.objects.is_empty());
    assert_eq!(parsed.problems[0].at, Place::new("a.yaml", 9));
    assert!(parsed.problems[0].what.ends_with("in column 8: mtu: large"), "{}", parsed.problems[0]);
    assert!(!parsed.problems[0].what.contains("at line"), "{}", parsed.problems[0]);
}

#[test]
fn what_the_api_server_would_refuse_is_refused() {
    let refused = |text: &str, part: &str| {
        let parsed = parse_file("a.yaml", text);
        assert!(parsed.objects.is_empty(), "{text}");
        assert!(
            parsed.problems[0].is_broken() && problems(&parsed)[0].contains(part),
            "{:?}",
            parsed.problems
        );
    };

    refused("kind: Vpc\nmetadata: {name: a}\n", "has no apiVersion");
    refused("apiVersion: kubeovn.io/v1\nmetadata: {name: a}\n", "has no kind");
    refused("{kind: Vpc, apiVersion: kubeovn.io/v1, metadata: {}}", "has no metadata.name");
    refused("{kind: Vpc, apiVersion: kubeovn.io/v1, metadata: {name: ../etc}}", "Kubernetes would refuse");
    refused("{kind: Vpc, apiVersion: kubeovn.io/v1, metadata: {name: A}}", "Kubernetes would refuse");
    refused("- a\n- b\n", "a.yaml:1: ");
    refused("just text", "a.yaml:1: ");
}

#[test]
fn objects_of_others_pass_silently() {
    let parsed = parse_file(
        "a.yaml",
        "apiVersion: \"k8s.cni.cncf.io/v1\"
kind: NetworkAttachmentDefinition
metadata:
  name: ovn-vpc-external-network
  namespace: kube-system
spec:
  config: '{
      \"cniVersion\": \"0.3.0\",
      \"type\": \"macvlan\"
    }'
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: vpc-dns-corefile
data:
  enable-vpc-dns: true
  Corefile: |
    .:53 {
        errors
    }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: system:vpc-dns
",
    );

    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    assert!(parsed.objects.iter().all(|object| object.resource == Resource::Foreign));
    assert_eq!(parsed.objects.len(), 3);
}

#[test]
fn kinds_that_nothing_acts_on_are_kept_with_a_note() {
    let text = "{kind: VpcNatGateway, apiVersion: kubeovn.io/v1, metadata: {name: gw1}}
---
{kind: Subnett, apiVersion: kubeovn.io/v1, metadata: {name: a}}
---
{kind: Subnet, apiVersion: kubeovn.io/v2, metadata: {name: b}}
";

    let parsed = parse_file("a.yaml", text);

    assert!(parsed.objects.iter().all(|object| object.resource == Resource::Unserved));
    assert!(parsed.problems.iter().all(|problem| problem.severity == Severity::Ignored));
    assert_eq!(
        problems(&parsed),
        [
            "a.yaml:1: nothing acts on VpcNatGateway \"gw1\" yet; it is kept for when something does",
            "a.yaml:3: there is no kind \"Subnett\" in kubeovn.io/v1 (\"a\"); check the spelling",
            "a.yaml:5: nothing acts on Subnet \"b\" of kubeovn.io/v2; only kubeovn.io/v1 is read",
        ]
    );
}

#[test]
fn fields_that_nothing_acts_on_are_named() {
    let parsed = parse_file(
        "a.yaml",
        &format!("{NET1}  natOutgoingPolicyRules: [{{action: nat}}]\n  cidrBlocks: x\n"),
    );

    assert_eq!(
        problems(&parsed),
        [
            "a.yaml:1: Subnet \"net1\": nothing acts on spec.cidrBlocks, spec.natOutgoingPolicyRules; check the spelling, or leave it out"
        ]
    );
    assert_eq!(parsed.objects.len(), 1);
}

#[test]
fn what_kubectl_and_vpcctl_print_can_be_put_back() {
    let list = "apiVersion: v1
kind: List
items:
- apiVersion: kubeovn.io/v1
  kind: Subnet
  metadata:
    name: net1
  spec:
    cidrBlock: 10.0.1.0/24
- apiVersion: kubeovn.io/v1
  kind: Vpc
  metadata:
    name: v
- apiVersion: kubeovn.io/v1
  kind: Vpc
";

    let parsed = parse_file("a.yaml", list);

    assert_eq!(names(&parsed), ["Subnet/net1@a.yaml:4", "Vpc/v@a.yaml:10"]);
    assert_eq!(problems(&parsed), ["a.yaml:14: has no metadata.name; give the object a name"]);
}

#[test]
fn json_is_read_with_its_tabs() {
    let json = "{\n\t\"kind\": \"Subnet\",\n\t\"apiVersion\": \"kubeovn.io/v1\",\n\t\"metadata\": {\"name\": \"net1\"},\n\t\
                \"spec\": {\n\t\t\"cidrBlock\": \"10.0.1.0/24\"\n\t}\n}\n";

    let parsed = parse_file("a.json", json);

    assert_eq!(names(&parsed), ["Subnet/net1@a.json:1"]);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
}

#[test]
fn editors_files_are_no_resource_files() {
    for good in ["a.yaml", "a.yml", "a.json", "00-net.yaml"] {
        assert!(is_resource_file(good), "{good}");
    }
    for bad in
        [".a.yaml.swp", ".a.yaml", "a.yaml~", "#a.yaml#", ".#a.yaml", "a.yaml.bak", "a.txt", "4913", "yaml"]
    {
        assert!(!is_resource_file(bad), "{bad}");
    }
}

#[test]
fn an_alias_bomb_is_a_problem_and_no_more() {
    let mut text = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for i in 1..12 {
        let previous = i - 1;
        let row = vec![format!("*a{previous}"); 10].join(",");
        text.push_str(&format!("a{i}: &a{i} [{row}]\n"));
    }
    text.push_str("kind: Vpc\n");

    assert!(parse_file("a.yaml", &text).problems[0].is_broken());
}

#[test]
fn a_subnet_that_cannot_be_meant_is_refused_at_the_line_of_its_field() {
    let text = format!("---\n{}", NET1.replace("10.0.1.0/24", "10.0.1.0/33"));

    let parsed = parse_file("a.yaml", &text);

    assert!(parsed.objects.is_empty());
    assert_eq!(parsed.problems[0].at, Place::new("a.yaml", 8));
    assert!(parsed.problems[0].is_broken());
    assert!(parsed.problems[0].what.contains("10.0.1.0/33"), "{}", parsed.problems[0]);
}

#[test]
fn an_exclusion_without_effect_is_noted_and_the_subnet_is_served() {
    let parsed = parse_file("a.yaml", &format!("{NET1}  excludeIps:\n  - 192.168.0.1\n"));

    assert_eq!(parsed.objects.len(), 1);
    assert_eq!(parsed.problems[0].at, Place::new("a.yaml", 8));
    assert!(!parsed.problems[0].is_broken());
}
