//! `keepmq journal`: looking at the store of a broker that is stopped.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use keepmq_store::disk::FsDisk;
use keepmq_store::{MasterKey, inspect};

use crate::say;

fn open(folder: &Path) -> anyhow::Result<(Arc<FsDisk>, MasterKey)> {
    let config = match keepmq_config::load(folder) {
        Ok(loaded) => loaded.config,
        Err(report) => bail!("{}", report.to_string().trim_end()),
    };
    let key = keepmq_identity::master_key::load(&config.store.master_key)
        .with_context(|| config.store.master_key.display().to_string())?;
    let disk = FsDisk::open_existing(&config.store.directory)
        .with_context(|| config.store.directory.display().to_string())?;
    Ok((Arc::new(disk), MasterKey::new(*key)))
}

pub(crate) fn verify(folder: &Path) -> anyhow::Result<ExitCode> {
    let (disk, key) = open(folder)?;
    let report = inspect::verify(disk, Some(key))?;
    for fault in &report.faults {
        say::line(&format!("{} at byte {}: {}", fault.path, fault.offset, fault.what));
    }
    for loss in &report.losses {
        say::line(&format!("lost: {loss}"));
    }
    say::line(&format!(
        "{} segments, {} frames, {} changes, {} tables and {} checkpoints read; {} torn frames at the end, as a crash \
         may leave them; {} faults",
        report.segments,
        report.frames,
        report.records,
        report.tables,
        report.checkpoints,
        report.torn_frames,
        report.faults.len() + report.losses.len(),
    ));
    let whole = report.faults.is_empty() && report.losses.is_empty();
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(crate) fn stat(folder: &Path) -> anyhow::Result<ExitCode> {
    let (disk, key) = open(folder)?;
    let stat = inspect::stat(disk, Some(key))?;
    say::line(&format!(
        "{} records, {} bytes; {} values, {} bytes",
        stat.records, stat.live_bytes, stat.values, stat.value_bytes
    ));
    say::line(&format!(
        "on disk: {} bytes in segments, {} in tables, {} in checkpoints, {} kept ready",
        stat.segment_bytes, stat.table_bytes, stat.checkpoint_bytes, stat.spare_bytes
    ));
    for segment in &stat.segments {
        let (path, records) = (&segment.path, segment.records);
        say::line(&format!(
            "{path}: {} of {} bytes live, {records} records",
            segment.live_bytes, segment.used_bytes
        ));
        for holder in segment.holders.iter().take(3) {
            let (stream, records, bytes) = (holder.stream.0, holder.records, holder.live_bytes);
            say::line(&format!("  stream {stream}: {records} records, {bytes} bytes"));
        }
    }
    Ok(ExitCode::SUCCESS)
}
