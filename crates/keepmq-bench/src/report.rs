//! Results for people. Programs take `--json`, which is the same in other clothes.

use std::fmt::Write as _;

use crate::latency::Percentiles;
use crate::scenario::{BrokerCost, DiskReport, Flow, IdleReport, LoadReport, PerMessage, StormReport};

/// A result that can be shown.
pub(crate) trait Report: serde::Serialize {
    /// A table for people.
    fn table(&self) -> String;
    /// What is wrong with the result.
    fn faults(&self) -> &[String];
}

/// Lines of a name and what there is to say.
struct Table(String);

impl Table {
    fn new(title: &str) -> Self {
        Self(format!("{title}\n"))
    }

    fn line(&mut self, name: &str, value: &str) {
        let _ = writeln!(self.0, "  {name:<18} {value}");
    }

    fn percentiles(&mut self, name: &str, latency: Option<Percentiles>) {
        let Some(found) = latency else { return };
        let values = format!(
            "p50 {:.3}  p90 {:.3}  p99 {:.3}  p99.9 {:.3}  max {:.3} ms",
            found.p50, found.p90, found.p99, found.p99_9, found.max
        );
        self.line(name, &values);
    }

    fn broker(&mut self, cost: Option<BrokerCost>, each: &str) {
        let Some(cost) = cost else { return };
        let (all, user, system) = (cost.cpu_seconds(), cost.user_seconds, cost.system_seconds);
        self.line("broker CPU", &format!("{all:.2} s (user {user:.2}, system {system:.2}){each}"));
        self.line("broker switches", &count(cost.context_switches));
        let memory = [cost.memory_before, cost.memory_peak, cost.memory_after].map(bytes);
        let [before, peak, after] = memory;
        self.line("broker memory", &format!("before {before}, peak {peak}, after {after}"));
    }

    fn remarks(&mut self, what: &str, remarks: &[String]) {
        remarks.iter().for_each(|remark| self.line(what, remark));
    }
}

impl Report for LoadReport {
    fn table(&self) -> String {
        let mut table = Table::new(&format!("load: {}", self.title));
        table.line("published", &flow(&self.published));
        table.line("delivered", &flow(&self.delivered));
        let account = &self.account;
        let counted = format!(
            "{} expected, {} lost, {} duplicated, {} reordered, {} damaged, {} foreign; {} unacknowledged",
            count(account.expected),
            account.lost,
            account.duplicated,
            account.reordered,
            account.damaged,
            account.foreign,
            self.unacknowledged
        );
        table.line("accounted", &counted);
        table.percentiles("to the consumer", self.latency);
        table.percentiles("to the ack", self.ack_latency);
        table.broker(
            self.broker,
            &self.broker_cpu.map_or_else(String::new, |each| format!("; {}", by_message(each))),
        );
        table.line("generator CPU", &by_message(self.generator_cpu));
        table.remarks("note", &self.notes);
        table.remarks("FAULT", &self.faults);
        table.0
    }

    fn faults(&self) -> &[String] {
        &self.faults
    }
}

impl Report for IdleReport {
    fn table(&self) -> String {
        let mut table = Table::new(&format!("idle: {}", self.title));
        let opened = format!(
            "{} ({:.0}/s), {} alive at the end",
            self.connections, self.opened_per_second, self.alive
        );
        table.line("opened", &opened);
        if let (Some(before), Some(with)) = (self.memory_before, self.memory_with) {
            let each =
                self.memory_each.map_or_else(String::new, |each| format!(": {:.1} KiB each", each / 1024.0));
            table
                .line("broker memory", &format!("before {}, with them {}{each}", bytes(before), bytes(with)));
        }
        if let Some(cpu) = self.idle_cpu_seconds {
            table.line("broker CPU", &format!("{cpu:.2} s while nothing happened"));
        }
        table.remarks("FAULT", &self.faults);
        table.0
    }

    fn faults(&self) -> &[String] {
        &self.faults
    }
}

impl Report for StormReport {
    fn table(&self) -> String {
        let mut table = Table::new(&format!("storm: {}", self.title));
        let all = count(self.connections);
        let opened =
            format!("{all} in {:.2} s: {:.0}/s, {} resumed", self.seconds, self.per_second, self.resumed);
        table.line("connections", &opened);
        table.percentiles("to the welcome", self.latency);
        let each =
            |cpu: Option<f64>| cpu.map_or_else(String::new, |each| format!("{each:.0} us a connection"));
        table.broker(self.broker, &format!("; {}", each(self.broker_cpu)));
        table.line("generator CPU", &each(self.generator_cpu));
        table.remarks("FAULT", &self.faults);
        table.0
    }

    fn faults(&self) -> &[String] {
        &self.faults
    }
}

impl Report for DiskReport {
    fn table(&self) -> String {
        let mut table = Table::new(&format!("disk: {}", self.title));
        table.line("syncs", &format!("{}, {:.0}/s", count(self.syncs), self.per_second));
        table.percentiles("each", self.latency);
        table.0
    }

    fn faults(&self) -> &[String] {
        &[]
    }
}

fn flow(flow: &Flow) -> String {
    format!("{} in {:.2} s, {:.0}/s", count(flow.count), flow.seconds, flow.per_second)
}

fn by_message(each: PerMessage) -> String {
    let shown = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
    format!("{} us a published message, {} us a delivered one", shown(each.published), shown(each.delivered))
}

/// With commas between thousands.
fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

fn bytes(number: u64) -> String {
    let mebibytes = number / (1024 * 1024);
    let tenths = number % (1024 * 1024) * 10 / (1024 * 1024);
    format!("{mebibytes}.{tenths} MiB")
}

#[cfg(test)]
mod tests {
    use super::{Report, bytes, count};
    use crate::scenario::{DiskReport, IdleReport};

    #[test]
    fn numbers_are_readable() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(bytes(15 * 1024 * 1024 + 512 * 1024), "15.5 MiB");
    }

    #[test]
    fn a_table_names_what_is_wrong() {
        let report = IdleReport {
            title: "stomp, 2 idle connections".to_owned(),
            connections: 2,
            alive: 1,
            opened_per_second: 10.0,
            memory_before: Some(1 << 20),
            memory_with: Some(3 << 20),
            memory_each: Some(1_048_576.0),
            idle_cpu_seconds: Some(0.0),
            faults: vec!["1 connections did not stay".to_owned()],
        };
        let table = report.table();
        assert!(table.contains("1024.0 KiB each") && table.contains("FAULT"), "{table}");
        assert_eq!(report.faults().len(), 1);
    }

    #[test]
    fn a_report_without_latencies_can_be_shown() {
        let report = DiskReport { title: String::new(), syncs: 0, per_second: 0.0, latency: None };
        assert!(report.table().contains("0/s") && report.faults().is_empty());
    }
}
