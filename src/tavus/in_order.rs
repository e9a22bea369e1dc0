//! Several requests under way at once, their answers in the order of asking.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A queue of requests. All of them are driven while the oldest is awaited; dropping the queue drops them.
pub(super) struct InOrder<'a, T> {
    slots: VecDeque<Slot<'a, T>>,
}

enum Slot<'a, T> {
    Running(Pin<Box<dyn Future<Output = T> + Send + 'a>>),
    Done(T),
}

impl<'a, T> InOrder<'a, T> {
    /// Makes an empty queue.
    pub(super) fn new() -> Self {
        Self { slots: VecDeque::new() }
    }

    /// Adds a request; it is first driven by the next call of [`InOrder::next`].
    pub(super) fn push(&mut self, request: impl Future<Output = T> + Send + 'a) {
        self.slots.push_back(Slot::Running(Box::pin(request)));
    }

    /// Returns how many answers have not been taken yet.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Returns the answer to the oldest request, or none where there is no request.
    pub(super) async fn next(&mut self) -> Option<T> {
        poll_fn(|context| self.poll_oldest(context)).await
    }

    fn poll_oldest(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
        // A handful at most, so that asking each at every wake-up costs nothing worth saving.
        for slot in &mut self.slots {
            if let Slot::Running(request) = slot
                && let Poll::Ready(answer) = request.as_mut().poll(context)
            {
                *slot = Slot::Done(answer);
            }
        }
        match self.slots.pop_front() {
            None => Poll::Ready(None),
            Some(Slot::Done(answer)) => Poll::Ready(Some(answer)),
            Some(running) => {
                self.slots.push_front(running);
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_come_in_the_order_of_asking_whichever_is_first() {
        let (release, held) = tokio::sync::oneshot::channel::<u32>();
        let mut queue = InOrder::new();
        queue.push(Box::pin(async move { held.await.unwrap_or(0) }) as Pin<Box<dyn Future<Output = u32> + Send>>);
        // The second ends first, and it is what lets the first end.
        queue.push(Box::pin(async move {
            let _ = release.send(1);
            2
        }));
        assert_eq!((queue.next().await, queue.next().await, queue.next().await), (Some(1), Some(2), None));
    }
}
