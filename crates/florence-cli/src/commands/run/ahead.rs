//! Decodes images while the model works on the ones before.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

/// Reads the items of each batch with `read` on a thread of its own, one batch ahead; in order.
pub(super) fn read_ahead<'scope, J: Sync, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    batches: impl Iterator<Item = Vec<&'scope J>> + Send + 'scope,
    read: impl Fn(&J) -> T + Send + 'scope,
) -> Receiver<Vec<(&'scope J, T)>> {
    let (sender, receiver) = sync_channel(1);
    scope.spawn(move || {
        for batch in batches {
            let read = batch.into_iter().map(|item| (item, read(item))).collect();
            // The receiver is gone after an interruption.
            if sender.send(read).is_err() {
                return;
            }
        }
    });
    receiver
}
