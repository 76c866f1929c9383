//! Counts of addresses, which may exceed 64 bits.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number of addresses.
///
/// Written as a JSON number up to `u64::MAX` and as a quoted decimal number above. Read from both; an unquoted number
/// above `u64::MAX` (as upstream writes it) arrives through a 64-bit float and is exact to 53 bits only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Counter(pub u128);

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<u128> for Counter {
    fn from(count: u128) -> Self {
        Self(count)
    }
}

impl Serialize for Counter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match u64::try_from(self.0) {
            Ok(small) => serializer.serialize_u64(small),
            Err(_) => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Counter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CounterVisitor)
    }
}

struct CounterVisitor;

impl Visitor<'_> for CounterVisitor {
    type Value = Counter;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 0 on, or one in quotes")
    }

    fn visit_u64<E: de::Error>(self, count: u64) -> Result<Counter, E> {
        Ok(Counter(u128::from(count)))
    }

    fn visit_u128<E: de::Error>(self, count: u128) -> Result<Counter, E> {
        Ok(Counter(count))
    }

    fn visit_i64<E: de::Error>(self, count: i64) -> Result<Counter, E> {
        let count =
            u128::try_from(count).map_err(|_| E::invalid_value(de::Unexpected::Signed(count), &self))?;
        Ok(Counter(count))
    }

    fn visit_i128<E: de::Error>(self, count: i128) -> Result<Counter, E> {
        let count = u128::try_from(count)
            .map_err(|_| E::invalid_value(de::Unexpected::Other("negative number"), &self))?;
        Ok(Counter(count))
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn visit_f64<E: de::Error>(self, count: f64) -> Result<Counter, E> {
        if count.is_finite() && count >= 0.0 && count.fract() == 0.0 {
            // A float-to-integer cast saturates, so a number beyond 128 bits becomes the largest count.
            return Ok(Counter(count as u128));
        }
        Err(E::invalid_value(de::Unexpected::Float(count), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Counter, E> {
        let count = text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))?;
        Ok(Counter(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<u128> {
        serde_json::from_str::<Counter>(json).ok().map(|c| c.0)
    }

    #[test]
    fn numbers_are_read_bare_and_quoted() {
        assert_eq!(read("65532"), Some(65532));
        assert_eq!(read("\"65532\""), Some(65532));
        assert_eq!(read("\"340282366920938463463374607431768211455\""), Some(u128::MAX));
        assert_eq!(read("36893488147419103232"), Some(1 << 65));
    }

    #[test]
    fn what_is_no_count_is_refused() {
        for bad in ["-1", "1.5", "\"x\"", "\"\"", "true", "[]"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_count_beyond_64_bits_is_written_in_quotes() {
        let write = |count: u128| serde_json::to_string(&Counter(count)).unwrap();

        assert_eq!(write(u128::from(u64::MAX)), "18446744073709551615");
        assert_eq!(write(1 << 64), "\"18446744073709551616\"");
    }
}
