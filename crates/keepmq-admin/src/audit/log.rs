//! Writing the log: a thread of its own, so that nobody who is denied something waits for the disk.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use keepmq_core::{Audit, AuditEvent};

use super::line::{hash, render};
use super::read::{self, Verified};

/// Events that wait to be written. Beyond that they are counted, and the count is written.
const WAITING: usize = 16 * 1024;

/// Why the audit log can't be written.
#[derive(Debug, thiserror::Error)]
#[error("{path}: the audit log can't be opened: {cause}")]
pub struct AuditError {
    /// The file.
    pub path: PathBuf,
    /// What the operating system said.
    pub cause: std::io::Error,
}

enum Message {
    /// What happened, and when. Boxed: the room for all that may wait is taken at once.
    Event(Box<(u64, AuditEvent)>),
    Close,
}

/// The open audit log.
#[derive(Debug)]
pub struct AuditLog {
    sender: SyncSender<Message>,
    lost: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

struct Writer {
    path: PathBuf,
    file: File,
    number: u64,
    previous: String,
    lost: Arc<AtomicU64>,
}

impl AuditLog {
    /// Opens the log, or goes on with the one that is there. `unix_ms` is the present time.
    ///
    /// A last line that was cut off when the broker died is taken away, and that is recorded. A log that was changed in
    /// any other way is moved aside as evidence, and a new one tells so: a broker that did not start for it would give
    /// whoever can touch the file a way to stop it.
    pub fn open(path: &Path, unix_ms: u64) -> Result<Self, AuditError> {
        let (found, note) =
            look(path, unix_ms).map_err(|cause| AuditError { path: path.to_owned(), cause })?;
        let opened = |cause| AuditError { path: path.to_owned(), cause };
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(opened)?;
        let lost = Arc::new(AtomicU64::new(0));
        let Verified { lines: number, last_hash: previous } = found;
        let writer = Writer { path: path.to_owned(), file, number, previous, lost: Arc::clone(&lost) };
        let (sender, receiver) = sync_channel(WAITING);
        let thread = std::thread::Builder::new().name("audit".to_owned());
        let thread = thread.spawn(move || writer.run(&receiver)).map_err(opened)?;
        let log = Self { sender, lost, thread: Some(thread) };
        if let Some(what) = note {
            log.outlet(move || unix_ms).record(AuditEvent::Reloaded { epoch: 0, what: what.into() });
        }
        Ok(log)
    }

    /// An outlet for events; `unix_ms` tells the time of each.
    pub fn outlet(&self, unix_ms: impl Fn() -> u64 + Send + Sync + 'static) -> Audit {
        let (sender, lost) = (self.sender.clone(), Arc::clone(&self.lost));
        Audit::new(move |event| {
            if let Err(TrySendError::Full(_)) = sender.try_send(Message::Event(Box::new((unix_ms(), event))))
            {
                lost.fetch_add(1, Ordering::Relaxed);
            }
        })
    }

    /// Writes what waits and closes the file. Later events are not recorded.
    pub fn close(mut self) {
        // The thread may have ended for want of a file; then there is nothing to close.
        let _ = self.sender.send(Message::Close);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Where the chain goes on, and what is to be told of what was found.
fn look(path: &Path, unix_ms: u64) -> std::io::Result<(Verified, Option<String>)> {
    let cut = read::cut_torn_line(path)?
        .then(|| "a line that was being written when the broker died was cut off".to_owned());
    match read::verify(path) {
        Ok(verified) => Ok((verified, cut)),
        Err(read::Fault::Unreadable(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok((Verified::empty(), None))
        }
        Err(read::Fault::Unreadable(error)) => Err(error),
        Err(fault) => {
            let aside = path.with_extension(format!("damaged-{unix_ms}"));
            std::fs::rename(path, &aside)?;
            let note = format!("the log before this one was changed and is now {}: {fault}", aside.display());
            tracing::error!("{note}");
            Ok((Verified::empty(), Some(note)))
        }
    }
}

impl Writer {
    fn run(mut self, receiver: &Receiver<Message>) {
        while let Ok(first) = receiver.recv() {
            let mut lines = String::new();
            let mut open = self.take(first, &mut lines);
            while let (true, Ok(next)) = (open, receiver.try_recv()) {
                open = self.take(next, &mut lines);
            }
            self.write(&lines);
            if !open {
                return;
            }
        }
    }

    /// Adds a line; says whether more can come.
    fn take(&mut self, message: Message, lines: &mut String) -> bool {
        let Message::Event(event) = message else { return false };
        let (unix_ms, event) = *event;
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let what = format!("{lost} events came faster than they could be written and are not recorded");
            self.add(unix_ms, &AuditEvent::Reloaded { epoch: 0, what: what.into() }, lines);
        }
        self.add(unix_ms, &event, lines);
        true
    }

    fn add(&mut self, unix_ms: u64, event: &AuditEvent, lines: &mut String) {
        self.number += 1;
        let line = render(self.number, unix_ms, event, &self.previous);
        self.previous = hash(line.as_bytes());
        lines.push_str(&line);
        lines.push('\n');
    }

    fn write(&mut self, lines: &str) {
        let written = self.file.write_all(lines.as_bytes()).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            tracing::error!(path = %self.path.display(), %error, "the audit log can't be written");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::line::FIRST;
    use crate::audit::verify;
    use keepmq_model::{DecisionId, Kind, Principal};
    use keepmq_policy::{DecisionRecord, Denial, Right, Rule};
    use std::os::unix::fs::PermissionsExt as _;

    fn denied(user: &str) -> AuditEvent {
        AuditEvent::Denied(DecisionRecord {
            id: DecisionId { epoch: 3, number: 4 },
            connection: 9,
            peer: "10.0.0.1:5".into(),
            listener: "mqtt".into(),
            denial: Denial {
                who: Arc::new(Principal::new(user, ["g"])),
                right: Right::Write,
                kind: Kind::Queue,
                name: "q".into(),
                rule: Rule::NoEntry,
                epoch: 2,
            },
        })
    }

    fn written(path: &Path, events: impl IntoIterator<Item = AuditEvent>) {
        let log = AuditLog::open(path, 1_700_000_000_123).unwrap();
        let audit = log.outlet(|| 1_700_000_000_123);
        events.into_iter().for_each(|event| audit.record(event));
        log.close();
    }

    #[test]
    fn a_denial_is_one_line_with_all_its_facts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        written(&path, [denied("u")]);
        let text = std::fs::read_to_string(&path).unwrap();
        let line: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!(line["time"], "2023-11-14T22:13:20.123Z");
        for (key, value) in [
            ("event", "denied"),
            ("decision", "D-3-4"),
            ("user", "u"),
            ("right", "write"),
            ("destination", "queue://q"),
            ("rule", "no entry of the map applies"),
            ("previous", FIRST),
        ] {
            assert_eq!(line[key], value, "{key}");
        }
    }

    #[test]
    fn only_its_owner_reads_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        written(&path, [AuditEvent::Stopped]);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_chain_goes_on_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        for _ in 0..3 {
            written(&path, [AuditEvent::Started { epoch: 1 }, denied("u"), AuditEvent::Stopped]);
        }
        assert_eq!(verify(&path).unwrap().lines, 9);
    }

    #[test]
    fn a_name_cannot_break_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        written(&path, [denied("a\nb\r\u{1b}[31m\"}"), AuditEvent::Stopped]);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert!(!text.contains('\u{1b}'));
        assert_eq!(verify(&path).unwrap().lines, 2);
    }

    #[test]
    fn a_changed_log_is_moved_aside_and_the_next_one_tells() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        written(&path, [denied("alice"), denied("bob")]);
        let text = std::fs::read_to_string(&path).unwrap().replace("alice", "mallory");
        std::fs::write(&path, &text).unwrap();
        written(&path, [AuditEvent::Stopped]);
        let aside = std::fs::read_to_string(folder.path().join("audit.damaged-1700000000123")).unwrap();
        assert_eq!(aside, text);
        assert_eq!(verify(&path).unwrap().lines, 2);
        assert!(std::fs::read_to_string(&path).unwrap().contains("line 2 does not follow"));
    }

    #[test]
    fn a_line_that_a_crash_cut_off_does_not_stop_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        written(&path, [denied("alice"), denied("bob")]);
        let text = std::fs::read(&path).unwrap();
        for cut in [1, 20, 200] {
            std::fs::write(&path, &text[..text.len() - cut]).unwrap();
            written(&path, [AuditEvent::Stopped]);
            assert_eq!(verify(&path).unwrap().lines, 3, "alice, the note, and the end");
        }
    }
}
