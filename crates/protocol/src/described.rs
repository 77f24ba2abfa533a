//! Any message by the names of its schema: for programs that want all fields and not the last microsecond.
//!
//! Bindings, tools and tests read and write messages with it that they have no struct for. What is hot reads structs.

use core::fmt;

use crate::codes::ENUMERATIONS;
use crate::frame::{Dimension, Envelope, Frame, FrameError, FrameWriter, Parts};
use crate::messages::MESSAGES;
use crate::spec::{DataSpec, EnumSpec, FieldKind, FieldSpec, GroupSpec, MessageSpec, VERSION_EXTENDED};

/// The value of a field. A field that is null has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'b> {
    /// A number.
    Number(i128),
    /// A value of an enumeration, by its name in the schema.
    Name(&'static str),
    /// Text, or the bytes of an event.
    Bytes(&'b [u8]),
    /// The entries of a group.
    Group(Vec<Fields<'b>>),
}

/// Fields by their names, in the order of the schema.
pub type Fields<'b> = Vec<(&'static str, Value<'b>)>;

/// No entry of a group is smaller than a byte, and no frame longer than 64 KiB.
const ENTRIES_MAX: usize = 1 << 16;

/// The message that a frame has, by the names of its schema.
///
/// # Errors
/// It is no message of the schema, or a part of it goes on behind the end.
pub fn read<'b>(frame: &Frame<'b>) -> Result<(&'static MessageSpec, Fields<'b>), FrameError> {
    let template = frame.template();
    let spec = MESSAGES.iter().find(|spec| spec.template == template);
    let spec = *spec.ok_or(FrameError::UnknownTemplate { template })?;
    let mut parts = frame.parts();
    let block = parts.bytes(frame.header.block_length.get().into())?;
    let mut fields = Fields::new();
    read_block(spec.fields, block, &mut fields);
    if frame.header.version.get() >= VERSION_EXTENDED {
        read_block(spec.extension, block.get(spec.block_length..).unwrap_or_default(), &mut fields);
    }
    read_behind(spec.groups, spec.data, &mut parts, &mut fields)?;
    parts.finish()?;
    Ok((spec, fields))
}

fn read_block<'b>(specs: &'static [FieldSpec], block: &'b [u8], into: &mut Fields<'b>) {
    for spec in specs {
        let bytes = block.get(spec.offset..spec.offset + spec.size);
        if let Some(value) = bytes.and_then(|bytes| read_value(spec, bytes)) {
            into.push((spec.name, value));
        }
    }
}

fn read_value<'b>(spec: &FieldSpec, bytes: &'b [u8]) -> Option<Value<'b>> {
    if spec.kind == FieldKind::Event {
        return bytes.iter().any(|byte| *byte != 0).then_some(Value::Bytes(bytes));
    }
    let number = number_of(spec, bytes);
    if number == null_of(spec) {
        return None;
    }
    match enumeration_of(spec) {
        Some(codes) => codes
            .values
            .iter()
            .find(|(_, code, _)| i128::from(*code) == number)
            .map_or(Some(Value::Number(number)), |(name, ..)| Some(Value::Name(name))),
        None => Some(Value::Number(number)),
    }
}

fn number_of(spec: &FieldSpec, bytes: &[u8]) -> i128 {
    let unsigned = bytes.iter().rfold(0_i128, |number, byte| number << 8 | i128::from(*byte));
    let bits = 8 * bytes.len() as u32;
    let is_negative = spec.kind == FieldKind::Signed && unsigned >> (bits - 1) != 0;
    if is_negative { unsigned - (1 << bits) } else { unsigned }
}

fn null_of(spec: &FieldSpec) -> i128 {
    let bits = 8 * spec.size as u32;
    match spec.kind {
        FieldKind::Signed => -(1 << (bits - 1)),
        FieldKind::Unsigned | FieldKind::Code => (1 << bits) - 1,
        FieldKind::Char | FieldKind::Event => 0,
    }
}

fn enumeration_of(spec: &FieldSpec) -> Option<&'static EnumSpec> {
    let is_coded = matches!(spec.kind, FieldKind::Char | FieldKind::Code);
    ENUMERATIONS.iter().find(|codes| is_coded && codes.name == spec.wire).copied()
}

fn dimension_of(group: &GroupSpec) -> Dimension {
    match group.dimension {
        "groupSizeEncoding" | "groupSize8Encoding" => Dimension::Size8,
        "smallGroupSize8Encoding" => Dimension::SmallSize8,
        "groupSize16Encoding" => Dimension::Size16,
        _ => Dimension::SmallSize16,
    }
}

/// Reads groups and text, of a message or of an entry.
fn read_behind<'b>(
    groups: &'static [GroupSpec],
    data: &'static [DataSpec],
    parts: &mut Parts<'b>,
    into: &mut Fields<'b>,
) -> Result<(), FrameError> {
    for group in groups {
        let (length, count) = parts.group(dimension_of(group), ENTRIES_MAX)?;
        let mut entries = Vec::new();
        for _ in 0..count {
            let (block, mut entry) = (parts.bytes(length)?, Fields::new());
            read_block(group.fields, block, &mut entry);
            read_block(group.extension, block.get(group.block_length..).unwrap_or_default(), &mut entry);
            read_behind(group.groups, group.data, parts, &mut entry)?;
            entries.push(entry);
        }
        into.push((group.name, Value::Group(entries)));
    }
    for text in data {
        let bytes = if is_long(text) { parts.text16()? } else { parts.text8()? };
        into.push((text.name, Value::Bytes(bytes)));
    }
    Ok(())
}

/// Whether the length of a text has two bytes.
fn is_long(text: &DataSpec) -> bool {
    !text.wire.ends_with('8') && text.wire != "optionalVarString8"
}

/// Why a message cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotWritten {
    /// The field, or the message.
    pub field: String,
    /// What is wrong.
    pub rule: &'static str,
}

impl fmt::Display for NotWritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.rule)
    }
}

impl core::error::Error for NotWritten {}

/// Writes a message by the names of its schema; what is not named is null. Messages with groups are not written here.
///
/// # Errors
/// The field that there is none of, or whose value does not fit it.
pub fn write(
    message: &str,
    fields: &[(&str, Value<'_>)],
    envelope: Envelope,
    out: &mut Vec<u8>,
) -> Result<(), NotWritten> {
    let refused = |field: &str, rule| NotWritten { field: field.to_owned(), rule };
    let spec = MESSAGES.iter().find(|spec| spec.name == message && spec.groups.is_empty());
    let spec = *spec.ok_or_else(|| refused(message, "must be a message without groups"))?;
    let mut block = vec![0; spec.block_length + spec.extension_length];
    let mut texts = vec![b"".as_slice(); spec.data.len()];
    let placed = || {
        let extension = spec.extension.iter().map(|field| (field, spec.block_length + field.offset));
        spec.fields.iter().map(|field| (field, field.offset)).chain(extension)
    };
    for (field, offset) in placed() {
        block[offset..offset + field.size].copy_from_slice(&null_of(field).to_le_bytes()[..field.size]);
    }
    for (name, value) in fields {
        if let (Some(place), Value::Bytes(text)) = (spec.data.iter().position(|text| text.name == *name), value) {
            texts[place] = text;
            continue;
        }
        let (field, offset) = placed()
            .find(|(field, _)| field.name == *name)
            .ok_or_else(|| refused(name, "must be a field of its message"))?;
        let number = value_of(field, value).ok_or_else(|| refused(name, "must be a value of its field"))?;
        block[offset..offset + field.size].copy_from_slice(&number.to_le_bytes()[..field.size]);
    }
    let mut frame = FrameWriter::of_block(out, envelope, spec.template, &block);
    for (text, bytes) in spec.data.iter().zip(texts) {
        if is_long(text) {
            frame.text16(bytes)
        } else {
            frame.text8(bytes)
        };
    }
    frame.finish();
    Ok(())
}

/// The number that stands for a value in a field, when it fits.
fn value_of(spec: &FieldSpec, value: &Value<'_>) -> Option<i128> {
    let bits = 8 * spec.size as u32;
    match (value, enumeration_of(spec)) {
        (Value::Name(name), Some(codes)) => {
            codes.values.iter().find(|(known, ..)| known == name).map(|(_, code, _)| i128::from(*code))
        }
        (Value::Number(number), None) => {
            let is_signed = spec.kind == FieldKind::Signed;
            let (least, most) =
                if is_signed { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) };
            (least..=most).contains(number).then_some(*number)
        }
        _ => None,
    }
}

/// The name of an enumeration's value as the schema has it.
#[must_use]
pub fn name_of(text: &str) -> Option<&'static str> {
    let names = ENUMERATIONS.iter().flat_map(|codes| codes.values.iter().map(|(name, ..)| *name));
    names.into_iter().find(|name| *name == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::{ExecutionReport, NewOrderSingle};
    use crate::spec::Template;

    fn written(message: &str, fields: &[(&str, Value<'_>)]) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        write(message, fields, Envelope::OPEN, &mut out).map_err(|error| error.to_string())?;
        Ok(out)
    }

    #[test]
    fn what_is_written_by_names_is_read_by_them_and_by_structs() {
        let fields = [
            ("PriceExponent", Value::Number(-2)),
            ("QtyExponent", Value::Number(-5)),
            ("OrderQty", Value::Number(100)),
            ("OrdType", Value::Name("Limit")),
            ("Price", Value::Number(-7)),
            ("Side", Value::Name("Sell")),
            ("ClientSequence", Value::Number(17)),
            ("ClOrdID", Value::Bytes(b"a-1")),
            ("Symbol", Value::Bytes(b"BTCUSDT")),
        ];
        let bytes = written("NewOrderSingle", &fields).expect("its fields");
        let frame = Frame::read(&bytes).expect("a frame");
        let message = frame.message::<NewOrderSingle>().expect("an order");
        assert_eq!((message.block.price.get(), message.block.ord_type.0, message.block.side.0), (-7, b'2', b'2'));
        assert_eq!(message.extension.map(|extension| extension.client_sequence.get()), Some(17));
        let (spec, read) = read(&frame).expect("a message");
        assert_eq!(spec.template, NewOrderSingle::ID);
        assert_eq!(read, fields.to_vec());
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_field() {
        for (message, name, value, complaint) in [
            ("Nonsense", "Side", Value::Name("Buy"), "Nonsense must be a message without groups"),
            ("NewOrderSingle", "Sides", Value::Name("Buy"), "Sides must be a field of its message"),
            ("NewOrderSingle", "Side", Value::Name("Bought"), "Side must be a value of its field"),
            ("NewOrderSingle", "Side", Value::Number(1), "Side must be a value of its field"),
            ("NewOrderSingle", "PriceExponent", Value::Number(200), "PriceExponent must be a value of its field"),
            ("NewOrderSingle", "Price", Value::Number(1 << 64), "Price must be a value of its field"),
            ("NewOrderSingle", "Price", Value::Bytes(b"7"), "Price must be a value of its field"),
        ] {
            assert_eq!(written(message, &[(name, value)]), Err(complaint.to_owned()));
        }
    }

    #[test]
    fn every_message_is_read_cut_anywhere_without_a_panic() {
        for spec in MESSAGES {
            let mut out = Vec::new();
            let block = vec![1; spec.block_length + spec.extension_length];
            FrameWriter::of_block(&mut out, Envelope::OPEN, spec.template, &block).finish();
            out.extend_from_slice(&[2; 300]);
            for length in 26..out.len() {
                let mut frame = out[..length].to_vec();
                frame[..4].copy_from_slice(&(length as u32).to_le_bytes());
                let _ = read(&Frame::read(&frame).expect("its headers"));
            }
        }
        assert_eq!(ExecutionReport::SPEC.groups.len(), 1, "groups are among them");
    }
}
