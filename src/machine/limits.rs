//! The resources that this process may use: CPUs, open files, threads, mappings, memory.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, getuid, setrlimit};
use rustix::thread::{CapabilitySet, capabilities, sched_getaffinity};

use crate::error::{Error, Result};
use crate::machine::cgroup::Cgroups;

pub(super) const PROC: &str = "/proc";
pub(super) const CGROUP_ROOT: &str = "/sys/fs/cgroup";

/// Descriptors in addition to the users' connections: standard streams, outputs and logs, those of sysinfo,
/// and moments in which a redirect to another host opens a second connection before the first one is closed.
const OTHER_FILES: u64 = 64;

/// Threads besides the users': aggregator, sampler, writer, signals, screen, observers, name lookups.
const OTHER_THREADS: u64 = 16;

/// Mappings per thread: its stack and its signal stack, each with a guard page.
const MAPPINGS_PER_THREAD: u64 = 4;

/// Mappings in addition to the users' stacks: binary and libraries (~50), other threads (64), histograms
/// large enough for their own mapping, and malloc's arenas, which glibc limits to 8 per CPU with 2 mappings
/// each (1,024 with 64 CPUs). The value is generous, because the standard library aborts the process without
/// an error if a signal stack cannot be mapped.
const OTHER_MAPPINGS: u64 = 2048;

/// The number of CPUs this process may use: those of its affinity mask, or fewer if a cgroup quota allows
/// less (a quota of 150 ms per 100 ms is 1.5).
#[must_use]
pub fn available_cpus() -> f64 {
    let quota = Cgroups::read(Path::new(PROC), Path::new(CGROUP_ROOT)).cpu_quota();
    cpus_within(affinity_cpus(), quota)
}

/// The total time for which cgroup quotas have throttled this process; 0 without a quota.
#[must_use]
pub fn throttled() -> Duration {
    Cgroups::read(Path::new(PROC), Path::new(CGROUP_ROOT)).throttled()
}

/// Limits that are relevant to a run; `None` if there is no limit or it cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineLimits {
    /// Hard limit of open files (`RLIMIT_NOFILE`); [`raise_open_files`] raises the soft limit to it.
    pub open_files: u64,
    /// Hard limit of tasks of this user (`RLIMIT_NPROC`); `None` also if it is not enforced, as for root.
    pub processes: Option<u64>,
    /// `kernel.threads-max`: tasks in the whole system.
    pub threads_max: Option<u64>,
    /// `kernel.pid_max`: each thread needs a number below it.
    pub pid_max: Option<u64>,
    /// Current tasks in the whole system.
    pub tasks_in_system: u64,
    /// `pids.max` of the cgroup with the least room, among the process's own and its ancestors.
    pub pids_max: Option<u64>,
    /// Current tasks in that cgroup.
    pub tasks_in_cgroup: u64,
    /// `vm.max_map_count`: mappings of a process.
    pub max_map_count: Option<u64>,
    /// Memory in bytes: the cgroup's limit or the host's memory, whichever is less.
    pub memory_bytes: Option<u64>,
}

impl MachineLimits {
    /// Reads the limits of this process.
    #[must_use]
    pub fn read() -> Self {
        Self::read_from(Path::new(PROC), Path::new(CGROUP_ROOT))
    }

    /// Checks that the limits allow the planned number of users, while `files` stay open besides.
    ///
    /// Not considered: other tasks of the same user for `RLIMIT_NPROC`, and other tasks for `kernel.pid_max`
    /// (in a pid namespace the number differs from the system's number of tasks). Where they matter, the
    /// limit is reached during the run.
    ///
    /// # Errors
    /// Exit code 2: names the first limit that is too low, its value, the value needed, and how to raise it.
    pub fn check_users(&self, users: u64, files: u64) -> Result<()> {
        let too_low = self.limits(files).into_iter().find(|hold| hold.need(users) > hold.value);
        too_low.map_or(Ok(()), |hold| Err(Error::usage(hold.limit, hold.why(users))))
    }

    fn read_from(proc: &Path, cgroup_root: &Path) -> Self {
        let cgroups = Cgroups::read(proc, cgroup_root);
        let pids = cgroups.pids();
        let text = |path: &str| fs::read_to_string(proc.join(path)).unwrap_or_default();
        let number = |path: &str| text(path).trim().parse().ok();
        let enforced = nproc_is_enforced(getuid().as_raw(), &text("self/uid_map"), has_privilege());
        Self {
            open_files: getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX),
            processes: getrlimit(Resource::Nproc).maximum.filter(|_| enforced),
            threads_max: number("sys/kernel/threads-max"),
            pid_max: number("sys/kernel/pid_max"),
            tasks_in_system: parse_tasks(&text("loadavg")).unwrap_or(0),
            pids_max: pids.map(|pids| pids.max),
            tasks_in_cgroup: pids.map_or(0, |pids| pids.current),
            max_map_count: number("sys/vm/max_map_count"),
            memory_bytes: [cgroups.memory_bytes(), parse_mem_total(&text("meminfo"))].into_iter().flatten().min(),
        }
    }

    /// The existing limits, with what a run needs of each.
    fn limits(&self, open_files: u64) -> Vec<ResourceLimit> {
        let threads = |limit, value, in_use: u64, raise| {
            Some(ResourceLimit { limit, value: value?, per_user: 1, base: OTHER_THREADS.saturating_add(in_use), raise })
        };
        let files = ResourceLimit {
            limit: "hard limit of open files",
            value: self.open_files,
            per_user: 1,
            base: OTHER_FILES.saturating_add(open_files),
            raise: |need| format!("`ulimit -n {need}` as root"),
        };
        let mappings = self.max_map_count.map(|value| ResourceLimit {
            limit: "vm.max_map_count",
            value,
            per_user: MAPPINGS_PER_THREAD,
            base: OTHER_MAPPINGS,
            raise: |need| format!("`sysctl -w vm.max_map_count={need}`"),
        });
        let holds = [
            Some(files),
            threads("hard limit of user processes", self.processes, 0, |need| format!("`ulimit -u {need}` as root")),
            threads("kernel.threads-max", self.threads_max, self.tasks_in_system, |need| {
                format!("`sysctl -w kernel.threads-max={need}`")
            }),
            threads("kernel.pid_max", self.pid_max, 0, |need| format!("`sysctl -w kernel.pid_max={need}`")),
            threads("pids.max of the cgroup", self.pids_max, self.tasks_in_cgroup, |need| {
                format!("`echo {need} > pids.max` in its directory (of a container: --pids-limit {need})")
            }),
            mappings,
        ];
        holds.into_iter().flatten().collect()
    }
}

/// Raises the soft limit of open files to the hard limit; returns the limit now in force.
///
/// If the kernel refuses, the limit is unchanged.
#[expect(clippy::must_use_candidate, reason = "raising the limit is the purpose, the number is additional information")]
pub fn raise_open_files() -> u64 {
    raise_soft(Resource::Nofile)
}

/// Raises the soft limit of user processes to the hard limit, which [`MachineLimits::check_users`] checks; returns
/// the limit now in force, `u64::MAX` for none.
#[expect(clippy::must_use_candidate, reason = "as above")]
pub fn raise_processes() -> u64 {
    raise_soft(Resource::Nproc)
}

/// A limit, and what a run needs of it.
struct ResourceLimit {
    limit: &'static str,
    value: u64,
    /// Amount needed per user.
    per_user: u64,
    /// Amount needed in addition to the users'.
    base: u64,
    /// How to raise the limit to a value.
    raise: fn(u64) -> String,
}

impl ResourceLimit {
    fn need(&self, users: u64) -> u64 {
        users.saturating_mul(self.per_user).saturating_add(self.base)
    }

    fn why(&self, users: u64) -> String {
        let (value, need, raise) = (self.value, self.need(users), (self.raise)(self.need(users)));
        let fit = value.saturating_sub(self.base) / self.per_user;
        format!("is {value}, enough for {fit} users; {users} users need {need}: raise it with {raise}")
    }
}

fn raise_soft(resource: Resource) -> u64 {
    let Rlimit { current, maximum } = getrlimit(resource);
    let raised = current != maximum && setrlimit(resource, Rlimit { current: maximum, maximum }).is_ok();
    let in_force = if raised { maximum } else { current };
    in_force.unwrap_or(u64::MAX)
}

/// The number of CPUs in the affinity mask (which is also narrowed by cpusets).
fn affinity_cpus() -> f64 {
    // The mask of this call has 1,024 CPUs, and the kernel rejects it on hosts with more.
    sched_getaffinity(None).map_or_else(
        |_| thread::available_parallelism().map_or(1.0, |cpus| cpus.get() as f64),
        |mask| f64::from(mask.count()),
    )
}

fn cpus_within(affinity: f64, quota: Option<f64>) -> f64 {
    quota.map_or(affinity, |quota| quota.min(affinity))
}

/// Returns whether this process may exceed `RLIMIT_NPROC`, provided its user namespace is the initial one.
fn has_privilege() -> bool {
    let passes = CapabilitySet::SYS_RESOURCE | CapabilitySet::SYS_ADMIN;
    capabilities(None).is_ok_and(|sets| sets.effective.intersects(passes))
}

/// The kernel (`copy_process`) exempts user 0 as seen from outside all user namespaces, and privileged
/// processes in the initial one.
///
/// `uid_map` is the content of `/proc/self/uid_map`, empty in a kernel without user namespaces.
fn nproc_is_enforced(uid: u32, uid_map: &str, privileged: bool) -> bool {
    let numbers = |line: &str| line.split_ascii_whitespace().map_while(|number| number.parse().ok()).collect();
    let ranges: Vec<Vec<u64>> = uid_map.lines().map(numbers).collect();
    let uid = u64::from(uid);
    let outside = ranges.iter().find_map(|range| match range[..] {
        [inside, outside, length] => uid.checked_sub(inside).filter(|&nth| nth < length).map(|nth| outside + nth),
        _ => None,
    });
    let initial = uid_map.is_empty() || ranges == [[0, 0, u64::from(u32::MAX)]];
    let is_root = if uid_map.is_empty() { uid == 0 } else { outside == Some(0) };
    let exempt = is_root || (initial && privileged);
    !exempt
}

/// The number of tasks in the system from `/proc/loadavg`, `0.52 0.42 0.21 1/87 7088`.
fn parse_tasks(loadavg: &str) -> Option<u64> {
    let (_running, all) = loadavg.split_ascii_whitespace().nth(3)?.split_once('/')?;
    all.parse().ok()
}

/// The bytes in the line `MemTotal: 8000000 kB` of `/proc/meminfo`, where kB means KiB.
pub(super) fn parse_mem_total(meminfo: &str) -> Option<u64> {
    parse_kib(meminfo, "MemTotal:")
}

/// The bytes in the line with this key in a file of `/proc`, where kB means KiB.
pub(super) fn parse_kib(text: &str, key: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(key))?;
    value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests;
