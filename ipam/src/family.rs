//! The two address families and values that exist once for each.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both, in the order they are always written.
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];

    /// The family of `ip`. An IPv4-mapped IPv6 address is IPv6.
    pub fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// The address with the number `n` in this family; a number above IPv4's last address means that one.
    pub fn address(self, n: u128) -> IpAddr {
        match self {
            Self::V4 => Ipv4Addr::from_bits(u32::try_from(n).unwrap_or(u32::MAX)).into(),
            Self::V6 => Ipv6Addr::from_bits(n).into(),
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

/// The number of `ip` inside its family.
pub fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => v4.to_bits().into(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// At most one `T` for each family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DualStack<T> {
    /// The IPv4 one.
    pub v4: Option<T>,
    /// The IPv6 one.
    pub v6: Option<T>,
}

impl<T> Default for DualStack<T> {
    fn default() -> Self {
        Self { v4: None, v6: None }
    }
}

impl<T> DualStack<T> {
    /// Asks `f` for each family.
    pub fn from_fn(mut f: impl FnMut(Family) -> Option<T>) -> Self {
        Self { v4: f(Family::V4), v6: f(Family::V6) }
    }

    /// The one of `family`.
    pub fn get(&self, family: Family) -> Option<&T> {
        self.slot(family).as_ref()
    }

    /// Puts `value` in the place of `family` and returns what was there.
    pub fn set(&mut self, family: Family, value: T) -> Option<T> {
        match family {
            Family::V4 => self.v4.replace(value),
            Family::V6 => self.v6.replace(value),
        }
    }

    /// Those that exist, IPv4 first.
    pub fn iter(&self) -> impl Iterator<Item = (Family, &T)> {
        Family::ALL.into_iter().filter_map(|family| Some((family, self.get(family)?)))
    }

    /// The same families with `f` of each value.
    pub fn map<U>(&self, mut f: impl FnMut(Family, &T) -> U) -> DualStack<U> {
        DualStack::from_fn(|family| self.get(family).map(|value| f(family, value)))
    }

    /// Whether neither family is there.
    pub fn is_empty(&self) -> bool {
        self.v4.is_none() && self.v6.is_none()
    }

    /// Whether both families are there.
    pub fn is_dual(&self) -> bool {
        self.v4.is_some() && self.v6.is_some()
    }

    fn slot(&self, family: Family) -> &Option<T> {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }
}

impl DualStack<IpAddr> {
    /// Only `ip`, in the place of its family.
    pub fn of(ip: IpAddr) -> Self {
        Self::from_fn(|family| (family == Family::of(ip)).then_some(ip))
    }

    /// The addresses, IPv4 first.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.v4.into_iter().chain(self.v6)
    }
}

/// `v4`, `v6` or `v4,v6`, as Kube-OVN's annotations write it.
impl<T: fmt::Display> fmt::Display for DualStack<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, (_, value)) in self.iter().enumerate() {
            if nth > 0 {
                f.write_str(",")?;
            }
            value.fmt(f)?;
        }
        Ok(())
    }
}
