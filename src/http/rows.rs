//! One page of a listing: each row is read by itself, so that one that cannot be read costs no other, and no page can
//! fill the memory.
//!
//! # Guarantees
//! - A row is skipped and counted where it is no JSON that text can be made of: a lone surrogate, bytes that are not
//!   UTF-8, a number out of range, nesting without end, a key that stands twice. Which of two values such a row means
//!   nobody can tell.
//! - A page is refused whole where it is no page, or has more rows than it may. Memory is that of one row at a time,
//!   beside what is made of them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::text::{WORD_LIMIT, clean};

/// What is made of a page.
#[derive(Debug)]
pub(crate) struct Rows<T> {
    /// What is made of its rows, in their order.
    pub(crate) rows: Vec<T>,
    /// How many could not be read.
    pub(crate) unreadable: usize,
    /// Which of them came first, and why, for people.
    pub(crate) first_unreadable: Option<String>,
    /// What the page says beside its rows, under the name that was asked for.
    pub(crate) beside: Option<Value>,
}

/// Where the rows of a page are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// The page is a list of them.
    Bare,
    /// The page is an object with a list of them, and with a number beside it.
    Under {
        /// The list's name.
        rows: &'static str,
        /// The number's name.
        beside: &'static str,
    },
}

/// Reads a page of at most `most` rows.
///
/// # Errors
/// When it is no such page, or has more rows; the text says which.
pub(crate) fn read_rows<T>(
    body: &[u8],
    place: Place,
    most: usize,
    read: impl FnMut(Map<String, Value>) -> Option<T>,
) -> Result<Rows<T>, String> {
    let text = as_text(body);
    let page = Rows { rows: Vec::new(), unreadable: 0, first_unreadable: None, beside: None };
    let mut reader = Reader { page, place, most, read };
    let mut json = serde_json::Deserializer::from_str(&text);
    let result = match place {
        Place::Bare => RowsOf(&mut reader).deserialize(&mut json),
        Place::Under { .. } => PageOf(&mut reader).deserialize(&mut json),
    };
    result.and_then(|()| json.end()).map(|()| reader.page).map_err(|error| error.to_string())
}

struct Reader<T, F> {
    page: Rows<T>,
    place: Place,
    most: usize,
    read: F,
}

impl<T, F: FnMut(Map<String, Value>) -> Option<T>> Reader<T, F> {
    fn take(&mut self, raw: &RawValue) {
        let row = serde_json::from_str::<Row>(raw.get()).map_err(|error| reason(&error));
        let read = row.and_then(|Row(row)| (self.read)(row).ok_or_else(|| "it has no usable id".to_owned()));
        match read {
            Ok(row) => self.page.rows.push(row),
            Err(why) => {
                let number = self.page.rows.len() + self.page.unreadable + 1;
                self.page.first_unreadable.get_or_insert_with(|| format!("row {number}: {why}"));
                self.page.unreadable += 1;
            }
        }
    }
}

/// Why a row cannot be read, without the place in it.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    clean(text.split(" at line ").next().unwrap_or_default(), WORD_LIMIT)
}

/// The list of rows.
struct RowsOf<'r, T, F>(&'r mut Reader<T, F>);

impl<'de, T, F: FnMut(Map<String, Value>) -> Option<T>> DeserializeSeed<'de> for RowsOf<'_, T, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de, T, F: FnMut(Map<String, Value>) -> Option<T>> Visitor<'de> for RowsOf<'_, T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        let reader = self.0;
        for _ in 0..reader.most {
            match rows.next_element::<&RawValue>()? {
                Some(row) => reader.take(row),
                None => return Ok(()),
            }
        }
        match rows.next_element::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(A::Error::custom(format!("it has more than {} rows", reader.most))),
        }
    }
}

/// The object around the list.
struct PageOf<'r, T, F>(&'r mut Reader<T, F>);

impl<'de, T, F: FnMut(Map<String, Value>) -> Option<T>> DeserializeSeed<'de> for PageOf<'_, T, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de, T, F: FnMut(Map<String, Value>) -> Option<T>> Visitor<'de> for PageOf<'_, T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a list of rows")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let reader = self.0;
        let Place::Under { rows, beside } = reader.place else { return Err(A::Error::custom("no place for rows")) };
        let mut has_rows = false;
        while let Some(name) = fields.next_key::<Cow<'_, str>>()? {
            if name == rows {
                if has_rows {
                    return Err(A::Error::custom(format!("`{rows}` stands twice in it")));
                }
                has_rows = true;
                fields.next_value_seed(RowsOf(reader))?;
            } else if name == beside {
                // Another number than the one that counts would be worse than none.
                let raw = fields.next_value::<&RawValue>()?;
                reader.page.beside = serde_json::from_str(raw.get()).ok();
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        if has_rows { Ok(()) } else { Err(A::Error::custom(format!("it has no list named `{rows}`"))) }
    }
}

/// An object whose keys stand in it once.
struct Row(Map<String, Value>);

impl<'de> serde::Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Row;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Row, A::Error> {
                let mut row = Map::new();
                while let Some((name, value)) = fields.next_entry::<String, Value>()? {
                    if row.contains_key(&name) {
                        return Err(A::Error::custom(format!("`{name}` stands twice in it")));
                    }
                    row.insert(name, value);
                }
                Ok(Row(row))
            }
        }

        json.deserialize_map(Fields)
    }
}

/// Returns a body as text. In the place of bytes that are not UTF-8 stands a surrogate without its other half, which no
/// text can be made of: so it spoils the row that it is in, and no other.
fn as_text(body: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(body) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(body.len() + 64);
    for chunk in body.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            let backslashes = text.bytes().rev().take_while(|byte| *byte == b'\\').count();
            // Behind half an escape it completes that one. The second is alone whatever stands before the first.
            text.push_str(if backslashes % 2 == 0 { r"\udfff\udfff" } else { r"udfff\udfff" });
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DATA: Place = Place::Under { rows: "data", beside: "total" };

    fn id(row: Map<String, Value>) -> Option<String> {
        row.get("id")?.as_str().map(str::to_owned)
    }

    fn read(body: &[u8]) -> Result<Rows<String>, String> {
        read_rows(body, DATA, 100, id)
    }

    #[test]
    fn a_row_that_cannot_be_read_costs_no_other() {
        let deep = format!(r#"{{"id":"x","deep":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
        for (row, why) in [
            (r#"{"id":"x","name":"\ud83d"}"#.as_bytes(), "hex escape"),
            (r#"{"id":"x","name":"\ude00"}"#.as_bytes(), "hex escape"),
            (r#"{"id":"x","\ud83d":1}"#.as_bytes(), "hex escape"),
            (b"{\"id\":\"x\",\"name\":\"a\xffb\"}".as_slice(), "hex escape"),
            (b"{\"id\":\"x\",\"name\":\"a\\\\\xff\\udc00b\"}".as_slice(), "hex escape"),
            (b"{\"id\":\"x\",\"name\":\"\\ud83d\xff\"}".as_slice(), "hex escape"),
            (br#"{"id":"x","n":1e999}"#.as_slice(), "number out of range"),
            (br#"{"id":"x","id":"y"}"#.as_slice(), "`id` stands twice"),
            (br#"{"name":"x"}"#.as_slice(), "no usable id"),
            (b"7".as_slice(), "invalid type"),
            (deep.as_bytes(), "recursion limit"),
        ] {
            let page = [br#"{"data":[{"id":"a"},"#.as_slice(), row, br#",{"id":"b"}],"total":3}"#.as_slice()].concat();
            let page = read(&page).unwrap_or_else(|error| panic!("{why}: {error}"));
            assert_eq!((page.rows, page.unreadable), (vec!["a".to_owned(), "b".to_owned()], 1), "{why}");
            let told = page.first_unreadable.unwrap();
            assert!(told.starts_with("row 2: ") && told.contains(why) && !told.contains("line"), "{told}");
            assert_eq!(page.beside, Some(Value::from(3)));
        }
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"data":{}}"#,
            r#"{"data":null}"#,
            r#"{"data":[],"data":[]}"#,
            r#"{"data":[]} x"#,
            "<html>",
            r#"{"data":[{"id":"a"}"#,
        ] {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
        assert!(read(b"{\"data\":[{\"id\":\"a\"}\xff]}").is_err(), "no JSON between its rows");
        let bare = |body: &[u8]| read_rows(body, Place::Bare, 100, id).map(|page| page.rows.len());
        assert_eq!(bare(br#"[{"id":"a"},null]"#), Ok(1));
        assert!(bare(b"{}").is_err());
    }

    #[test]
    fn a_page_of_too_many_rows_is_refused_before_they_are_kept() {
        let page = |rows: usize| format!(r#"{{"data":[{}]}}"#, vec!["{}"; rows].join(","));
        assert_eq!(read(page(100).as_bytes()).unwrap().unreadable, 100);
        let refused = read(page(101).as_bytes()).unwrap_err();
        assert!(refused.contains("more than 100 rows"), "{refused}");
    }

    #[test]
    fn a_number_beside_the_rows_that_cannot_be_read_is_none() {
        for total in ["1e999", r#""\ud83d""#] {
            let page = read(format!(r#"{{"total":{total},"data":[{{"id":"a"}}]}}"#).as_bytes()).unwrap();
            assert_eq!((page.rows.len(), page.beside), (1, None), "{total}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_in_a_name_spoil_that_row_alone(name in prop::collection::vec(any::<u8>(), 0..12)) {
            prop_assume!(!name.iter().any(|byte| matches!(byte, b'"' | b'\\' | 0..=31)));
            let page = [br#"{"data":[{"id":"a","name":""#.as_slice(), &name, br#""},{"id":"b"}]}"#.as_slice()].concat();
            let page = read(&page).unwrap();
            let is_text = std::str::from_utf8(&name).is_ok();
            prop_assert_eq!((page.rows.len(), page.unreadable), if is_text { (2, 0) } else { (1, 1) });
        }
    }
}
