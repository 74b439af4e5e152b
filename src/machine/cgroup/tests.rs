//! Fake directory trees, one for each test.

use std::env;
use std::process;

use super::*;

/// A directory with a fake `/proc` and `/sys/fs/cgroup`, removed at the end.
struct Tree(PathBuf);

impl Tree {
    /// `membership` is the content of `/proc/self/cgroup`; `files` are paths below `/sys/fs/cgroup` and their
    /// content.
    fn new(test: &str, membership: &str, files: &[(&str, &str)]) -> Self {
        let tree = Self(env::temp_dir().join(format!("swarmline-cgroup-{}-{test}", process::id())));
        tree.write("proc/self/cgroup", membership);
        for (path, text) in files {
            tree.write(&format!("cgroup/{path}"), text);
        }
        tree
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn cgroups(&self) -> Cgroups {
        Cgroups::read(&self.0.join("proc"), &self.0.join("cgroup"))
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn version_2_is_read_at_the_cgroup_of_the_process() {
    let files = [
        ("cgroup.controllers", "cpu memory pids\n"),
        ("a/b/cpu.max", "150000 100000\n"),
        ("a/b/pids.max", "500\n"),
        ("a/b/pids.current", "12\n"),
        ("a/b/memory.max", "1073741824\n"),
    ];
    let tree = Tree::new("v2", "0::/a/b\n", &files);
    assert_eq!(tree.cgroups().cpu_quota(), Some(1.5));
    assert_eq!(tree.cgroups().pids(), Some(Pids { max: 500, current: 12 }));
    assert_eq!(tree.cgroups().memory_bytes(), Some(1 << 30));
}

#[test]
fn a_tighter_limit_above_wins() {
    let files = [
        ("a/cpu.max", "50000 100000\n"),
        ("a/pids.max", "100\n"),
        ("a/memory.max", "4096\n"),
        ("a/b/cpu.max", "200000 100000\n"),
        ("a/b/pids.max", "max\n"),
        ("a/b/memory.max", "8192\n"),
    ];
    let tree = Tree::new("nested", "0::/a/b\n", &files);
    assert_eq!(tree.cgroups().cpu_quota(), Some(0.5));
    assert_eq!(tree.cgroups().pids(), Some(Pids { max: 100, current: 0 }));
    assert_eq!(tree.cgroups().memory_bytes(), Some(4096));
}

#[test]
fn of_two_task_limits_the_one_with_less_room_counts() {
    let files =
        [("a/pids.max", "1000\n"), ("a/pids.current", "990\n"), ("a/b/pids.max", "100\n"), ("a/b/pids.current", "3\n")];
    let tree = Tree::new("room", "0::/a/b\n", &files);
    assert_eq!(tree.cgroups().pids(), Some(Pids { max: 1000, current: 990 }));
}

#[test]
fn max_means_no_limit() {
    let files = [("a/cpu.max", "max 100000\n"), ("a/pids.max", "max\n"), ("a/memory.max", "max\n")];
    let tree = Tree::new("max", "0::/a\n", &files);
    assert_eq!(tree.cgroups().cpu_quota(), None);
    assert_eq!(tree.cgroups().pids(), None);
    assert_eq!(tree.cgroups().memory_bytes(), None);
}

#[test]
fn a_cgroup_beside_ours_does_not_count() {
    let tree = Tree::new("beside", "0::/a\n", &[("a/cpu.max", "max 100000"), ("b/cpu.max", "100 100000")]);
    assert_eq!(tree.cgroups().cpu_quota(), None);
}

#[test]
fn version_1_has_a_hierarchy_for_each_controller() {
    let membership = "12:pids:/p\n5:memory:/m\n4:cpu,cpuacct:/c/d\n2:cpuset:/\n1:name=systemd:/s\n";
    let files = [
        ("cpu,cpuacct/c/cpu.cfs_quota_us", "250000\n"),
        ("cpu,cpuacct/c/cpu.cfs_period_us", "100000\n"),
        ("cpu,cpuacct/c/d/cpu.cfs_quota_us", "-1\n"),
        ("cpu,cpuacct/c/d/cpu.cfs_period_us", "100000\n"),
        ("pids/p/pids.max", "64\n"),
        ("pids/p/pids.current", "7\n"),
        ("memory/m/memory.limit_in_bytes", "536870912\n"),
        ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
    ];
    let tree = Tree::new("v1", membership, &files);
    assert_eq!(tree.cgroups().cpu_quota(), Some(2.5));
    assert_eq!(tree.cgroups().pids(), Some(Pids { max: 64, current: 7 }));
    assert_eq!(tree.cgroups().memory_bytes(), Some(512 << 20));
}

#[test]
fn version_1_is_found_under_the_controller_s_own_name_too() {
    let files = [("cpu/c/cpu.cfs_quota_us", "50000"), ("cpu/c/cpu.cfs_period_us", "100000")];
    let tree = Tree::new("v1-link", "4:cpuacct,cpu:/c\n", &files);
    assert_eq!(tree.cgroups().cpu_quota(), Some(0.5));
}

#[test]
fn a_hybrid_hierarchy_is_read_in_both_versions() {
    let membership = "8:pids:/p\n1:cpu:/\n0::/u\n";
    let files = [
        ("pids/p/pids.max", "64"),
        ("pids/p/pids.current", "7"),
        ("cpu/tasks", ""),
        ("unified/u/cpu.max", "300000 100000"),
        ("unified/u/memory.max", "4096"),
    ];
    let tree = Tree::new("hybrid", membership, &files);
    assert_eq!(tree.cgroups().cpu_quota(), Some(3.0));
    assert_eq!(tree.cgroups().pids(), Some(Pids { max: 64, current: 7 }));
    assert_eq!(tree.cgroups().memory_bytes(), Some(4096));
}

#[test]
fn a_path_that_is_not_mounted_falls_back_to_the_root() {
    let files = [("cpu.max", "200000 100000"), ("elsewhere/cpu.max", "1000 100000")];
    for path in ["/kubepods/pod1/abc", "/../../system.slice", "/../elsewhere", "/"] {
        let name = format!("fallback{}", path.replace('/', "_"));
        let tree = Tree::new(&name, &format!("0::{path}\n"), &files);
        assert_eq!(tree.cgroups().cpu_quota(), Some(2.0), "{path}");
    }
}

#[test]
fn a_path_may_contain_colons() {
    let tree = Tree::new("colons", "0::/a:b:c\n", &[("a:b:c/cpu.max", "100000 100000")]);
    assert_eq!(tree.cgroups().cpu_quota(), Some(1.0));
}

#[test]
fn without_cgroups_there_is_no_limit() {
    let nowhere = Cgroups::read(Path::new("/nonexistent"), Path::new("/nonexistent"));
    assert_eq!(nowhere.cpu_quota(), None);
    assert_eq!(nowhere.pids(), None);
    assert_eq!(nowhere.memory_bytes(), None);
    let unmounted = Tree::new("unmounted", "4:cpu:/c\n0::/u\n", &[]);
    assert_eq!(unmounted.cgroups().cpu_quota(), None);
}

#[test]
fn texts_that_are_not_limits_give_none() {
    for text in ["", "\n", "max", "max 100000", "0 100000", "100000 0", "-1 100000", "x y", "100000"] {
        assert_eq!(parse_cpu_max(text), None, "{text:?}");
    }
    for line in ["", "0", "0:", "nonsense"] {
        assert_eq!(parse_membership(line), None, "{line:?}");
    }
}

#[test]
fn throttled_time_is_read_in_both_versions() {
    assert_eq!(
        parse_throttled("usage_usec 5\nnr_throttled 2\nthrottled_usec 1500\n"),
        Some(Duration::from_micros(1500))
    );
    assert_eq!(parse_throttled("nr_throttled 2\nthrottled_time 1500\n"), Some(Duration::from_nanos(1500)));
    assert_eq!(parse_throttled("usage_usec 5\n"), None);
}
