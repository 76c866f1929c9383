//! Addresses, ranges and CIDRs as people write them in annotations and specs.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::error::{TextError, cut};
use crate::family::{DualStack, Family, number};
use crate::interval::Interval;

/// Reads `v4`, `v6` or both with a comma, in either order: the form of Kube-OVN's `ip_address` annotation.
pub fn parse_ip_address(text: &str) -> Result<DualStack<IpAddr>, TextError> {
    one_per_family(text, |part| {
        let ip = address(part)?;
        Ok((Family::of(ip), ip))
    })
}

/// Reads a comma list of at most one value for each family; empty parts are skipped.
pub(crate) fn one_per_family<T>(
    text: &str,
    read: impl Fn(&str) -> Result<(Family, T), TextError>,
) -> Result<DualStack<T>, TextError> {
    let mut values = DualStack::default();
    for part in parts(text, ',') {
        let (family, value) = read(part)?;
        if values.set(family, value).is_some() {
            return Err(TextError::TwoOfOneFamily { text: cut(text), family });
        }
    }
    if values.is_empty() { Err(TextError::Empty) } else { Ok(values) }
}

/// The parts between separators, trimmed, without the empty ones.
pub(crate) fn parts(text: &str, separator: char) -> impl Iterator<Item = &str> {
    text.split(separator).map(str::trim).filter(|part| !part.is_empty())
}

pub(crate) fn address(text: &str) -> Result<IpAddr, TextError> {
    text.parse().map_err(|source| TextError::BadAddress { text: cut(text), source })
}

/// A CIDR without its host bits.
pub(crate) fn cidr(text: &str) -> Result<IpNet, TextError> {
    let net: IpNet = text.parse().map_err(|source| TextError::BadCidr { text: cut(text), source })?;
    Ok(net.trunc())
}

pub(crate) fn family_of(net: &IpNet) -> Family {
    Family::of(net.network())
}

/// Every address of `net`, the first and the last included.
pub(crate) fn whole(net: &IpNet) -> Interval {
    let first = number(net.network());
    // `network` clears the host bits that `broadcast` sets, so the fallback is never taken.
    Interval::new(first, number(net.broadcast())).unwrap_or(Interval::single(first))
}

/// Reads `a` or `a..b`, both ends included.
pub(crate) fn range(text: &str) -> Result<(Family, Interval), TextError> {
    let Some((first, last)) = text.split_once("..") else {
        let ip = address(text.trim())?;
        return Ok((Family::of(ip), Interval::of(ip)));
    };
    let (first, last) = (address(first.trim())?, address(last.trim())?);
    if Family::of(first) != Family::of(last) {
        return Err(TextError::MixedFamilies { text: cut(text) });
    }
    let interval = Interval::new(number(first), number(last));
    let interval = interval.ok_or_else(|| TextError::Reversed { text: cut(text) })?;
    Ok((Family::of(first), interval))
}

/// Reads `a`, `a..b` or a CIDR.
pub(crate) fn range_or_cidr(text: &str) -> Result<(Family, Interval), TextError> {
    if !text.contains('/') {
        return range(text);
    }
    let net = cidr(text)?;
    Ok((family_of(&net), whole(&net)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_annotation_gives_one_address_of_each_family_in_either_order() {
        for text in ["10.0.1.5,fd00::5", "fd00::5,10.0.1.5", " 10.0.1.5 , fd00::5 "] {
            let both = parse_ip_address(text).unwrap();
            assert_eq!(both.to_string(), "10.0.1.5,fd00::5", "{text}");
        }
        assert_eq!(parse_ip_address("10.0.1.5").unwrap(), DualStack::of("10.0.1.5".parse().unwrap()));
    }

    #[test]
    fn an_address_annotation_that_is_empty_doubled_or_malformed_is_refused() {
        assert_eq!(parse_ip_address(" , "), Err(TextError::Empty));
        let doubled = parse_ip_address("10.0.1.5,10.0.1.6");
        assert!(matches!(doubled, Err(TextError::TwoOfOneFamily { family: Family::V4, .. })));
        for text in ["10.0.1.5/24", "10.0.1.256", "010.0.1.5", "web", "10.0.1.5 10.0.1.6"] {
            assert!(matches!(parse_ip_address(text), Err(TextError::BadAddress { .. })), "{text}");
        }
    }

    #[test]
    fn a_range_includes_both_ends_and_stays_in_one_family() {
        let (family, interval) = range("10.0.0.1..10.0.0.9").unwrap();
        assert_eq!((family, interval.display(family).to_string()), (Family::V4, "10.0.0.1-10.0.0.9".into()));
        let (family, interval) = range("fd00:: .. fd00::5").unwrap();
        assert_eq!(interval.display(family).to_string(), "fd00::-fd00::5");
        assert!(matches!(range("10.0.0.9..10.0.0.1"), Err(TextError::Reversed { .. })));
        assert!(matches!(range("10.0.0.9..fd00::1"), Err(TextError::MixedFamilies { .. })));
        assert!(matches!(range("10.0.0.9.."), Err(TextError::BadAddress { .. })));
    }

    #[test]
    fn a_cidr_item_means_all_its_addresses() {
        let (family, interval) = range_or_cidr("10.0.0.6/30").unwrap();
        assert_eq!(interval.display(family).to_string(), "10.0.0.4-10.0.0.7");
        assert_eq!(range_or_cidr("::/0").unwrap().1.count(), u128::MAX);
    }
}
