//! `Queue`: the most that a pod may receive.

use std::collections::BTreeMap;

use ovsdb::value::Value;

use super::LocalTable;
use crate::cell::{Found, map};

/// The most that a pod may receive. What is too much waits, and only what waits too long is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shaping {
    /// bit/s (`other_config:max-rate`).
    pub rate: u64,
    /// How much may exceed the rate for a moment, in bytes (`other_config:burst`).
    pub burst: u64,
}

impl Shaping {
    /// The columns that are read or written.
    pub const COLUMNS: &'static [&'static str] = &["other_config", "external_ids"];
    /// The table.
    pub const TABLE: LocalTable = LocalTable::Queue;

    /// As upstream reads its annotations: the rate in Mbit/s, the burst in Mbit or 80 % of a second.
    pub fn of_megabits(rate: u32, burst: Option<u32>) -> Self {
        let rate = u64::from(rate) * 1_000_000;
        Self { rate, burst: burst.map_or(rate / 10, |burst| u64::from(burst) * 125_000) }
    }

    /// `other_config` of the queue.
    pub(super) fn other_config(self) -> Value {
        let entries = [("max-rate", self.rate), ("burst", self.burst)];
        map(&entries
            .map(|(key, value)| (key.to_owned(), value.to_string()))
            .into_iter()
            .collect::<BTreeMap<_, _>>())
    }

    /// Reads a row; `None` when it limits nothing, or in another way.
    pub fn read(row: Found<'_>) -> Option<Self> {
        let number = |key| row.entry("other_config", key)?.parse().ok();
        Some(Self { rate: number("max-rate")?, burst: number("burst")? })
    }
}
