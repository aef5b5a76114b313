//! `florence-executor`: a worker of a cluster.
#![forbid(unsafe_code)]

mod program;

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use ballista_core::error::Result;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use clap::{Parser, value_parser};
use florence_datafusion::cluster::executor_config;

/// A worker of a cluster: one model, which all its tasks share. Log level: RUST_LOG.
#[derive(Debug, Parser)]
#[command(name = "florence-executor", version)]
struct Args {
    /// Name or address of the scheduler.
    #[arg(long, default_value = "localhost")]
    scheduler_host: String,
    /// Port of the scheduler.
    #[arg(long, default_value_t = 50050)]
    scheduler_port: u16,
    /// Seconds to wait for the scheduler to come up.
    #[arg(long, default_value_t = 60)]
    scheduler_connect_timeout_seconds: u16,
    /// Address to listen on. The default is reachable from this machine only.
    #[arg(long, default_value = "127.0.0.1")]
    bind_host: IpAddr,
    /// Port for results.
    #[arg(long, default_value_t = 50051)]
    bind_port: u16,
    /// Port for commands of the scheduler.
    #[arg(long, default_value_t = 50052)]
    bind_grpc_port: u16,
    /// Name or address under which others reach this machine. Default: what the scheduler sees.
    #[arg(long)]
    external_host: Option<String>,
    /// Tasks at a time. The model is one whatever the number: two tasks keep it busy while files are read.
    #[arg(long, default_value_t = 2, value_parser = value_parser!(u16).range(1..=1024))]
    tasks: u16,
    /// Folder for results on their way. Default: a temporary one.
    #[arg(long)]
    work_dir: Option<PathBuf>,
    /// Seconds between signs of life: less than the scheduler's --executor-timeout-seconds.
    #[arg(long, default_value_t = 10)]
    heartbeat_seconds: u64,
}

fn main() -> ExitCode {
    program::run("florence-executor", work(Args::parse()))
}

async fn work(args: Args) -> Result<()> {
    let config = executor_config(ExecutorProcessConfig {
        scheduler_host: args.scheduler_host,
        scheduler_port: args.scheduler_port,
        scheduler_connect_timeout_seconds: args.scheduler_connect_timeout_seconds,
        bind_host: args.bind_host.to_string(),
        port: args.bind_port,
        grpc_port: args.bind_grpc_port,
        external_host: args.external_host,
        vcores: usize::from(args.tasks),
        work_dir: args.work_dir.map(|dir| dir.to_string_lossy().into_owned()),
        executor_heartbeat_interval_seconds: args.heartbeat_seconds,
        ..ExecutorProcessConfig::default()
    });
    start_executor_process(Arc::new(config)).await
}
