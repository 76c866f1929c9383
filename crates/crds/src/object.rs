//! What every `kubeovn.io/v1` object shares: its frame, its metadata, and the fields nobody here reads.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::column::Column;
use crate::lenient::{is_default, null_is_default};

/// Group and version of every object of this crate.
pub const API_VERSION: &str = "kubeovn.io/v1";

/// Fields that nobody here reads, by their JSON name.
pub type Other = BTreeMap<String, Value>;

/// The spec of a kind, which also tells how the kind is called.
pub trait Spec: Debug + Clone + Default + PartialEq + Serialize + DeserializeOwned + 'static {
    /// What stands in `kind`.
    const KIND: &'static str;
    /// The plural, as in `kubectl get subnets`.
    const PLURAL: &'static str;
    /// The singular, as in `kubectl get subnet`.
    const SINGULAR: &'static str;
    /// Other names that kubectl accepts.
    const SHORT_NAMES: &'static [&'static str];
    /// The columns that `kubectl get` prints, in its order.
    const COLUMNS: &'static [Column<Self>];
    /// What is observed of the object.
    type Status: Debug + Clone + Default + PartialEq + Serialize + DeserializeOwned;

    /// Fields of the spec that nobody here reads.
    fn other(&self) -> &Other;
}

/// One object of a kind. All kinds of this crate are cluster-scoped.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(from = "Frame<S>", bound = "S: Spec")]
pub struct Object<S: Spec> {
    /// Name, labels, annotations and so on.
    pub meta: Meta,
    /// What is wanted.
    pub spec: S,
    /// What is observed.
    pub status: S::Status,
    /// Fields beside `metadata`, `spec` and `status`: normally a slip of the pen.
    pub other: Other,
}

impl<S: Spec> Object<S> {
    /// An object with nothing observed of it yet.
    pub fn new(name: impl Into<String>, spec: S) -> Self {
        Self { meta: Meta { name: name.into(), ..Meta::default() }, spec, ..Self::default() }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.meta.name
    }

    /// The paths of the fields that say something and that nobody here reads, such as `spec.vips`, sorted.
    ///
    /// Empty values (`""`, `0`, `false`, `[]`, `{}`) ask for nothing and are left out: upstream writes many of them.
    pub fn unread(&self) -> Vec<String> {
        let top = self.other.iter().map(|(name, value)| (name.clone(), value));
        let spec = self.spec.other().iter().map(|(name, value)| (format!("spec.{name}"), value));
        top.chain(spec).filter(|(_, value)| asks_for_something(value)).map(|(path, _)| path).collect()
    }
}

fn asks_for_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(on) => *on,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

impl<S: Spec> Serialize for Object<S> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("apiVersion", API_VERSION)?;
        map.serialize_entry("kind", S::KIND)?;
        map.serialize_entry("metadata", &self.meta)?;
        map.serialize_entry("spec", &self.spec)?;
        if !is_default(&self.status) {
            map.serialize_entry("status", &self.status)?;
        }
        for (name, value) in &self.other {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// The JSON shape of an object. The caller has looked at `apiVersion` and `kind` before choosing the type.
#[derive(Deserialize)]
#[serde(bound = "S: Spec")]
struct Frame<S: Spec> {
    #[serde(rename = "apiVersion", default)]
    _api_version: IgnoredAny,
    #[serde(rename = "kind", default)]
    _kind: IgnoredAny,
    #[serde(default, deserialize_with = "null_is_default")]
    metadata: Meta,
    #[serde(default, deserialize_with = "null_is_default")]
    spec: S,
    #[serde(default, deserialize_with = "null_is_default")]
    status: S::Status,
    #[serde(flatten)]
    other: Other,
}

impl<S: Spec> From<Frame<S>> for Object<S> {
    fn from(frame: Frame<S>) -> Self {
        Self { meta: frame.metadata, spec: frame.spec, status: frame.status, other: frame.other }
    }
}

/// `metadata`, as far as we read it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Meta {
    /// The name, unique within the kind.
    #[serde(deserialize_with = "null_is_default")]
    pub name: String,
    /// Empty for cluster-scoped kinds.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
    pub namespace: String,
    /// Labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "null_is_default")]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "null_is_default")]
    pub annotations: BTreeMap<String, String>,
    /// Given by the API server; empty for an object from a file.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
    pub uid: String,
    /// Counts the changes of `spec`; 0 for an object from a file.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    pub generation: i64,
    /// Everything else: `creationTimestamp`, `finalizers`, `resourceVersion`, ….
    #[serde(flatten)]
    pub other: Other,
}
