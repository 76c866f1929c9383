//! The user guide's own YAML, to the letter.

use tests::lab::Lab;

/// "Create custom VPCs": test-vpc-1 and test-vpc-2, net1 and net2, and two pods, which are not ours to read.
const TWO_VPCS: &str = include_str!("guide/two-vpcs.yaml");
/// "Static routes" of test-vpc-1.
pub(crate) const STATIC_ROUTES: &str = include_str!("guide/static-routes.yaml");
/// "Policy routes" of test-vpc-1.
pub(crate) const POLICY_ROUTES: &str = include_str!("guide/policy-routes.yaml");

/// Puts the two VPCs into the folder.
#[track_caller]
pub(crate) fn two_vpcs(lab: &Lab) {
    let (first, others) = TWO_VPCS.split_once("---\n").unwrap();
    test_vpc_1(lab, first);
    lab.write_object("others.yaml", others);
}

/// Puts another test-vpc-1 into the folder, in place of the one that is there.
#[track_caller]
pub(crate) fn test_vpc_1(lab: &Lab, yaml: &str) {
    lab.write_object("vpc-test-vpc-1.yaml", yaml);
}
