//! Listeners, judged one by one and against each other.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::address::{Ingress, Posture};
use crate::choice::{Protocol, RefusedPublish};
use crate::findings::{Findings, Span};
use crate::needed::Needed;
use crate::option::{At, Setting};
use crate::raw::listener_key;
use crate::report::Place;
use crate::sections::ListenerOptions;

/// A door: one protocol on one port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// What it is called.
    pub name: Arc<str>,
    /// What it speaks.
    pub protocol: Protocol,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where in the file that is written, or the listener when it is not.
    pub place: Option<Place>,
    /// Whether connections are encrypted; a plain one is on loopback.
    pub tls: bool,
    /// Who can reach the address.
    pub posture: Posture,
    /// From where it takes connections.
    pub ingress: Ingress,
    /// Most connections at a time.
    pub max_connections: usize,
    /// Most connections at a time from one address.
    pub max_connections_per_address: usize,
    /// Largest frame of a client that is logged in.
    pub max_frame_bytes: usize,
    /// How long a connection may take to log in.
    pub login_within: Duration,
    /// What an MQTT 3.1.1 client gets for publishing what it may not.
    pub refused_publish: RefusedPublish,
}

/// What a listener needs to know of the rest of the file.
pub(crate) struct Surroundings {
    /// There is a certificate, or it was told that something is wrong with it.
    pub tls_is_named: bool,
    /// The map has an entry or default grants.
    pub map_grants: bool,
}

/// Judges all listeners; those that can be read are returned, faulty or not.
pub(crate) fn judge(
    raw: &[At<ListenerOptions>],
    around: &Surroundings,
    findings: &mut Findings<'_>,
) -> Vec<Listener> {
    if raw.is_empty() {
        let remedy = "write at least one [[listener]] with a name and a protocol";
        findings.absence("no-listener", None, "there is no listener: nobody could reach the broker", remedy);
    }
    let mut listeners = Vec::new();
    for (index, one) in raw.iter().enumerate() {
        let key = listener_key(index, &one.value);
        let listener = findings.within(key, |findings| {
            let listener = read(one, findings);
            judge_address(one, around, findings);
            judge_protocol(&one.value, findings);
            listener
        });
        listeners.extend(listener);
    }
    judge_names(raw, findings);
    judge_ports(raw, findings);
    listeners
}

fn read(one: &At<ListenerOptions>, findings: &mut Findings<'_>) -> Option<Listener> {
    let options = &one.value;
    for (key, is_missing, form) in [
        ("name", options.name == Needed::Missing, crate::value::Label::FORM),
        ("protocol", options.protocol == Needed::Missing, Protocol::FORM),
    ] {
        if is_missing {
            let what = format!("the listener has no {key}");
            findings.absence("missing-key", one.span.as_ref(), what, format!("add {key} = …: {form}"));
        }
    }
    let (name, protocol) = (options.name.given()?, options.protocol.given()?);
    let posture = Posture::of(options.address.value);
    let ingress = match &options.ingress {
        None => Ingress::by_posture(posture),
        Some(ingress) => Ingress { allow: ingress.value.allow.clone(), deny: ingress.value.deny.clone() },
    };
    Some(Listener {
        name: name.value.shared(),
        protocol: protocol.value,
        address: SocketAddr::new(options.address.value, port(options)?),
        place: place(one).map(|at| findings.place(at)),
        tls: options.tls.value,
        posture,
        ingress,
        max_connections: options.max_connections.as_usize(),
        max_connections_per_address: options.max_connections_per_address.as_usize(),
        max_frame_bytes: options.max_frame_bytes.as_usize(),
        login_within: Duration::from_secs(options.login_seconds.get().into()),
        refused_publish: options.refused_publish.as_ref().map_or_else(Default::default, |at| at.value),
    })
}

fn place(one: &At<ListenerOptions>) -> Option<&Span> {
    let written = one.value.port.as_ref().and_then(|port| port.span.as_ref());
    written.or(one.value.address.span.as_ref()).or(one.span.as_ref())
}

fn port(options: &ListenerOptions) -> Option<u16> {
    let usual = || options.protocol.given().map(|protocol| protocol.value.port(options.tls.value));
    options.port.as_ref().map(|port| port.value).or_else(usual)
}

fn judge_address(one: &At<ListenerOptions>, around: &Surroundings, findings: &mut Findings<'_>) {
    let options = &one.value;
    let posture = Posture::of(options.address.value);
    let at = options.address.span.as_ref().or(one.span.as_ref());
    if posture.is_public() {
        judge_public(options, at, around, findings);
    } else if options.public.value {
        let what = format!("it says public, but {} is {posture}", options.address.value);
        findings.warn("not-public", options.public.span.as_ref(), what, "take out `public = true`");
    }
    judge_tls(one, posture, around, findings);
    if options.ingress.as_ref().is_some_and(|ingress| ingress.value.allow.is_empty()) {
        let at = options.ingress.as_ref().and_then(|ingress| ingress.span.as_ref());
        let remedy = "add allow = [\"…\"] with the networks that it is meant for";
        findings.warn("ingress-empty", at, "ingress allows no network: nobody can connect", remedy);
    }
}

fn judge_public(
    options: &ListenerOptions,
    at: Option<&Span>,
    around: &Surroundings,
    findings: &mut Findings<'_>,
) {
    let address = options.address.value;
    let reaches = match Posture::of(address) {
        Posture::Unspecified => format!("{address} listens on every address of the machine, public ones too"),
        _ => format!("{address} is a public address"),
    };
    if !options.public.value {
        let remedy = "listen on 127.0.0.1 or a private address, or add `public = true` if everybody is meant to reach it";
        findings.fault("public-undeclared", at, reaches, remedy);
        return;
    }
    if options.ingress.is_none() {
        let what = format!("{reaches}, and it is not written who may connect");
        let remedy = "add ingress = { allow = [\"…\"] } with the networks of its clients (\"0.0.0.0/0\" and \"::/0\" are everybody)";
        findings.absence("public-without-ingress", at, what, remedy);
    }
    if !around.map_grants {
        let what = format!("{reaches}, and there is no authorization map");
        findings.absence(
            "public-without-map",
            at,
            what,
            "add [[authorization.entry]] tables that say who may do what",
        );
    }
}

fn judge_tls(
    one: &At<ListenerOptions>,
    posture: Posture,
    around: &Surroundings,
    findings: &mut Findings<'_>,
) {
    let (options, header) = (&one.value, one.span.as_ref());
    if options.tls.value && !around.tls_is_named {
        let remedy = "add [tls] with certificate and key; `keepmq quickstart` makes them for a new folder";
        findings.absence("no-certificate", header, "it uses TLS, and there is no certificate", remedy);
    }
    if !options.tls.value && posture != Posture::Loopback {
        let what = format!("without TLS, passwords would cross the network in the clear ({posture} address)");
        let remedy = "take out `tls = false`, or listen on 127.0.0.1 or ::1";
        findings.fault("plain-text", options.tls.span.as_ref().or(header), what, remedy);
    }
}

fn judge_protocol(options: &ListenerOptions, findings: &mut Findings<'_>) {
    let (Some(protocol), Some(choice)) = (options.protocol.given(), &options.refused_publish) else { return };
    if protocol.value != Protocol::Mqtt {
        let what = format!("{} has a word for a refusal; this is for MQTT", protocol.value.name());
        findings.fault("not-for-protocol", choice.span.as_ref(), what, "take out refused-publish");
    }
}

fn judge_names(raw: &[At<ListenerOptions>], findings: &mut Findings<'_>) {
    for (index, one) in raw.iter().enumerate() {
        let Some(name) = one.value.name.given() else { continue };
        let before = raw.iter().take(index).find(|other| other.value.name.given() == Some(name));
        if let Some(span) = before.and_then(|other| other.value.name.given()?.span.as_ref()) {
            let what = format!("the listener in line {} has this name too", findings.line(span.start));
            findings.within(listener_key(index, &one.value), |f| {
                f.fault("duplicate-name", name.span.as_ref(), what, "give each listener a name of its own");
            });
        }
    }
}

fn judge_ports(raw: &[At<ListenerOptions>], findings: &mut Findings<'_>) {
    for (index, one) in raw.iter().enumerate() {
        let Some(own) = port(&one.value) else { continue };
        let before = raw.iter().take(index).find(|other| {
            port(&other.value) == Some(own) && overlap(other.value.address.value, one.value.address.value)
        });
        if let Some(span) = before.and_then(|other| other.span.as_ref()) {
            let what = format!("the listener in line {} has port {own} too", findings.line(span.start));
            findings.within(listener_key(index, &one.value), |f| {
                f.fault("duplicate-port", place(one), what, "give each listener a port of its own");
            });
        }
    }
}

/// Whether two listeners of one port would be in each other's way. `::` takes IPv4 connections too.
fn overlap(a: IpAddr, b: IpAddr) -> bool {
    let (a, b) = (a.to_canonical(), b.to_canonical());
    let covers = |whole: IpAddr, part: IpAddr| whole.is_unspecified() && (whole.is_ipv6() || part.is_ipv4());
    a == b || covers(a, b) || covers(b, a)
}

#[cfg(test)]
mod tests;
