//! Typed reading of a JSON object's keys, with errors that name the key.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use thiserror::Error;

/// A key whose value has another type than the key's meaning asks for.
#[derive(Debug, Error)]
#[error("the value of {key:?} has the wrong type")]
pub struct WrongType {
    /// The key with the objects it lies in, e.g. `ipam.provider`.
    pub key: String,
    /// What was expected.
    pub source: serde_json::Error,
}

/// What to do about a value of the wrong type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// It is an error.
    Strict,
    /// It counts as absent.
    Lenient,
}

/// An object of the network configuration. A key that is absent or `null` reads as its type's default.
#[derive(Debug, Clone, Copy)]
pub struct Keys<'a> {
    object: Option<&'a Map<String, Value>>,
    place: &'static str,
    strictness: Strictness,
}

impl<'a> Keys<'a> {
    /// The outermost object.
    pub fn new(object: &'a Map<String, Value>, strictness: Strictness) -> Self {
        Self { object: Some(object), place: "", strictness }
    }

    /// The same object, read with another strictness.
    pub fn with(self, strictness: Strictness) -> Self {
        Self { strictness, ..self }
    }

    /// True when the key is there with any value but `null`.
    pub fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// [`WrongType`].
    pub fn read<T: DeserializeOwned + Default>(&self, key: &str) -> Result<T, WrongType> {
        match self.value(key).map(T::deserialize) {
            None => Ok(T::default()),
            Some(Ok(value)) => Ok(value),
            Some(Err(_)) if self.strictness == Strictness::Lenient => Ok(T::default()),
            Some(Err(source)) => Err(WrongType { key: format!("{}{key}", self.place), source }),
        }
    }

    /// The object under `key`, whose own keys are named after `place` in errors; an empty one when there is none.
    ///
    /// # Errors
    /// [`WrongType`] when it is not an object.
    pub fn inner(&self, key: &str, place: &'static str) -> Result<Keys<'a>, WrongType> {
        let object = self.value(key).and_then(Value::as_object);
        if object.is_none() {
            self.read::<Map<String, Value>>(key)?;
        }
        Ok(Keys { object, place, strictness: self.strictness })
    }

    fn value(&self, key: &str) -> Option<&'a Value> {
        self.object?.get(key).filter(|value| !value.is_null())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(json: &str) -> Map<String, Value> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn absent_and_null_keys_are_defaults() {
        let map = object(r#"{"a":null}"#);
        let keys = Keys::new(&map, Strictness::Strict);

        assert_eq!(keys.read::<String>("a").unwrap(), "");
        assert_eq!(keys.read::<Option<Vec<String>>>("b").unwrap(), None);
        assert_eq!(keys.inner("a", "a.").unwrap().read::<u32>("x").unwrap(), 0);
    }

    #[test]
    fn a_wrong_type_names_the_key_with_its_place() {
        let map = object(r#"{"ipam":{"provider":5},"x":[]}"#);
        let keys = Keys::new(&map, Strictness::Strict);

        let inner = keys.inner("ipam", "ipam.").unwrap().read::<String>("provider").unwrap_err();
        assert_eq!(inner.to_string(), "the value of \"ipam.provider\" has the wrong type");
        assert_eq!(keys.inner("x", "x.").unwrap_err().key, "x");
    }

    #[test]
    fn a_lenient_reader_takes_wrong_types_for_absent() {
        let map = object(r#"{"ipam":[],"provider":{}}"#);
        let keys = Keys::new(&map, Strictness::Lenient);

        assert_eq!(keys.read::<String>("provider").unwrap(), "");
        assert_eq!(keys.inner("ipam", "ipam.").unwrap().read::<String>("type").unwrap(), "");
    }
}
