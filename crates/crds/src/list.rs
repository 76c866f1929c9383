//! A list of objects, as `GET` of a collection answers.

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use crate::lenient::null_is_default;
use crate::object::{API_VERSION, Object, Spec};

/// `SubnetList`, `VpcList`, …. Also reads kubectl's `List`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(bound = "S: Spec")]
pub struct List<S: Spec> {
    /// The objects.
    #[serde(default, deserialize_with = "null_is_default")]
    pub items: Vec<Object<S>>,
}

impl<S: Spec> Serialize for List<S> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        let mut list = serializer.serialize_struct("List", 3)?;
        list.serialize_field("apiVersion", API_VERSION)?;
        list.serialize_field("kind", &format!("{}List", S::KIND))?;
        list.serialize_field("items", &self.items)?;
        list.end()
    }
}
