//! The keys of rows: which are written, and which are written together.

use std::ops::Range;

use datafusion::arrow::array::{Array, ArrayRef, UInt32Array};
use datafusion::arrow::compute::{cast, concat, partition, sort_to_indices, take};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::prelude::{Expr, lit};
use sha2::{Digest, Sha256};

/// Literals of a condition at most: it is sent to each task of a cluster, in messages of at most 16 MiB.
const LITERALS: usize = 10_000;

/// The different keys of a table in their order, NULL first.
pub(super) struct Keys {
    keys: ArrayRef,
    is_done: Vec<bool>,
    /// Of the column.
    data_type: DataType,
}

impl Keys {
    /// Of all rows, and of those that are written.
    pub(super) fn new(all: &ArrayRef, done: &ArrayRef) -> Result<Self> {
        let data_type = all.data_type().clone();
        // The offsets of these have 32 bits: together at most 2 GiB.
        let wide = match data_type {
            DataType::Utf8 => DataType::Utf8View,
            DataType::Binary => DataType::BinaryView,
            _ => data_type.clone(),
        };
        let all = cast(all, &wide)?;
        let both = concat(&[all.as_ref(), cast(done, &wide)?.as_ref()])?;
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
        Ok(Self {
            keys: take(&all, &UInt32Array::from(firsts), None)?,
            is_done,
            data_type,
        })
    }

    /// Chunks of at most so many keys that are not written. They do not depend on the order of the rows: a chunk
    /// whose client went away, and that a cluster goes on with, is the same as the next client's.
    pub(super) fn undone(&self, len: usize) -> Result<Vec<Chunk>> {
        let mut chunks = Vec::new();
        let mut keys: Vec<usize> = Vec::new();
        for key in (0..self.keys.len()).filter(|key| !self.is_done[*key]) {
            let first = *keys.first().unwrap_or(&key);
            let between = key + 1 - first - keys.len();
            if keys.len() == len || keys.len().min(between) >= LITERALS {
                chunks.push(self.chunk(&keys)?);
                keys.clear();
            }
            keys.push(key);
        }
        if !keys.is_empty() {
            chunks.push(self.chunk(&keys)?);
        }
        Ok(chunks)
    }

    fn chunk(&self, keys: &[usize]) -> Result<Chunk> {
        let between = keys[0]..keys[keys.len() - 1];
        Ok(Chunk {
            keys: self.take(keys.iter().copied())?,
            done: self.take(between.filter(|key| self.is_done[*key]))?,
            data_type: self.data_type.clone(),
        })
    }

    fn take(&self, keys: impl Iterator<Item = usize>) -> Result<ArrayRef> {
        let keys: Vec<_> = keys.map(|key| key as u32).collect();
        Ok(take(&self.keys, &UInt32Array::from(keys), None)?)
    }
}

/// Those of the keys that these rows do not have.
pub(super) fn missing(keys: &ArrayRef, rows: &ArrayRef) -> Result<ArrayRef> {
    let keys = Keys::new(keys, rows)?;
    keys.take((0..keys.keys.len()).filter(|key| !keys.is_done[*key]))
}

/// Keys of rows that are written together.
pub(super) struct Chunk {
    keys: ArrayRef,
    /// Written ones between the first and the last.
    done: ArrayRef,
    data_type: DataType,
}

impl Chunk {
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn keys(&self) -> &ArrayRef {
        &self.keys
    }

    /// Whether a row has one of the keys: by the first and the last of them where this is shorter than a list.
    pub(super) fn filter(&self, key: &str) -> Result<Expr> {
        let column = || Expr::Column(Column::from_name(key));
        // NULL is the first.
        let nulls = self.keys.null_count();
        if nulls == self.len() {
            return Ok(column().is_null());
        }
        let literal = |keys: &ArrayRef, row| {
            let value = ScalarValue::try_from_array(keys, row)?;
            Ok(lit(value.cast_to(&self.data_type)?))
        };
        let literals = |keys: &ArrayRef, rows: Range<usize>| {
            let literals = rows.map(|row| literal(keys, row));
            literals.collect::<Result<Vec<_>>>()
        };
        let not_null = if self.done.len() + 2 < self.len() {
            let first = literal(&self.keys, nulls)?;
            let between = column().between(first, literal(&self.keys, self.len() - 1)?);
            match self.done.len() {
                0 => between,
                done => between.and(column().in_list(literals(&self.done, 0..done)?, true)),
            }
        } else {
            column().in_list(literals(&self.keys, nulls..self.len())?, false)
        };
        Ok(match nulls {
            0 => not_null,
            _ => not_null.or(column().is_null()),
        })
    }

    /// A name that tells these keys from others: whoever writes a file of this name writes the same rows.
    pub(super) fn name(&self) -> Result<String> {
        let mut hash = Sha256::new();
        for row in 0..self.len() {
            let key = ScalarValue::try_from_array(&self.keys, row)?;
            hash.update(format!("{key:?}\n"));
        }
        let hash = hash.finalize();
        let bytes = hash.iter().take(16);
        Ok(bytes.map(|byte| format!("{byte:02x}")).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{
        DictionaryArray, Float64Array, Int64Array, StringArray, StringViewArray,
        TimestampMicrosecondArray,
    };
    use datafusion::arrow::datatypes::Int32Type;

    use super::*;

    fn keys(keys: &[Option<&str>]) -> ArrayRef {
        Arc::new(StringArray::from(keys.to_vec()))
    }

    /// The chunks of these keys without those that are done: their keys, and their conditions.
    fn chunks(all: &[Option<&str>], done: &[Option<&str>], len: usize) -> Vec<(ArrayRef, String)> {
        let all = Keys::new(&keys(all), &keys(done)).unwrap();
        let chunks = all.undone(len).unwrap().into_iter();
        chunks
            .map(|chunk| {
                let keys = cast(&chunk.keys, &DataType::Utf8).unwrap();
                (keys, chunk.filter("k").unwrap().to_string())
            })
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
    fn a_condition_is_short() {
        let numbers = |numbers: Vec<i64>| Arc::new(Int64Array::from(numbers)) as ArrayRef;
        let all = numbers((0..100_000).collect());
        // Every second one is done: each chunk lists as many as are left.
        let done = numbers((0..100_000).step_by(2).collect());
        let chunks = Keys::new(&all, &done).unwrap().undone(1 << 20).unwrap();
        let lens: Vec<_> = chunks.iter().map(Chunk::len).collect();
        assert_eq!(lens, [10_000; 5]);
        // One range.
        let chunks = Keys::new(&all, &numbers(vec![])).unwrap().undone(1 << 20);
        let [chunk] = &chunks.unwrap()[..] else {
            panic!("expected one chunk");
        };
        let condition = chunk.filter("k").unwrap().to_string();
        assert_eq!(condition, "k BETWEEN Int64(0) AND Int64(99999)");
    }

    #[test]
    fn keys_of_any_type_are_kept_apart() {
        let dictionary: DictionaryArray<Int32Type> = ["b", "a", "b"].into_iter().collect();
        for (all, done, left) in [
            (
                Arc::new(StringViewArray::from(vec!["b", "a"])) as ArrayRef,
                keys(&[Some("a")]),
                Arc::new(StringViewArray::from(vec!["b"])) as ArrayRef,
            ),
            (Arc::new(dictionary), keys(&[Some("a")]), keys(&[Some("b")])),
            (
                Arc::new(Float64Array::from(vec![f64::NAN, 1.0, -0.0])),
                Arc::new(Float64Array::from(vec![f64::NAN, 1.0])),
                Arc::new(Float64Array::from(vec![-0.0])),
            ),
            (
                Arc::new(TimestampMicrosecondArray::from(vec![2, 1])),
                Arc::new(TimestampMicrosecondArray::from(vec![1])),
                Arc::new(TimestampMicrosecondArray::from(vec![2])),
            ),
        ] {
            let found = missing(&all, &done).unwrap();
            let found = cast(&found, left.data_type()).unwrap();
            assert_eq!(&found, &left);
        }
    }

    #[test]
    fn missing_keys_are_told() {
        let all = keys(&[None, Some("a"), Some("b")]);
        let found = |rows: &[Option<&str>]| {
            let missing = missing(&all, &keys(rows)).unwrap();
            cast(&missing, &DataType::Utf8).unwrap()
        };
        assert_eq!(&found(&[Some("b"), None, Some("a"), Some("a")]), &keys(&[]));
        assert_eq!(&found(&[None]), &keys(&[Some("a"), Some("b")]));
        assert_eq!(&found(&[Some("a"), Some("b")]), &keys(&[None]));
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
