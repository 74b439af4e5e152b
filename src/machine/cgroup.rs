//! Control groups: the limits they set for this process, in version 1, version 2, or both side by side
//! (hybrid).
//!
//! A limit of a cgroup applies to everything below it, so the process's cgroup and all visible ancestors are
//! read. See the kernel's `cgroup-v2.rst` and `cgroup-v1/`.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

/// The cgroups of a process.
#[derive(Debug)]
pub(super) struct Cgroups {
    /// Where the hierarchies are mounted: `/sys/fs/cgroup`.
    root: PathBuf,
    /// The content of `/proc/self/cgroup`; empty if there are no cgroups.
    membership: String,
}

/// A limit on the number of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pids {
    /// Maximum number of tasks.
    pub(super) max: u64,
    /// Current number of tasks, including those of other processes in the cgroup.
    pub(super) current: u64,
}

impl Cgroups {
    /// Reads the cgroups of this process from `<proc>/self/cgroup`; hierarchies are looked up in `root`.
    pub(super) fn read(proc: &Path, root: &Path) -> Self {
        let membership = fs::read_to_string(proc.join("self/cgroup")).unwrap_or_default();
        Self { root: root.to_path_buf(), membership }
    }

    /// The number of CPUs allowed by the tightest quota; `None` without a quota.
    pub(super) fn cpu_quota(&self) -> Option<f64> {
        self.levels("cpu").iter().filter_map(|level| cpu_quota_of(level)).min_by(f64::total_cmp)
    }

    /// The limit on tasks that leaves the least room; `None` without a limit.
    pub(super) fn pids(&self) -> Option<Pids> {
        let limits = self.levels("pids").into_iter().filter_map(|level| {
            let max = parse_limit(&text(&level, "pids.max")?)?;
            let current = text(&level, "pids.current").and_then(|text| parse_limit(&text)).unwrap_or(0);
            Some(Pids { max, current })
        });
        limits.min_by_key(|pids| pids.max.saturating_sub(pids.current))
    }

    /// The tightest memory limit in bytes; `None` without a limit. Version 1 expresses "no limit" as a number
    /// just below 2^63.
    pub(super) fn memory_bytes(&self) -> Option<u64> {
        let levels = self.levels("memory");
        let limits = levels.iter().filter_map(|level| {
            let text = text(level, "memory.max").or_else(|| text(level, "memory.limit_in_bytes"))?;
            parse_limit(&text)
        });
        limits.min()
    }

    /// The total time for which quotas have throttled the cgroup's tasks, at the most throttled level; 0
    /// without a quota.
    pub(super) fn throttled(&self) -> Duration {
        let levels = self.levels("cpu");
        let throttled = levels.iter().filter_map(|level| parse_throttled(&text(level, "cpu.stat")?));
        throttled.max().unwrap_or_default()
    }

    /// The directories that may set limits for `controller`: the process's own cgroup and its ancestors.
    ///
    /// A controller belongs to one version at a time. There is no need to find out which one: in the other
    /// version its files are missing.
    fn levels(&self, controller: &str) -> Vec<PathBuf> {
        let mut levels = Vec::new();
        for (controllers, path) in self.membership.lines().filter_map(parse_membership) {
            let mounts = if controllers.is_empty() {
                // Version 2: in a hybrid below `unified`, otherwise at the root.
                [self.root.join("unified"), self.root.clone()]
            } else if controllers.split(',').any(|name| name == controller) {
                // Version 1: controllers that are mounted together share a directory, usually with a link for
                // each.
                [self.root.join(controllers), self.root.join(controller)]
            } else {
                continue;
            };
            if let Some(mount) = mounts.iter().find(|mount| mount.is_dir()) {
                levels.extend(upwards(mount, path));
            }
        }
        levels
    }
}

/// The directory `path` below `mount` and its ancestors up to and including `mount`.
///
/// Inside a container, the path may be the host's or lead out of the namespace (`/../..`), while the mounted
/// hierarchy is the container's own cgroup: only `mount` remains in that case.
fn upwards(mount: &Path, path: &str) -> Vec<PathBuf> {
    let below = Path::new(path.trim_start_matches('/'));
    let climbs = below.components().any(|part| part == Component::ParentDir);
    let own = if climbs { mount.to_path_buf() } else { mount.join(below) };
    let own = if own.is_dir() { own } else { mount.to_path_buf() };
    own.ancestors().take_while(|level| level.starts_with(mount)).map(Path::to_path_buf).collect()
}

/// Controllers (empty for version 2) and path of a line of `/proc/self/cgroup`, `4:cpu,cpuacct:/path`.
fn parse_membership(line: &str) -> Option<(&str, &str)> {
    let mut parts = line.splitn(3, ':').skip(1);
    Some((parts.next()?, parts.next()?))
}

fn cpu_quota_of(level: &Path) -> Option<f64> {
    if let Some(text) = text(level, "cpu.max") {
        return parse_cpu_max(&text);
    }
    parse_cfs(&text(level, "cpu.cfs_quota_us")?, &text(level, "cpu.cfs_period_us")?)
}

/// CPUs from `cpu.max`, `150000 100000`: quota and period in µs; `None` for `max`.
fn parse_cpu_max(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    parse_cfs(quota, period)
}

/// CPUs from quota and period of version 1, both in µs; `None` for the quota -1, which means no quota.
fn parse_cfs(quota: &str, period: &str) -> Option<f64> {
    let quota: u64 = quota.trim().parse().ok()?;
    let period: u64 = period.trim().parse().ok()?;
    (quota > 0 && period > 0).then(|| quota as f64 / period as f64)
}

/// Throttled time from `cpu.stat`: `throttled_usec` in version 2, `throttled_time` in nanoseconds in version
/// 1.
fn parse_throttled(stat: &str) -> Option<Duration> {
    stat.lines().find_map(|line| match line.split_once(' ')? {
        ("throttled_usec", us) => us.trim().parse().ok().map(Duration::from_micros),
        ("throttled_time", ns) => ns.trim().parse().ok().map(Duration::from_nanos),
        _ => None,
    })
}

/// A limit as a number; `None` for `max`.
fn parse_limit(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

fn text(level: &Path, file: &str) -> Option<String> {
    fs::read_to_string(level.join(file)).ok()
}

#[cfg(test)]
mod tests;
