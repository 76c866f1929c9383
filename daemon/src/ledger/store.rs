//! The ledger on disk: one redb file. It refuses a second owner of an address by itself.
//!
//! Tables: `claims` (id → JSON of [`Claim`]), `addresses` (`segment address` → id; the uniqueness), `released`
//! (sequence → `segment address`; so that freed addresses are given last after a restart too), `meta` (schema version).

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{
    Database, DatabaseError, Durability, ReadableDatabase, ReadableTable, StorageError, TableDefinition,
};

use super::book::{Book, Change};
use super::claim::{Claim, Segment, Served};
use super::error::LedgerError;

const CLAIMS: TableDefinition<u64, &[u8]> = TableDefinition::new("claims");
const ADDRESSES: TableDefinition<&str, u64> = TableDefinition::new("addresses");
const RELEASED: TableDefinition<u64, &str> = TableDefinition::new("released");
const META: TableDefinition<&str, u64> = TableDefinition::new("meta");

/// The layout of the tables. A file of another version is refused, not guessed at.
const SCHEMA: u64 = 1;

/// redb's page cache in bytes. A claim is about 500 bytes, so this covers the pages that 1,000 pods touch.
const CACHE_BYTES: usize = 1 << 20;

/// How many released addresses are remembered on disk, oldest dropped first.
const RELEASED_ROWS: u64 = 4096;

/// An open ledger file.
pub struct Store {
    path: PathBuf,
    /// `None` when the file could not be opened again.
    database: Option<Database>,
}

/// What opening found.
pub struct Opened {
    /// The file.
    pub store: Store,
    /// A damaged file that was moved out of the way.
    pub set_aside: Option<PathBuf>,
}

impl Store {
    /// Opens or creates the file. A file whose content is damaged is renamed to `….damaged` and a new one is made.
    ///
    /// # Errors
    /// [`LedgerError::Store`]: no access, no space, held by another process, or of another schema.
    pub fn open(path: &Path) -> Result<Opened, LedgerError> {
        match create_sound(path) {
            Ok(database) => Ok(Opened { store: Self::checked(path, database)?, set_aside: None }),
            Err(error) if is_damage(&error) => {
                let aside = path.with_extension("damaged");
                std::fs::rename(path, &aside).map_err(|e| failed(path, e.into()))?;
                let database = create(path).map_err(|e| failed(path, e.into()))?;
                Ok(Opened { store: Self::checked(path, database)?, set_aside: Some(aside) })
            }
            Err(error) => Err(failed(path, error.into())),
        }
    }

    fn checked(path: &Path, database: Database) -> Result<Self, LedgerError> {
        let store = Self { path: path.to_owned(), database: Some(database) };
        store.prepare().map_err(|e| failed(path, e))?;
        Ok(store)
    }

    /// Opens the file again: after one failed read or write redb refuses all others.
    ///
    /// # Errors
    /// [`LedgerError::Store`]; every other call fails then, until this one succeeds.
    pub fn reopen(&mut self) -> Result<(), LedgerError> {
        // Closed first, for its lock on the file. One that is gone by now is not made anew: it would say that nobody
        // holds anything, and it may come back.
        self.database = None;
        self.database = Some(builder().open(&self.path).map_err(|e| failed(&self.path, e.into()))?);
        Ok(())
    }

    fn database(&self) -> Result<&Database, redb::Error> {
        self.database.as_ref().ok_or(redb::Error::DatabaseClosed)
    }

    fn prepare(&self) -> Result<(), redb::Error> {
        let transaction = self.database()?.begin_write()?;
        {
            transaction.open_table(CLAIMS)?;
            transaction.open_table(ADDRESSES)?;
            transaction.open_table(RELEASED)?;
            let mut meta = transaction.open_table(META)?;
            let found = meta.get("schema")?.map(|v| v.value());
            match found {
                Some(SCHEMA) => return Ok(()),
                Some(other) => {
                    return Err(redb::Error::Corrupted(format!(
                        "the file has layout {other}, this program knows {SCHEMA}"
                    )));
                }
                None => meta.insert("schema", SCHEMA)?,
            };
        }
        transaction.commit()?;
        Ok(())
    }

    /// Every claim, by id.
    ///
    /// # Errors
    /// [`LedgerError::Store`] and, for a record that is not a claim, [`LedgerError::Record`].
    pub fn claims(&self) -> Result<Vec<Claim>, LedgerError> {
        let rows = self.rows().map_err(|e| failed(&self.path, e))?;
        rows.into_iter()
            .map(|(id, bytes)| {
                serde_json::from_slice(&bytes).map_err(|source| LedgerError::Record {
                    key: format!("claims/{id}"),
                    source: Arc::new(source),
                })
            })
            .collect()
    }

    fn rows(&self) -> Result<Vec<(u64, Vec<u8>)>, redb::Error> {
        let table = self.database()?.begin_read()?.open_table(CLAIMS)?;
        let mut rows = Vec::new();
        for row in table.iter()? {
            let (id, bytes) = row?;
            rows.push((id.value(), bytes.value().to_vec()));
        }
        Ok(rows)
    }

    /// Addresses that were freed, oldest first.
    ///
    /// # Errors
    /// [`LedgerError::Store`].
    pub fn released(&self) -> Result<Vec<(Segment, IpAddr)>, LedgerError> {
        let read = || -> Result<Vec<String>, redb::Error> {
            let table = self.database()?.begin_read()?.open_table(RELEASED)?;
            let rows = table.iter()?.map(|row| row.map(|(_, v)| v.value().to_owned()));
            Ok(rows.collect::<Result<_, _>>()?)
        };
        let keys = read().map_err(|e| failed(&self.path, e))?;
        Ok(keys.iter().filter_map(|key| parse_key(key)).collect())
    }

    /// Makes all changes durable, or none.
    ///
    /// # Errors
    /// [`LedgerError::Store`], and [`LedgerError::Double`] when an address already has another owner on disk.
    pub fn write(&self, changes: &[Change]) -> Result<(), LedgerError> {
        self.transact(changes).map_err(|e| match e {
            WriteError::Store(source) => failed(&self.path, source),
            WriteError::Ledger(error) => error,
        })
    }

    fn transact(&self, changes: &[Change]) -> Result<(), WriteError> {
        let mut transaction = self.database()?.begin_write().map_err(redb::Error::from)?;
        transaction.set_durability(Durability::Immediate).map_err(redb::Error::from)?;
        {
            let mut claims = transaction.open_table(CLAIMS).map_err(redb::Error::from)?;
            let mut addresses = transaction.open_table(ADDRESSES).map_err(redb::Error::from)?;
            let mut released = transaction.open_table(RELEASED).map_err(redb::Error::from)?;
            for change in changes {
                match change {
                    Change::Put(claim) => {
                        let record = serde_json::to_vec(claim).map_err(|source| LedgerError::Record {
                            key: format!("claims/{}", claim.id.0),
                            source: Arc::new(source),
                        })?;
                        claims.insert(claim.id.0, record.as_slice())?;
                        for ip in &claim.addresses {
                            let before = addresses.insert(key(&claim.segment, *ip).as_str(), claim.id.0)?;
                            let before = before.map(|v| v.value()).filter(|id| *id != claim.id.0);
                            if let Some(held_by) = before {
                                return Err(LedgerError::Double { address: ip.to_string(), held_by }.into());
                            }
                        }
                    }
                    Change::Remove(claim) => {
                        claims.remove(claim.id.0)?;
                        for ip in &claim.addresses {
                            let key = key(&claim.segment, *ip);
                            addresses.remove(key.as_str())?;
                            let next = released.last()?.map_or(0, |(n, _)| n.value() + 1);
                            released.insert(next, key.as_str())?;
                            if let Some(oldest) = next.checked_sub(RELEASED_ROWS) {
                                released.remove(oldest)?;
                            }
                        }
                    }
                }
            }
        }
        transaction.commit().map_err(redb::Error::from)?;
        Ok(())
    }

    /// Writes something that means nothing, to see whether the file can be written.
    ///
    /// # Errors
    /// [`LedgerError::Store`].
    pub fn touch(&self) -> Result<(), LedgerError> {
        let write = || -> Result<(), redb::Error> {
            let transaction = self.database()?.begin_write()?;
            transaction.open_table(META)?.insert("touched", 0)?;
            Ok(transaction.commit()?)
        };
        write().map_err(|e| failed(&self.path, e))
    }

    /// Reads the whole file into a book, with the given subnets.
    ///
    /// # Errors
    /// As [`Store::claims`].
    pub fn book(&self, subnets: Vec<Served>) -> Result<Book, LedgerError> {
        let mut book = Book::load(self.claims()?);
        book.respec(subnets);
        for (segment, address) in self.released()? {
            book.remember_released(&segment, address);
        }
        Ok(book)
    }
}

enum WriteError {
    Store(redb::Error),
    Ledger(LedgerError),
}

impl From<redb::Error> for WriteError {
    fn from(error: redb::Error) -> Self {
        Self::Store(error)
    }
}

impl From<StorageError> for WriteError {
    fn from(error: StorageError) -> Self {
        Self::Store(error.into())
    }
}

impl From<LedgerError> for WriteError {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

/// The file is not what redb wrote. An older format or a locked file is no damage.
fn is_damage(error: &DatabaseError) -> bool {
    let DatabaseError::Storage(storage) = error else { return false };
    if let StorageError::Io(error) = storage {
        return matches!(error.kind(), std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof);
    }
    matches!(storage, StorageError::Corrupted(_))
}

/// Opens or creates the file and checks all of it, since redb panics when it meets some kinds of damage later.
fn create_sound(path: &Path) -> Result<Database, DatabaseError> {
    let open = || {
        let mut database = create(path)?;
        database.check_integrity()?;
        Ok(database)
    };
    std::panic::catch_unwind(open).unwrap_or_else(|_| {
        Err(DatabaseError::Storage(StorageError::Corrupted("the check of the file panicked".to_owned())))
    })
}

fn create(path: &Path) -> Result<Database, DatabaseError> {
    builder().create(path)
}

fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

fn failed(path: &Path, source: redb::Error) -> LedgerError {
    LedgerError::Store { path: path.display().to_string(), source: Arc::new(source) }
}

fn key(segment: &Segment, address: IpAddr) -> String {
    format!("{} {address}", segment.0)
}

fn parse_key(key: &str) -> Option<(Segment, IpAddr)> {
    let (segment, address) = key.split_once(' ')?;
    Some((Segment(segment.to_owned()), address.parse().ok()?))
}

#[cfg(test)]
mod tests;
