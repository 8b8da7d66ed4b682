//! Whether what was decoded can be gone on with. A checksum says that bytes are as somebody wrote them, not that it was us.
//!
//! Every number that is read is looked at, whatever it belongs to: floats are finite and within reason, moments, hours and offsets
//! within what arithmetic of moments can bear. What else a type demands of itself (lengths, signs, parts no larger than the whole) its own
//! `is_sound` says.

use std::fmt::Display;

use serde::ser::{
    self, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use super::FormatError;
use super::snapshot::PartitionPosition;
use crate::detect::{Alert, DetectorState};
use crate::message::EventTime;
use crate::publish::events::Outbox;

/// Largest float: no sum of squares of counts comes near it, and its own fourth power is still one.
const LARGEST: f64 = 1e24;
/// Largest moment in milliseconds, in the year 33,658, and so the largest number with a sign: messages lie before the year 10,000.
const FURTHEST: i64 = 1_000_000_000_000_000;

/// No hour of messages lies further from the epoch: as far as milliseconds reach, since records that Kafka had at such moments counted there once.
pub(super) const FURTHEST_HOUR: u64 = i64::MAX.unsigned_abs() / 3_600_000 - 2;

/// Checks the moments of a snapshot and where its partitions stand.
///
/// # Errors
/// If one of them cannot be.
pub(super) fn moments<'a>(
    moments: &[Option<EventTime>],
    partitions: impl IntoIterator<Item = &'a PartitionPosition>,
) -> Result<(), FormatError> {
    moments.iter().try_for_each(numbers)?;
    partitions.into_iter().try_for_each(|position| {
        if position.next_offset.0 < 0 {
            return Err(FormatError::Unsound(format!(
                "the offset {} of {}",
                position.next_offset.0, position.partition
            )));
        }
        numbers(&position.frontier)
    })
}

/// Checks what was detected.
///
/// # Errors
/// If some of it cannot be.
pub(super) fn detected(detector: &DetectorState, alerts: &[Alert], outbox: &Outbox) -> Result<(), FormatError> {
    numbers(detector)?;
    numbers(&alerts)?;
    numbers(outbox)?;
    match detector.unsound_department() {
        Some(department) => Err(FormatError::Unsound(format!("what was learned of department {department:?}"))),
        None => Ok(()),
    }
}

fn numbers(part: &impl Serialize) -> Result<(), FormatError> {
    part.serialize(Numbers).map_err(|Unsound(what)| FormatError::Unsound(what))
}

/// Looks at each number of whatever can be serialized.
#[derive(Clone, Copy)]
struct Numbers;

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unsound(String);

impl ser::Error for Unsound {
    fn custom<T: Display>(what: T) -> Self {
        Self(what.to_string())
    }
}

type Looked = Result<(), Unsound>;

/// Takes whatever has no number in it.
macro_rules! pass {
    ($($name:ident($kind:ty)),+) => { $(fn $name(self, _: $kind) -> Looked { Ok(()) })+ };
}

impl ser::Serializer for Numbers {
    type Ok = ();
    type Error = Unsound;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    // Of numbers without a sign each can be; what adds to them saturates.
    pass!(serialize_bool(bool), serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_u8(u8));
    pass!(serialize_u16(u16), serialize_u32(u32), serialize_u64(u64), serialize_char(char), serialize_str(&str));
    pass!(serialize_bytes(&[u8]), serialize_unit_struct(&'static str));

    fn serialize_i64(self, number: i64) -> Looked {
        if number.unsigned_abs() > FURTHEST.unsigned_abs() {
            return Err(Unsound(format!("the moment or number {number}")));
        }
        Ok(())
    }

    fn serialize_f32(self, number: f32) -> Looked {
        self.serialize_f64(f64::from(number))
    }

    fn serialize_f64(self, number: f64) -> Looked {
        if number.is_finite() && number.abs() <= LARGEST {
            return Ok(());
        }
        Err(Unsound(format!("the number {number}")))
    }

    fn serialize_none(self) -> Looked {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Looked {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Looked {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Looked {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Looked {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Looked {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Unsound> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Unsound> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Unsound> {
        Ok(self)
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Self, Unsound> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Unsound> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Unsound> {
        Ok(self)
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Self, Unsound> {
        Ok(self)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// Goes on with each item of whatever holds several.
macro_rules! each {
    ($($room:ident: $($name:ident($($key:ty)?)),+;)+) => { $(
        impl $room for Numbers {
            type Ok = ();
            type Error = Unsound;

            $(fn $name<T: Serialize + ?Sized>(&mut self, $(_: $key,)? value: &T) -> Looked {
                value.serialize(*self)
            })+

            fn end(self) -> Looked {
                Ok(())
            }
        }
    )+ };
}

each! {
    SerializeSeq: serialize_element();
    SerializeTuple: serialize_element();
    SerializeTupleStruct: serialize_field();
    SerializeTupleVariant: serialize_field();
    SerializeMap: serialize_key(), serialize_value();
    SerializeStruct: serialize_field(&'static str);
    SerializeStructVariant: serialize_field(&'static str);
}
