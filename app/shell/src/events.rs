//! Events on their way to one page.

use hearthwatt_api::Event;
use tokio::sync::broadcast;

/// How many events a page may be behind before it loses some and is told so.
pub const CAPACITY: usize = 512;

/// One listener. Falling behind costs events, never memory: what was lost is one
/// [`Event::Lagged`], after which the page asks everything again.
#[derive(Debug)]
pub struct Events(broadcast::Receiver<Event>);

impl Events {
    pub(crate) fn new(receiver: broadcast::Receiver<Event>) -> Self {
        Self(receiver)
    }

    /// The next event; `None` when there will be no more. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Event> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Lagged(lost)) => {
                tracing::debug!(lost, "a page fell behind");
                Some(Event::Lagged)
            }
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_slow_page_is_told_once_and_goes_on() {
        let (send, receive) = broadcast::channel(4);
        let mut events = Events::new(receive);
        for _ in 0..10 {
            send.send(Event::MetersChanged).unwrap();
        }
        assert_eq!(events.next().await, Some(Event::Lagged));
        for _ in 0..4 {
            assert_eq!(events.next().await, Some(Event::MetersChanged));
        }
        drop(send);
        assert_eq!(events.next().await, None);
    }
}
