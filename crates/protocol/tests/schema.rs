//! The schema files say what the structs are. `TRADEWRIGHT_WRITE_SCHEMA=1 cargo test -p tradewright-protocol --test schema`
//! writes them anew.

use std::fmt::Write as _;
use std::path::Path;

use tradewright_protocol::spec::{DataSpec, EnumSpec, FieldSpec, GroupSpec, MessageSpec, Presence, VERSION_EXTENDED};
use tradewright_protocol::{codes, feed, messages};

const TYPES: &str = r#"    <types>
        <composite name="sofh">
            <type name="messageLength" primitiveType="uint32"/>
            <type name="encodingType" primitiveType="uint16"/>
        </composite>
        <composite name="messageHeader">
            <type name="blockLength" primitiveType="uint16"/>
            <type name="templateId" primitiveType="uint16"/>
            <type name="schemaId" primitiveType="uint16"/>
            <type name="version" primitiveType="uint16"/>
            <type name="seqNum" primitiveType="uint32"/>
            <ref name="sendingTime" type="utcTimestampUs"/>
        </composite>
        <composite name="groupSize16Encoding">
            <type name="blockLength" primitiveType="uint16"/>
            <type name="numInGroup" primitiveType="uint16"/>
        </composite>
        <composite name="smallGroupSize16Encoding">
            <type name="blockLength" primitiveType="uint8"/>
            <type name="numInGroup" primitiveType="uint16"/>
        </composite>
        <composite name="groupSize8Encoding">
            <type name="blockLength" primitiveType="uint16"/>
            <type name="numInGroup" primitiveType="uint8"/>
        </composite>
        <composite name="smallGroupSize8Encoding">
            <type name="blockLength" primitiveType="uint8"/>
            <type name="numInGroup" primitiveType="uint8"/>
        </composite>
"#;

/// Names of types and what they are made of.
const ALIASES: [(&str, &str); 11] = [
    ("mantissa64", "int64"),
    ("exponent8", "int8"),
    ("allocId", "int64"),
    ("durationUs", "uint32"),
    ("executionId", "int64"),
    ("ordId", "int64"),
    ("ordListId", "int64"),
    ("preventedMatchId", "int64"),
    ("tradeId", "int64"),
    ("tradeGroupId", "int64"),
    ("utcTimestampUs", "int64"),
];

/// Text behind blocks: the name of the type, and that of its length.
const TEXTS: [(&str, &str); 4] = [
    ("varString", "uint16"),
    ("varString8", "uint8"),
    ("optionalVarString", "uint16"),
    ("optionalVarString8", "uint8"),
];

fn write_field(xml: &mut String, indent: usize, field: &FieldSpec, block_length: usize) {
    let FieldSpec { tag, name, wire, presence, since, offset, size: _, kind: _ } = field;
    let is_extension = *since >= VERSION_EXTENDED && *name != "Event";
    let offset = if is_extension { block_length + offset } else { *offset };
    let presence = if *presence == Presence::Optional { r#" presence="optional""# } else { "" };
    let since = if *since > 0 { format!(r#" sinceVersion="{since}""#) } else { String::new() };
    let indent = " ".repeat(indent);
    let rest = format!(r#"type="{wire}" offset="{offset}"{presence}{since}/>"#);
    writeln!(xml, r#"{indent}<field id="{tag}" name="{name}" {rest}"#).expect("text grows");
}

fn write_data(xml: &mut String, indent: usize, DataSpec { tag, name, wire }: &DataSpec) {
    let indent = " ".repeat(indent);
    writeln!(xml, r#"{indent}<data id="{tag}" name="{name}" type="{wire}"/>"#).expect("text grows");
}

fn write_group(xml: &mut String, indent: usize, group: &GroupSpec) {
    let GroupSpec { tag, name, dimension, block_length, fields, extension, groups, data } = group;
    let margin = " ".repeat(indent);
    let rest = format!(r#"dimensionType="{dimension}" blockLength="{block_length}">"#);
    writeln!(xml, r#"{margin}<group id="{tag}" name="{name}" {rest}"#).expect("text grows");
    write_parts(xml, indent + 4, *block_length, [fields, extension], groups, data);
    writeln!(xml, "{margin}</group>").expect("text grows");
}

fn write_parts(
    xml: &mut String,
    indent: usize,
    block_length: usize,
    fields: [&[FieldSpec]; 2],
    groups: &[GroupSpec],
    data: &[DataSpec],
) {
    for field in fields.into_iter().flatten() {
        write_field(xml, indent, field, block_length);
    }
    for group in groups {
        write_group(xml, indent, group);
    }
    for text in data {
        write_data(xml, indent, text);
    }
}

fn write_message(xml: &mut String, message: &MessageSpec) {
    let MessageSpec { name, template, block_length, fields, extension, extension_length: _, groups, data } = message;
    writeln!(xml, r#"    <sbe:message name="{name}" id="{template}" blockLength="{block_length}">"#)
        .expect("text grows");
    write_parts(xml, 8, *block_length, [fields, extension], groups, data);
    writeln!(xml, "    </sbe:message>").expect("text grows");
}

fn write_enumeration(xml: &mut String, EnumSpec { name, encoding, values }: &EnumSpec) {
    writeln!(xml, r#"        <enum name="{name}" encodingType="{encoding}">"#).expect("text grows");
    for (value, code, since) in *values {
        let since = if *since > 0 { format!(r#" sinceVersion="{since}""#) } else { String::new() };
        let code = if *encoding == "char" { char::from(*code).to_string() } else { code.to_string() };
        writeln!(xml, r#"            <validValue name="{value}"{since}>{code}</validValue>"#).expect("text grows");
    }
    writeln!(xml, "        </enum>").expect("text grows");
}

fn write_schema(messages: &[&MessageSpec], enumerations: &[&EnumSpec]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let head = r#"package="tradewright_order_entry" id="1" version="100" byteOrder="littleEndian">"#;
    let space = r#"xmlns:sbe="http://fixprotocol.io/2016/sbe""#;
    writeln!(xml, "<!-- Written by crates/protocol/tests/schema.rs from the structs: see there. -->")
        .expect("text grows");
    writeln!(xml, "<sbe:messageSchema {space} {head}").expect("text grows");
    xml.push_str(TYPES);
    for (name, length) in TEXTS {
        writeln!(xml, r#"        <composite name="{name}">"#).expect("text grows");
        writeln!(xml, r#"            <type name="length" primitiveType="{length}"/>"#).expect("text grows");
        let data = r#"name="varData" length="0" primitiveType="uint8" characterEncoding="UTF-8""#;
        writeln!(xml, "            <type {data}/>").expect("text grows");
        writeln!(xml, "        </composite>").expect("text grows");
    }
    for (name, primitive) in ALIASES {
        writeln!(xml, r#"        <type name="{name}" primitiveType="{primitive}"/>"#).expect("text grows");
    }
    writeln!(xml, r#"        <type name="eventRecord" length="128" primitiveType="uint8"/>"#).expect("text grows");
    for enumeration in enumerations {
        write_enumeration(&mut xml, enumeration);
    }
    xml.push_str("    </types>\n");
    for message in messages {
        write_message(&mut xml, message);
    }
    xml.push_str("</sbe:messageSchema>\n");
    xml
}

/// The types of the feed that are a number here and have their names elsewhere in the reference.
const FEED_TYPES: &str = r#"    <types>
        <composite name="messageHeader">
            <type name="blockLength" primitiveType="uint16"/>
            <type name="templateId" primitiveType="uint16"/>
            <type name="schemaId" primitiveType="uint16"/>
            <type name="version" primitiveType="uint16"/>
        </composite>
        <type name="instrumentState" primitiveType="uint8"/>
        <type name="auctionPhase" primitiveType="uint8"/>
        <type name="stateCause" primitiveType="uint8"/>
        <enum name="feedSide" encodingType="uint8">
            <validValue name="Buy">0</validValue>
            <validValue name="Sell">1</validValue>
        </enum>
        <enum name="boolEnum" encodingType="uint8">
            <validValue name="False">0</validValue>
            <validValue name="True">1</validValue>
        </enum>
        <enum name="feedRefusal" encodingType="uint8">
            <validValue name="TooOld">1</validValue>
            <validValue name="NotYet">2</validValue>
            <validValue name="WrongChannel">3</validValue>
            <validValue name="TooMuch">4</validValue>
        </enum>
    </types>
"#;

fn write_feed_schema() -> String {
    let head = format!(
        r#"package="tradewright_market_data" id="{}" version="{}" byteOrder="littleEndian">"#,
        feed::FEED_SCHEMA_ID,
        feed::FEED_VERSION
    );
    let space = r#"xmlns:sbe="http://fixprotocol.io/2016/sbe""#;
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!-- Written by crates/protocol/tests/schema.rs from the structs: see there. -->\n\
         <sbe:messageSchema {space} {head}\n{FEED_TYPES}"
    );
    for message in feed::FEED_MESSAGES {
        write_message(&mut xml, message);
    }
    xml.push_str("</sbe:messageSchema>\n");
    xml
}

#[test]
fn the_schema_of_the_feed_is_that_of_the_structs() {
    check("market-data.xml", &write_feed_schema());
}

fn check(file: &str, written: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema").join(file);
    if std::env::var_os("TRADEWRIGHT_WRITE_SCHEMA").is_some() {
        std::fs::write(&path, written).expect("the schema is written");
    }
    let stands = std::fs::read_to_string(&path).expect("schema file");
    assert!(stands == written, "schema/{file} differs from the structs: write it anew, see the head of this file");
}

#[test]
fn the_order_entry_schema_is_that_of_the_structs() {
    check("order-entry.xml", &write_schema(messages::MESSAGES, codes::ENUMERATIONS));
}

#[test]
fn fields_stand_one_behind_the_other() {
    fn blocks(groups: &'static [GroupSpec], found: &mut Vec<(&'static str, &'static [FieldSpec], usize)>) {
        for group in groups {
            found.push((group.name, group.fields, group.block_length));
            blocks(group.groups, found);
        }
    }
    let mut found = Vec::new();
    for message in messages::MESSAGES.iter().chain(feed::FEED_MESSAGES) {
        found.push((message.name, message.fields, message.block_length));
        found.push((message.name, message.extension, message.extension_length));
        blocks(message.groups, &mut found);
    }
    for (name, fields, length) in found {
        let mut end = 0;
        for field in fields {
            assert_eq!(field.offset, end, "{name}.{}", field.name);
            end += field.size;
        }
        assert_eq!(end, length, "{name} ends with its last field");
    }
}
