//! Writes Rust for the types of the wire.
#![allow(clippy::format_push_string, reason = "text is what this makes")]

use std::fmt::Write as _;

use super::table::{Field, Layout, Table, Type};

/// Types whose code is written by hand: one struct stands for several of them, or they are told apart by it.
const BY_HAND: [&str; 4] = ["ActiveMQQueue", "ActiveMQTopic", "ActiveMQTempQueue", "ActiveMQTempTopic"];

/// The file of each type that is not in the last one.
const FILES: [(&str, &str, &[&str]); 5] = [
    (
        "ids",
        "Names of things.",
        &[
            "BrokerId",
            "ConnectionId",
            "ConsumerId",
            "LocalTransactionId",
            "MessageId",
            "ProducerId",
            "SessionId",
            "XATransactionId",
        ],
    ),
    (
        "infos",
        "Things that come and go.",
        &[
            "BrokerInfo",
            "ConnectionInfo",
            "ConsumerInfo",
            "DestinationInfo",
            "ProducerInfo",
            "RemoveInfo",
            "RemoveSubscriptionInfo",
            "SessionInfo",
            "TransactionInfo",
            "WireFormatInfo",
        ],
    ),
    (
        "control",
        "The state of a connection and of what is open on it.",
        &[
            "ConnectionControl",
            "ConnectionError",
            "ConsumerControl",
            "ControlCommand",
            "FlushCommand",
            "KeepAliveInfo",
            "ProducerAck",
            "ShutdownInfo",
        ],
    ),
    (
        "delivery",
        "Messages on their way to consumers, and answers.",
        &[
            "MessageAck",
            "MessageDispatch",
            "MessageDispatchNotification",
            "MessagePull",
            "Response",
            "ExceptionResponse",
            "DataResponse",
            "DataArrayResponse",
            "IntegerResponse",
        ],
    ),
    (
        "rare",
        "What brokers say to each other, to their stores and over datagrams.",
        &[
            "BrokerSubscriptionInfo",
            "DiscoveryEvent",
            "JournalQueueAck",
            "JournalTopicAck",
            "JournalTrace",
            "JournalTransaction",
            "LastPartialCommand",
            "NetworkBridgeFilter",
            "PartialCommand",
            "ReplayCommand",
            "SubscriptionInfo",
        ],
    ),
];

/// Commands with so many fields are kept in a box.
const LARGE: usize = 3;

/// All files.
pub(super) fn files(table: &Table) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for (file, subject, names) in FILES {
        let mut text = head(subject);
        text += "use super::*;\nuse super::super::cache::Cached;\nuse super::super::fault::Fault;\n";
        text += "use super::super::reader::Reader;\nuse super::super::structure::{Structure, WRONG_TYPE};\n";
        text += "use super::super::writer::Writer;\n";
        for name in names {
            let found = table.types.iter().find(|one| one.name == *name);
            let one = found.ok_or_else(|| anyhow::anyhow!("the tables have no type {name}"))?;
            structure(one, &mut text)?;
        }
        files.push((format!("{file}.rs"), imports(text)));
    }
    files.push(("message.rs".to_owned(), message(table)?));
    files.push(("command.rs".to_owned(), command(table)));
    files.push(("json.rs".to_owned(), json(table)?));
    Ok(files)
}

fn head(subject: &str) -> String {
    format!("//! {subject} Made by `cargo xtask openwire` from `openwire.json`: change that.\n\n")
}

/// Leaves out the imports that a file has no use for.
fn imports(text: String) -> String {
    let used = |word: &str| text.matches(word).count() > 1;
    if used("Cached") { text } else { text.replace("use super::super::cache::Cached;\n", "") }
}

/// The name of a type in Rust.
fn rust_name(name: &str) -> String {
    match name {
        "XATransactionId" => "XaTransactionId".to_owned(),
        "ActiveMQDestination" => "Destination".to_owned(),
        "BooleanExpression" => "Box<NetworkBridgeFilter>".to_owned(),
        "DataStructure" => "Box<Command>".to_owned(),
        "Message" => "Box<Message>".to_owned(),
        name => name.to_owned(),
    }
}

/// The name of a field in Rust.
fn snake(owner: &str, name: &str) -> String {
    match (owner, name) {
        ("Message", "type") => return "jms_type".to_owned(),
        (_, "type") => return "operation".to_owned(),
        (_, "recievedByDFBridge") => return "received_by_df_bridge".to_owned(),
        (_, "messageTTL") => return "message_ttl".to_owned(),
        (_, "consumerTTL") => return "consumer_ttl".to_owned(),
        (_, "networkTTL") => return "network_ttl".to_owned(),
        _ => {}
    }
    let mut text = String::new();
    let mut before = ' ';
    for c in name.chars() {
        if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
        before = c;
    }
    text
}

fn rust_type(field: &Field) -> String {
    let of = || rust_name(field.of.as_deref().unwrap_or_default());
    match &*field.kind {
        "bool" => "bool".to_owned(),
        "byte" => "i8".to_owned(),
        "short" => "i16".to_owned(),
        "int" => "i32".to_owned(),
        "long" => "i64".to_owned(),
        "string" => "Option<JavaText>".to_owned(),
        "bytes" => "Option<Bytes>".to_owned(),
        "fixed_bytes" => "[u8; 8]".to_owned(),
        "array" => format!("Option<Vec<{}>>", of()),
        "throwable" => "Option<Box<Throwable>>".to_owned(),
        _ => format!("Option<{}>", of()),
    }
}

/// The statement that reads a field.
fn read(field: &Field, owner: &str) -> String {
    let name = snake(owner, &field.name);
    let how = if field.kind == "fixed_bytes" { "fixed" } else { &field.kind };
    format!("self.{name} = reader.{how}()?;\n")
}

/// The statement that writes a field.
fn write(field: &Field, owner: &str) -> String {
    let name = snake(owner, &field.name);
    match &*field.kind {
        "bool" | "byte" | "short" | "int" | "long" => format!("writer.{}(self.{name});\n", field.kind),
        "fixed_bytes" => format!("writer.fixed(&self.{name});\n"),
        "throwable" => format!("writer.throwable(self.{name}.as_deref());\n"),
        kind => format!("writer.{kind}(self.{name}.as_ref());\n"),
    }
}

/// A statement for each field that a version has, in its order.
fn walk(
    one: &Type,
    owner: &str,
    peer: &str,
    statement: impl Fn(&Field, &str) -> String,
) -> anyhow::Result<String> {
    let mut text = String::new();
    let Some(newest) = one.common() else {
        writeln!(text, "match {peer}.version() {{")?;
        for (place, layout) in one.layouts.iter().enumerate() {
            let Layout { from, to, fields } = layout;
            let last = place + 1 == one.layouts.len();
            let arm = if last { "_".to_owned() } else { format!("{from}..={to}") };
            let arm = if place == 0 && !last { format!("..={to}") } else { arm };
            writeln!(text, "{arm} => {{")?;
            for field in fields {
                text += &statement(one.field(field)?, owner);
            }
            text += "}\n";
        }
        return Ok(text + "}\n");
    };
    let oldest = one.layouts.first().map_or(1, |layout| layout.from);
    let mut open = oldest;
    for name in &newest.fields {
        let since = one.since(name).ok_or_else(|| anyhow::anyhow!("{}.{name} comes and goes", one.name))?;
        if since != open {
            if open != oldest {
                text += "}\n";
            }
            if since != oldest {
                writeln!(text, "if {peer}.version() >= {since} {{")?;
            }
            open = since;
        }
        text += &statement(one.field(name)?, owner);
    }
    if open != oldest {
        text += "}\n";
    }
    Ok(text)
}

fn fields(one: &Type, owner: &str, text: &mut String) -> anyhow::Result<()> {
    for field in &one.fields {
        match &field.doc {
            Some(doc) => writeln!(text, "/// `{}`: {doc}.", field.name)?,
            None => writeln!(text, "/// `{}`.", field.name)?,
        }
        writeln!(text, "pub {}: {},", snake(owner, &field.name), rust_type(field))?;
    }
    Ok(())
}

fn structure(one: &Type, text: &mut String) -> anyhow::Result<()> {
    let name = rust_name(&one.name);
    let keeps = cached(&one.name);
    let hash = if one.name.ends_with("Id") { ", Eq, Hash" } else { "" };
    writeln!(text, "\n/// `{}`, wire type {}.", one.name, one.code)?;
    writeln!(text, "#[derive(Clone, Debug, Default, PartialEq{hash})]\npub struct {name} {{")?;
    fields(one, &one.name, text)?;
    writeln!(
        text,
        "}}\n\nimpl {name} {{\n/// Its number as a wire type.\npub const CODE: u8 = {};\n",
        one.code
    )?;
    writeln!(text, "fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {{")?;
    *text += &walk(one, &one.name, "reader", read)?;
    *text += "Ok(())\n}\n}\n\n";
    writeln!(text, "impl Structure for {name} {{")?;
    *text += "fn read(reader: &mut Reader<'_>, code: u8) -> Result<Self, Fault> {\n";
    *text += "if code != Self::CODE {\nreturn Err(reader.fault(WRONG_TYPE));\n}\n";
    *text += "let mut value = Self::default();\nvalue.read_fields(reader)?;\nOk(value)\n}\n\n";
    *text += "fn code(&self) -> u8 {\nSelf::CODE\n}\n\nfn write(&self, writer: &mut Writer<'_>) {\n";
    *text += &walk(one, &one.name, "writer", write)?;
    *text += "}\n";
    if let Some(kept) = keeps {
        writeln!(
            text,
            "\nfn to_cached(&self) -> Option<Cached> {{\nSome(Cached::{kept}(self.clone()))\n}}\n"
        )?;
        *text += "fn of_command(command: Command) -> Option<Self> {\nmatch command {\n";
        writeln!(text, "Command::{name}(value) => Some(value),\n_ => None,\n}}\n}}")?;
    }
    *text += "}\n";
    Ok(())
}

/// The variant under which the cache keeps a type.
fn cached(name: &str) -> Option<&'static str> {
    Some(match name {
        "BrokerId" => "Broker",
        "ConnectionId" => "Connection",
        "ConsumerId" => "Consumer",
        "LocalTransactionId" => "Local",
        "ProducerId" => "Producer",
        "SessionId" => "Session",
        "XATransactionId" => "Xa",
        _ => return None,
    })
}

/// All types of messages are one struct: they differ by their number, and one has three fields more.
fn message(table: &Table) -> anyhow::Result<String> {
    let named = |name: &str| {
        let found = table.types.iter().find(|one| one.name == name);
        found.ok_or_else(|| anyhow::anyhow!("the tables have no type {name}"))
    };
    let (plain, blob) = (named("ActiveMQMessage")?, named("ActiveMQBlobMessage")?);
    let mut text = head("Messages.");
    text += "use super::*;\nuse super::super::fault::Fault;\nuse super::super::reader::Reader;\n";
    text += "use super::super::writer::Writer;\n\n/// A message of any kind.\n";
    text += "#[derive(Clone, Debug, Default, PartialEq)]\npub struct Message {\n/// What its content is.\n";
    text += "pub kind: MessageKind,\n";
    fields(blob, "Message", &mut text)?;
    text += "}\n\nimpl Message {\n";
    text += "pub(crate) fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {\n";
    text += &walk(plain, "Message", "reader", read)?;
    text += "Ok(())\n}\n\npub(crate) fn write_fields(&self, writer: &mut Writer<'_>) {\n";
    text += &walk(plain, "Message", "writer", write)?;
    Ok(text + "}\n}\n")
}

/// The types that are variants of the enum of all, each with whether it is kept in a box.
fn variants(table: &Table) -> Vec<(&Type, bool)> {
    let own = |one: &&Type| !BY_HAND.contains(&&*one.name) && !one.name.ends_with("Message");
    table
        .types
        .iter()
        .filter(own)
        .map(|one| (one, cached(&one.name).is_none() && one.fields.len() >= LARGE))
        .collect()
}

fn command(table: &Table) -> String {
    let mut text = head("Everything that can be a frame, or an object within one.");
    text += "use super::*;\nuse super::super::fault::Fault;\nuse super::super::reader::Reader;\n";
    text += "use super::super::structure::Structure;\nuse super::super::writer::Writer;\n\n";
    text += "/// Any object of the wire.\n#[derive(Clone, Debug, PartialEq)]\npub enum Command {\n";
    text += "/// A message of any kind.\nMessage(Box<Message>),\n/// A destination of any kind.\n";
    text += "Destination(Destination),\n";
    let (mut reads, mut codes, mut writes) = (String::new(), String::new(), String::new());
    for (one, large) in variants(table) {
        let name = rust_name(&one.name);
        let held = if large { format!("Box<{name}>") } else { name.clone() };
        text += &format!("/// `{}`.\n{name}({held}),\n", one.name);
        reads += &format!("{name}::CODE => Self::{name}(Structure::read(reader, code)?),\n");
        codes += &format!("Self::{name}(_) => {name}::CODE,\n");
        writes += &format!("Self::{name}(value) => value.write(writer),\n");
    }
    text += "}\n\nimpl Structure for Command {\n";
    text += "fn read(reader: &mut Reader<'_>, code: u8) -> Result<Self, Fault> {\nOk(match code {\n";
    text += "23..=29 => Self::Message(Structure::read(reader, code)?),\n";
    text += "100..=103 => Self::Destination(Structure::read(reader, code)?),\n";
    text += &reads;
    text += "_ => return Err(reader.fault(\"there is no such type\")),\n})\n}\n\nfn code(&self) -> u8 {\nmatch self {\n";
    text += "Self::Message(value) => value.code(),\nSelf::Destination(value) => value.code(),\n";
    text += &codes;
    text += "}\n}\n\nfn write(&self, writer: &mut Writer<'_>) {\nmatch self {\n";
    text +=
        "Self::Message(value) => value.write(writer),\nSelf::Destination(value) => value.write(writer),\n";
    text += &writes;
    text += "}\n}\n\nfn to_cached(&self) -> Option<super::super::cache::Cached> {\n";
    text += "super::super::cache::Cached::of(self)\n}\n\n";
    text + "fn of_command(command: Self) -> Option<Self> {\nSome(command)\n}\n}\n"
}

/// For tests: what was read, by the names of the tables.
fn json(table: &Table) -> anyhow::Result<String> {
    let mut text = head("What was read, by the names of the wire, for tests.");
    text += "use serde_json::{Map, Value};\n\nuse super::super::tests::json::{Json, put};\nuse super::*;\n\n";
    text += "impl Json for Command {\nfn json(&self, version: u8) -> Value {\nmatch self {\n";
    text +=
        "Self::Message(value) => value.json(version),\nSelf::Destination(value) => value.json(version),\n";
    for (one, _) in variants(table) {
        text += &format!("Self::{}(value) => value.json(version),\n", rust_name(&one.name));
    }
    text += "}\n}\n}\n";
    for (one, _) in variants(table) {
        let name = rust_name(&one.name);
        text += &format!("\nimpl Json for {name} {{\nfn json(&self, version: u8) -> Value {{\n");
        text +=
            &format!("let mut map = Map::new();\nput(&mut map, \"@type\", &\"{}\", version);\n", one.name);
        text += &puts(one, &one.name)?;
        text += "map.into()\n}\n}\n";
    }
    let named = |name: &str| table.types.iter().find(|one| one.name == name);
    if let (Some(plain), Some(blob)) = (named("ActiveMQMessage"), named("ActiveMQBlobMessage")) {
        text +=
            "\nimpl Json for Message {\nfn json(&self, version: u8) -> Value {\nlet mut map = Map::new();\n";
        text += "put(&mut map, \"@type\", &super::super::tests::json::message_type(self.kind), version);\n";
        text += &puts(plain, "Message")?;
        for field in blob.fields.iter().filter(|field| plain.field(&field.name).is_err()) {
            text += &put(field, "Message");
        }
        text += "super::super::tests::json::without_blob(&mut map, self.kind);\nmap.into()\n}\n}\n";
    }
    Ok(text)
}

fn put(field: &Field, owner: &str) -> String {
    format!("put(&mut map, \"{}\", &self.{}, version);\n", field.name, snake(owner, &field.name))
}

fn puts(one: &Type, owner: &str) -> anyhow::Result<String> {
    let mut text = String::new();
    // A type may be newer than its oldest field's layout: by name, each where its version has it.
    for field in &one.fields {
        let statement = put(field, owner);
        let having: Vec<&Layout> =
            one.layouts.iter().filter(|layout| layout.fields.contains(&field.name)).collect();
        if having.len() == one.layouts.len() {
            text += &statement;
            continue;
        }
        let (from, to) =
            (having.first().map_or(0, |first| first.from), having.last().map_or(0, |last| last.to));
        write!(text, "if ({from}..={to}).contains(&version) {{\n{statement}}}\n")?;
    }
    Ok(text)
}
