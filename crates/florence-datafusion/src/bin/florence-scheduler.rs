//! `florence-scheduler`: the scheduler of a cluster.
#![forbid(unsafe_code)]

mod program;

use std::net::IpAddr;
use std::process::ExitCode;
use std::sync::Arc;

use ballista_core::error::Result;
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::start_server;
use clap::Parser;
use florence_datafusion::cluster::scheduler_config;

/// The scheduler of a cluster: takes queries of `florence-sql --cluster`, and gives tasks to `florence-executor`s.
/// Whoever reaches its port can run queries: keep it on a private network. Log level: RUST_LOG.
#[derive(Debug, Parser)]
#[command(name = "florence-scheduler", version)]
struct Args {
    /// Address to listen on. The default is reachable from this machine only.
    #[arg(long, default_value = "127.0.0.1")]
    bind_host: IpAddr,
    /// Port to listen on.
    #[arg(long, default_value_t = 50050)]
    bind_port: u16,
    /// Name or address under which executors reach this machine.
    #[arg(long, default_value = "localhost")]
    external_host: String,
    /// Seconds without a sign of life after which an executor is lost, and its tasks are given to others.
    #[arg(long, default_value_t = 60)]
    executor_timeout_seconds: u64,
    /// Attempts at a task whose executor is lost or whose storage fails.
    #[arg(long, default_value_t = 4)]
    task_max_failures: usize,
}

fn main() -> ExitCode {
    program::run("florence-scheduler", serve(Args::parse()))
}

async fn serve(args: Args) -> Result<()> {
    let config = scheduler_config(SchedulerConfig {
        bind_host: args.bind_host.to_string(),
        bind_port: args.bind_port,
        external_host: args.external_host,
        executor_timeout_seconds: args.executor_timeout_seconds,
        task_max_failures: args.task_max_failures,
        ..SchedulerConfig::default()
    });
    let cluster = BallistaCluster::new_from_config(&config).await?;
    let address = (args.bind_host, args.bind_port).into();
    eprintln!("florence-scheduler: listening on {address}");
    start_server(cluster, address, Arc::new(config)).await
}
