//! Reading as the API server stores: `null` is the same as leaving the field out.

use serde::{Deserialize, Deserializer};

/// Reads `null` as the default of `T`.
pub(crate) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// True for `false`, the value that upstream leaves out of optional switches.
pub(crate) fn is_false(value: &bool) -> bool {
    !value
}

/// True for the default of `T`.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
