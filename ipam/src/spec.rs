//! A subnet's addresses as its spec writes them: CIDRs, gateways, excluded ranges.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::error::{SpecError, TextError, cut};
use crate::family::{DualStack, Family, number};
use crate::interval::Interval;
use crate::interval_set::IntervalSet;
use crate::text::{cidr, family_of, one_per_family, parse_ip_address, range, whole};

/// The checked addresses of a Subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubnetSpec {
    name: String,
    families: DualStack<FamilySpec>,
    warnings: Vec<SpecWarning>,
}

/// One family of a subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FamilySpec {
    cidr: IpNet,
    gateway: IpAddr,
    usable: Interval,
    excluded: IntervalSet,
}

/// Something in a spec that has no effect or an odd one; the subnet is served all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpecWarning {
    /// An `excludeIps` entry has no address of the subnet.
    ExcludeOutside {
        /// The entry as written, cut to 80 characters.
        entry: String,
    },
    /// An `excludeIps` entry is a CIDR, which Kube-OVN does not read there: it excludes nothing.
    ExcludeIsCidr {
        /// The entry as written, cut to 80 characters.
        entry: String,
    },
    /// Gateway and `excludeIps` leave no address for dynamic claims.
    NothingDynamic {
        /// The family.
        family: Family,
    },
}

impl fmt::Display for SpecWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExcludeOutside { entry } => write!(f, "excludeIps entry {entry:?} is outside the subnet"),
            Self::ExcludeIsCidr { entry } => {
                write!(f, "excludeIps entry {entry:?} is a CIDR and excludes nothing; write first..last")
            }
            Self::NothingDynamic { family } => {
                write!(f, "gateway and excludeIps leave no {family} address for pods")
            }
        }
    }
}

impl SubnetSpec {
    /// Reads the fields of a Subnet's spec.
    ///
    /// `cidr_block` is `v4`, `v6` or `v4,v6`; host bits are dropped. `gateway` has the same form; a missing
    /// one is the first usable address. Entries of `exclude_ips` are `a` or `a..b`, of either family.
    pub fn parse(
        name: &str,
        cidr_block: &str,
        gateway: &str,
        exclude_ips: &[String],
    ) -> Result<Self, SpecError> {
        let cidrs = one_per_family(cidr_block, |part| cidr(part).map(|net| (family_of(&net), net)));
        let cidrs = cidrs.map_err(|source| SpecError::Cidr { subnet: name.into(), source })?;
        let gateways = gateways(name, gateway, &cidrs)?;
        let mut spec = Self { name: name.into(), families: DualStack::default(), warnings: Vec::new() };
        for (family, &cidr) in cidrs.iter() {
            spec.families.set(family, FamilySpec::new(cidr, gateways.get(family).copied()));
        }
        for entry in exclude_ips.iter().map(|entry| entry.trim()).filter(|entry| !entry.is_empty()) {
            spec.exclude(entry)?;
        }
        spec.warn_of_nothing_dynamic();
        Ok(spec)
    }

    /// The subnet's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The families it serves.
    pub fn families(&self) -> &DualStack<FamilySpec> {
        &self.families
    }

    /// One of the families.
    pub fn family(&self, family: Family) -> Option<&FamilySpec> {
        self.families.get(family)
    }

    /// The CIDRs, without host bits.
    pub fn cidrs(&self) -> DualStack<IpNet> {
        self.families.map(|_, spec| spec.cidr)
    }

    /// The gateways, written or by default.
    pub fn gateways(&self) -> DualStack<IpAddr> {
        self.families.map(|_, spec| spec.gateway)
    }

    /// Whether `ip` lies in one of the CIDRs.
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.family(Family::of(ip)).is_some_and(|spec| spec.cidr.contains(&ip))
    }

    /// What in it deserves a look.
    pub fn warnings(&self) -> &[SpecWarning] {
        &self.warnings
    }

    fn exclude(&mut self, entry: &str) -> Result<(), SpecError> {
        if cidr(entry).is_ok() {
            self.warnings.push(SpecWarning::ExcludeIsCidr { entry: cut(entry) });
            return Ok(());
        }
        let bad = |source| SpecError::Exclude { subnet: self.name.clone(), entry: cut(entry), source };
        let (family, interval) = range(entry).map_err(bad)?;
        let served = match family {
            Family::V4 => self.families.v4.as_mut(),
            Family::V6 => self.families.v6.as_mut(),
        };
        if !served.is_some_and(|spec| spec.exclude(interval)) {
            self.warnings.push(SpecWarning::ExcludeOutside { entry: cut(entry) });
        }
        Ok(())
    }

    fn warn_of_nothing_dynamic(&mut self) {
        let empty = self.families.iter().filter(|(_, spec)| spec.excluded.count() == spec.usable.count());
        let warnings = empty.map(|(family, _)| SpecWarning::NothingDynamic { family });
        self.warnings.extend(warnings.collect::<Vec<_>>());
    }
}

impl FamilySpec {
    fn new(cidr: IpNet, gateway: Option<IpAddr>) -> Self {
        let usable = usable(&cidr);
        let gateway = gateway.unwrap_or_else(|| family_of(&cidr).address(usable.first()));
        let excluded = Interval::of(gateway).intersection(usable).into_iter().collect();
        Self { cidr, gateway, usable, excluded }
    }

    /// The CIDR, without host bits.
    pub fn cidr(&self) -> IpNet {
        self.cidr
    }

    /// The gateway; never given to anybody.
    pub fn gateway(&self) -> IpAddr {
        self.gateway
    }

    /// The addresses a pod can have: all but the first and the last of the CIDR, or all when there are two
    /// at most.
    pub fn usable(&self) -> Interval {
        self.usable
    }

    /// Every address of the CIDR.
    pub fn whole(&self) -> Interval {
        whole(&self.cidr)
    }

    /// What of the usable addresses is not for dynamic claims: `excludeIps` and the gateway.
    pub fn excluded(&self) -> &IntervalSet {
        &self.excluded
    }

    /// Says whether any of `interval` is in the CIDR.
    fn exclude(&mut self, interval: Interval) -> bool {
        self.excluded.extend(interval.intersection(self.usable));
        interval.intersection(whole(&self.cidr)).is_some()
    }
}

fn usable(cidr: &IpNet) -> Interval {
    let all = whole(cidr);
    if all.last() - all.first() < 2 {
        return all;
    }
    Interval::new(all.first() + 1, all.last() - 1).unwrap_or(all)
}

fn gateways(name: &str, text: &str, cidrs: &DualStack<IpNet>) -> Result<DualStack<IpAddr>, SpecError> {
    let gateways = match parse_ip_address(text) {
        Err(TextError::Empty) => DualStack::default(),
        read => read.map_err(|source| SpecError::Gateway { subnet: name.into(), source })?,
    };
    for (family, &gateway) in gateways.iter() {
        let inside = cidrs.get(family).is_some_and(|cidr| whole(cidr).contains(number(gateway)));
        if !inside {
            return Err(SpecError::GatewayOutside { subnet: name.into(), gateway, cidr: cidrs.to_string() });
        }
    }
    Ok(gateways)
}

#[cfg(test)]
mod tests;
