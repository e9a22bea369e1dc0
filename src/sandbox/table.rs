//! Records in the order in which they came, each found by its id at once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize};

/// A record of the account that has an id.
pub(super) trait Record {
    fn id(&self) -> &str;
}

/// Records of one kind; as a slice, in the order in which they were added. On disk it is the plain list of them.
///
/// Each create asks whether an id is free. If that took longer with every record, the sandbox would be the slowest part
/// of a large rehearsal.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Table<T> {
    rows: Vec<T>,
    #[serde(skip)]
    places: HashMap<String, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), places: HashMap::new() }
    }
}

impl<T: Record> Table<T> {
    /// Takes the place of the record with the same id, or adds it at the end. Returns its place.
    pub(super) fn put(&mut self, record: T) -> usize {
        match self.places.entry(record.id().to_owned()) {
            Entry::Occupied(known) => {
                self.rows[*known.get()] = record;
                *known.get()
            }
            Entry::Vacant(free) => {
                self.rows.push(record);
                *free.insert(self.rows.len() - 1)
            }
        }
    }

    /// Returns where in the list an id is.
    pub(super) fn place(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// Returns the record with this id.
    pub(super) fn find(&self, id: &str) -> Option<&T> {
        self.place(id).map(|place| &self.rows[place])
    }
}

impl<T> Deref for Table<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.rows
    }
}

impl<'de, T: Record + Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(list: D) -> Result<Self, D::Error> {
        Ok(Vec::deserialize(list)?.into_iter().collect())
    }
}

impl<T: Record> FromIterator<T> for Table<T> {
    fn from_iter<I: IntoIterator<Item = T>>(records: I) -> Self {
        let mut table = Self::default();
        for record in records {
            table.put(record);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Row(String, u8);

    impl Record for Row {
        fn id(&self) -> &str {
            &self.0
        }
    }

    fn row(id: &str, worth: u8) -> Row {
        Row(id.into(), worth)
    }

    #[test]
    fn a_record_is_found_by_its_id_and_keeps_its_place_when_it_changes() {
        let mut table: Table<Row> = [row("b", 1), row("a", 2)].into_iter().collect();
        assert_eq!((table.put(row("b", 3)), table.put(row("c", 4))), (0, 2));
        assert_eq!(&*table, [row("b", 3), row("a", 2), row("c", 4)]);
        assert_eq!((table.find("b"), table.find("d")), (Some(&row("b", 3)), None));
    }

    #[test]
    fn on_disk_it_is_a_plain_list_and_what_is_read_is_found_again() {
        let table: Table<Row> = [row("b", 1), row("a", 2)].into_iter().collect();
        let text = serde_json::to_string(&table).unwrap();
        assert_eq!(text, r#"[["b",1],["a",2]]"#);
        let again: Table<Row> = serde_json::from_str(&text).unwrap();
        assert_eq!((again.place("a"), &*again), (Some(1), &*table));
    }
}
