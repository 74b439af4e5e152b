//! What a switch between threads costs beyond what the load needs.

/// Ends this thread's registration for restartable sequences, and with it that of each thread started from it. Must be
/// called before the first thread is started. Returns whether it was registered.
///
/// Since glibc 2.35 each thread registers an area (rseq(2)) into which the kernel writes the number of the CPU each time
/// the thread continues. Nothing here uses it, and the area lies in a page of memory of its own for each user, which is
/// no longer in any cache when thousands of users take turns: without it 5,000 users on one core cost 0.91 of the CPU
/// (Linux 6.18, medians of paired runs). glibc registers a thread only if the one that started it is registered.
#[cfg(all(target_env = "gnu", target_arch = "x86_64"))]
#[must_use]
#[allow(unsafe_code, reason = "glibc reads GLIBC_TUNABLES, its only setting for this, before main")]
pub fn end_restartable_sequences() -> bool {
    /// Size of the area, its alignment, and the signature, as glibc registers them (rseq(2), `bits/rseq.h`).
    const SIZE: usize = 32;
    const SIGNATURE: u32 = 0x5305_3053;
    /// `RSEQ_FLAG_UNREGISTER` of linux/rseq.h.
    const UNREGISTER: i32 = 1;
    /// The area lies this close to the thread's own description: at byte 2336 after it in glibc 2.36, before it since 2.41.
    const REACH: libc::pthread_t = 4096;
    // SAFETY: pthread_self(3) has no conditions. rseq(2) compares the address with the registered one, refuses any other
    // with EINVAL and only then writes to it: to an area that glibc gave it for this.
    unsafe {
        let own = libc::pthread_self();
        let mut places = (own.saturating_sub(REACH)..own + REACH).step_by(SIZE);
        places.any(|place| libc::syscall(libc::SYS_rseq, place, SIZE, UNREGISTER, SIGNATURE) == 0)
    }
}

/// Other C libraries register nothing.
#[cfg(not(all(target_env = "gnu", target_arch = "x86_64")))]
#[must_use]
pub const fn end_restartable_sequences() -> bool {
    false
}

#[cfg(all(test, target_env = "gnu", target_arch = "x86_64"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn threads_started_afterwards_are_not_registered_and_others_are_as_before() {
        let own = thread::spawn(|| {
            let was_registered = end_restartable_sequences();
            let is_registered = [end_restartable_sequences(), thread::spawn(end_restartable_sequences).join().unwrap()];
            (was_registered, is_registered)
        });
        let (was_registered, is_registered) = own.join().unwrap();
        assert_eq!(is_registered, [false, false]);
        // A kernel without rseq(2), or one that forbids it, has registered nothing in the first place.
        assert_eq!(thread::spawn(end_restartable_sequences).join().unwrap(), was_registered);
    }
}
