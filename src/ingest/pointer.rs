//! Picks a few values out of a JSON object by JSON pointer (RFC 6901), in one pass and without building a tree.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Deepest nesting taken, in objects and arrays: what `serde_json` itself takes of a tree.
pub(crate) const MAX_NESTING: usize = 127;

/// What stood at each of `N` pointers, as it was written.
pub(crate) type Found<'a, const N: usize> = [Option<&'a RawValue>; N];

/// `N` JSON pointers, parsed into the tree of their steps.
#[derive(Clone, Debug)]
pub(crate) struct Picker<const N: usize> {
    root: Node,
}

impl<const N: usize> Picker<N> {
    /// Parses pointers. An empty one is off: nothing is ever found there. (A validated config has none without its leading `/`;
    /// such a one is read as if it had it.)
    pub(crate) fn new(pointers: [&str; N]) -> Self {
        const { assert!(N <= u16::BITS as usize, "one bit for each pointer") };
        let mut root = Node::default();
        for (slot, pointer) in pointers.into_iter().enumerate() {
            if !pointer.is_empty() {
                root.add(pointer.strip_prefix('/').unwrap_or(pointer).split('/'), 1 << slot);
            }
        }
        Self { root }
    }

    /// Reads a whole JSON text whose nesting is at most [`MAX_NESTING`] and gives what stands at the pointers.
    ///
    /// # Errors
    /// If the text is not JSON, or holds more than one value.
    pub(crate) fn pick<'a>(&self, json: &'a str) -> serde_json::Result<Found<'a, N>> {
        let mut found = [None; N];
        let mut deserializer = serde_json::Deserializer::from_str(json);
        Inside { node: &self.root, found: &mut found }.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(found)
    }
}

/// Whether a text nests objects and arrays deeper than [`MAX_NESTING`]. For JSON texts only; of others the answer means nothing.
pub(crate) fn is_too_deep(json: &str) -> bool {
    // Few texts have so many brackets that they could be too deep.
    if memchr::memchr2_iter(b'{', b'[', json.as_bytes()).nth(MAX_NESTING).is_none() {
        return false;
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = byte == b'\\' && !escaped;
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_NESTING {
            return true;
        }
    }
    false
}

/// A place in the document that a pointer names or passes.
#[derive(Clone, Debug, Default)]
struct Node {
    /// The pointers that end here, one bit each.
    ends: u16,
    /// The pointers that end further below.
    below: u16,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
struct Step {
    key: Box<str>,
    /// The key as a place in an array, where it can be one.
    index: Option<usize>,
    node: Node,
}

impl Node {
    fn add<'p>(&mut self, mut tokens: impl Iterator<Item = &'p str>, slot: u16) {
        let Some(token) = tokens.next() else {
            self.ends |= slot;
            return;
        };
        self.below |= slot;
        let key = token.replace("~1", "/").replace("~0", "~");
        let known = self.steps.iter().position(|step| *step.key == key);
        let position = known.unwrap_or_else(|| {
            self.steps.push(Step { index: array_index(&key), key: key.into(), node: Node::default() });
            self.steps.len() - 1
        });
        self.steps[position].node.add(tokens, slot);
    }

    fn at_key(&self, key: &str) -> Option<&Node> {
        self.steps.iter().find(|step| *step.key == *key).map(|step| &step.node)
    }

    fn at_index(&self, index: usize) -> Option<&Node> {
        self.steps.iter().find(|step| step.index == Some(index)).map(|step| &step.node)
    }
}

/// RFC 6901: digits without leading zeros.
fn array_index(key: &str) -> Option<usize> {
    let is_index = key == "0" || (!key.starts_with('0') && key.bytes().all(|byte| byte.is_ascii_digit()));
    if is_index { key.parse().ok() } else { None }
}

/// Takes one value: skips it, keeps it, or looks inside.
struct Take<'n, 'f, 'a, const N: usize> {
    node: Option<&'n Node>,
    found: &'f mut Found<'a, N>,
}

impl<'a, const N: usize> DeserializeSeed<'a> for Take<'_, '_, 'a, N> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        let Some(node) = self.node else {
            IgnoredAny::deserialize(deserializer)?;
            return Ok(());
        };
        // Of duplicate keys the last wins, with all that stands below it.
        set(self.found, node.below, None);
        if node.ends == 0 {
            return Inside { node, found: self.found }.deserialize(deserializer);
        }
        let raw = <&RawValue>::deserialize(deserializer)?;
        set(self.found, node.ends, Some(raw));
        if node.below == 0 {
            return Ok(());
        }
        let mut again = serde_json::Deserializer::from_str(raw.get());
        Inside { node, found: self.found }.deserialize(&mut again).map_err(D::Error::custom)
    }
}

/// Puts a value into each slot of a set.
fn set<'a, const N: usize>(found: &mut Found<'a, N>, mut slots: u16, value: Option<&'a RawValue>) {
    while slots != 0 {
        found[slots.trailing_zeros() as usize] = value;
        slots &= slots - 1;
    }
}

/// Looks inside an object or array; whatever else stands there is passed over.
struct Inside<'n, 'f, 'a, const N: usize> {
    node: &'n Node,
    found: &'f mut Found<'a, N>,
}

impl<'a, const N: usize> DeserializeSeed<'a> for Inside<'_, '_, 'a, N> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a, const N: usize> Visitor<'a> for Inside<'_, '_, 'a, N> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(node) = map.next_key_seed(KeyOf(self.node))? {
            map.next_value_seed(Take { node, found: self.found })?;
        }
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'a>>(self, mut seq: S) -> Result<(), S::Error> {
        let mut index = 0;
        while seq.next_element_seed(Take { node: self.node.at_index(index), found: self.found })?.is_some() {
            index += 1;
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Reads a key and finds the node it leads to.
struct KeyOf<'n>(&'n Node);

impl<'a, 'n> DeserializeSeed<'a> for KeyOf<'n> {
    type Value = Option<&'n Node>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'n> Visitor<'_> for KeyOf<'n> {
    type Value = Option<&'n Node>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.at_key(key))
    }
}
