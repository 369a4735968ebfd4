//! A disk in memory that loses, tears and reorders what was not synced, and refuses on demand.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Chance;
use crate::disk::{Disk, DiskFile};

/// What a disk writes at once, at the least.
const SECTOR: usize = 512;

/// A directory in memory that keeps what was synced apart from what was only written. Clones are the same disk.
///
/// All choices come from the seed, so a history that is driven by one thread can be repeated exactly.
#[derive(Clone)]
pub struct FaultyDisk {
    state: Arc<Mutex<State>>,
}

struct State {
    chance: Chance,
    /// Raised by a crash, which makes older handles useless.
    generation: u64,
    changes: u64,
    syncs: u64,
    off: bool,
    cut_at: Option<u64>,
    refuse_sync: Option<u64>,
    panic_at_sync: Option<u64>,
    limit: Option<u64>,
    refuse_reads: bool,
    held: Option<u64>,
    names: BTreeMap<String, usize>,
    synced_names: BTreeMap<String, usize>,
    unsynced_names: Vec<NameChange>,
    nodes: Vec<Node>,
}

#[derive(Clone)]
enum NameChange {
    Created(String, usize),
    Removed(String, usize),
    Renamed(String, String, usize),
}

#[derive(Clone, Default)]
struct Node {
    synced: Vec<u8>,
    seen: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

impl FaultyDisk {
    /// An empty disk without faults.
    pub fn new(seed: u64) -> Self {
        let state = State {
            chance: Chance::new(seed),
            generation: 0,
            changes: 0,
            syncs: 0,
            off: false,
            cut_at: None,
            refuse_sync: None,
            panic_at_sync: None,
            limit: None,
            refuse_reads: false,
            held: None,
            names: BTreeMap::new(),
            synced_names: BTreeMap::new(),
            unsynced_names: Vec::new(),
            nodes: Vec::new(),
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Another disk with the same content, its own faults and its own chance.
    #[must_use]
    pub fn fork(&self, seed: u64) -> Self {
        let fork = Self::new(seed);
        {
            let (from, mut to) = (self.state.lock(), fork.state.lock());
            to.names.clone_from(&from.names);
            to.synced_names.clone_from(&from.synced_names);
            to.unsynced_names.clone_from(&from.unsynced_names);
            to.nodes.clone_from(&from.nodes);
        }
        fork
    }

    /// How many changes (writes, syncs, names) were asked for so far.
    pub fn changes(&self) -> u64 {
        self.state.lock().changes
    }

    /// The power fails in the middle of the change that comes after so many more.
    pub fn cut_power_after(&self, changes: u64) {
        let mut state = self.state.lock();
        state.cut_at = Some(state.changes + changes);
    }

    /// The power does not fail after all.
    pub fn keep_power(&self) {
        self.state.lock().cut_at = None;
    }

    /// Whether the power has failed.
    pub fn is_off(&self) -> bool {
        self.state.lock().off
    }

    /// The sync that comes after so many more fails, and what it should have kept is lost.
    pub fn refuse_sync_after(&self, syncs: u64) {
        let mut state = self.state.lock();
        state.refuse_sync = Some(state.syncs + syncs);
    }

    /// The sync that comes after so many more panics.
    pub fn panic_at_sync_after(&self, syncs: u64) {
        let mut state = self.state.lock();
        state.panic_at_sync = Some(state.syncs + syncs);
    }

    /// Whether reading and opening files fails for the time being, as when too many are open.
    pub fn refuse_reads(&self, refuse: bool) {
        self.state.lock().refuse_reads = refuse;
    }

    /// Allows so many bytes in all files together; `None` for no limit.
    pub fn limit(&self, bytes: Option<u64>) {
        self.state.lock().limit = bytes;
    }

    /// Bytes in all files.
    pub fn used(&self) -> u64 {
        self.state.lock().used()
    }

    /// The power is cut and comes back: of what was not synced, some is there and some is not.
    pub fn crash(&self) {
        let state = &mut *self.state.lock();
        state.generation += 1;
        state.off = false;
        (state.cut_at, state.refuse_sync, state.panic_at_sync, state.held) = (None, None, None, None);
        settle_names(state);
        let mood = Mood::draw(&mut state.chance);
        for node in &mut state.nodes {
            node.settle(mood, &mut state.chance);
        }
    }

    /// Turns one bit of a file round, as it is now and as it would be after a crash.
    pub fn flip(&self, name: &str, offset: u64, bit: u8) {
        self.damage(name, |bytes| {
            if let Some(byte) = usize::try_from(offset).ok().and_then(|at| bytes.get_mut(at)) {
                *byte ^= 1 << (bit % 8);
            }
        });
    }

    /// Changes the bytes of a file behind the back of those who use it.
    pub fn damage(&self, name: &str, change: impl Fn(&mut Vec<u8>)) {
        let mut state = self.state.lock();
        if let Some(node) = state.names.get(name).copied().and_then(|node| state.nodes.get_mut(node)) {
            change(&mut node.seen);
            change(&mut node.synced);
        }
    }

    /// The bytes of a file as they are seen now; empty when there is none.
    pub fn content(&self, name: &str) -> Vec<u8> {
        let state = self.state.lock();
        let node = state.names.get(name).and_then(|node| state.nodes.get(*node));
        node.map(|node| node.seen.clone()).unwrap_or_default()
    }
}

impl State {
    fn used(&self) -> u64 {
        self.names.values().filter_map(|node| self.nodes.get(*node)).map(|node| node.seen.len() as u64).sum()
    }

    fn alive(&self, generation: u64) -> io::Result<()> {
        if self.off || generation != self.generation { Err(power_failed()) } else { Ok(()) }
    }

    fn readable(&self, generation: u64) -> io::Result<()> {
        self.alive(generation)?;
        if self.refuse_reads { Err(io::Error::other("not now")) } else { Ok(()) }
    }

    /// Counts a change; true when the power fails in the middle of it.
    fn change(&mut self, generation: u64) -> io::Result<bool> {
        self.alive(generation)?;
        let cut = self.cut_at == Some(self.changes);
        self.changes += 1;
        self.off = cut;
        Ok(cut)
    }

    /// Counts a sync; true when it has to fail.
    fn sync(&mut self) -> bool {
        let refused = self.refuse_sync == Some(self.syncs);
        let panics = self.panic_at_sync == Some(self.syncs);
        self.syncs += 1;
        assert!(!panics, "the disk was told to panic");
        refused
    }

    fn node_of(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn make(&mut self, name: &str) -> usize {
        let node = self.nodes.len();
        self.nodes.push(Node::default());
        self.names.insert(name.to_owned(), node);
        self.unsynced_names.push(NameChange::Created(name.to_owned(), node));
        node
    }
}

fn power_failed() -> io::Error {
    io::Error::other("the power failed")
}

fn finish(cut: bool) -> io::Result<()> {
    if cut { Err(power_failed()) } else { Ok(()) }
}

/// A file system that keeps order loses the last changes; one that does not may lose any of them.
fn settle_names(state: &mut State) {
    let changes = std::mem::take(&mut state.unsynced_names);
    let in_order = state.chance.one_in(2);
    let kept = state.chance.index(changes.len() + 1);
    for (at, change) in changes.into_iter().enumerate() {
        if if in_order { at < kept } else { state.chance.one_in(2) } {
            change.apply(&mut state.synced_names);
        }
    }
    state.names = state.synced_names.clone();
}

impl NameChange {
    fn apply(self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Created(name, node) => {
                names.insert(name, node);
            }
            Self::Removed(name, node) => {
                if names.get(&name) == Some(&node) {
                    names.remove(&name);
                }
            }
            Self::Renamed(from, to, node) => {
                if names.get(&from) == Some(&node) {
                    names.remove(&from);
                }
                names.insert(to, node);
            }
        }
    }
}

/// How a crash treats what was not synced.
#[derive(Clone, Copy)]
enum Mood {
    Loses,
    Keeps,
    Picks,
    Tears,
}

impl Mood {
    fn draw(chance: &mut Chance) -> Self {
        match chance.below(8) {
            0 => Self::Loses,
            1 => Self::Keeps,
            2 | 3 => Self::Picks,
            _ => Self::Tears,
        }
    }
}

impl Node {
    fn settle(&mut self, mood: Mood, chance: &mut Chance) {
        let mut changes = std::mem::take(&mut self.unsynced);
        if !matches!(mood, Mood::Keeps) {
            chance.shuffle(&mut changes);
        }
        for change in changes {
            match (mood, change) {
                (Mood::Loses, _) => {}
                (Mood::Keeps, kept) => kept.apply(&mut self.synced),
                (Mood::Tears, Change::Write(at, bytes)) => tear(&mut self.synced, at, &bytes, chance),
                (_, kept) if chance.one_in(2) => kept.apply(&mut self.synced),
                _ => {}
            }
        }
        self.seen = self.synced.clone();
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, new) => write(bytes, *at, new),
            Self::Truncate(len) => bytes.resize(*len, 0),
        }
    }
}

fn write(bytes: &mut Vec<u8>, at: usize, new: &[u8]) {
    let end = at + new.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[at..end].copy_from_slice(new);
}

/// Writes a part: some sectors of it, or its beginning up to any byte, or everything but its beginning.
fn tear(bytes: &mut Vec<u8>, at: usize, new: &[u8], chance: &mut Chance) {
    let cut = chance.index(new.len() + 1);
    match chance.below(3) {
        0 => write(bytes, at, &new[..cut]),
        1 => write(bytes, at + cut, &new[cut..]),
        _ => {
            let mut start = 0;
            while start < new.len() {
                let end = new.len().min(start + SECTOR - (at + start) % SECTOR);
                if chance.one_in(2) {
                    write(bytes, at + start, &new[start..end]);
                }
                start = end;
            }
        }
    }
}

impl Disk for FaultyDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let state = self.state.lock();
        state.alive(state.generation)?;
        Ok(state.names.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let state = self.state.lock();
        state.readable(state.generation)?;
        Ok(self.handle(state.node_of(name)?, state.generation, false))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state.lock();
        let generation = state.generation;
        let cut = state.change(generation)?;
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let node = state.make(name);
        finish(cut).map(|()| self.handle(node, generation, false))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state.lock();
        let generation = state.generation;
        let cut = state.change(generation)?;
        let node = state.node_of(name)?;
        state.names.remove(name);
        state.unsynced_names.push(NameChange::Removed(name.to_owned(), node));
        finish(cut)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state.lock();
        let generation = state.generation;
        let cut = state.change(generation)?;
        let node = state.node_of(from)?;
        state.names.remove(from);
        state.names.insert(to.to_owned(), node);
        state.unsynced_names.push(NameChange::Renamed(from.to_owned(), to.to_owned(), node));
        finish(cut)
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state.lock();
        let generation = state.generation;
        finish(state.change(generation)?)?;
        if state.sync() {
            return Err(io::Error::other("the sync was refused"));
        }
        state.unsynced_names.clear();
        state.synced_names = state.names.clone();
        Ok(())
    }

    fn lock(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state.lock();
        state.alive(state.generation)?;
        if state.held == Some(state.generation) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        state.held = Some(state.generation);
        let node = state.node_of(name).unwrap_or_else(|_| state.make(name));
        Ok(self.handle(node, state.generation, true))
    }

    fn place(&self, name: &str) -> String {
        name.to_owned()
    }
}

impl FaultyDisk {
    fn handle(&self, node: usize, generation: u64, holds: bool) -> Arc<dyn DiskFile> {
        Arc::new(FaultyFile { state: Arc::clone(&self.state), node, generation, holds })
    }
}

struct FaultyFile {
    state: Arc<Mutex<State>>,
    node: usize,
    generation: u64,
    /// Whether dropping it frees the lock.
    holds: bool,
}

impl FaultyFile {
    fn change(&self, change: &Change) -> io::Result<()> {
        let mut state = self.state.lock();
        let cut = state.change(self.generation)?;
        if let Change::Write(at, bytes) = &change {
            let grows = (at + bytes.len()).saturating_sub(state.nodes[self.node].seen.len()) as u64;
            if grows > 0 && state.limit.is_some_and(|limit| state.used() + grows > limit) {
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        let node = &mut state.nodes[self.node];
        change.apply(&mut node.seen);
        node.unsynced.push(change.clone());
        finish(cut)
    }
}

impl DiskFile for FaultyFile {
    fn len(&self) -> io::Result<u64> {
        let state = self.state.lock();
        state.alive(self.generation)?;
        Ok(state.nodes[self.node].seen.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.state.lock();
        state.readable(self.generation)?;
        let bytes = &state.nodes[self.node].seen;
        let from = usize::try_from(offset).map_or(bytes.len(), |offset| offset.min(bytes.len()));
        let read = buffer.len().min(bytes.len() - from);
        buffer[..read].copy_from_slice(&bytes[from..from + read]);
        Ok(read)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let at = usize::try_from(offset).map_err(io::Error::other)?;
        self.change(&Change::Write(at, bytes.to_vec()))
    }

    fn write_zeroes(&self, len: usize, offset: u64) -> io::Result<()> {
        self.write_at(&vec![0; len], offset)
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state.lock();
        finish(state.change(self.generation)?)?;
        let refused = state.sync();
        let node = &mut state.nodes[self.node];
        let changes = std::mem::take(&mut node.unsynced);
        if refused {
            // As Linux does: the pages count as clean now, and a later sync would say that all is well.
            return Err(io::Error::other("the sync was refused"));
        }
        for change in changes {
            change.apply(&mut node.synced);
        }
        Ok(())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.change(&Change::Truncate(len))
    }
}

impl Drop for FaultyFile {
    fn drop(&mut self) {
        let mut state = self.state.lock();
        if self.holds && state.held == Some(self.generation) {
            state.held = None;
        }
    }
}

#[cfg(test)]
mod tests;
