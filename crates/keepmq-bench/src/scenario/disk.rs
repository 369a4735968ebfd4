//! How often a second a disk can make a small write safe: the most that one waiting producer of any durable broker gets.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::a_second;
use crate::clock::{Clock, seconds};
use crate::error::Error;
use crate::latency::{Latencies, Percentiles};

/// Arguments of `disk`.
#[derive(Clone, Debug, clap::Args)]
pub struct DiskArgs {
    /// A directory on the disk; a file is made in it and taken away again
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// Bytes of each append
    #[arg(long, value_name = "BYTES", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..=16 * 1024 * 1024))]
    pub size: u32,
    /// For how long
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0)]
    pub duration: f64,
    /// Prints one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}

/// What a disk can do.
#[derive(Clone, Debug, serde::Serialize)]
pub struct DiskReport {
    /// What was run, in words.
    pub title: String,
    /// Appends, each followed by `fdatasync`.
    pub syncs: u64,
    /// Appends a second.
    pub per_second: f64,
    /// One append with its `fdatasync`, in milliseconds.
    pub latency: Option<Percentiles>,
}

/// Runs it.
pub(crate) fn run(args: &DiskArgs) -> Result<DiskReport, Error> {
    let path = args.dir.join(format!("keepmq-bench-disk-{}", std::process::id()));
    let bad = |source: io::Error| Error::File {
        what: "the directory",
        path: args.dir.clone(),
        why: source.to_string(),
        remedy: "give one that can be written to: --dir DIR",
    };
    let file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(bad)?;
    let result = append(file, args);
    // Nothing is lost with it; an error here would hide the other.
    let _ = std::fs::remove_file(&path);
    let (latencies, elapsed) = result.map_err(bad)?;
    let latency = latencies.summary();
    let syncs = latency.map_or(0, |latency| latency.count);
    let title = format!("append {} B and fdatasync in {}", args.size, shown(&args.dir));
    Ok(DiskReport { title, syncs, per_second: a_second(syncs, elapsed), latency })
}

fn append(mut file: File, args: &DiskArgs) -> io::Result<(Latencies, f64)> {
    let block: Vec<u8> = (0..=255).cycle().take(usize::try_from(args.size).unwrap_or_default()).collect();
    let (mut latencies, clock) = (Latencies::new(), Clock::start());
    let mut begin = clock.now();
    loop {
        file.write_all(&block)?;
        file.sync_data()?;
        let end = clock.now();
        latencies.record(end - begin);
        if seconds(end) >= args.duration {
            return Ok((latencies, seconds(end)));
        }
        begin = end;
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::{DiskArgs, run};

    #[test]
    fn a_disk_is_measured_and_left_as_it_was() {
        let folder = tempfile::TempDir::new().unwrap();
        let args = DiskArgs { dir: folder.path().to_owned(), size: 4096, duration: 0.01, json: false };
        let report = run(&args).unwrap();
        assert!(report.syncs > 0 && report.per_second > 0.0, "{report:?}");
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn a_directory_that_is_not_there_is_told() {
        let args = DiskArgs { dir: "/nowhere/at/all".into(), size: 1, duration: 0.01, json: false };
        assert!(run(&args).unwrap_err().to_string().contains("--dir DIR"));
    }
}
