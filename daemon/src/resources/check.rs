//! Whether a subnet can be meant.

use crds::Subnet;
use ipam::{SpecError, SpecWarning, SubnetSpec};

use crate::causes::chain;

/// A field that cannot be meant as it stands, or that is odd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The field of the spec.
    pub field: &'static str,
    /// What is wrong with it.
    pub what: String,
    /// What to write instead; may be empty.
    pub hint: &'static str,
}

/// The addresses of a Subnet, as its spec writes them.
///
/// # Errors
/// The first field that cannot be meant.
pub fn addresses(subnet: &Subnet) -> Result<SubnetSpec, SpecError> {
    let spec = &subnet.spec;
    SubnetSpec::parse(subnet.name(), &spec.cidr_block, &spec.gateway, &spec.exclude_ips)
}

/// Checks addresses, gateway and exclusions. The values are what is odd but harmless.
///
/// # Errors
/// The first field that cannot be meant.
pub fn subnet(subnet: &Subnet) -> Result<Vec<Remark>, Remark> {
    match addresses(subnet) {
        Ok(checked) => Ok(checked.warnings().iter().map(|warning| oddity(subnet.name(), warning)).collect()),
        Err(error) => Err(refusal(&error)),
    }
}

fn refusal(error: &SpecError) -> Remark {
    let (field, hint) = match error {
        SpecError::Cidr { .. } => {
            ("cidrBlock", "write a CIDR such as 10.0.1.0/24, or an IPv4 and an IPv6 one")
        }
        SpecError::Gateway { .. } => ("gateway", "write an address of the subnet, or leave it out"),
        SpecError::GatewayOutside { .. } => ("gateway", "write an address of the subnet, or leave it out"),
        SpecError::Exclude { .. } => ("excludeIps", "write an address or a range a..b"),
    };
    Remark { field, what: chain(error), hint }
}

fn oddity(subnet: &str, warning: &SpecWarning) -> Remark {
    Remark { field: "excludeIps", what: format!("subnet {subnet}: {warning}"), hint: "" }
}

#[cfg(test)]
mod tests {
    use crds::SubnetSpec as Wanted;

    use super::*;

    fn checked(cidr: &str, gateway: &str, exclude: &str) -> Result<usize, (&'static str, String)> {
        let spec = Wanted {
            cidr_block: cidr.into(),
            gateway: gateway.into(),
            exclude_ips: vec![exclude.into()],
            ..Wanted::default()
        };
        subnet(&Subnet::new("net1", spec)).map(|odd| odd.len()).map_err(|remark| (remark.field, remark.what))
    }

    #[test]
    fn a_refusal_names_the_field_and_the_whole_cause() {
        let field = |cidr, gateway, exclude| checked(cidr, gateway, exclude).unwrap_err().0;

        assert_eq!(field("10.0.1.0/33", "", ""), "cidrBlock");
        assert_eq!(field("", "", ""), "cidrBlock");
        assert_eq!(field("10.0.1.0/24", "10.0.1", ""), "gateway");
        assert_eq!(field("10.0.1.0/24", "10.0.2.1", ""), "gateway");
        assert_eq!(field("10.0.1.0/24", "", "10.0.1.9..10.0.1.3"), "excludeIps");
        let (_, what) = checked("nonsense", "", "").unwrap_err();
        assert!(what.contains("net1") && what.contains("\"nonsense\""), "{what}");
    }

    #[test]
    fn what_is_odd_but_harmless_is_no_refusal() {
        assert_eq!(checked("10.0.1.0/24", "", ""), Ok(0));
        assert_eq!(checked("10.0.1.0/24,fd00::/64", "10.0.1.1", "fd00::2..fd00::9"), Ok(0));
        assert_eq!(checked("10.0.1.0/24", "", "192.168.0.1"), Ok(1));
    }
}
