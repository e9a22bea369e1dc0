//! Several futures at once, on the task that waits for them.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

/// Runs futures together and returns what they gave, in their order.
pub(crate) async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let most = futures.len();
    join_at_most(most, futures).await
}

/// Runs futures, so many of them at once, and returns what they gave, in their order.
pub(crate) async fn join_at_most<F: Future>(most: usize, futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut waiting = futures.into_iter().enumerate();
    let mut running: Vec<(usize, Pin<Box<F>>)> = Vec::new();
    let mut outputs: Vec<Option<F::Output>> = Vec::new();
    std::future::poll_fn(|context| {
        loop {
            while running.len() < most.max(1)
                && let Some((place, future)) = waiting.next()
            {
                outputs.push(None);
                running.push((place, Box::pin(future)));
            }
            if running.is_empty() {
                return Poll::Ready(());
            }
            let before = running.len();
            running.retain_mut(|(place, future)| match future.as_mut().poll(context) {
                Poll::Ready(value) => {
                    // Each future that runs has had its place made above.
                    if let Some(slot) = outputs.get_mut(*place) {
                        *slot = Some(value);
                    }
                    false
                }
                Poll::Pending => true,
            });
            // Where one ended there is room for another, which must be polled once, or nothing wakes this task.
            if running.len() == before {
                return Poll::Pending;
            }
        }
    })
    .await;
    outputs.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn no_more_run_at_once_than_may_and_all_come_back_in_order() {
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = |number: usize| {
            let (running, most) = (&running, &most);
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                for _ in 0..=number % 3 {
                    tokio::task::yield_now().await;
                }
                running.fetch_sub(1, Ordering::Relaxed);
                number
            }
        };
        assert_eq!(join_at_most(4, (0..50).map(work)).await, (0..50).collect::<Vec<_>>());
        assert_eq!(most.load(Ordering::Relaxed), 4);
        assert_eq!(join_all((0..50).map(work).collect()).await.len(), 50);
        assert!(join_at_most(0, std::iter::empty::<std::future::Ready<()>>()).await.is_empty());
    }
}
