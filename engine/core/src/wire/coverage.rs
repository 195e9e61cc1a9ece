//! Every variant of every enum that an entry holds must be among the golden entries.
//!
//! A recorder walks the golden entries as if it wrote them and notes which variants it met; serde
//! itself names all that there are. So a new variant without golden bytes fails here, and so does
//! a new enum that is not listed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use serde::de::{DeserializeOwned, Visitor};
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};
use serde::{Deserializer, Serialize, Serializer, forward_to_deserialize_any};

/// Variants by enum.
type Variants = BTreeMap<&'static str, BTreeSet<&'static str>>;

/// Stops a walk that has found what it looked for.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Stop(String);

impl serde::ser::Error for Stop {
    fn custom<T: Display>(text: T) -> Self {
        Self(text.to_string())
    }
}

impl serde::de::Error for Stop {
    fn custom<T: Display>(text: T) -> Self {
        Self(text.to_string())
    }
}

/// Notes the variants that it is given to write.
#[derive(Default)]
struct Recorder(Variants);

macro_rules! nothing {
    ($($name:ident: $kind:ty),* $(,)?) => {
        $(fn $name(self, _: $kind) -> Result<(), Stop> { Ok(()) })*
    };
}

impl Serializer for &mut Recorder {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    nothing! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32,
        serialize_i64: i64, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32,
        serialize_u64: u64, serialize_f32: f32, serialize_f64: f64, serialize_char: char,
        serialize_str: &str, serialize_bytes: &[u8],
    }

    // The binary form, as on disk.
    fn is_human_readable(&self) -> bool {
        false
    }
    fn serialize_none(self) -> Result<(), Stop> {
        Ok(())
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Stop> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), Stop> {
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Stop> {
        Ok(())
    }
    fn serialize_unit_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Stop> {
        self.0.entry(name).or_default().insert(variant);
        Ok(())
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Stop> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Stop> {
        self.0.entry(name).or_default().insert(variant);
        value.serialize(self)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Stop> {
        Ok(self)
    }
    fn serialize_tuple(self, _: usize) -> Result<Self, Stop> {
        Ok(self)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Stop> {
        Ok(self)
    }
    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self, Stop> {
        self.0.entry(name).or_default().insert(variant);
        Ok(self)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self, Stop> {
        Ok(self)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Stop> {
        Ok(self)
    }
    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self, Stop> {
        self.0.entry(name).or_default().insert(variant);
        Ok(self)
    }
}

macro_rules! walked {
    ($($part:ident::$method:ident),* $(,)?) => {$(
        impl $part for &mut Recorder {
            type Ok = ();
            type Error = Stop;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
                value.serialize(&mut **self)
            }
            fn end(self) -> Result<(), Stop> {
                Ok(())
            }
        }
    )*};
}

walked! {
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field,
}

macro_rules! named {
    ($($part:ident),* $(,)?) => {$(
        impl $part for &mut Recorder {
            type Ok = ();
            type Error = Stop;
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                _: &'static str,
                value: &T,
            ) -> Result<(), Stop> {
                value.serialize(&mut **self)
            }
            fn end(self) -> Result<(), Stop> {
                Ok(())
            }
        }
    )*};
}

named! { SerializeStruct, SerializeStructVariant }

impl SerializeMap for &mut Recorder {
    type Ok = ();
    type Error = Stop;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Stop> {
        key.serialize(&mut **self)
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        value.serialize(&mut **self)
    }
    fn end(self) -> Result<(), Stop> {
        Ok(())
    }
}

/// Asks a type which enum it is; it never gets a value.
#[derive(Default)]
struct Inquiry(Option<(&'static str, &'static [&'static str])>);

impl<'de> Deserializer<'de> for &mut Inquiry {
    type Error = Stop;

    fn is_human_readable(&self) -> bool {
        false
    }
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        Err(Stop("it is no enum".to_owned()))
    }
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Stop> {
        self.0 = Some((name, variants));
        Err(Stop("found".to_owned()))
    }
    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}

fn variants_of<T: DeserializeOwned>(all: &mut Variants) {
    let mut inquiry = Inquiry::default();
    drop(T::deserialize(&mut inquiry));
    let (name, variants) = inquiry.0.expect("only enums are listed");
    all.insert(name, variants.iter().copied().collect());
}

macro_rules! variants_of {
    ($($kind:ty),* $(,)?) => {{
        let mut all = Variants::new();
        $(variants_of::<$kind>(&mut all);)*
        all
    }};
}

/// Every enum that an entry may hold.
fn all() -> Variants {
    use crate::{
        agency, card, definition, document, entry, law, material, partial, recommend, request,
        time, value, way_out,
    };
    variants_of![
        agency::ReplyBody,
        card::CardAnswerKind,
        card::CardLevel,
        definition::After,
        definition::DecidesIn,
        definition::Intake,
        definition::Regime,
        document::SealKind,
        document::ServiceMode,
        entry::Body,
        entry::IncidentKind,
        entry::Origin,
        entry::TaskKind,
        law::ActAnswer,
        law::ActKind,
        law::ClockKind,
        law::Terms,
        material::Cause,
        material::Form,
        material::Found,
        partial::Partial,
        recommend::Recommendation,
        request::Ask,
        request::Evidence,
        request::OutcomeKind,
        time::Unit,
        value::Value,
        way_out::Handling,
        way_out::Overriding,
        way_out::Tail,
        way_out::WayOut,
    ]
}

#[test]
fn every_variant_on_disk_has_golden_bytes() {
    let mut recorder = Recorder::default();
    for entry in super::tests::entries() {
        entry.serialize(&mut recorder).unwrap();
    }
    let all = all();
    let unlisted: Vec<_> = recorder.0.keys().filter(|name| !all.contains_key(*name)).collect();
    assert!(unlisted.is_empty(), "list these enums here too: {unlisted:?}");
    let met = |name: &str| recorder.0.get(name).cloned().unwrap_or_default();
    let missing: BTreeMap<_, Vec<_>> = all
        .iter()
        .map(|(name, variants)| (*name, variants.difference(&met(name)).copied().collect()))
        .filter(|(_, missing): &(_, Vec<_>)| !missing.is_empty())
        .collect();
    assert!(missing.is_empty(), "add golden entries with these variants: {missing:#?}");
}
