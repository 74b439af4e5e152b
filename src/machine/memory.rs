//! Memory: what the users of a run need, compared with what this process may use. Linux kills a process that
//! uses more, and the run with it.
//!
//! The constants are measured with glibc 2.41 on x86-64, 1 to 2,000 users, `VmPeak` for address space and the
//! cgroup's `max_usage` (which includes kernel stacks and socket buffers) for memory; see each constant.

use std::fs;
use std::path::Path;

use rustix::process::{Resource, getrlimit};

use super::cgroup::Cgroups;
use super::limits::{CGROUP_ROOT, PROC, parse_kib, parse_mem_total};
use crate::error::{Error, Result};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Address space per user with plain HTTP: 256 KiB of stack, its signal stack and their guard pages, and 11
/// KiB of heap; measured 280 KiB.
const ADDRESS_SPACE: u64 = 288 * KIB;

/// Address space per TLS connection; measured 37 KiB.
const ADDRESS_SPACE_OF_TLS: u64 = 48 * KIB;

/// Addresses besides the users: stacks of 2 MiB for the seven other threads and the lookups of names, the queue of
/// outcomes, histograms of 200 endpoints (10 MiB); measured 16 to 25 MiB.
const OTHER_ADDRESS_SPACE: u64 = 32 * MIB;

/// Memory per user with plain HTTP: 28.6 KiB in the process, the rest in the kernel; measured 55.2 KiB.
const MEMORY: u64 = 54 * KIB;

/// Memory per TLS connection; measured 42 KiB.
const MEMORY_OF_TLS: u64 = 40 * KIB;

/// Memory in addition to the users'; measured 3 MiB.
const OTHER_MEMORY: u64 = 4 * MIB;

/// A user that examines bodies keeps the last response: this much of it is counted. Larger buffers are freed after use,
/// so it is unlikely that all users have one at the same time.
const KEPT_RESPONSE: u64 = 64 * KIB;

/// What each user of a run needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserNeeds {
    /// Whether it uses TLS.
    pub tls: bool,
    /// Whether it examines response bodies.
    pub keeps_bodies: bool,
    /// Length in bytes of the longest request that is rendered each time.
    pub request_bytes: u64,
}

impl UserNeeds {
    fn addresses(self) -> u64 {
        self.of(ADDRESS_SPACE, ADDRESS_SPACE_OF_TLS)
    }

    fn memory(self) -> u64 {
        self.of(MEMORY, MEMORY_OF_TLS)
    }

    fn of(self, plain: u64, tls: u64) -> u64 {
        let tls = if self.tls { tls } else { 0 };
        let answer = if self.keeps_bodies { KEPT_RESPONSE } else { 0 };
        // Head and body are rendered separately, then joined.
        let request = self.request_bytes.saturating_mul(2);
        plain.saturating_add(tls).saturating_add(answer).saturating_add(request)
    }
}

/// What this process may use and currently uses, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryLimits {
    /// `RLIMIT_AS`; `None` without a limit.
    pub addresses: Option<u64>,
    /// `RLIMIT_DATA`; `None` without a limit.
    pub data: Option<u64>,
    /// The tightest memory limit of its cgroups; `None` without a limit.
    pub cgroup: Option<u64>,
    /// Memory of the host; `None` if it cannot be read.
    pub host: Option<u64>,
    /// Address space currently in use.
    pub addresses_in_use: u64,
    /// Memory currently in use that is not backed by files.
    pub memory_in_use: u64,
}

impl MemoryLimits {
    /// Reads the limits of this process.
    #[must_use]
    pub fn read() -> Self {
        let proc = Path::new(PROC);
        let text = |path: &str| fs::read_to_string(proc.join(path)).unwrap_or_default();
        let status = text("self/status");
        let in_use = |key: &str| parse_kib(&status, key).unwrap_or(0);
        Self {
            addresses: getrlimit(Resource::As).current,
            data: getrlimit(Resource::Data).current,
            cgroup: Cgroups::read(proc, Path::new(CGROUP_ROOT)).memory_bytes(),
            host: parse_mem_total(&text("meminfo")),
            addresses_in_use: in_use("VmSize:"),
            memory_in_use: in_use("RssAnon:"),
        }
    }

    /// Checks that the limits allow the planned users. Returns a warning if they come close to a limit.
    ///
    /// # Errors
    /// Exit code 2: names the first limit that is too low, its value, how many users fit, and how to raise
    /// it.
    pub fn check(&self, users: u64, needs: UserNeeds) -> Result<Option<String>> {
        let bounds: Vec<MemoryLimit> = self.bounds(needs).into_iter().flatten().collect();
        if let Some(bound) = bounds.iter().find(|bound| bound.need(users) > bound.value) {
            return Err(Error::usage(bound.limit, bound.too_many(users)));
        }
        Ok(bounds.iter().find(|bound| bound.is_near(users)).map(|bound| bound.near(users)))
    }

    fn bounds(&self, needs: UserNeeds) -> [Option<MemoryLimit>; 4] {
        let addresses = |limit, value: Option<u64>, raise| {
            let besides = self.addresses_in_use.saturating_add(OTHER_ADDRESS_SPACE);
            Some(MemoryLimit { limit, value: value?, per_user: needs.addresses(), base: besides, raise })
        };
        let memory = |limit, value: Option<u64>, raise| {
            let besides = self.memory_in_use.saturating_add(OTHER_MEMORY);
            Some(MemoryLimit { limit, value: value?, per_user: needs.memory(), base: besides, raise })
        };
        [
            addresses("limit of address space", self.addresses, |need| format!("`ulimit -v {}`", need.div_ceil(KIB))),
            addresses("limit of data", self.data, |need| format!("`ulimit -d {}`", need.div_ceil(KIB))),
            memory("memory limit of the cgroup", self.cgroup, |need| {
                format!("`echo {need} > memory.max` in its directory (of a container: --memory {need})")
            }),
            memory("memory of this host", self.host, |_| "a larger machine, or split the run with --shard".to_owned()),
        ]
    }
}

/// A limit in bytes, and what a run needs of it.
struct MemoryLimit {
    limit: &'static str,
    value: u64,
    /// Amount needed per user.
    per_user: u64,
    /// Amount needed in addition to the users'.
    base: u64,
    /// How to raise the limit to a value.
    raise: fn(u64) -> String,
}

impl MemoryLimit {
    fn need(&self, users: u64) -> u64 {
        users.saturating_mul(self.per_user).saturating_add(self.base)
    }

    /// The number of users that fit, with a margin: usage differs slightly from one start to the next.
    fn fit(&self) -> u64 {
        self.value.saturating_sub(self.base.saturating_add(MIB)) / self.per_user
    }

    fn is_near(&self, users: u64) -> bool {
        self.need(users) / 4 > self.value / 5
    }

    fn too_many(&self, users: u64) -> String {
        let (need, each) = (self.need(users), self.per_user.div_ceil(KIB));
        format!(
            "is {}, enough for {} users; {users} users of {each} KiB need {}: use fewer, or raise it with {}",
            mib(self.value),
            self.fit(),
            mib(need),
            (self.raise)(need)
        )
    }

    fn near(&self, users: u64) -> String {
        format!("{users} users may take {}, and the {} is {}", mib(self.need(users)), self.limit, mib(self.value))
    }
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(MIB))
}

/// Limits malloc to one arena if address space is limited. Must be called before the first thread is started.
///
/// glibc reserves 64 MiB of address space for each of up to 8 arenas per CPU as threads are created. Under a
/// limit they take the space that users' stacks need: with `ulimit -v 196608` and two CPUs, 300 users ended
/// in an abort although there is room for 620.
pub fn save_address_space() {
    if getrlimit(Resource::As).current.is_some() {
        one_arena();
    }
}

/// This can only be set with mallopt(3): environment variables are read before `main`.
#[cfg(target_env = "gnu")]
#[allow(unsafe_code, reason = "neither std nor rustix has a way to set it")]
fn one_arena() {
    // SAFETY: mallopt(3) takes two integers, and no other thread that allocates exists yet.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Other C libraries have no arenas.
#[cfg(not(target_env = "gnu"))]
const fn one_arena() {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    const PLAIN: UserNeeds = UserNeeds { tls: false, keeps_bodies: false, request_bytes: 0 };

    #[test]
    fn users_are_checked_against_the_address_space() {
        let limits = MemoryLimits { addresses: Some(192 * MIB), addresses_in_use: 8 * MIB, ..MemoryLimits::default() };
        // (192 - 8 - 32) * 1024 / 288
        assert!(limits.check(540, PLAIN).unwrap().unwrap().contains("the limit of address space is 192 MiB"));
        let refused = limits.check(541, PLAIN).unwrap_err();
        assert_eq!(refused.exit(), Exit::Usage);
        assert_eq!(
            refused.to_string(),
            "limit of address space: is 192 MiB, enough for 536 users; 541 users of 288 KiB need 193 MiB: use \
             fewer, or raise it with `ulimit -v 196768`"
        );
        assert_eq!(limits.check(300, PLAIN).unwrap(), None);
    }

    #[test]
    fn users_are_checked_against_the_cgroup_and_the_host() {
        let in_cgroup = MemoryLimits { cgroup: Some(64 * MIB), memory_in_use: 6 * MIB, ..MemoryLimits::default() };
        assert!(in_cgroup.check(1024, PLAIN).is_ok());
        let refused = in_cgroup.check(1025, PLAIN).unwrap_err().to_string();
        assert!(refused.starts_with("memory limit of the cgroup: is 64 MiB, enough for 1005 users; "), "{refused}");
        assert!(refused.contains("memory.max") && refused.contains("--memory"), "{refused}");
        let on_host = MemoryLimits { host: Some(64 * MIB), ..in_cgroup };
        assert!(on_host.check(1025, PLAIN).unwrap_err().to_string().starts_with("memory limit of the cgroup"));
        let on_host = MemoryLimits { cgroup: None, ..on_host };
        assert!(on_host.check(1025, PLAIN).unwrap_err().to_string().contains("--shard"));
        assert_eq!(MemoryLimits::default().check(u64::MAX, PLAIN).unwrap(), None);
    }

    #[test]
    fn tls_and_bodies_need_additional_memory() {
        let limits = MemoryLimits { addresses: Some(132 * MIB), ..MemoryLimits::default() };
        let most = |needs: UserNeeds| (0..1000).take_while(|users| limits.check(*users, needs).is_ok()).count() - 1;
        assert_eq!(most(PLAIN), 355);
        assert_eq!(most(UserNeeds { tls: true, ..PLAIN }), 304);
        assert_eq!(most(UserNeeds { keeps_bodies: true, ..PLAIN }), 290);
        assert_eq!(most(UserNeeds { request_bytes: MIB, ..PLAIN }), 43);
    }

    #[test]
    fn the_limits_of_this_process_can_be_read() {
        let limits = MemoryLimits::read();
        assert!(limits.host.is_some() && limits.addresses_in_use > limits.memory_in_use && limits.memory_in_use > 0);
    }
}
