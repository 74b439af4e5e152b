//! The thread that makes the master's lines and writes them, while the next tick is joined.

use std::io;
use std::panic::resume_unwind;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::output::{Output, PendingLine};
use super::run::RunIdentity;
use crate::clock::Clock;
use crate::stats::interval::Interval;
use crate::telemetry::line::{Envelope, StreamSource};

/// Ticks that wait to be written while one is: with none, each thread would wait for the slower one at every tick.
const MOST_WAITING: usize = 1;

/// What the thread is told.
enum Order {
    /// The first lines follow.
    Begin(Box<(Envelope, Clock)>),
    Write(Vec<PendingLine>),
    /// Answer when all before it is written.
    Settle(Sender<()>),
    /// The stream is complete.
    Finish,
}

/// An interval that was written, and the number of its endpoint.
type WrittenInterval = (usize, Interval);

/// The thread. When it is dropped, what it was told is written first.
pub(super) struct OutputThread {
    /// `None` after its end.
    running: Option<(Sender<Order>, JoinHandle<io::Result<()>>)>,
    written: Receiver<WrittenInterval>,
    has_begun: bool,
}

impl OutputThread {
    /// Starts it.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub(super) fn start(output: Output) -> io::Result<Self> {
        let (orders, received) = bounded(MOST_WAITING);
        let (spare, written) = unbounded();
        let follow = move || follow(output, &received, &spare);
        let thread = thread::Builder::new().name("merge-output".to_owned()).spawn(follow)?;
        Ok(Self { running: Some((orders, thread)), written, has_begun: false })
    }

    /// Intervals that were written since it was asked last: their room can be used again.
    pub(super) fn written(&self) -> impl Iterator<Item = WrittenInterval> {
        self.written.try_iter()
    }

    /// Has lines written.
    ///
    /// # Errors
    /// Why lines before them could not be written.
    pub(super) fn write(&mut self, said: Vec<PendingLine>, run: Option<&RunIdentity>, clock: Clock) -> io::Result<()> {
        if said.is_empty() {
            return Ok(());
        }
        if !std::mem::replace(&mut self.has_begun, true) {
            let (run_id, testplan) = run.map_or(("", ""), |run| (&run.run_id, &run.testplan));
            let envelope = Envelope::new(StreamSource::Master, run_id, testplan, clock);
            self.tell(Order::Begin(Box::new((envelope, clock))))?;
        }
        self.tell(Order::Write(said))
    }

    /// Waits until everything so far is written.
    ///
    /// # Errors
    /// Why it could not be.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        let (settled, answer) = bounded(1);
        self.tell(Order::Settle(settled))?;
        answer.recv().or_else(|_| self.end())
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// Why it could not be written.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.tell(Order::Finish)?;
        self.end()
    }

    fn tell(&mut self, order: Order) -> io::Result<()> {
        match &self.running {
            Some((orders, _)) if orders.send(order).is_ok() => Ok(()),
            _ => self.end(),
        }
    }

    /// Waits for its end; returns how it ended.
    fn end(&mut self) -> io::Result<()> {
        let Some((orders, thread)) = self.running.take() else { return Ok(()) };
        drop(orders);
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl Drop for OutputThread {
    fn drop(&mut self) {
        // Whoever drops it before the end has a reason of its own to report.
        if let Some((orders, thread)) = self.running.take() {
            drop(orders);
            let _ = thread.join();
        }
    }
}

fn follow(mut output: Output, orders: &Receiver<Order>, written: &Sender<WrittenInterval>) -> io::Result<()> {
    let mut begun = None;
    for order in orders {
        match (order, &begun) {
            (Order::Begin(first), _) => begun = Some(first),
            // Who does not read on needs no room.
            (Order::Write(said), Some(begun)) => {
                output.write(said, begun, |number, interval| drop(written.send((number, interval))))?;
            }
            (Order::Write(_), None) => {}
            (Order::Settle(settled), _) => drop(settled.send(())),
            (Order::Finish, _) => return output.finish(),
        }
    }
    Ok(())
}
