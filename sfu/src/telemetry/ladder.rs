//! What the ladders do, in metrics.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use std::sync::atomic::AtomicU64;

/// Figures of all ladders; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct LadderMetrics {
    /// Transcoding children that run.
    pub children: Gauge,
    /// Memory that they hold, in bytes.
    pub memory: Gauge,
    /// Rungs that are made.
    pub rungs: Gauge,
    ended: Family<ReasonLabel, Counter>,
    shed: Family<ReasonLabel, Counter>,
    /// Time that encoders were busy.
    pub encode_seconds: Counter<f64, AtomicU64>,
    /// CPU time of children that was told.
    pub cpu_seconds: Counter<f64, AtomicU64>,
    /// Pictures that were encoded.
    pub pictures: Counter,
    /// Pictures that were left out.
    pub dropped: Counter,
    /// Cores that ladders may take now.
    pub room: Gauge<f64, AtomicU64>,
    /// Cores that they take, as it is reckoned.
    pub taken: Gauge<f64, AtomicU64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

impl LadderMetrics {
    /// A child ended that should have gone on.
    pub fn ended(&self, reason: &'static str) {
        self.ended.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// A rung was given up.
    pub fn shed(&self, reason: &'static str) {
        self.shed.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// Into the registry.
    pub fn register(&self, registry: &mut Registry) {
        let Self {
            children,
            memory,
            rungs,
            ended,
            shed,
            encode_seconds,
            cpu_seconds,
            pictures,
            dropped,
            room,
            taken,
        } = self.clone();
        registry.register("ladder_children", "Transcoding processes that run", children);
        registry.register("ladder_memory_bytes", "Memory that transcoding processes hold", memory);
        registry.register("ladder_rungs", "Rungs that are made", rungs);
        registry.register(
            "ladder_children_ended",
            "Transcoding processes that ended too soon, and why",
            ended,
        );
        registry.register("ladder_rungs_shed", "Rungs that were given up, and why", shed);
        registry.register("ladder_encode_seconds", "Time that encoders were busy", encode_seconds);
        registry.register("ladder_cpu_seconds", "CPU time of transcoding processes", cpu_seconds);
        registry.register("ladder_pictures", "Pictures that were encoded", pictures);
        registry.register("ladder_pictures_dropped", "Pictures that were left out to stay in time", dropped);
        registry.register("ladder_room_cores", "Cores that ladders may take beside forwarding", room);
        registry.register("ladder_taken_cores", "Cores that ladders take, as it is reckoned", taken);
    }
}
