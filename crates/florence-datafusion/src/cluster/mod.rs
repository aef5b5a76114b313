//! Queries on a [Ballista](https://datafusion.apache.org/ballista/) cluster (feature `ballista`): a client, and the
//! configuration of schedulers and executors. The programs `florence-scheduler` and
//! `florence-executor` are thin shells around it.
//!
//! A function goes to the executors by its name, a setting with the query, and a table of images as
//! the list of its files; so all three have to know this crate, in the same version.

mod codec;

use std::sync::Arc;

use ballista::prelude::{SessionConfigExt, SessionContextExt};
use ballista_core::extension::{
    ballista_aggregate_functions, ballista_scalar_functions, ballista_window_functions,
};
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_core::serde::BallistaCodec;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_executor::executor_process::ExecutorProcessConfig;
use ballista_executor::new_standalone_executor_from_builder;
use ballista_scheduler::config::{SchedulerConfig, TaskDistributionPolicy};
use ballista_scheduler::standalone::new_standalone_scheduler_with_builder;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};

use self::codec::{FlorenceLogicalCodec, FlorencePhysicalCodec};
use crate::function::functions;
use crate::session::{configure, register, runtime_env};

/// A session whose queries run on the cluster of the scheduler at this URL, such as
/// `df://localhost:50050`.
///
/// # Errors
///
/// A URL without a host. Whether there is a scheduler shows with the first query.
///
/// # Example
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> datafusion::error::Result<()> {
/// let ctx = florence_datafusion::cluster::connect("df://localhost:50050").await?;
/// ctx.sql("CREATE EXTERNAL TABLE photos STORED AS IMAGES LOCATION '/photos'").await?;
/// ctx.sql("SELECT path, florence(path, '<OD>') FROM photos").await?.show().await?;
/// # Ok(())
/// # }
/// ```
pub async fn connect(url: &str) -> Result<SessionContext> {
    let state = session_state(session_config())?;
    let ctx = SessionContext::remote_with_state(url, state).await?;
    let ctx = ctx.enable_url_table();
    register(&ctx)?;
    Ok(ctx)
}

/// A session with a scheduler and an executor of its own in this process, for tests: a query takes
/// the way that it takes on a cluster.
///
/// # Errors
///
/// When no ports can be opened on the loopback interface.
///
/// # Example
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> datafusion::error::Result<()> {
/// let ctx = florence_datafusion::cluster::standalone().await?;
/// let scene = format!("{}/../../examples/scene.png", env!("CARGO_MANIFEST_DIR"));
/// let sql = format!("SELECT florence_text('{scene}', 'caption') AS caption");
/// assert_eq!(ctx.sql(&sql).await?.collect().await?[0].num_rows(), 1);
/// # Ok(())
/// # }
/// ```
pub async fn standalone() -> Result<SessionContext> {
    let codec = || {
        let logical = Arc::new(FlorenceLogicalCodec::default());
        BallistaCodec::new(logical, Arc::new(FlorencePhysicalCodec::default()))
    };
    let sessions = Arc::new(session_state);
    let configs = Arc::new(session_config);
    let scheduler = new_standalone_scheduler_with_builder(sessions, configs.clone(), codec());
    let port = scheduler.await.map_err(failed)?.port();
    let client = SchedulerGrpcClient::connect(format!("http://localhost:{port}"));
    let client = client.await.map_err(failed)?;
    let runtimes = Arc::new(|_: &SessionConfig| runtime_env());
    let executor =
        new_standalone_executor_from_builder(client, TASKS, configs, runtimes, codec(), registry());
    executor.await.map_err(failed)?;
    connect(&format!("df://localhost:{port}")).await
}

/// Tasks at a time of the executor in this process.
const TASKS: usize = 2;

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// The configuration of a session on a cluster: Ballista's with the settings of this crate, 32 rows per
/// batch, and
///
/// - `ballista.scheduler.max_partitions_per_task = 1`: the loss of an executor repeats as little as
///   possible;
/// - `ballista.planner.adaptive.enabled = false`: the adaptive planner of Ballista 55.0 was seen to wait
///   for ever after the loss of an executor whose rows others needed;
/// - `datafusion.optimizer.prefer_hash_join = true`: below sort-merge joins, which Ballista prefers, DataFusion 55.2
///   applies the limit of `ORDER BY … LIMIT` to both sides of an anti-join
///   ([#16638](https://github.com/apache/datafusion/issues/16638), mended for hash joins only);
/// - `datafusion.optimizer.repartition_file_min_size = 1`: the row groups of a small file of paths, which
///   are much work all the same, are shared out.
///
/// # Example
///
/// ```
/// let config = florence_datafusion::cluster::session_config();
/// assert_eq!(config.batch_size(), 32);
/// ```
pub fn session_config() -> SessionConfig {
    let mut config = SessionConfig::new_with_ballista()
        .with_ballista_logical_extension_codec(Arc::new(FlorenceLogicalCodec::default()))
        .with_ballista_physical_extension_codec(Arc::new(FlorencePhysicalCodec::default()))
        .set_usize("ballista.scheduler.max_partitions_per_task", 1)
        .set_bool("ballista.planner.adaptive.enabled", false)
        .set_bool("datafusion.optimizer.prefer_hash_join", true)
        .set_usize("datafusion.optimizer.repartition_file_min_size", 1);
    configure(&mut config);
    config
}

/// The state of a session with this configuration: what a scheduler makes of each client's.
///
/// # Errors
///
/// None in practice: those of [`runtime_env`].
///
/// # Example
///
/// ```
/// use florence_datafusion::cluster::{session_config, session_state};
///
/// let state = session_state(session_config())?;
/// assert!(state.scalar_functions().contains_key("florence"));
/// # Ok::<(), datafusion::error::DataFusionError>(())
/// ```
pub fn session_state(config: SessionConfig) -> Result<SessionState> {
    let scalar_functions = ballista_scalar_functions().into_iter().chain(functions());
    let builder = SessionStateBuilder::new()
        .with_default_features()
        .with_config(config)
        .with_runtime_env(runtime_env()?)
        .with_scalar_functions(scalar_functions.collect())
        .with_aggregate_functions(ballista_aggregate_functions())
        .with_window_functions(ballista_window_functions());
    Ok(builder.build())
}

/// A scheduler's configuration with the functions, settings and tables of this crate; tasks are shared
/// out evenly.
///
/// # Example
///
/// ```
/// use ballista_scheduler::config::SchedulerConfig;
///
/// let config = florence_datafusion::cluster::scheduler_config(SchedulerConfig::default());
/// assert!(config.override_session_builder.is_some());
/// ```
pub fn scheduler_config(config: SchedulerConfig) -> SchedulerConfig {
    SchedulerConfig {
        override_config_producer: Some(Arc::new(session_config)),
        override_session_builder: Some(Arc::new(session_state)),
        override_logical_codec: Some(Arc::new(FlorenceLogicalCodec::default())),
        override_physical_codec: Some(Arc::new(FlorencePhysicalCodec::default())),
        task_distribution: TaskDistributionPolicy::RoundRobin,
        ..config
    }
}

/// An executor's configuration with the functions, settings and tables of this crate.
///
/// # Example
///
/// ```
/// use ballista_executor::executor_process::ExecutorProcessConfig;
///
/// let config = florence_datafusion::cluster::executor_config(ExecutorProcessConfig::default());
/// let functions = config.override_function_registry.expect("it was set");
/// assert!(functions.scalar_functions.contains_key("florence_boxes"));
/// ```
pub fn executor_config(config: ExecutorProcessConfig) -> ExecutorProcessConfig {
    ExecutorProcessConfig {
        override_function_registry: Some(Arc::new(registry())),
        override_config_producer: Some(Arc::new(session_config)),
        override_runtime_producer: Some(Arc::new(|_| runtime_env())),
        override_logical_codec: Some(Arc::new(FlorenceLogicalCodec::default())),
        override_physical_codec: Some(Arc::new(FlorencePhysicalCodec::default())),
        ..config
    }
}

/// The functions that executors know.
fn registry() -> BallistaFunctionRegistry {
    let mut registry = BallistaFunctionRegistry::default();
    for function in ballista_scalar_functions().into_iter().chain(functions()) {
        let name = function.name().to_owned();
        registry.scalar_functions.insert(name, function);
    }
    registry
}
