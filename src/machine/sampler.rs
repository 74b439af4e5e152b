//! Samples the resource usage of this process and its host.

use std::fs;
use std::process;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use sysinfo::{Networks, Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::limits;
use crate::clock::Moment;

/// Clock ticks per second in `/proc/PID/stat`: `USER_HZ`, which Linux fixes at 100 on every architecture
/// supported by Rust's standard library, independent of the kernel's own tick.
const TICKS_PER_SECOND: u64 = 100;

/// Minimum age reported for a process: the age is a divisor.
const MIN_AGE: Duration = Duration::from_millis(1);

/// One sample of the machine: running totals, so that intervals are obtained by subtraction.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// When the sample was started.
    pub at: Moment,
    /// CPU time, user and system, of this process, including ended threads.
    pub cpu_time: Duration,
    /// Resident memory of this process; 0 if it cannot be read.
    pub rss_bytes: u64,
    /// Bytes sent over all interfaces of the host, including loopback, since boot. The bytes of an interface
    /// that is removed are lost, so subtract with saturation.
    pub network_sent: u64,
    /// Bytes received, like `network_sent`.
    pub network_received: u64,
    /// Time for which cgroup quotas throttled the process; 0 without a quota.
    pub throttled: Duration,
    /// Open file descriptors; 0 before Linux 6.2, where they could only be counted one by one.
    pub open_files: u64,
}

/// Takes samples of this process and its host.
#[derive(Debug)]
pub struct Sampler {
    pid: Pid,
    /// `None` on a system that sysinfo does not support.
    system: Option<System>,
    /// Like `system`.
    networks: Option<Networks>,
}

impl Sampler {
    /// Creates a sampler for this process; nothing is read yet.
    #[must_use]
    pub fn new() -> Self {
        Self { pid: Pid::from_u32(process::id()), system: System::new().ok(), networks: Networks::new().ok() }
    }

    /// Takes a sample; `at` is the current moment. Values that cannot be read are 0.
    ///
    /// Costs a few file reads, plus some per network interface, independent of the number of threads.
    pub fn sample(&mut self, at: Moment) -> Sample {
        // Read first, because CPU time is divided by the time since `at`.
        let cpu_time = process_cpu_time();
        let rss_bytes = self.rss_bytes();
        let (network_sent, network_received) = self.network_totals();
        Sample {
            at,
            cpu_time,
            rss_bytes,
            network_sent,
            network_received,
            throttled: limits::throttled(),
            // Since Linux 6.2 the size of the directory is the number of open files (proc(5)).
            open_files: fs::metadata("/proc/self/fd").map_or(0, |meta| meta.len()),
        }
    }

    /// Time since the process started, at least 1 ms, and never less than the true age: the kernel rounds the
    /// start down to 10 ms. A CPU percentage computed with it is therefore never too high.
    ///
    /// If the start cannot be read, it is the CPU time so far: the age of a process that has kept one core
    /// busy.
    #[must_use]
    pub fn process_age(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        let since_boot = Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default();
        age(&stat, since_boot).unwrap_or_else(process_cpu_time).max(MIN_AGE)
    }

    fn rss_bytes(&mut self) -> u64 {
        // Without tasks: iterating over 10,000 threads takes 0.2 s per sample.
        let what = ProcessRefreshKind::nothing().with_memory().without_tasks();
        let Some(system) = &mut self.system else { return 0 };
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[self.pid]), true, what);
        system.process(self.pid).map_or(0, sysinfo::Process::memory)
    }

    /// Bytes sent and received over all interfaces.
    fn network_totals(&mut self) -> (u64, u64) {
        let Some(networks) = &mut self.networks else { return (0, 0) };
        // With `true`, interfaces that no longer exist are removed.
        networks.refresh(true);
        networks.values().fold((0, 0), |(sent, received), interface| {
            (sent + interface.total_transmitted(), received + interface.total_received())
        })
    }
}

impl Default for Sampler {
    fn default() -> Self {
        Self::new()
    }
}

/// CPU time of this process so far, including ended threads.
///
/// Uses the kernel's clock instead of sysinfo's `accumulated_cpu_time()`: nanoseconds instead of steps of 10
/// ms (1 % of a 1 s interval, and everything that a process has used at t = 0), one system call, and no /proc
/// needed.
fn process_cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

/// Age of the process whose `/proc/PID/stat` is given, with `since_boot` as the current time; `None` if the
/// text contains no start or one that is not in the past.
fn age(stat: &str, since_boot: Duration) -> Option<Duration> {
    // Field 2, the name, may contain spaces and parentheses; field 3 follows its last parenthesis. The start
    // is field 22.
    let (_, from_field_3) = stat.rsplit_once(')')?;
    let ticks: u64 = from_field_3.split_ascii_whitespace().nth(22 - 3)?.parse().ok()?;
    let started = Duration::from_millis(ticks.checked_mul(1000 / TICKS_PER_SECOND)?);
    since_boot.checked_sub(started).filter(|age| !age.is_zero())
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Bytes (sent, received) over all interfaces from `/proc/net/dev`.
    fn proc_net_dev() -> (u64, u64) {
        let text = fs::read_to_string("/proc/net/dev").unwrap();
        text.lines().skip(2).fold((0, 0), |(sent, received), line| {
            let (_, counters) = line.split_once(':').unwrap();
            let counters: Vec<u64> = counters.split_ascii_whitespace().map(|number| number.parse().unwrap()).collect();
            (sent + counters[8], received + counters[0])
        })
    }

    #[test]
    fn network_totals_equal_those_of_proc_net_dev() {
        let before = proc_net_dev();
        let sample = Sampler::new().sample(Moment::START);
        let after = proc_net_dev();
        assert!((before.0..=after.0).contains(&sample.network_sent), "{before:?} {sample:?} {after:?}");
        assert!((before.1..=after.1).contains(&sample.network_received), "{before:?} {sample:?} {after:?}");
    }

    #[test]
    fn a_second_sample_sees_new_traffic() {
        let mut sampler = Sampler::new();
        let first = sampler.sample(Moment::START);
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.send_to(&[0; 1_000], socket.local_addr().unwrap()).unwrap();
        let second = sampler.sample(Moment::from_nanos(1));
        assert!(second.network_sent - first.network_sent >= 1_000, "{first:?} {second:?}");
        assert!(second.network_received - first.network_received >= 1_000, "{first:?} {second:?}");
    }

    #[test]
    fn the_time_of_an_ended_thread_stays_counted() {
        let mut sampler = Sampler::new();
        let before = sampler.sample(Moment::START).cpu_time;
        let burnt = Duration::from_millis(20);
        let own_time = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
        thread::spawn(move || while own_time() < burnt {}).join().unwrap();
        assert!(sampler.sample(Moment::from_nanos(1)).cpu_time >= before + burnt);
    }

    #[test]
    fn resident_memory_is_in_bytes_and_grows_with_touched_pages() {
        const TOUCHED: usize = 64 << 20;
        let mut sampler = Sampler::new();
        let before = sampler.sample(Moment::START).rss_bytes;
        assert!(before > 100 << 10, "{before}");
        let block = std::hint::black_box(vec![1_u8; TOUCHED]);
        let after = sampler.sample(Moment::from_nanos(1)).rss_bytes;
        drop(block);
        // Half of it, because other tests may free memory in the meantime.
        assert!(after > before + (TOUCHED as u64) / 2, "{before} {after}");
    }

    #[test]
    fn a_process_that_cannot_be_found_gives_0_and_an_age() {
        let mut sampler = Sampler { pid: Pid::from_u32(i32::MAX as u32), ..Sampler::new() };
        assert_eq!(sampler.sample(Moment::START).rss_bytes, 0);
        assert!(sampler.process_age() >= MIN_AGE);
    }

    #[test]
    fn the_age_of_the_process_grows_and_is_not_the_uptime_of_the_host() {
        let sampler = Sampler::new();
        let first = sampler.process_age();
        let second = sampler.process_age();
        assert!(MIN_AGE <= first && first <= second, "{first:?} {second:?}");
        assert!(second < Duration::from_secs(3_600), "{second:?}");
    }

    #[test]
    fn the_start_is_read_after_a_name_with_spaces_and_brackets() {
        let stat = "7 (a) b (c) R 7077 7077 5919 0 -1 4194304 100 0 0 0 0 0 0 0 20 0 1 0 91365 3133440 394 1";
        assert_eq!(age(stat, Duration::from_millis(913_700)), Some(Duration::from_millis(50)));
    }

    #[test]
    fn a_stat_without_a_past_start_has_no_age() {
        let stat = "7 (a) R 7077 7077 5919 0 -1 4194304 100 0 0 0 0 0 0 0 20 0 1 0 500 3133440 394 1";
        assert_eq!(age(stat, Duration::from_secs(5)), None);
        assert_eq!(age(stat, Duration::from_secs(4)), None);
        for broken in
            ["", "7 (a", "7 (a) R 1 2", &stat.replace(" 500 ", " x "), &stat.replace("500", "9".repeat(20).as_str())]
        {
            assert_eq!(age(broken, Duration::from_secs(5)), None, "{broken}");
        }
    }
}
