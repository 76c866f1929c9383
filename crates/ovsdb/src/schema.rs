//! Which tables and columns a database has, and what its columns can hold (RFC 7047 section 3.2).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::value::{Atom, Real, Uuid, Value};

#[cfg(test)]
mod tests;

/// The schema of one database, as `get_schema` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Schema {
    /// The database's name.
    pub name: String,
    /// The version of the schema, three numbers with points.
    pub version: String,
    /// Its tables.
    pub tables: BTreeMap<String, TableSchema>,
}

impl Schema {
    /// Reads a schema, a reply to `get_schema` or an `.ovsschema` file.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// What a column can hold; `None` when this version of the database does not have it.
    pub fn column(&self, table: &str, column: &str) -> Option<&ColumnType> {
        self.tables.get(table)?.columns.get(column)
    }
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TableSchema {
    /// Its columns; `_uuid` and `_version`, which every table has, are not among them.
    #[serde(deserialize_with = "columns")]
    pub columns: BTreeMap<String, ColumnType>,
    /// Whether a row stays without any reference to it.
    #[serde(default, rename = "isRoot")]
    pub is_root: bool,
}

/// The kind of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// [`Atom::Integer`].
    Integer,
    /// [`Atom::Real`].
    Real,
    /// [`Atom::Boolean`].
    Boolean,
    /// [`Atom::String`].
    String,
    /// [`Atom::Uuid`].
    Uuid,
}

/// What a column can hold.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "TypeForm")]
pub struct ColumnType {
    /// The kind of its elements, or of the keys of a map.
    pub key: Kind,
    /// The kind of the values of a map; `None` for anything but a map.
    pub value: Option<Kind>,
    /// Whether it may be empty.
    pub optional: bool,
    /// How many elements or pairs it holds at most; `None` for any number.
    pub max: Option<u32>,
}

impl ColumnType {
    /// Whether it can hold more than one element or pair. Only then does a monitor tell differences instead of new values.
    pub fn is_composite(&self) -> bool {
        self.max != Some(1)
    }

    /// What it holds in a row that was made without it (RFC 7047 section 5.2.1).
    pub fn default_value(&self) -> Value {
        match (self.optional, self.value) {
            (true, None) => Value::empty(),
            (true, Some(_)) => Value::Map(BTreeMap::new()),
            (false, None) => Value::Atom(self.key.default_atom()),
            (false, Some(value)) => {
                Value::Map(BTreeMap::from([(self.key.default_atom(), value.default_atom())]))
            }
        }
    }

    /// The one form of a value that came as JSON, which does not tell whole reals from integers.
    pub fn normalise(&self, value: Value) -> Value {
        let is_real = |kind| kind == Kind::Real;
        if !is_real(self.key) && !self.value.is_some_and(is_real) {
            return value.canonical();
        }
        match value.canonical() {
            Value::Atom(atom) => Value::Atom(self.key.normalise(atom)),
            Value::Set(set) => Value::Set(set.into_iter().map(|atom| self.key.normalise(atom)).collect()),
            Value::Map(map) => {
                let of_value = self.value.unwrap_or(self.key);
                Value::Map(
                    map.into_iter()
                        .map(|(key, value)| (self.key.normalise(key), of_value.normalise(value)))
                        .collect(),
                )
            }
        }
    }
}

impl Kind {
    fn default_atom(self) -> Atom {
        match self {
            Self::Integer => Atom::Integer(0),
            Self::Real => Atom::Real(Real::ZERO),
            Self::Boolean => Atom::Boolean(false),
            Self::String => Atom::String(String::new()),
            Self::Uuid => Atom::Uuid(Uuid::ZERO),
        }
    }

    fn normalise(self, atom: Atom) -> Atom {
        match (self, atom) {
            (Self::Real, Atom::Integer(number)) => Atom::Real(number.into()),
            (_, atom) => atom,
        }
    }
}

fn columns<'de, D: serde::Deserializer<'de>>(from: D) -> Result<BTreeMap<String, ColumnType>, D::Error> {
    #[derive(Deserialize)]
    struct Column {
        r#type: ColumnType,
    }
    let columns = BTreeMap::<String, Column>::deserialize(from)?;
    Ok(columns.into_iter().map(|(name, column)| (name, column.r#type)).collect())
}

/// A type as the schema writes it: the short form for exactly one element, the long one for all else.
#[derive(Deserialize)]
#[serde(untagged)]
enum TypeForm {
    Short(Kind),
    Long { key: BaseForm, value: Option<BaseForm>, min: Option<u32>, max: Option<MaxForm> },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum BaseForm {
    Short(Kind),
    Long { r#type: Kind },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum MaxForm {
    Number(u32),
    Word(String),
}

impl BaseForm {
    fn kind(&self) -> Kind {
        match self {
            Self::Short(kind) | Self::Long { r#type: kind } => *kind,
        }
    }
}

impl TryFrom<TypeForm> for ColumnType {
    type Error = String;

    fn try_from(form: TypeForm) -> Result<Self, String> {
        match form {
            TypeForm::Short(key) => Ok(Self { key, value: None, optional: false, max: Some(1) }),
            TypeForm::Long { key, value, min, max } => Ok(Self {
                key: key.kind(),
                value: value.map(|value| value.kind()),
                optional: min == Some(0),
                max: match max {
                    None => Some(1),
                    Some(MaxForm::Number(max)) => Some(max),
                    Some(MaxForm::Word(word)) if word == "unlimited" => None,
                    Some(MaxForm::Word(word)) => return Err(format!("a maximum of {word:?}")),
                },
            }),
        }
    }
}
