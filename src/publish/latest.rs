//! Handing over the latest value, and nothing but the latest.

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

/// The writing end of a slot for one value. A value that was not taken is replaced by the next one, so that writing never
/// waits for the reader. The reading end is an ordinary receiver, which is disconnected when this is dropped.
#[derive(Debug)]
pub(super) struct Latest<T> {
    slot: Sender<T>,
    replaced: Receiver<T>,
}

impl<T> Latest<T> {
    /// An empty slot, and its reading end.
    pub(super) fn new() -> (Self, Receiver<T>) {
        let (slot, reader) = bounded(1);
        (Self { slot, replaced: reader.clone() }, reader)
    }

    /// Puts a value in place of one that was not taken. Not to be called by two threads at once.
    pub(super) fn put(&self, value: T) {
        if let Err(TrySendError::Full(value)) = self.slot.try_send(value) {
            let _ = self.replaced.try_recv();
            // This is the only writer, so there is room now.
            let _ = self.slot.try_send(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_value_wins_and_writing_does_not_wait() {
        let (latest, reader) = Latest::new();
        (1..=5).for_each(|value| latest.put(value));
        assert_eq!(reader.try_recv(), Ok(5));
        assert!(reader.try_recv().is_err());
        drop(latest);
        assert!(reader.recv().is_err(), "the reader learns that there will be no more");
    }
}
