//! Being asked to stop, so that every wait can hear it.

use tokio::sync::watch;

/// The ear: clones hear the same.
#[derive(Debug, Clone)]
pub struct Interrupt(watch::Receiver<bool>);

/// The mouth: asks everybody to stop.
#[derive(Debug)]
pub struct Interrupter(watch::Sender<bool>);

/// Returns a mouth and an ear.
pub fn interrupt() -> (Interrupter, Interrupt) {
    let (sender, receiver) = watch::channel(false);
    (Interrupter(sender), Interrupt(receiver))
}

impl Interrupter {
    /// Asks everybody to stop, for good.
    pub fn interrupt(&self) {
        self.0.send_replace(true);
    }
}

impl Interrupt {
    /// Returns whether somebody asked to stop.
    pub fn is_noted(&self) -> bool {
        *self.0.borrow()
    }

    /// Completes once somebody asks to stop; never, when nobody can any more.
    pub async fn noted(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|is_noted| *is_noted).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
