//! The first configuration of a new folder, written so that one learns from it.

use std::fmt::Write as _;

use crate::authorization::CONSOLE_GROUP;
use crate::choice::Protocol;

/// What a new folder's broker listens to.
#[derive(Clone, Copy, Debug)]
pub struct Quickstart<'p> {
    /// Added to every port.
    pub port_offset: u16,
    /// These protocols.
    pub protocols: &'p [Protocol],
    /// Whether each of them gets a listener without TLS besides, on loopback.
    pub plain: bool,
}

/// Why there is no template for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateFault {
    /// No protocol was named.
    Nothing,
    /// This version does not speak it.
    NotAvailable(Protocol),
    /// Its port would be over 65535.
    Port(Protocol),
}

impl std::fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nothing => f.write_str("no protocol is named"),
            Self::NotAvailable(protocol) => {
                write!(f, "\"{}\" is not available yet in this version", protocol.name())
            }
            Self::Port(protocol) => write!(f, "the port of \"{}\" would be over 65535", protocol.name()),
        }
    }
}

impl std::error::Error for TemplateFault {}

const HEAD: &str = "\
# The configuration of this broker. Paths are relative to this folder. After a change:
#   keepmq check --dir DIR      tells all that is wrong with it, and what to do
#   kill -HUP PID               takes over what can be changed while it runs; the rest at the next start
# What is not written here is closed. Only this file's owner may read it.

[broker]
name = \"keepmq\"

# The certificate that the listeners show. Clients trust tls/ca.pem, which signed it; put your own here if you have one.
[tls]
certificate = \"tls/server.pem\"
key = \"tls/server.key\"
";

const LISTENERS: &str = "
# A listener is one protocol on one port. To let others in, set a private address of this machine instead:
#   address = \"10.0.0.5\"
# Then everybody on private networks may connect; write ingress = { allow = [\"10.0.0.0/16\"] } to narrow it. A public
# address needs `public = true` and ingress, so that it is never open by accident.
";

const PLAIN: &str = "
# Without TLS, for programs on this machine that can't do it. Anybody who may listen on the machine's own network reads
# along: take these out when nothing needs them.
";

const STORE: &str = "
# Messages are encrypted on disk. Without keys/master.key they are lost: keep a copy elsewhere.
[store]
directory = \"store\"
master-key = \"keys/master.key\"
max-bytes = \"64GiB\"

# Users, their groups and the hashes of their passwords: keepmq user add|passwd|groups|remove|list --dir DIR
[users]
file = \"users.toml\"

# Every decision: who, from where, what, and which entry decided.
[audit]
file = \"audit.log\"
";

const MAP: &str = "
# Who may do what where, as in ActiveMQ. `*` is one segment of a name, `>` any number of further ones. `read` is to
# consume, browse and subscribe, `write` to send, `admin` to create, delete and purge; the first to use a destination
# creates it. All entries that match add up: a narrow entry takes nothing away from a wide one. What no entry grants is
# refused. The console works with the rights of the group activemq-webconsole: give that group to nobody else.
#
#   [[authorization.entry]]
#   queue = \"ORDERS.>\"
#   read = [\"billing\"]
#   write = [\"shop\"]
#   admin = [\"shop\", \"billing\"]
#
# ActiveMQ's JMS clients look at the broker's advisories first: their groups need `read` on topic ActiveMQ.Advisory.>
";

const TEMPORARY: &str = "
# Temporary queues and topics, as for request and reply. Add the groups of those who use them; without this table,
# every user who is logged in may.
";

/// The text of a `keepmq.toml`. It loads without a fault or a warning once the files are there that it names.
pub fn quickstart(plan: &Quickstart<'_>) -> Result<String, TemplateFault> {
    if plan.protocols.is_empty() {
        return Err(TemplateFault::Nothing);
    }
    let mut text = format!("{HEAD}{LISTENERS}");
    for protocol in plan.protocols {
        listener(&mut text, *protocol, true, plan.port_offset)?;
    }
    if plan.plain {
        text.push_str(PLAIN);
        for protocol in plan.protocols {
            listener(&mut text, *protocol, false, plan.port_offset)?;
        }
    }
    text.push_str(STORE);
    text.push_str(MAP);
    for kind in ["queue", "topic"] {
        let _ = write!(text, "\n[[authorization.entry]]\n{kind} = \">\"\n");
        grants(&mut text);
    }
    text.push_str(TEMPORARY);
    text.push_str("[authorization.temporary]\n");
    grants(&mut text);
    Ok(text)
}

fn listener(text: &mut String, protocol: Protocol, tls: bool, offset: u16) -> Result<(), TemplateFault> {
    if !protocol.is_available() {
        return Err(TemplateFault::NotAvailable(protocol));
    }
    let port = protocol.port(tls).checked_add(offset).ok_or(TemplateFault::Port(protocol))?;
    let name = protocol.name();
    let (suffix, plain) = if tls { ("", "") } else { ("-plain", "tls = false\n") };
    let _ = write!(
        text,
        "\n[[listener]]\nname = \"{name}{suffix}\"\nprotocol = \"{name}\"\naddress = \"127.0.0.1\"\nport = {port}\n{plain}"
    );
    Ok(())
}

fn grants(text: &mut String) {
    for right in keepmq_policy::Right::ALL {
        let _ = writeln!(text, "{} = [\"admins\", \"{CONSOLE_GROUP}\"]", right.name());
    }
}

#[cfg(test)]
mod tests;
