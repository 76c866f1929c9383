//! Who starts when: ledger, resources, replay of pending DELs, then the socket; and the end in reverse.

use std::os::unix::fs::DirBuilderExt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use prometheus_client::registry::Registry;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};

use crate::causes::chain;
use crate::config::Config;
use crate::health::Readiness;
use crate::ledger::pending::PendingDels;
use crate::ledger::writer::LocalLedger;
use crate::ledger::{Ledger, served};
use crate::metrics::Metrics;
use crate::neighbours::Neighbours;
use crate::northbound::{Northbound, Surroundings};
use crate::probes::Probes;
use crate::resources::{self, Snapshot};
use crate::sandbox::{KERNEL_WORKERS, Sandboxes};
use crate::server::drain::{self, Busy, Drain};
use crate::server::listener::Listener;
use crate::server::observability::{self, Observability};
use crate::server::{api, http};
use crate::vswitch::Vswitch;

/// How long calls under way are waited for at the end: above any step of theirs, below a service manager's patience.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);

type Node = Arc<Sandboxes<LocalLedger>>;

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// What could not be opened or bound, and what to do.
pub async fn run(config: Config) -> anyhow::Result<()> {
    greet(&config);
    let (drainer, drain, busy) = drain::new();
    let readiness = Readiness::default();
    let starting = readiness.block("resources, ledger and socket");
    let (metrics, registry) = Metrics::new(&config.node_name);
    let mut folder = resources::Folder::open(&config.standalone)?;
    let (publish, snapshots) = resources::channel(&mut folder);
    let node = assemble(&config, metrics, readiness.clone(), snapshots.clone()).await?;
    respec(&node, &snapshots.borrow().clone()).await?;
    tokio::spawn(async move {
        if let Err(error) = resources::follow(folder, publish).await {
            tracing::error!(
                error = chain(&error),
                "the folder's changes are not followed any longer; restart me"
            );
        }
    });
    tokio::spawn(follow_subnets(node.clone(), snapshots));
    // Bound first: a rival on this socket has its own pending DELs in the folder. Calls wait in the listener's queue.
    let listener = Listener::bind(&config.socket)?;
    node.replay_pending().await;
    node.ready_pods_for_probes().await;
    node.sync_probes().await;
    serve_observability(&config, &node, registry, readiness, drain.clone()).await?;
    spawn_background(&node, &config);
    drop(starting);
    tracing::info!(socket = %config.socket.display(), "ready");
    let serving = tokio::spawn(serve(listener, node, drain, busy));
    stop_signal().await?;
    tracing::info!("draining");
    if !drainer.drain(DRAIN_LIMIT).await {
        tracing::warn!(limit = ?DRAIN_LIMIT, "calls are still under way; their sandboxes are found at the next start");
    }
    serving.abort();
    Ok(())
}

/// What the verbs share, with its connections begun.
async fn assemble(
    config: &Config,
    metrics: Metrics,
    readiness: Readiness,
    resources: watch::Receiver<Arc<Snapshot>>,
) -> anyhow::Result<Node> {
    let ledger = open_ledger(config, &metrics)?;
    let vswitch = Vswitch::open(config.ovs_db.as_ref()).await;
    let around = Surroundings {
        ledger: ledger.clone(),
        resources: resources.clone(),
        vswitch: vswitch.view(),
        settings: settings(config),
        metrics: metrics.northbound.clone(),
    };
    Ok(Arc::new(Sandboxes {
        ledger,
        resources,
        vswitch,
        mtu: config.mtu,
        probes: Probes::open(config.probes).context("carry the kubelet's probes")?,
        northbound: Northbound::open(config.ovn_nb.as_ref(), around).await,
        neighbours: config.detects_conflicts.then(Neighbours::default),
        pending: PendingDels::beside(&config.socket),
        metrics,
        readiness,
        failures: crate::sandbox::failures::Failures::default(),
        arrivals: crate::sandbox::arrivals::Arrivals::default(),
        interfaces: Arc::default(),
        owners: Arc::default(),
        kernel: Arc::new(Semaphore::new(KERNEL_WORKERS)),
    }))
}

fn greet(config: &Config) {
    tracing::info!(?config, version = env!("CARGO_PKG_VERSION"), "starting");
    if !config.idle_flags.is_empty() {
        tracing::warn!(
            flags = config.idle_flags.join(" "),
            "accepted for compatibility, without effect here"
        );
    }
}

/// What the planner is told beside the objects.
fn settings(config: &Config) -> vpc::Settings {
    let probes = config.probes.iter().flat_map(|probes| [probes.v4.into(), probes.v6.into()]);
    let settings = vpc::Settings { probe_addresses: probes.collect(), ..vpc::Settings::default() };
    vpc::Settings { mtu: config.mtu.unwrap_or(settings.mtu), ..settings }
}

fn open_ledger(config: &Config, metrics: &Metrics) -> anyhow::Result<LocalLedger> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&config.state_dir)
        .with_context(|| format!("make the state folder {}", config.state_dir.display()))?;
    LocalLedger::open(&config.state_dir.join("ledger.redb"), metrics.ledger.clone())
        .context("is another kube-ovn-daemon running on this --state-dir?")
}

/// The subnets that can be meant go to the ledger; the others were reported when their file was read.
async fn respec(node: &Node, snapshot: &Snapshot) -> anyhow::Result<()> {
    let served = served::of(&snapshot.index);
    for (subnet, other) in served::overlaps(&served) {
        tracing::warn!(
            subnet,
            other,
            "two subnets of one provider overlap; an address of both is given once only"
        );
    }
    node.ledger.respec(served).await.context("tell the ledger the subnets")
}

async fn follow_subnets(node: Node, mut snapshots: watch::Receiver<Arc<Snapshot>>) {
    while snapshots.changed().await.is_ok() {
        let snapshot = snapshots.borrow_and_update().clone();
        if let Err(error) = respec(&node, &snapshot).await {
            tracing::error!("{error:#}");
        }
    }
}

fn spawn_background(node: &Node, config: &Config) {
    let (sweeper, replayer, interval) = (node.clone(), node.clone(), config.sweep_interval);
    tokio::spawn(async move { sweeper.sweep(interval).await });
    tokio::spawn(async move { replayer.follow_pending().await });
}

async fn serve_observability(
    config: &Config,
    node: &Node,
    registry: Registry,
    readiness: Readiness,
    drain: Drain,
) -> anyhow::Result<()> {
    let Some(address) = config.metrics_addr else { return Ok(()) };
    let listener = observability::bind(address)
        .await
        .with_context(|| format!("listen on {address} for health and metrics (see --metrics-addr)"))?;
    let measured = node.clone();
    let shown = Observability {
        readiness,
        registry: config.serves_metrics.then_some(registry),
        refresh: Box::new(move || crate::objects::measure(&measured, &measured.metrics)),
        socket: config.socket.clone(),
    };
    tokio::spawn(observability::run(listener, Arc::new(shown), drain));
    Ok(())
}

async fn serve(listener: Listener, node: Node, drain: Drain, busy: Busy) {
    let of_connection = drain.clone();
    listener
        .run(drain, busy, move |stream, uid| {
            let (node, drain) = (node.clone(), of_connection.clone());
            // The first request arrived when its connection was made, later ones when they are read.
            let mut first = Some(node.arrivals.arrive());
            http::serve(stream, drain, move |request| {
                let arrival = first.take().unwrap_or_else(|| node.arrivals.arrive());
                api::answer(node.clone(), api::Caller { uid, arrival }, request)
            })
        })
        .await;
}

async fn stop_signal() -> anyhow::Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}
