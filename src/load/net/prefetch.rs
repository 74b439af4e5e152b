//! Fetching a user's memory into the cache before it is needed.
//!
//! When thousands of threads take turns, nothing of a thread is left in the caches when it continues: each page that it
//! then touches costs 0.3 to 0.8 µs, one after the other. Fetched together, while the kernel copies the response, they cost
//! a tenth less CPU a request with 5,000 users, and nothing that can be measured with 64 (`benches/RESULTS.md`).

/// Size of a cache line.
const LINE: usize = 64;

/// The part of a stack, from the function that receives up to the user's loop, that every request uses: counted by
/// valgrind's lackey.
const FRAMES: usize = 40 * LINE;

/// A small response with its head.
const RESPONSE: usize = 4 * LINE;

/// Starts to fetch the stack of the functions that called this one.
#[inline]
pub(super) fn fetch_frames() {
    let here = 0_u8;
    fetch(&raw const here, FRAMES);
}

/// Starts to fetch a value.
#[inline]
pub(super) fn fetch_value<T>(value: &T) {
    fetch(std::ptr::from_ref(value).cast(), size_of::<T>());
}

/// Starts to fetch the room for a response.
#[inline]
pub(super) fn fetch_room(room: &[u8]) {
    fetch(room.as_ptr(), room.len().min(RESPONSE));
}

#[inline]
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "the instruction takes a pointer; std has no other name for it yet")]
fn fetch(from: *const u8, length: usize) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    for at in (0..length).step_by(LINE) {
        // SAFETY: PREFETCHT0 reads nothing into a register and has no effect but on the caches, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.wrapping_add(at).cast()) };
    }
}

/// Without a name for the instruction, memory is fetched when it is used.
#[cfg(not(target_arch = "x86_64"))]
const fn fetch(_: *const u8, _: usize) {}
