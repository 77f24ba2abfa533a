//! How messages are described: blocks with their fields, extensions, groups, data. One description gives the struct that is
//! read and written, its offsets for the tests, and the schema file.

use zerocopy::little_endian::{I32, I64, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The version of the schema that the dialect's own clients speak.
pub const VERSION_BASE: u16 = 1;
/// The version from which on messages have our extensions behind their blocks.
pub const VERSION_EXTENDED: u16 = 100;

/// Whether a field may be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It always has a value.
    Required,
    /// It may be null.
    Optional,
}

/// A field of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldSpec {
    /// Its FIX tag.
    pub tag: u32,
    /// Its name in the schema.
    pub name: &'static str,
    /// The name of its type in the schema.
    pub wire: &'static str,
    /// Whether it may be null.
    pub presence: Presence,
    /// The schema version from which on it is there.
    pub since: u16,
    /// Where it stands in its block.
    pub offset: usize,
    /// How many bytes it has.
    pub size: usize,
    /// How its bytes are read.
    pub kind: FieldKind,
}

/// How the bytes of a field are read, and what null is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A number with a sign; null is the lowest.
    Signed,
    /// A number without a sign; null is the highest.
    Unsigned,
    /// A code of an enumeration as a character; null is 0.
    Char,
    /// A code of an enumeration as a small number; null is 255.
    Code,
    /// An event as the engine wrote it; null is zeros.
    Event,
}

/// Text behind the blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataSpec {
    /// Its FIX tag.
    pub tag: u32,
    /// Its name in the schema.
    pub name: &'static str,
    /// The name of its type: `varString8` has a length of one byte, `varString` of two.
    pub wire: &'static str,
}

/// A repeating group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupSpec {
    /// Its FIX tag.
    pub tag: u32,
    /// Its name in the schema.
    pub name: &'static str,
    /// The type of its head.
    pub dimension: &'static str,
    /// The bytes of an entry's block, without extension.
    pub block_length: usize,
    /// The fields of an entry.
    pub fields: &'static [FieldSpec],
    /// The fields that our version adds; offsets count from the end of the block.
    pub extension: &'static [FieldSpec],
    /// Groups within an entry.
    pub groups: &'static [GroupSpec],
    /// Text within an entry.
    pub data: &'static [DataSpec],
}

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageSpec {
    /// Its name in the schema.
    pub name: &'static str,
    /// Its template id.
    pub template: u16,
    /// The bytes of its block, without extension.
    pub block_length: usize,
    /// The fields of its block.
    pub fields: &'static [FieldSpec],
    /// The fields that our version adds; offsets count from the end of the block.
    pub extension: &'static [FieldSpec],
    /// The bytes of the extension.
    pub extension_length: usize,
    /// Its groups.
    pub groups: &'static [GroupSpec],
    /// Its text.
    pub data: &'static [DataSpec],
}

/// A value of an enumeration: its name, its code, the version from which on it is there.
pub type CodeSpec = (&'static str, u8, u16);

/// An enumeration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnumSpec {
    /// Its name in the schema.
    pub name: &'static str,
    /// What encodes it: `char` or `uint8`.
    pub encoding: &'static str,
    /// Its values.
    pub values: &'static [CodeSpec],
}

/// A fixed-size part of a message: read in place, written as it stands.
pub trait Block: FromBytes + IntoBytes + Immutable + KnownLayout + Unaligned + Copy + 'static {
    /// Its fields.
    const FIELDS: &'static [FieldSpec];
    /// The block of which every field is null.
    const NULL: Self;
}

/// The block of a message.
pub trait Template: Block {
    /// Its template id.
    const ID: u16;
    /// What our version adds to it.
    type Extension: Block;
    /// Its description.
    const SPEC: MessageSpec;
}

/// A primitive that has a value for null.
pub trait Null: Copy {
    /// What is read.
    type Value;
    /// How it is read.
    const KIND: FieldKind;
    /// The value that stands for null.
    const NULL: Self;
    /// The value, unless it is null.
    fn some(self) -> Option<Self::Value>;
}

macro_rules! null_primitive {
    ($($type:ty => $value:ident, $kind:ident;)+) => {$(
        impl Null for $type {
            type Value = $type;
            const KIND: FieldKind = FieldKind::$kind;
            const NULL: Self = <$type>::$value;
            #[inline]
            fn some(self) -> Option<$type> {
                (self != <$type>::$value).then_some(self)
            }
        }
    )+};
}

macro_rules! null_number {
    ($($type:ident, $value:ident, $null:ident, $kind:ident;)+) => {$(
        impl Null for $type {
            type Value = $value;
            const KIND: FieldKind = FieldKind::$kind;
            const NULL: Self = $type::new($value::$null);
            #[inline]
            fn some(self) -> Option<$value> {
                (self.get() != $value::$null).then_some(self.get())
            }
        }
    )+};
}

null_number! {
    I64, i64, MIN, Signed;
    I32, i32, MIN, Signed;
    U64, u64, MAX, Unsigned;
    U32, u32, MAX, Unsigned;
    U16, u16, MAX, Unsigned;
}
null_primitive! { i8 => MIN, Signed; u8 => MAX, Unsigned; }

/// A code of an enumeration that is encoded as a character; zero is null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(transparent)]
pub struct Char(pub u8);

/// A code of an enumeration that is encoded as a small number; 255 is null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(transparent)]
pub struct Code(pub u8);

impl Null for Char {
    type Value = u8;
    const KIND: FieldKind = FieldKind::Char;
    const NULL: Self = Self(0);
    #[inline]
    fn some(self) -> Option<u8> {
        (self.0 != 0).then_some(self.0)
    }
}

impl Null for Code {
    type Value = u8;
    const KIND: FieldKind = FieldKind::Code;
    const NULL: Self = Self(u8::MAX);
    #[inline]
    fn some(self) -> Option<u8> {
        (self.0 != u8::MAX).then_some(self.0)
    }
}

/// An event as the engine wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(transparent)]
pub struct EventBytes(pub [u8; 128]);

impl Null for EventBytes {
    type Value = [u8; 128];
    const KIND: FieldKind = FieldKind::Event;
    const NULL: Self = Self([0; 128]);
    fn some(self) -> Option<[u8; 128]> {
        // No event has the kind 0.
        (self.0[0] != 0).then_some(self.0)
    }
}

/// An enumeration of the schema.
pub trait Coded: Copy {
    /// The field type that carries it.
    type Field: Null<Value = u8>;
    /// Its description.
    const SPEC: EnumSpec;
    /// The value with this code.
    fn from_code(code: u8) -> Option<Self>;
}

/// Reads an optional enumeration.
///
/// # Errors
/// The code, when the enumeration does not know it.
#[inline]
pub fn read_code<E: Coded>(field: E::Field) -> Result<Option<E>, u8> {
    match field.some() {
        None => Ok(None),
        Some(code) => E::from_code(code).map(Some).ok_or(code),
    }
}

/// An extension that adds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct NoExtension;

impl Block for NoExtension {
    const FIELDS: &'static [FieldSpec] = &[];
    const NULL: Self = Self;
}

/// Defines a block: the struct, its null value, its fields.
macro_rules! block {
    (
        $(#[$doc:meta])+
        $name:ident {
            $($field:ident: $type:ty = ($tag:literal, $schema:literal, $wire:literal, $presence:ident, $since:literal),)*
        }
    ) => {
        $(#[$doc])+
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq,
            zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout, zerocopy::Unaligned,
        )]
        #[repr(C)]
        pub struct $name {
            $(
                #[doc = concat!("Tag ", $tag, ", ", $schema, ": ", $wire, ".")]
                pub $field: $type,
            )*
        }

        impl $crate::spec::Block for $name {
            const FIELDS: &'static [$crate::spec::FieldSpec] = &[$(
                $crate::spec::FieldSpec {
                    tag: $tag,
                    name: $schema,
                    wire: $wire,
                    presence: $crate::spec::Presence::$presence,
                    since: $since,
                    offset: core::mem::offset_of!($name, $field),
                    size: size_of::<$type>(),
                    kind: <$type as $crate::spec::Null>::KIND,
                },
            )*];
            const NULL: Self = Self { $($field: <$type as $crate::spec::Null>::NULL,)* };
        }
    };
}

/// Makes a block the block of a message.
macro_rules! template {
    ($name:ident, $id:literal, $extension:ty, groups: [$($group:tt)*], data: [$($data:tt)*]) => {
        impl $crate::spec::Template for $name {
            const ID: u16 = $id;
            type Extension = $extension;
            const SPEC: $crate::spec::MessageSpec = $crate::spec::MessageSpec {
                name: stringify!($name),
                template: $id,
                block_length: size_of::<$name>(),
                fields: <$name as $crate::spec::Block>::FIELDS,
                extension: <$extension as $crate::spec::Block>::FIELDS,
                extension_length: size_of::<$extension>(),
                groups: &[$($group)*],
                data: &[$($data)*],
            };
        }
    };
}

/// Defines the enumerations of a schema.
macro_rules! codes {
    ($(
        $(#[$doc:meta])*
        $name:ident: $field:ident = ($schema:literal, $encoding:literal) {
            $($value:ident = $code:literal $(, $since:literal)?;)+
        }
    )+) => {$(
        $(#[$doc])*
        #[doc = concat!("Enumeration `", $schema, "`.")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        #[expect(missing_docs, reason = "the names are the schema's")]
        pub enum $name {
            $($value = $code,)+
        }

        impl $name {
            /// As it stands in a field.
            #[inline]
            pub const fn field(self) -> $crate::spec::$field {
                $crate::spec::$field(self as u8)
            }
        }

        impl $crate::spec::Coded for $name {
            type Field = $crate::spec::$field;
            const SPEC: $crate::spec::EnumSpec = $crate::spec::EnumSpec {
                name: $schema,
                encoding: $encoding,
                values: &[$((stringify!($value), $code, 0 $(+ $since)?),)+],
            };
            #[inline]
            fn from_code(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$value),)+
                    _ => None,
                }
            }
        }
    )+

    /// Every enumeration of the schema.
    pub const ENUMERATIONS: &[&$crate::spec::EnumSpec] = &[$(&<$name as $crate::spec::Coded>::SPEC),+];
    };
}

pub(crate) use {block, codes, template};
