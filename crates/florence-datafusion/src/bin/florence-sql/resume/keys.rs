//! The keys of rows: which are written, and which are written together.

use std::ops::Range;

use datafusion::arrow::array::{Array, ArrayRef, UInt32Array, new_empty_array};
use datafusion::arrow::compute::{cast, concat, partition, sort_to_indices, take};
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::prelude::{DataFrame, Expr, lit};
use sha2::{Digest, Sha256};

/// The first column of all rows.
pub(super) async fn column(query: DataFrame) -> Result<ArrayRef> {
    let none = new_empty_array(query.schema().field(0).data_type());
    let rows = query.collect().await?;
    let columns: Vec<_> = rows.iter().map(|rows| rows.column(0).as_ref()).collect();
    Ok(match columns.is_empty() {
        true => none,
        false => concat(&columns)?,
    })
}

/// The different keys of a table in their order, NULL first.
pub(super) struct Keys {
    keys: ArrayRef,
    is_done: Vec<bool>,
}

impl Keys {
    /// Of all rows, and of those that are written.
    pub(super) fn new(all: &ArrayRef, done: &ArrayRef) -> Result<Self> {
        let both = concat(&[all.as_ref(), cast(done, all.data_type())?.as_ref()])?;
        let order = sort_to_indices(&both, None, None)?;
        let sorted = take(&both, &order, None)?;
        let is_written = |row: &u32| *row as usize >= all.len();
        let mut firsts = Vec::new();
        let mut is_done = Vec::new();
        for same in partition(&[sorted])?.ranges() {
            let rows = &order.values()[same];
            if let Some(first) = rows.iter().find(|row| !is_written(row)) {
                firsts.push(*first);
                is_done.push(rows.iter().any(is_written));
            }
        }
        let keys = take(all, &UInt32Array::from(firsts), None)?;
        Ok(Self { keys, is_done })
    }

    /// Chunks of so many keys that are not written. They do not depend on the order of the rows: a chunk whose
    /// client went away, and that a cluster goes on with, is the same as the next client's.
    pub(super) fn undone(&self, len: usize) -> Result<Vec<Chunk>> {
        let all = 0..self.keys.len();
        let undone: Vec<_> = all.filter(|key| !self.is_done[*key]).collect();
        let chunks = undone.chunks(len).map(|keys| {
            let between = keys[0]..keys[keys.len() - 1];
            Ok(Chunk {
                keys: self.take(keys.iter().copied())?,
                done: self.take(between.filter(|key| self.is_done[*key]))?,
            })
        });
        chunks.collect()
    }

    fn take(&self, keys: impl Iterator<Item = usize>) -> Result<ArrayRef> {
        let keys: Vec<_> = keys.map(|key| key as u32).collect();
        Ok(take(&self.keys, &UInt32Array::from(keys), None)?)
    }
}

/// Keys of rows that are written together.
pub(super) struct Chunk {
    keys: ArrayRef,
    /// Written ones between the first and the last.
    done: ArrayRef,
}

impl Chunk {
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn first(&self) -> Result<Option<ScalarValue>> {
        values(&self.keys, 0..self.len()).next().transpose()
    }

    /// Those of the keys that these rows do not have.
    pub(super) fn without(&self, rows: &ArrayRef) -> Result<Self> {
        let lacking = Keys::new(&self.keys, rows)?.undone(self.len().max(1))?;
        Ok(lacking.into_iter().next().unwrap_or(Self {
            keys: self.keys.slice(0, 0),
            done: self.keys.slice(0, 0),
        }))
    }

    /// Whether a row has one of the keys: by the first and the last of them where this is shorter than a list, since
    /// the condition is sent to each task of a cluster.
    pub(super) fn filter(&self, key: &str) -> Result<Expr> {
        let column = || Expr::Column(Column::from_name(key));
        // NULL is the first.
        let nulls = self.keys.null_count();
        let list = |keys: &ArrayRef, range| {
            let values = values(keys, range);
            values
                .map(|value| Ok(lit(value?)))
                .collect::<Result<Vec<_>>>()
        };
        if nulls == self.len() {
            return Ok(column().is_null());
        }
        let not_null = if self.done.len() + 2 < self.len() {
            let first = ScalarValue::try_from_array(&self.keys, nulls)?;
            let last = ScalarValue::try_from_array(&self.keys, self.len() - 1)?;
            let between = column().between(lit(first), lit(last));
            match self.done.len() {
                0 => between,
                done => between.and(column().in_list(list(&self.done, 0..done)?, true)),
            }
        } else {
            column().in_list(list(&self.keys, nulls..self.len())?, false)
        };
        Ok(match nulls {
            0 => not_null,
            _ => not_null.or(column().is_null()),
        })
    }

    /// A name that tells these keys from others: whoever writes a file of this name writes the same rows.
    pub(super) fn name(&self) -> Result<String> {
        let mut hash = Sha256::new();
        for key in values(&self.keys, 0..self.len()) {
            hash.update(format!("{:?}\n", key?));
        }
        let hash = hash.finalize();
        let bytes = hash.iter().take(16);
        Ok(bytes.map(|byte| format!("{byte:02x}")).collect())
    }
}

fn values(keys: &ArrayRef, range: Range<usize>) -> impl Iterator<Item = Result<ScalarValue>> {
    range.map(|row| ScalarValue::try_from_array(keys, row))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::StringArray;

    use super::*;

    fn keys(keys: &[Option<&str>]) -> ArrayRef {
        Arc::new(StringArray::from(keys.to_vec()))
    }

    /// The chunks of these keys without those that are done: their keys, and their conditions.
    fn chunks(all: &[Option<&str>], done: &[Option<&str>], len: usize) -> Vec<(ArrayRef, String)> {
        let all = Keys::new(&keys(all), &keys(done)).unwrap();
        let chunks = all.undone(len).unwrap().into_iter();
        chunks
            .map(|chunk| (chunk.keys.clone(), chunk.filter("k").unwrap().to_string()))
            .collect()
    }

    #[test]
    fn a_key_of_several_rows_is_in_one_chunk() {
        let all = [
            Some("c"),
            Some("a"),
            None,
            Some("a"),
            Some("b"),
            None,
            Some("d"),
        ];
        let text = |text: &str| format!("Utf8(\"{text}\")");
        let expected = vec![
            (
                keys(&[None, Some("a"), Some("b")]),
                format!("k BETWEEN {} AND {} OR k IS NULL", text("a"), text("b")),
            ),
            (
                keys(&[Some("c"), Some("d")]),
                format!("k IN ([{}, {}])", text("c"), text("d")),
            ),
        ];
        assert_eq!(chunks(&all, &[], 3), expected);
        assert_eq!(
            chunks(&all, &[Some("c"), Some("x"), Some("d")], 3),
            expected[..1]
        );
        assert!(chunks(&[], &[], 3).is_empty());
        assert!(chunks(&all, &all, 3).is_empty());
    }

    #[test]
    fn keys_between_that_are_done_are_left_out() {
        let all: Vec<_> = "abcdefgh".split("").map(Some).skip(1).take(8).collect();
        let [(_, condition)] = &chunks(&all, &[Some("c"), Some("x"), Some("h")], 10)[..] else {
            panic!("expected one chunk");
        };
        assert_eq!(
            condition,
            "k BETWEEN Utf8(\"a\") AND Utf8(\"g\") AND k NOT IN ([Utf8(\"c\")])"
        );
        // What is left is shorter.
        let [(_, condition)] = &chunks(&all, &all[1..7], 10)[..] else {
            panic!("expected one chunk");
        };
        assert_eq!(condition, "k IN ([Utf8(\"a\"), Utf8(\"h\")])");
        let [(_, condition)] = &chunks(&[None, Some("a")], &[Some("a")], 10)[..] else {
            panic!("expected one chunk");
        };
        assert_eq!(condition, "k IS NULL");
    }

    #[test]
    fn rows_that_lack_are_told() {
        let all = keys(&[None, Some("a"), Some("b")]);
        let chunk = &Keys::new(&all, &keys(&[])).unwrap().undone(9).unwrap()[0];
        let lacking = |rows: &[Option<&str>]| {
            let lacking = chunk.without(&keys(rows)).unwrap();
            (lacking.len(), lacking.first().unwrap())
        };
        assert_eq!(lacking(&[Some("b"), None, Some("a"), Some("a")]), (0, None));
        assert_eq!(lacking(&[None]), (2, Some(ScalarValue::from("a"))));
        assert_eq!(
            lacking(&[Some("a"), Some("b")]),
            (1, Some(ScalarValue::Utf8(None)))
        );
    }

    #[test]
    fn other_keys_have_another_name() {
        let name = |rows: &[Option<&str>]| {
            let keys = Keys::new(&keys(rows), &keys(&[])).unwrap();
            keys.undone(9).unwrap()[0].name().unwrap()
        };
        assert_eq!(name(&[Some("a"), None]), name(&[None, Some("a")]));
        assert_ne!(name(&[Some("a")]), name(&[Some("a"), None]));
        assert_ne!(name(&[Some("a\nb")]), name(&[Some("a"), Some("b")]));
    }
}
