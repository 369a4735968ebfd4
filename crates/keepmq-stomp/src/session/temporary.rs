//! Temporary destinations: a client names one by an alias of its own, and it is made when first used.

use keepmq_model::{Destination, Io, Kind, Refusal, RefusalKind, Tag, Verb};

use super::StompSession;
use super::answers::Awaited;
use crate::codec::Frame;

impl StompSession {
    /// Has a temporary destination made and keeps the frame that needs it; nothing more is read until it is there.
    pub(super) fn park(&mut self, frame: Frame, kind: Kind, alias: Box<str>, io: &mut Io<'_>) {
        let refusal = match self.id("alias", &alias) {
            Err(refusal) => Some(refusal),
            Ok(_) if !self.names.has_room(&self.options.limits) => Some(Refusal::new(
                RefusalKind::Busy,
                "the connection has as many temporary destinations as it may have",
            )),
            Ok(_) => None,
        };
        if let Some(refusal) = refusal {
            return self.refuse(&refusal, self.receipt_of(&frame), io);
        }
        self.parked = Some(Box::new(frame));
        let tag = self.answers.expect(Awaited::Temporary(alias));
        io.say.push(Verb::CreateTemporary { kind, name: None, tag });
    }

    /// The destination was made: the frame goes on. It may need a further one.
    pub(super) fn created(&mut self, tag: Tag, destination: Destination, io: &mut Io<'_>) {
        if let Some(Awaited::Temporary(alias)) = self.answers.take(tag) {
            self.names.alias(alias, destination);
            if let Some(frame) = self.parked.take() {
                self.take(*frame, io);
            }
        }
    }

    /// The destination was refused, and with it the frame.
    pub(super) fn not_created(&mut self, refusal: &Refusal, io: &mut Io<'_>) {
        let frame = self.parked.take();
        let receipt = frame.as_deref().and_then(|frame| self.receipt_of(frame));
        self.refuse(refusal, receipt, io);
    }
}
