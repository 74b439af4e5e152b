//! Limits are given as numbers; those of this process are used only where any value will do.

use super::*;
use crate::error::Exit;

/// A host without limits.
const BOUNDLESS: MachineLimits = MachineLimits {
    open_files: u64::MAX,
    processes: None,
    threads_max: None,
    pid_max: None,
    tasks_in_system: 0,
    pids_max: None,
    tasks_in_cgroup: 0,
    max_map_count: None,
    memory_bytes: None,
};

const INITIAL_NAMESPACE: &str = "         0          0 4294967295\n";

/// Asserts that `most` users are accepted and one more is rejected with `message`.
fn assert_most(limits: MachineLimits, most: u64, message: &str) {
    limits.check_users(most, 0).unwrap();
    let error = limits.check_users(most + 1, 0).unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
    assert_eq!(error.to_string(), message);
}

#[test]
fn a_user_takes_one_descriptor() {
    assert_most(
        MachineLimits { open_files: 4096, ..BOUNDLESS },
        4032,
        "hard limit of open files: is 4096, enough for 4032 users; 4033 users need 4097: raise it with \
         `ulimit -n 4097` as root",
    );
}

#[test]
fn files_that_stay_open_take_descriptors_too() {
    let limits = MachineLimits { open_files: 4096, ..BOUNDLESS };
    assert!(limits.check_users(3932, 100).is_ok() && limits.check_users(3933, 100).is_err());
}

#[test]
fn a_user_takes_one_process_of_the_user() {
    assert_most(
        MachineLimits { processes: Some(1016), ..BOUNDLESS },
        1000,
        "hard limit of user processes: is 1016, enough for 1000 users; 1001 users need 1017: raise it with \
         `ulimit -u 1017` as root",
    );
}

#[test]
fn tasks_that_exist_count_towards_threads_max() {
    assert_most(
        MachineLimits { threads_max: Some(1200), tasks_in_system: 184, ..BOUNDLESS },
        1000,
        "kernel.threads-max: is 1200, enough for 1000 users; 1001 users need 1201: raise it with \
         `sysctl -w kernel.threads-max=1201`",
    );
}

#[test]
fn a_thread_takes_a_pid() {
    assert_most(
        MachineLimits { pid_max: Some(32_768), ..BOUNDLESS },
        32_752,
        "kernel.pid_max: is 32768, enough for 32752 users; 32753 users need 32769: raise it with \
         `sysctl -w kernel.pid_max=32769`",
    );
}

#[test]
fn tasks_that_exist_count_towards_pids_max() {
    assert_most(
        MachineLimits { pids_max: Some(100), tasks_in_cgroup: 20, ..BOUNDLESS },
        64,
        "pids.max of the cgroup: is 100, enough for 64 users; 65 users need 101: raise it with \
         `echo 101 > pids.max` in its directory (of a container: --pids-limit 101)",
    );
}

#[test]
fn a_thread_takes_four_mappings() {
    assert_most(
        MachineLimits { max_map_count: Some(65_530), ..BOUNDLESS },
        15_870,
        "vm.max_map_count: is 65530, enough for 15870 users; 15871 users need 65532: raise it with \
         `sysctl -w vm.max_map_count=65532`",
    );
}

#[test]
fn a_limit_below_the_overhead_is_not_enough_for_any_user() {
    let error = MachineLimits { open_files: 10, ..BOUNDLESS }.check_users(1, 0).unwrap_err();
    assert!(error.to_string().contains("is 10, enough for 0 users; 1 users need 65"), "{error}");
}

#[test]
fn without_limits_any_number_of_users_may_run() {
    BOUNDLESS.check_users(u64::MAX, 0).unwrap();
}

#[test]
fn absurd_numbers_of_users_are_refused_and_do_not_overflow() {
    let limits = MachineLimits { max_map_count: Some(65_530), tasks_in_system: u64::MAX, ..BOUNDLESS };
    assert!(limits.check_users(u64::MAX, 0).is_err());
}

#[test]
fn this_host_allows_one_user() {
    let limits = MachineLimits::read();
    limits.check_users(1, 0).unwrap();
    assert!(limits.tasks_in_system >= 1, "{limits:?}");
    assert!(limits.memory_bytes.is_some_and(|bytes| bytes > 1 << 20), "{limits:?}");
}

#[test]
fn a_host_without_proc_and_cgroups_has_no_such_limits() {
    let nowhere = Path::new("/nonexistent");
    let limits = MachineLimits::read_from(nowhere, nowhere);
    let MachineLimits { open_files, processes, .. } = limits;
    assert_eq!(limits, MachineLimits { open_files, processes, ..BOUNDLESS });
}

#[test]
fn the_soft_limits_are_raised_to_the_hard_ones() {
    let hard = getrlimit(Resource::Nofile).maximum;
    assert_eq!(raise_open_files(), hard.unwrap_or(u64::MAX));
    assert_eq!(getrlimit(Resource::Nofile).current, hard);
    assert_eq!(raise_open_files(), hard.unwrap_or(u64::MAX), "a second call changes nothing");
    assert_eq!(raise_processes(), getrlimit(Resource::Nproc).maximum.unwrap_or(u64::MAX));
}

#[test]
fn cpus_are_at_least_some_and_no_more_than_the_mask_has() {
    let cpus = available_cpus();
    assert!(cpus > 0.0 && cpus <= affinity_cpus(), "{cpus}");
}

#[test]
fn a_quota_narrows_the_mask_and_never_widens_it() {
    for (quota, expected) in [(None, 4.0), (Some(1.5), 1.5), (Some(0.25), 0.25), (Some(8.0), 4.0)] {
        assert!((cpus_within(4.0, quota) - expected).abs() < 1e-9, "{quota:?}");
    }
}

#[test]
fn the_process_limit_is_not_enforced_for_root_and_privilege_of_the_initial_namespace() {
    assert!(!nproc_is_enforced(0, INITIAL_NAMESPACE, false));
    assert!(!nproc_is_enforced(1000, INITIAL_NAMESPACE, true));
    assert!(nproc_is_enforced(1000, INITIAL_NAMESPACE, false));
    assert!(!nproc_is_enforced(0, "", false));
    assert!(nproc_is_enforced(1000, "", false));
}

#[test]
fn the_process_limit_is_enforced_for_the_root_of_a_user_namespace() {
    let rootless = "         0       1000          1\n         1     100000      65536\n";
    assert!(nproc_is_enforced(0, rootless, true));
    assert!(nproc_is_enforced(5, rootless, true));
    assert!(
        !nproc_is_enforced(7, "         7          0          1\n", false),
        "root outside the namespace, whatever it is inside"
    );
}

#[test]
fn the_tasks_of_the_system_are_after_the_slash() {
    assert_eq!(parse_tasks("0.52 0.42 0.21 1/87 7088\n"), Some(87));
    for broken in ["", "0.52 0.42", "0.52 0.42 0.21 87 7088", "0 0 0 1/x 7"] {
        assert_eq!(parse_tasks(broken), None, "{broken:?}");
    }
}

#[test]
fn the_memory_of_the_host_is_given_in_kib() {
    assert_eq!(parse_mem_total("MemFree: 1 kB\nMemTotal:       24700 kB\n"), Some(24_700 * 1024));
    for broken in ["", "MemTotal: 5", "MemTotal: x kB", "MemTotal: 99999999999999999999 kB"] {
        assert_eq!(parse_mem_total(broken), None, "{broken:?}");
    }
}
