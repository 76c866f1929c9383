//! Facts about a pod, wherever they come from.

pub mod request;

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipam::{DualStack, Mac, Workload};

/// What is known about the pod that an attachment belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodFacts {
    /// All annotations that concern networking.
    pub annotations: BTreeMap<String, String>,
    /// Addresses that the caller of CNI asks for, beside the annotations.
    pub asked_addresses: DualStack<IpAddr>,
    /// The MAC that the caller of CNI asks for.
    pub asked_mac: Option<Mac>,
    /// What kind of workload the pod is part of.
    pub workload: Workload,
}
