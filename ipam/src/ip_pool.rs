//! The `ip_pool` annotation: a list of addresses to choose from, and what a pod may wish out of it.

use std::fmt;

use crate::error::{OrdinalBeyondPool, TextError};
use crate::family::{DualStack, Family};
use crate::interval::Interval;
use crate::request::{Request, Wish};
use crate::spec::SubnetSpec;
use crate::text::{one_per_family, parts, range_or_cidr};

/// One item of a pool: an address, a range or a CIDR of one family, or such a pair of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolItem {
    ranges: DualStack<Interval>,
}

impl PoolItem {
    /// Its addresses of each family.
    pub fn ranges(&self) -> &DualStack<Interval> {
        &self.ranges
    }

    /// How many pods it serves when pods are numbered: a pair of ranges is a list of pairs.
    pub fn count(&self) -> u128 {
        self.ranges.iter().map(|(_, range)| range.count()).min().unwrap_or(0)
    }

    /// The `nth` address, or pair, counted from 0.
    fn nth(&self, nth: u128) -> Self {
        Self { ranges: self.ranges.map(|_, range| Interval::single(range.first().saturating_add(nth))) }
    }
}

/// As it can be parsed again: `a`, `a..b` or a pair with a comma.
impl fmt::Display for PoolItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ranges.map(|family, range| range.display(family).to_string().replace('-', "..")).fmt(f)
    }
}

/// Reads `a;b;c`, where an item may be a pair `v4,v6`, or `a,b,c`, where exactly two items of different
/// families are one pair (Kube-OVN). An item is an address, `a..b` or a CIDR.
pub fn parse_ip_pool(text: &str) -> Result<Vec<PoolItem>, TextError> {
    let items = if text.contains(';') || is_one_pair(text)? {
        parts(text, ';').map(item).collect::<Result<Vec<_>, _>>()?
    } else {
        parts(text, ',').map(item).collect::<Result<Vec<_>, _>>()?
    };
    if items.is_empty() { Err(TextError::Empty) } else { Ok(items) }
}

/// What a pod may wish out of `items`: requests to try in this order with [`crate::Subnet::pick_first`].
///
/// A StatefulSet pod (`ordinal`) gets exactly the item of its number, a range counting as its addresses one
/// by one; other pods get the first free item, a pair only as a pair. A family that the subnet serves and an
/// item does not name is dynamic.
pub fn wishes_from_pool(
    spec: &SubnetSpec,
    items: &[PoolItem],
    ordinal: Option<u32>,
) -> Result<Vec<Request>, OrdinalBeyondPool> {
    let Some(ordinal) = ordinal else {
        return Ok(merge_singles(items).into_iter().map(|ranges| one_of(spec, &ranges)).collect());
    };
    let mut left = u128::from(ordinal);
    for item in items {
        if left < item.count() {
            return Ok(vec![exactly(spec, &item.nth(left))]);
        }
        left -= item.count();
    }
    let all = items.iter().fold(0_u128, |sum, item| sum.saturating_add(item.count()));
    Err(OrdinalBeyondPool { ordinal, items: all })
}

fn is_one_pair(text: &str) -> Result<bool, TextError> {
    let families = parts(text, ',').take(3).map(|part| Ok(range_or_cidr(part)?.0));
    let families = families.collect::<Result<Vec<Family>, TextError>>()?;
    Ok(matches!(families[..], [one, other] if one != other))
}

fn item(text: &str) -> Result<PoolItem, TextError> {
    Ok(PoolItem { ranges: one_per_family(text, range_or_cidr)? })
}

/// Neighbouring items of the same one family become one wish: a long list costs one look-up, not many.
fn merge_singles(items: &[PoolItem]) -> Vec<DualStack<Vec<Interval>>> {
    let mut merged: Vec<DualStack<Vec<Interval>>> = Vec::new();
    for PoolItem { ranges } in items {
        match (merged.last_mut(), ranges) {
            (Some(DualStack { v4: Some(list), v6: None }), DualStack { v4: Some(range), v6: None })
            | (Some(DualStack { v4: None, v6: Some(list) }), DualStack { v4: None, v6: Some(range) }) => {
                list.push(*range);
            }
            _ => merged.push(ranges.map(|_, range| vec![*range])),
        }
    }
    merged
}

fn one_of(spec: &SubnetSpec, ranges: &DualStack<Vec<Interval>>) -> Request {
    let mut request = Request::any_for(spec);
    for (family, list) in ranges.iter() {
        request.set(family, Wish::OneOf(list.clone()));
    }
    request
}

fn exactly(spec: &SubnetSpec, item: &PoolItem) -> Request {
    let mut request = Request::any_for(spec);
    for (family, range) in item.ranges.iter() {
        request.set(family, Wish::Exactly(family.address(range.first())));
    }
    request
}

#[cfg(test)]
mod tests;
