//! The stack machine of Python's pickles, reduced to dictionaries of tensors.
//!
//! Everything that is neither a tensor nor part of one becomes [`Value::Other`]: it is never built,
//! called or inspected.

use std::collections::HashMap;
use std::rc::Rc;

use super::super::header::Stored;

/// A tensor as the program describes it.
#[derive(Debug, Clone)]
pub(super) struct TensorRef {
    /// The name of the archive entry with its storage.
    pub(super) storage: Rc<str>,
    pub(super) stored: Result<Stored, String>,
    /// Index of its first element in the storage.
    pub(super) offset: u64,
    pub(super) shape: Vec<u64>,
    pub(super) stride: Vec<u64>,
}

/// The relevant contents of a dictionary.
#[derive(Debug, Default)]
struct Dict {
    tensors: Vec<(Rc<str>, Rc<TensorRef>)>,
    /// Indices of other dictionaries. One may contain itself.
    dicts: Vec<(Rc<str>, usize)>,
}

#[derive(Debug, Clone)]
enum Value {
    Int(i64),
    Text(Rc<str>),
    /// Module and name of a Python object.
    Global(Rc<(String, String)>),
    Tuple(Rc<Vec<Value>>, usize),
    /// By index.
    Dict(usize),
    Storage(Rc<(Rc<str>, Result<Stored, String>)>),
    Tensor(Rc<TensorRef>),
    Other,
}

/// Maximum nesting of tuples; deeper ones describe no tensor.
const MAX_DEPTH: usize = 16;

/// Maximum number of dimensions of a tensor.
const MAX_RANK: usize = 8;

/// The tensors in the result of a program.
#[derive(Debug)]
pub(super) struct StateDict {
    pub(super) tensors: Vec<(String, TensorRef)>,
    /// The keys that lead to them, such as `model_state_dict`; empty when the result itself is the
    /// dictionary of tensors.
    pub(super) path: String,
}

/// Runs the program and returns the tensors of the dictionary that it leaves, or those of a
/// dictionary in it. The error continues the words "data.pkl".
pub(super) fn run(program: &[u8]) -> Result<StateDict, String> {
    let mut machine = Machine {
        rest: program,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        dicts: Vec::new(),
    };
    while machine.step()? {}
    match machine.stack.pop() {
        Some(Value::Dict(root)) => state_dict(&machine.dicts, root),
        _ => Err(NO_TENSORS.to_owned()),
    }
}

const NO_TENSORS: &str = "holds no dictionary of tensors";

/// Keys of the network's tensors in training scripts' files, beside the optimizer's.
const STATE_DICTS: [&str; 8] = [
    "model_state_dict",
    "state_dict",
    "model",
    "module",
    "net",
    "network",
    "weights",
    "params",
];

/// Maximum length of the name of a tensor or a class, in bytes.
const MAX_NAME: usize = 512;

/// Maximum nesting of such dictionaries.
const MAX_NESTING: usize = 4;

fn state_dict(dicts: &[Dict], root: usize) -> Result<StateDict, String> {
    let mut at = root;
    let mut path = Vec::new();
    loop {
        let dict = &dicts[at];
        let usual = STATE_DICTS
            .iter()
            .find_map(|key| dict.dicts.iter().rev().find(|(name, _)| &**name == *key));
        let next = match (usual, dict.dicts.as_slice()) {
            // A loss may be saved beside the dictionary of the network.
            (Some((_, inner)), _) if dicts[*inner].tensors.len() > dict.tensors.len() => usual,
            (Some(_), _) if dict.tensors.is_empty() => usual,
            (None, [only]) if dict.tensors.is_empty() => Some(only),
            _ => None,
        };
        let Some((name, inner)) = next else {
            if dict.tensors.is_empty() && !dict.dicts.is_empty() {
                let names: Vec<&str> = dict.dicts.iter().take(5).map(|(name, _)| &**name).collect();
                return Err(format!(
                    "{NO_TENSORS} under a usual name, but {}: save the network's `state_dict()` \
                     by itself",
                    names.join(", ")
                ));
            }
            // Each name is copied: one long name could stand for many tensors.
            if dict.tensors.iter().any(|(name, _)| name.len() > MAX_NAME) {
                return Err(format!(
                    "has names of tensors of more than {MAX_NAME} bytes"
                ));
            }
            let tensors = dict.tensors.iter();
            return Ok(StateDict {
                tensors: tensors
                    .map(|(name, tensor)| (name.to_string(), TensorRef::clone(tensor)))
                    .collect(),
                path: path.join("."),
            });
        };
        if path.len() == MAX_NESTING {
            return Err(format!("nests dictionaries more than {MAX_NESTING} deep"));
        }
        path.push(name.to_string());
        at = *inner;
    }
}

struct Machine<'a> {
    rest: &'a [u8],
    stack: Vec<Value>,
    /// Stack heights.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    dicts: Vec<Dict>,
}

impl<'a> Machine<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], String> {
        let (head, rest) = self.rest.split_at_checked(len).ok_or("is cut off")?;
        self.rest = rest;
        Ok(head)
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    /// A little-endian number of up to 8 bytes.
    fn number(&mut self, len: usize) -> Result<u64, String> {
        let bytes = self.take(len)?;
        Ok(bytes.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b)))
    }

    /// As many bytes as the `len`-byte number before them says.
    fn counted(&mut self, len: usize) -> Result<&'a [u8], String> {
        let count = usize::try_from(self.number(len)?).map_err(|_| "is cut off")?;
        self.take(count)
    }

    fn line(&mut self) -> Result<String, String> {
        let len = self
            .rest
            .iter()
            .position(|b| *b == b'\n')
            .ok_or("is cut off")?;
        let line = String::from_utf8_lossy(self.take(len)?).into_owned();
        self.take(1)?;
        Ok(line)
    }

    fn pop(&mut self) -> Result<Value, String> {
        if self.stack.len() <= self.marks.last().copied().unwrap_or(0) {
            return Err("takes from an empty stack".to_owned());
        }
        self.stack
            .pop()
            .ok_or_else(|| "takes from an empty stack".to_owned())
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value>, String> {
        let height = self.marks.pop().ok_or("has no mark where one is needed")?;
        Ok(self.stack.split_off(height))
    }

    fn tuple(&mut self, values: Vec<Value>) -> Result<(), String> {
        let inside = values.iter().map(|v| match v {
            Value::Tuple(_, depth) => *depth,
            _ => 0,
        });
        let depth = inside.max().unwrap_or(0) + 1;
        if depth > MAX_DEPTH {
            return Err(format!("nests tuples more than {MAX_DEPTH} deep"));
        }
        self.stack.push(Value::Tuple(Rc::new(values), depth));
        Ok(())
    }

    fn tuple_of(&mut self, len: usize) -> Result<(), String> {
        let mut values = Vec::with_capacity(len);
        for _ in 0..len {
            values.push(self.pop()?);
        }
        values.reverse();
        self.tuple(values)
    }

    fn push_dict(&mut self) {
        self.stack.push(Value::Dict(self.dicts.len()));
        self.dicts.push(Dict::default());
    }

    fn remember(&mut self, key: u64) -> Result<(), String> {
        let value = self
            .stack
            .last()
            .ok_or("remembers from an empty stack")?
            .clone();
        self.memo.insert(key as u32, value);
        Ok(())
    }

    fn recall(&mut self, key: u64) -> Result<(), String> {
        let value = self
            .memo
            .get(&(key as u32))
            .ok_or("recalls what it has not stored")?;
        self.stack.push(value.clone());
        Ok(())
    }

    /// Stores key-value pairs in the dictionary on top of the stack.
    fn set(&mut self, pairs: &[Value]) -> Result<(), String> {
        let Some(&Value::Dict(dict)) = self.stack.last() else {
            // Another object, whose parts do not matter.
            return Ok(());
        };
        let dict = &mut self.dicts[dict];
        for pair in pairs.chunks_exact(2) {
            match pair {
                [Value::Text(name), Value::Tensor(tensor)] => {
                    dict.tensors.push((Rc::clone(name), Rc::clone(tensor)));
                }
                [Value::Text(name), Value::Dict(inner)] => {
                    dict.dicts.push((Rc::clone(name), *inner));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// One instruction; `false` after the last.
    fn step(&mut self) -> Result<bool, String> {
        match self.byte()? {
            0x80 => drop(self.byte()?),                // PROTO
            b'.' => return Ok(false),                  // STOP
            b'(' => self.marks.push(self.stack.len()), // MARK
            b'0' => drop(self.pop()?),                 // POP
            b'1' => drop(self.pop_to_mark()?),         // POP_MARK
            b'}' => self.push_dict(),                  // EMPTY_DICT
            b']' => self.stack.push(Value::Other),     // EMPTY_LIST
            b')' => self.tuple(Vec::new())?,           // EMPTY_TUPLE
            b't' => {
                let values = self.pop_to_mark()?; // TUPLE
                self.tuple(values)?;
            }
            0x85 => self.tuple_of(1)?,                           // TUPLE1
            0x86 => self.tuple_of(2)?,                           // TUPLE2
            0x87 => self.tuple_of(3)?,                           // TUPLE3
            b'N' | 0x88 | 0x89 => self.stack.push(Value::Other), // NONE, NEWTRUE, NEWFALSE
            b'J' => {
                let n = self.number(4)? as u32 as i32; // BININT
                self.stack.push(Value::Int(n.into()));
            }
            b'K' => {
                let n = self.number(1)?; // BININT1
                self.stack.push(Value::Int(n as i64));
            }
            b'M' => {
                let n = self.number(2)?; // BININT2
                self.stack.push(Value::Int(n as i64));
            }
            0x8a => {
                let len = usize::from(self.byte()?); // LONG1
                if len > 8 {
                    return Err("has a number of more than 64 bits".to_owned());
                }
                let unused = 64 - 8 * len as u32;
                let n = self.number(len)?;
                // Sign-extended from its highest byte.
                let n = if len == 0 {
                    0
                } else {
                    ((n << unused) as i64) >> unused
                };
                self.stack.push(Value::Int(n));
            }
            b'G' => {
                self.take(8)?; // BINFLOAT
                self.stack.push(Value::Other);
            }
            b'X' => {
                let text = String::from_utf8_lossy(self.counted(4)?); // BINUNICODE
                self.stack.push(Value::Text(text.into()));
            }
            0x8c => {
                let text = String::from_utf8_lossy(self.counted(1)?); // SHORT_BINUNICODE
                self.stack.push(Value::Text(text.into()));
            }
            0x8d => {
                let text = self.counted(8)?; // BINUNICODE8
                let text = String::from_utf8_lossy(text);
                self.stack.push(Value::Text(text.into()));
            }
            b'U' | b'C' => {
                self.counted(1)?; // SHORT_BINSTRING, SHORT_BINBYTES
                self.stack.push(Value::Other);
            }
            b'T' | b'B' => {
                self.counted(4)?; // BINSTRING, BINBYTES
                self.stack.push(Value::Other);
            }
            0x8e => {
                self.counted(8)?; // BINBYTES8
                self.stack.push(Value::Other);
            }
            0x95 => drop(self.take(8)?), // FRAME
            0x94 => {
                let key = self.memo.len() as u64; // MEMOIZE
                self.remember(key)?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?); // STACK_GLOBAL
                self.stack.push(match (module, name) {
                    (Value::Text(module), Value::Text(name)) => {
                        Value::Global(Rc::new((module.to_string(), name.to_string())))
                    }
                    _ => Value::Other,
                });
            }
            0x8f => self.stack.push(Value::Other), // EMPTY_SET
            0x90 => drop(self.pop_to_mark()?),     // ADDITEMS
            0x91 => {
                self.pop_to_mark()?; // FROZENSET
                self.stack.push(Value::Other);
            }
            b'l' | b'd' => {
                self.pop_to_mark()?; // LIST, DICT
                self.stack.push(Value::Other);
            }
            b'c' => {
                let global = (self.line()?, self.line()?); // GLOBAL
                self.stack.push(Value::Global(Rc::new(global)));
            }
            b'q' => {
                let key = self.number(1)?; // BINPUT
                self.remember(key)?;
            }
            b'r' => {
                let key = self.number(4)?; // LONG_BINPUT
                self.remember(key)?;
            }
            b'h' => {
                let key = self.number(1)?; // BINGET
                self.recall(key)?;
            }
            b'j' => {
                let key = self.number(4)?; // LONG_BINGET
                self.recall(key)?;
            }
            b'Q' => {
                let id = self.pop()?; // BINPERSID
                self.stack.push(storage(&id));
            }
            b'R' => {
                let (arguments, callable) = (self.pop()?, self.pop()?); // REDUCE
                if is_ordered_dict(&callable, &arguments) {
                    self.push_dict();
                } else {
                    self.stack.push(reduce(&callable, &arguments)?);
                }
            }
            0x81 => {
                let _ = (self.pop()?, self.pop()?); // NEWOBJ
                self.stack.push(Value::Other);
            }
            b'b' => drop(self.pop()?), // BUILD: attributes, such as `_metadata`
            b'a' => drop(self.pop()?), // APPEND
            b'e' => drop(self.pop_to_mark()?), // APPENDS
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?); // SETITEM
                self.set(&[key, value])?;
            }
            b'u' => {
                let pairs = self.pop_to_mark()?; // SETITEMS
                self.set(&pairs)?;
            }
            other => return Err(format!("has the unknown instruction {other:#04x}")),
        }
        Ok(true)
    }
}

/// What a persistent id stands for: `("storage", type, key, device, length)`.
fn storage(id: &Value) -> Value {
    let Value::Tuple(parts, _) = id else {
        return Value::Other;
    };
    let [
        Value::Text(kind),
        Value::Global(class),
        Value::Text(key),
        ..,
    ] = parts.as_slice()
    else {
        return Value::Other;
    };
    if &**kind != "storage" {
        return Value::Other;
    }
    let stored = match class.1.as_str() {
        "DoubleStorage" => Ok(Stored::F64),
        "FloatStorage" => Ok(Stored::F32),
        "HalfStorage" => Ok(Stored::F16),
        "BFloat16Storage" => Ok(Stored::BF16),
        other => Err(other.chars().take(MAX_NAME).collect()),
    };
    Value::Storage(Rc::new((Rc::clone(key), stored)))
}

fn is_ordered_dict(callable: &Value, arguments: &Value) -> bool {
    let (Value::Global(global), Value::Tuple(arguments, _)) = (callable, arguments) else {
        return false;
    };
    let name = (global.0.as_str(), global.1.as_str());
    arguments.is_empty() && (name == ("collections", "OrderedDict") || name == ("builtins", "dict"))
}

/// Evaluates calls that build tensors; every other one gives [`Value::Other`].
fn reduce(callable: &Value, arguments: &Value) -> Result<Value, String> {
    let (Value::Global(global), Value::Tuple(arguments, _)) = (callable, arguments) else {
        return Ok(Value::Other);
    };
    match (global.0.as_str(), global.1.as_str(), arguments.as_slice()) {
        (
            "torch._utils",
            "_rebuild_parameter" | "_rebuild_parameter_with_state",
            [data @ Value::Tensor(_), ..],
        ) => Ok(data.clone()),
        (
            "torch._utils",
            "_rebuild_tensor_v2",
            [
                Value::Storage(storage),
                Value::Int(offset),
                shape,
                stride,
                ..,
            ],
        ) => {
            let (shape, stride) = (dimensions(shape)?, dimensions(stride)?);
            if shape.len() != stride.len() || *offset < 0 {
                return Err("describes a tensor with contradictory numbers".to_owned());
            }
            Ok(Value::Tensor(Rc::new(TensorRef {
                storage: Rc::clone(&storage.0),
                stored: storage.1.clone(),
                offset: offset.unsigned_abs(),
                shape,
                stride,
            })))
        }
        _ => Ok(Value::Other),
    }
}

fn dimensions(value: &Value) -> Result<Vec<u64>, String> {
    let wrong = || format!("describes a tensor without a shape of 0 to {MAX_RANK} dimensions");
    let Value::Tuple(values, _) = value else {
        return Err(wrong());
    };
    if values.len() > MAX_RANK {
        return Err(wrong());
    }
    values
        .iter()
        .map(|value| match value {
            Value::Int(n) => u64::try_from(*n).map_err(|_| wrong()),
            _ => Err(wrong()),
        })
        .collect()
}
