//! A thread that drives connections: it sends what is due, waits for the sockets, takes what came, and so on. One thread
//! is enough for a million messages a second and disturbs the broker beside it the least.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, epoll, poll};

use crate::board::{Board, Phase};
use crate::clock::Clock;
use crate::consumer::{Consumer, Received};
use crate::error::Error;
use crate::link::{Link, Scratch};
use crate::producer::{Next, Producer, Sent};
use crate::target::Target;

/// Bytes that are read at once; they stay in the second cache.
const READ: usize = 256 * 1024;
/// Sockets that are told of at once.
const EVENTS: usize = 256;
/// The mark of the bell among the sockets.
const BELL: u64 = u64::MAX;

/// What a connection is for.
#[derive(Debug)]
pub(crate) enum Role {
    Producer(Box<Producer>),
    Consumer(Box<Consumer>),
}

/// A connection with what it is for.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) link: Link,
    pub(crate) role: Role,
    /// Whether the socket is watched for room to write.
    watches_room: bool,
}

impl Member {
    pub(crate) fn new(link: Link, role: Role) -> Self {
        Self { link, role, watches_room: false }
    }

    /// Takes everything that has come.
    fn take(&mut self, scratch: &mut Scratch, clock: Clock) -> Result<(), Error> {
        match &mut self.role {
            Role::Producer(producer) => {
                while self.link.take(scratch, &mut **producer, |sink| sink.now = clock.now())? {}
            }
            Role::Consumer(consumer) => {
                while self.link.take(scratch, &mut **consumer, |sink| sink.arrived(clock.now()))? {}
                consumer.post();
            }
        }
        self.link.flush()
    }

    /// Takes what came while the connection was opened or closed.
    fn take_held(&mut self, now: u64) -> Result<(), Error> {
        match &mut self.role {
            Role::Producer(producer) => self.link.take_held(&mut **producer),
            Role::Consumer(consumer) => {
                consumer.arrived(now);
                self.link.take_held(&mut **consumer)?;
                consumer.post();
                Ok(())
            }
        }
    }

    /// Answers what still came, so that nothing is left half acknowledged, and leaves.
    fn farewell(&mut self, target: &Target, clock: Clock) -> Result<(), Error> {
        self.link.settle(target)?;
        self.take_held(clock.now())?;
        self.link.leave(target)
    }
}

/// What the connections of a thread have measured.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    /// With the numbers of the producers.
    pub(crate) sent: Vec<Sent>,
    /// With the numbers of the consumers.
    pub(crate) received: Vec<(usize, Received)>,
    /// Connections that did not end in order.
    pub(crate) torn: u64,
}

/// A thread's work.
#[derive(Debug)]
pub(crate) struct Worker {
    thread: usize,
    members: Vec<Member>,
    target: Arc<Target>,
    board: Arc<Board>,
    clock: Clock,
    epoll: OwnedFd,
    scratch: Scratch,
}

impl Worker {
    pub(crate) fn new(
        thread: usize,
        members: Vec<Member>,
        target: Arc<Target>,
        board: Arc<Board>,
        clock: Clock,
    ) -> Result<Self, Error> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(system)?;
        Ok(Self { thread, members, target, board, clock, epoll, scratch: vec![0; READ] })
    }

    /// Works until the run ends, and tells what was measured.
    pub(crate) fn run(mut self) -> Result<Tallies, Error> {
        // Else the kernel lets timers go off 50 us late to save power, and latencies would show it. Without it they do.
        let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
        self.watch()?;
        let mut events = Vec::with_capacity(EVENTS);
        while self.board.phase() < Phase::End {
            let next = self.fill()?;
            self.wait(next, &mut events)?;
            self.serve(&events)?;
        }
        Ok(self.farewell())
    }

    fn watch(&mut self) -> Result<(), Error> {
        let bell = epoll::EventData::new_u64(BELL);
        epoll::add(&self.epoll, self.board.bell(self.thread), bell, epoll::EventFlags::IN).map_err(system)?;
        let now = self.clock.now();
        for (mark, member) in (0..).zip(&mut self.members) {
            member.link.stop_waiting()?;
            member.take_held(now)?;
            let mark = epoll::EventData::new_u64(mark);
            epoll::add(&self.epoll, &member.link.stream, mark, epoll::EventFlags::IN).map_err(system)?;
        }
        Ok(())
    }

    /// Lets every producer send what is due, and tells when the next is.
    fn fill(&mut self) -> Result<Next, Error> {
        let now = self.clock.now();
        let mut next = Next::OnEvent;
        for (mark, member) in self.members.iter_mut().enumerate() {
            if let Role::Producer(producer) = &mut member.role {
                next = next.min(producer.fill(&mut member.link, now)?);
                producer.post();
            }
            watch_room(&self.epoll, mark, member)?;
        }
        Ok(next)
    }

    fn wait(&self, next: Next, events: &mut Vec<epoll::Event>) -> Result<(), Error> {
        let timeout = match next {
            Next::Now => Some(Timespec::default()),
            Next::At(time) => {
                self.doze(time.saturating_sub(self.clock.now()))?;
                Some(Timespec::default())
            }
            // The bell rings when the run goes on.
            Next::OnEvent => None,
        };
        events.clear();
        unless_interrupted(epoll::wait(&self.epoll, spare_capacity(events), timeout.as_ref()))
    }

    /// Waits for an event at most so many nanoseconds. Not by epoll, which counts in milliseconds on older kernels: half of
    /// one would be added to every latency.
    fn doze(&self, nanoseconds: u64) -> Result<(), Error> {
        let timeout = Timespec::try_from(std::time::Duration::from_nanos(nanoseconds)).ok();
        unless_interrupted(poll(&mut [PollFd::new(&self.epoll, PollFlags::IN)], timeout.as_ref()))
    }

    fn serve(&mut self, events: &[epoll::Event]) -> Result<(), Error> {
        for event in events {
            let mark = event.data.u64();
            if mark == BELL {
                self.board.quiet(self.thread);
            } else if let Some(member) = usize::try_from(mark).ok().and_then(|at| self.members.get_mut(at)) {
                member.take(&mut self.scratch, self.clock)?;
            }
        }
        Ok(())
    }

    /// Ends every connection in order; what still comes meanwhile counts.
    fn farewell(self) -> Tallies {
        let mut tallies = Tallies::default();
        for mut member in self.members {
            let is_torn = member.farewell(&self.target, self.clock).is_err();
            tallies.torn += u64::from(is_torn);
            match member.role {
                Role::Producer(mut producer) => {
                    producer.post();
                    tallies.sent.push(producer.tally);
                }
                Role::Consumer(consumer) => tallies.received.push((consumer.number(), consumer.tally)),
            }
        }
        tallies
    }
}

/// Watches for room to write exactly as long as something waits to be written.
fn watch_room(epoll: &OwnedFd, mark: usize, member: &mut Member) -> Result<(), Error> {
    let wants = !member.link.is_flushed();
    if wants == member.watches_room {
        return Ok(());
    }
    let flags = if wants { epoll::EventFlags::IN | epoll::EventFlags::OUT } else { epoll::EventFlags::IN };
    let mark = epoll::EventData::new_u64(u64::try_from(mark).unwrap_or(BELL));
    epoll::modify(epoll, &member.link.stream, mark, flags).map_err(system)?;
    member.watches_room = wants;
    Ok(())
}

fn unless_interrupted(waited: rustix::io::Result<usize>) -> Result<(), Error> {
    match waited {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(errno) => Err(system(errno)),
    }
}

fn system(errno: rustix::io::Errno) -> Error {
    Error::system("the sockets can't be watched")(errno.into())
}
