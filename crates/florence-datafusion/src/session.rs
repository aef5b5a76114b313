//! Sessions that know the functions and tables of images.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::function::functions;
use crate::options::FlorenceOptions;
use crate::stores::Stores;
use crate::table::ImagesFactory;

/// Rows of a batch: DataFusion collects so many before it calls an asynchronous function, and 8192
/// photos would be gigabytes.
const BATCH_SIZE: usize = 32;

/// A new session with the functions, settings and tables of images, with `information_schema`, with
/// files as tables (`FROM 'answers.parquet'`), and with object stores that open by themselves
/// ([`runtime_env`]).
///
/// # Errors
///
/// None in practice: those of [`register`] and [`runtime_env`].
///
/// # Example
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> datafusion::error::Result<()> {
/// let ctx = florence_datafusion::context()?;
/// let sql = "SELECT florence_text('../../examples/scene.png', 'caption')";
/// assert_eq!(ctx.sql(sql).await?.count().await?, 1);
/// # Ok(())
/// # }
/// ```
pub fn context() -> Result<SessionContext> {
    let config = SessionConfig::new().with_information_schema(true);
    let ctx = SessionContext::new_with_config_rt(config, runtime_env()?).enable_url_table();
    register(&ctx)?;
    Ok(ctx)
}

/// A runtime whose object stores are opened when a URL first names them, with credentials from the
/// environment: `s3://`, `gs://`, `http://` and `https://`, as far as the features of this crate
/// allow. Lists of files are not kept: a folder of answers grows.
///
/// # Errors
///
/// None in practice: those of `RuntimeEnvBuilder::build`.
///
/// # Example
///
/// ```
/// use datafusion::prelude::{SessionConfig, SessionContext};
///
/// let runtime = florence_datafusion::runtime_env()?;
/// let ctx = SessionContext::new_with_config_rt(SessionConfig::new(), runtime);
/// let file = url::Url::parse("file:///").expect("it is a URL");
/// assert!(ctx.runtime_env().object_store_registry.get_store(&file).is_ok());
/// # Ok::<(), datafusion::error::DataFusionError>(())
/// ```
pub fn runtime_env() -> Result<Arc<RuntimeEnv>> {
    let stores = Arc::new(Stores::default());
    RuntimeEnvBuilder::new()
        .with_object_store_registry(stores)
        .with_object_list_cache_limit(0)
        .build_arc()
}

/// Adds the functions, the settings and `CREATE EXTERNAL TABLE … STORED AS IMAGES` to a session, and
/// sets `datafusion.execution.batch_size` to 32, unless it was changed.
///
/// # Errors
///
/// None for a session of DataFusion; a registry that refuses functions.
///
/// # Example
///
/// ```
/// use datafusion::prelude::SessionContext;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> datafusion::error::Result<()> {
/// let ctx = SessionContext::new();
/// florence_datafusion::register(&ctx)?;
/// let answers = ctx.sql("SELECT florence_text('../../examples/scene.png', 'caption') AS caption").await?;
/// let batches = answers.collect().await?;
/// assert!(datafusion::arrow::util::pretty::pretty_format_batches(&batches)?.to_string().contains("cyan diamond"));
/// # Ok(())
/// # }
/// ```
pub fn register(ctx: &SessionContext) -> Result<()> {
    for function in functions() {
        ctx.register_udf(function.as_ref().clone());
    }
    let state = ctx.state_ref();
    let mut state = state.write();
    let factories = state.table_factories_mut();
    factories.insert("IMAGES".to_owned(), Arc::new(ImagesFactory));
    configure(state.config_mut());
    Ok(())
}

/// Adds the settings to a session's configuration, and sets the batch size as [`register`] does.
///
/// # Example
///
/// ```
/// use datafusion::prelude::SessionConfig;
///
/// let mut config = SessionConfig::new();
/// florence_datafusion::configure(&mut config);
/// assert_eq!(config.batch_size(), 32);
/// ```
pub fn configure(config: &mut SessionConfig) {
    let options = config.options_mut();
    if options.extensions.get::<FlorenceOptions>().is_none() {
        options.extensions.insert(FlorenceOptions::default());
    }
    let default = SessionConfig::new().batch_size();
    if config.batch_size() == default {
        *config = std::mem::take(config).with_batch_size(BATCH_SIZE);
    }
}
