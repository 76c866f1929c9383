//! Whether the server at hand may serve us: what its `_Server` database says of ours (ovsdb(7), ovsdb-server(5)).

use std::sync::LazyLock;

use crate::monitor::{Shape, Watch, Watches};
use crate::schema::Schema;
use crate::value::{Row, Uuid, Value};

/// The database in which a server describes those that it serves.
pub const DATABASE: &str = "_Server";

/// What to watch in it.
pub fn watches() -> Watches {
    let columns = ["name", "model", "connected", "leader", "cid", "index"];
    Watches::from([(TABLE.to_owned(), Watch::columns(columns))])
}

/// The same with the types, which are the same on every server and so need not be asked for.
pub fn shape() -> Shape {
    static SHAPE: LazyLock<Shape> = LazyLock::new(|| {
        let schema = Schema::read(include_str!("server/schema.json"));
        Shape::new(&watches(), &schema.expect("a constant that a test reads"))
    });
    SHAPE.clone()
}

/// The table with one row for each database.
pub const TABLE: &str = "Database";

/// What a server says of one database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether the server has the database in memory and, in a cluster, is in touch with most of the others.
    pub connected: bool,
    /// Whether it is the leader of the cluster; always so without a cluster.
    pub leader: bool,
    /// The identity of the cluster; `None` without one.
    pub cluster: Option<Uuid>,
    /// How far it has followed the cluster's log; 0 without a cluster.
    pub index: i64,
}

impl Status {
    /// The status of the database of this name among the rows of [`TABLE`].
    pub fn find<'a>(database: &str, rows: impl IntoIterator<Item = &'a Row>) -> Option<Self> {
        let named = |row: &&Row| row.get("name").and_then(Value::as_str) == Some(database);
        rows.into_iter().find(named).map(Self::read)
    }

    fn read(row: &Row) -> Self {
        let yes = |column: &str| row.get(column).and_then(Value::as_bool) == Some(true);
        let clustered = row.get("model").and_then(Value::as_str) == Some("clustered");
        Self {
            connected: yes("connected"),
            leader: yes("leader"),
            cluster: row.get("cid").and_then(Value::as_uuid).filter(|_| clustered),
            index: row.get("index").and_then(Value::as_integer).filter(|_| clustered).unwrap_or(0),
        }
    }
}

/// Why a server may not serve us now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It does not have the database.
    #[error("the server has no database {0}")]
    NoDatabase(String),
    /// It is not in touch with most of its cluster, or has not joined yet.
    #[error("the server is not in touch with its cluster")]
    Apart,
    /// Another server is the leader.
    #[error("the server is not the leader of its cluster")]
    NotLeader,
    /// It has not come as far as one that we have seen.
    #[error("the server has followed its cluster to {index} only, another one to {seen}")]
    Behind {
        /// How far it is.
        index: i64,
        /// How far another one was.
        seen: i64,
    },
}

/// How far the cluster had come at the last server that served us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    cluster: Option<Uuid>,
    index: i64,
}

impl Seen {
    /// Whether a server may serve us. What it tells counts from then on: we never go back to an older state of one cluster.
    /// Another cluster in its place (a database that was set up anew) counts from its own beginning.
    pub fn admit(&mut self, status: &Status, leader_only: bool) -> Result<(), Unfit> {
        if !status.connected {
            return Err(Unfit::Apart);
        }
        if leader_only && !status.leader {
            return Err(Unfit::NotLeader);
        }
        if status.cluster == self.cluster && status.index < self.index {
            return Err(Unfit::Behind { index: status.index, seen: self.index });
        }
        *self = Self { cluster: status.cluster, index: status.index };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, model: &str) -> Row {
        let cluster = Uuid([1; 16]);
        let columns = [
            ("name", Value::from(name)),
            ("model", model.into()),
            ("connected", true.into()),
            ("leader", true.into()),
            ("cid", cluster.into()),
            ("index", 7.into()),
        ];
        columns.map(|(column, value)| (column.to_owned(), value)).into()
    }

    fn clustered(index: i64) -> Status {
        Status { connected: true, leader: true, cluster: Some(Uuid([1; 16])), index }
    }

    #[test]
    fn the_types_of_all_watched_columns_are_known() {
        let request = serde_json::to_value(shape().request(&watches())).unwrap();
        assert_eq!(request[TABLE][0]["columns"].as_array().map(Vec::len), Some(6));
    }

    #[test]
    fn the_status_is_that_of_the_named_database() {
        let rows = [row("a", "clustered"), row("b", "standalone")];
        assert_eq!(Status::find("a", &rows), Some(clustered(7)));
        let alone = Status { connected: true, leader: true, cluster: None, index: 0 };
        assert_eq!(Status::find("b", &rows), Some(alone));
        assert_eq!(Status::find("c", &rows), None);
    }

    #[test]
    fn a_server_apart_or_led_by_another_is_refused() {
        let mut seen = Seen::default();
        assert_eq!(seen.admit(&Status { connected: false, ..clustered(7) }, false), Err(Unfit::Apart));
        let follower = Status { leader: false, ..clustered(7) };
        assert_eq!(seen.admit(&follower, true), Err(Unfit::NotLeader));
        assert_eq!(seen.admit(&follower, false), Ok(()));
    }

    #[test]
    fn one_never_goes_back_in_the_history_of_a_cluster() {
        let mut seen = Seen::default();
        assert_eq!(seen.admit(&clustered(7), true), Ok(()));
        assert_eq!(seen.admit(&clustered(6), true), Err(Unfit::Behind { index: 6, seen: 7 }));
        assert_eq!(seen.admit(&clustered(7), true), Ok(()));
    }

    #[test]
    fn a_refused_server_teaches_nothing() {
        let mut seen = Seen::default();
        let ahead = Status { leader: false, ..clustered(9) };
        assert_eq!(seen.admit(&ahead, true), Err(Unfit::NotLeader));
        assert_eq!(seen.admit(&clustered(7), true), Ok(()));
    }

    #[test]
    fn another_cluster_counts_from_its_own_beginning() {
        let mut seen = Seen::default();
        assert_eq!(seen.admit(&clustered(7), true), Ok(()));
        assert_eq!(seen.admit(&Status { cluster: Some(Uuid([2; 16])), ..clustered(1) }, true), Ok(()));
    }
}
