//! The engines of the process.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::Engine;
use crate::model::ModelKey;
use crate::options::FlorenceOptions;

/// Models that are kept: one in use, and the one that a session has just turned to.
const KEPT: usize = 2;

#[derive(Debug, Clone, PartialEq)]
struct EngineKey {
    model: ModelKey,
    batch: usize,
    cache_megabytes: usize,
}

type Cell = Arc<OnceCell<Arc<Engine>>>;

static ENGINES: Mutex<Vec<(EngineKey, Cell)>> = Mutex::new(Vec::new());

/// The engine of these settings, shared by all queries and partitions; loaded by the first that
/// needs it. The engine used least recently is dropped when a third is loaded.
pub(crate) async fn engine(options: &FlorenceOptions) -> Result<Arc<Engine>, String> {
    let key = EngineKey {
        model: ModelKey::of(options),
        batch: options.batch,
        cache_megabytes: options.cache_megabytes,
    };
    let cell = cell(&key);
    let options = options.clone();
    let loaded = cell.get_or_try_init(|| async move {
        let load = move || {
            let florence = key.model.load().map_err(|error| error.to_string())?;
            let engine = Engine::start(florence, &options).map_err(|error| error.to_string())?;
            Ok(Arc::new(engine))
        };
        match tokio::task::spawn_blocking(load).await {
            Ok(loaded) => loaded,
            Err(error) => Err(error.to_string()),
        }
    });
    loaded.await.cloned()
}

fn cell(key: &EngineKey) -> Cell {
    // Nothing panics while it holds the lock.
    let mut engines = ENGINES.lock().unwrap_or_else(PoisonError::into_inner);
    let cell = match engines.iter().position(|(known, _)| known == key) {
        Some(at) => engines.remove(at).1,
        None => Cell::default(),
    };
    engines.insert(0, (key.clone(), cell.clone()));
    engines.truncate(KEPT);
    cell
}
