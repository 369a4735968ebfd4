//! SUBSCRIBE and UNSUBSCRIBE.

use keepmq_model::{Bind, Filter, Io, Kind, Pattern, Replay, Source, Verb};

use super::asked::Asked;
use super::{LINK, Link, MqttSession};
use crate::codec::{Ack, Fault, PacketId, PacketType, Qos, SubAck, SubCode, Subscribe, Unsubscribe};
use crate::topic;

/// A SUBSCRIBE or UNSUBSCRIBE whose answer is awaited.
#[derive(Debug)]
pub(super) struct Request {
    number: u32,
    id: PacketId,
    /// Answers that the broker still owes.
    open: usize,
    parts: Parts,
}

#[derive(Debug)]
enum Parts {
    Subscribe(Vec<Wish>),
    Unsubscribe(Vec<Option<Pattern>>),
}

/// A filter of a SUBSCRIBE.
#[derive(Debug)]
struct Wish {
    /// `None` for a filter that the broker can't hold.
    pattern: Option<Pattern>,
    qos: Qos,
    /// Its answer, once it is known.
    code: Option<SubCode>,
}

impl MqttSession {
    /// SUBSCRIBE (section 3.8). It is as many requests as it has filters, in their order [MQTT-3.8.4-4]: of equal ones the
    /// last counts.
    pub(super) fn subscribe(&mut self, packet: &Subscribe<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
        self.check_count(packet.wanted().count())?;
        let wishes = packet
            .wanted()
            .map(|wanted| Ok(Wish { pattern: topic::pattern(wanted.filter)?, qos: wanted.qos, code: None }));
        let mut wishes = wishes.collect::<Result<Vec<_>, Fault>>()?;
        self.attach_once(io);
        let number = self.next_request();
        let mut open = 0;
        for (index, wish) in (0..=u16::MAX).zip(&mut wishes) {
            match &wish.pattern {
                Some(pattern) if self.has_room(pattern) => {
                    self.bind(pattern, wish.qos, Asked::Bind(number, index), io);
                    open += 1;
                }
                _ => wish.code = Some(SubCode::Failure),
            }
        }
        self.await_request(Request { number, id: packet.id, open, parts: Parts::Subscribe(wishes) }, io);
        Ok(())
    }

    fn check_count(&self, count: usize) -> Result<(), Fault> {
        let most = self.options.limits.filters;
        if count > usize::from(most) { Err(Fault::TooManyFilters(most)) } else { Ok(()) }
    }

    fn has_room(&self, pattern: &Pattern) -> bool {
        self.filters.contains(pattern) || self.filters.len() < usize::from(self.options.limits.filters)
    }

    /// A clean session has a link from its first SUBSCRIBE on: most clients only send.
    fn attach_once(&mut self, io: &mut Io<'_>) {
        if self.link == Link::Closed {
            self.attach(Source::Subscription { filters: Vec::new() }, io);
        }
    }

    fn next_request(&mut self) -> u32 {
        self.last_request = self.last_request.wrapping_add(1);
        self.last_request
    }

    fn bind(&mut self, pattern: &Pattern, qos: Qos, asked: Asked, io: &mut Io<'_>) {
        self.filters.ask(pattern, qos);
        io.say.push(Verb::Bind(Box::new(Bind {
            link: LINK,
            filter: Filter {
                kind: Kind::Topic,
                pattern: pattern.clone(),
                option: qos as u32,
                keep: self.durable && qos.is_answered(),
                no_local: false,
                replay: Replay::Always, // [MQTT-3.3.1-6], [MQTT-3.8.4-3]
                selector: None,
            },
            tag: asked.tag(),
        })));
    }

    /// The broker has answered a filter of a SUBSCRIBE.
    pub(super) fn bound(&mut self, number: u32, index: u16, granted: bool, io: &mut Io<'_>) {
        let Some(request) = self.requests.iter_mut().find(|request| request.number == number) else {
            return;
        };
        let Parts::Subscribe(wishes) = &mut request.parts else {
            return;
        };
        let Some(wish) = wishes.get_mut(usize::from(index)) else {
            return;
        };
        let (Some(pattern), None) = (&wish.pattern, wish.code) else {
            return;
        };
        if granted {
            self.filters.confirm(pattern, wish.qos);
            wish.code = Some(SubCode::Granted(wish.qos)); // [MQTT-3.8.4-6]
        } else {
            self.filters.refuse(pattern);
            wish.code = Some(SubCode::Failure);
        }
        request.open -= 1;
        self.unanswered_filters -= 1;
        self.answer_request(number, io);
    }

    /// UNSUBSCRIBE (section 3.10). It is answered in any case, also where nothing was to be taken back [MQTT-3.10.4-5].
    pub(super) fn unsubscribe(&mut self, packet: &Unsubscribe<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
        self.check_count(packet.filters().count())?;
        let patterns = packet.filters().map(topic::pattern);
        let patterns = patterns.collect::<Result<Vec<_>, Fault>>()?;
        let number = self.next_request();
        let mut known = Vec::new();
        // What isn't there needn't be taken back.
        for pattern in patterns.into_iter().flatten() {
            if self.filters.remove(&pattern) {
                known.push(Some(pattern));
            }
        }
        for (index, pattern) in (0..=u16::MAX).zip(known.iter().flatten()) {
            io.say.push(Verb::Unbind {
                link: LINK,
                pattern: pattern.clone(),
                tag: Asked::Unbind(number, index).tag(),
            });
        }
        self.await_request(
            Request { number, id: packet.id, open: known.len(), parts: Parts::Unsubscribe(known) },
            io,
        );
        Ok(())
    }

    /// The broker has taken a filter back.
    pub(super) fn unbound(&mut self, number: u32, index: u16, io: &mut Io<'_>) {
        let Some(request) = self.requests.iter_mut().find(|request| request.number == number) else {
            return;
        };
        let Parts::Unsubscribe(patterns) = &mut request.parts else {
            return;
        };
        let Some(pattern) = patterns.get_mut(usize::from(index)).and_then(Option::take) else {
            return;
        };
        // Again: the answer to a SUBSCRIBE before it may have come meanwhile.
        self.filters.remove(&pattern);
        request.open -= 1;
        self.unanswered_filters -= 1;
        self.answer_request(number, io);
    }

    fn await_request(&mut self, request: Request, io: &mut Io<'_>) {
        let number = request.number;
        self.unanswered_filters += request.open;
        self.requests.push(request);
        self.answer_request(number, io);
    }

    /// Writes the answer of a request when nothing of it is owed any more.
    fn answer_request(&mut self, number: u32, io: &mut Io<'_>) {
        let Some(at) = self.requests.iter().position(|request| request.number == number && request.open == 0)
        else {
            return;
        };
        let request = self.requests.remove(at);
        if self.requests.is_empty() {
            // Most clients ask once in their life.
            self.requests = Vec::new();
        }
        let buf = io.out.buf();
        match request.parts {
            // [MQTT-3.8.4-1], [MQTT-3.8.4-2], [MQTT-3.8.4-5], [MQTT-3.9.3-1]
            Parts::Subscribe(wishes) => {
                let codes = wishes.iter().map(|wish| wish.code.unwrap_or(SubCode::Failure));
                SubAck::write(buf, request.id, codes);
            }
            // [MQTT-3.10.4-4], [MQTT-3.10.4-6]
            Parts::Unsubscribe(_) => Ack { id: request.id }.encode(PacketType::UnsubAck, buf),
        }
    }
}
