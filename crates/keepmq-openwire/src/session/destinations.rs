//! Destinations are made and removed (section 4, "Destination commands").

use keepmq_model::{Io, Refusal, Verb};

use super::answers::About;
use super::{Halt, OpenWireSession};
use crate::codec::DestinationInfo;
use crate::destination::targets;
use crate::refusal::malformed;

const ADD: i8 = 0;
const REMOVE: i8 = 1;

impl OpenWireSession {
    pub(super) fn change_destination(
        &mut self,
        info: &DestinationInfo,
        reply: Option<i32>,
        io: &mut Io<'_>,
    ) -> Result<(), Halt> {
        let destination = info.destination.as_ref().ok_or(malformed("no destination is named"))?;
        let mut targets = targets(destination, self.options.limits.parts)?.into_iter();
        let (Some(destination), None) = (targets.next(), targets.next()) else {
            return Err(malformed("one destination is made or removed at a time").into());
        };
        match info.operation_type {
            ADD if destination.kind().is_temporary() => {
                self.check_own(destination.name())?;
                let (kind, name) = (destination.kind(), Some(destination.name().into()));
                let tag = self.expect(reply, About::Other);
                io.say.push(Verb::CreateTemporary { kind, name, tag });
            }
            ADD => {
                let tag = self.expect(reply, About::Other);
                io.say.push(Verb::Target { destination, tag });
            }
            REMOVE => {
                let tag = self.expect(reply, About::Removal);
                io.say.push(Verb::Delete { destination, tag });
            }
            _ => return Err(malformed("there is no such operation on destinations").into()),
        }
        Ok(())
    }

    /// A temporary destination is named after its connection: a name of another's would be taken for that one's.
    fn check_own(&self, name: &str) -> Result<(), Refusal> {
        let connection = self.connection.as_ref().map(ToString::to_string).unwrap_or_default();
        let rest = name.strip_prefix(&*connection).and_then(|rest| rest.strip_prefix(':'));
        if rest.is_some_and(|rest| !rest.is_empty()) {
            return Ok(());
        }
        Err(malformed("a temporary destination must be named after the connection that makes it"))
    }
}
