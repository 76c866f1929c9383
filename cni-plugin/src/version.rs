//! The versions of the CNI specification that the plugin speaks.

use thiserror::Error;

/// A released version of the CNI specification; later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpecVersion {
    /// `ip4` and `ip6` in the result.
    V0_1_0,
    /// As 0.1.0.
    V0_2_0,
    /// `interfaces`, and `ips` with a `version` each.
    V0_3_0,
    /// As 0.3.0; the version of Kube-OVN's own conflist.
    V0_3_1,
    /// CHECK.
    V0_4_0,
    /// `ips` without `version`.
    V1_0_0,
    /// GC, STATUS, `mtu` of an interface.
    V1_1_0,
}

impl SpecVersion {
    /// Every version, oldest first.
    pub const ALL: [Self; 7] =
        [Self::V0_1_0, Self::V0_2_0, Self::V0_3_0, Self::V0_3_1, Self::V0_4_0, Self::V1_0_0, Self::V1_1_0];
    /// The newest.
    pub const NEWEST: Self = Self::V1_1_0;

    /// The version's text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V0_1_0 => "0.1.0",
            Self::V0_2_0 => "0.2.0",
            Self::V0_3_0 => "0.3.0",
            Self::V0_3_1 => "0.3.1",
            Self::V0_4_0 => "0.4.0",
            Self::V1_0_0 => "1.0.0",
            Self::V1_1_0 => "1.1.0",
        }
    }

    /// Reads a configuration's `cniVersion`; an empty one means 0.1.0 (CNI specification 0.2.0, "Network Configuration").
    ///
    /// # Errors
    /// [`Unsupported`] for every other text.
    pub fn parse(text: &str) -> Result<Self, Unsupported> {
        if text.is_empty() {
            return Ok(Self::V0_1_0);
        }
        Self::ALL
            .into_iter()
            .find(|v| v.as_str() == text)
            .ok_or_else(|| Unsupported { given: text.to_owned() })
    }

    /// Chooses from a configuration's `cniVersions`, for a caller that has not chosen itself: the newest we speak.
    ///
    /// # Errors
    /// [`Unsupported`] when we speak none of them.
    pub fn newest_of(offered: &[String]) -> Result<Self, Unsupported> {
        Self::ALL
            .into_iter()
            .rev()
            .find(|v| offered.iter().any(|o| o == v.as_str()))
            .ok_or_else(|| Unsupported { given: offered.join(", ") })
    }
}

/// A `cniVersion` that is not in [`SpecVersion::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("config is {given:?}, plugin supports [{}]", supported())]
pub struct Unsupported {
    /// What the configuration says.
    pub given: String,
}

fn supported() -> String {
    SpecVersion::ALL.map(|v| format!("{:?}", v.as_str())).join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_reads_back_and_empty_is_the_first() {
        for version in SpecVersion::ALL {
            assert_eq!(SpecVersion::parse(version.as_str()), Ok(version));
        }
        assert_eq!(SpecVersion::parse(""), Ok(SpecVersion::V0_1_0));
    }

    #[test]
    fn an_unsupported_version_lists_the_supported_ones() {
        let text = SpecVersion::parse("9.9.9").unwrap_err().to_string();

        assert_eq!(
            text,
            r#"config is "9.9.9", plugin supports ["0.1.0" "0.2.0" "0.3.0" "0.3.1" "0.4.0" "1.0.0" "1.1.0"]"#
        );
    }

    #[test]
    fn the_newest_common_version_is_chosen() {
        let offered =
            |list: &[&str]| SpecVersion::newest_of(&list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());

        assert_eq!(offered(&["0.3.1", "1.0.0", "2.0.0"]), Ok(SpecVersion::V1_0_0));
        assert!(offered(&["2.0.0"]).is_err());
    }
}
