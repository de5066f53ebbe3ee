//! DTLS that repeats a lost flight after 100 ms, as browsers do, instead of the 1 s of RFC 6347. FFmpeg's muxer reads the
//! first ClientHello before it has made its DTLS context, and so always loses it.
//!
//! What is broken is passed over (RFC 6347, 4.1.2.7; RFC 9147, 4.5.2): nothing of a handshake is proven to be the peer's, so
//! that it must not end for one bad datagram among good ones.

mod record;

use super::egress::srtp::Keys;
use std::{
    cell::Cell,
    sync::{
        Arc, LazyLock, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use str0m::crypto::{
    CryptoError, CryptoProvider,
    dtls::{DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion},
    from_feature_flags,
};

/// When a flight is first repeated; each time after takes twice as long.
const FIRST_REPEAT: Duration = Duration::from_millis(100);
/// How often at most, so that a handshake has about half a minute as before.
const REPEATS: usize = 8;
/// A handshake that so many broken datagrams came to is given up: a flood costs the one that it comes to, and little of that.
const MOST_BROKEN: usize = 256;

/// Broken datagrams of all peers since the start.
static PASSED_OVER: AtomicU64 = AtomicU64::new(0);

/// How many DTLS datagrams were passed over since the start, as they were broken or made no sense where they came.
pub fn passed_over() -> u64 {
    PASSED_OVER.load(Relaxed)
}

#[derive(Debug)]
struct Impatient;

static IMPATIENT: Impatient = Impatient;
static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(CryptoProvider { dtls_provider: &IMPATIENT, ..from_feature_flags() }));

/// One for all peers while the process runs: making a key and signing it for each would cost every join its time.
static CERTIFICATE: LazyLock<Option<DtlsCert>> = LazyLock::new(|| IMPATIENT.generate_certificate());

/// The certificate that every peer is shown; `None` if none can be made.
pub fn certificate() -> Option<DtlsCert> {
    CERTIFICATE.clone()
}

/// The cryptography that every peer uses.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::clone(&PROVIDER)
}

/// Where the keys of one handshake lie once it is done.
pub type KeySlot = Arc<OnceLock<Keys>>;

thread_local! {
    /// For the handshake that is made next on this thread.
    static NEXT_SLOT: Cell<Option<KeySlot>> = const { Cell::new(None) };
}

/// Makes one peer's state machine, and the place for the keys of its handshake: str0m keeps them to itself.
pub fn with_keys<T>(make: impl FnOnce() -> T) -> (T, KeySlot) {
    let slot = KeySlot::default();
    NEXT_SLOT.set(Some(Arc::clone(&slot)));
    let made = make();
    NEXT_SLOT.take();
    (made, slot)
}

impl DtlsProvider for Impatient {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        from_feature_flags().dtls_provider.generate_certificate()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let engine = Engine { config: config(mtu)?, certificate: cert.clone(), version };
        Ok(Box::new(Handshake {
            inner: engine.start(now),
            engine,
            now,
            has_hello: false,
            has_answered: false,
            is_done: false,
            broken: 0,
            keys: NEXT_SLOT.take().unwrap_or_default(),
        }))
    }
}

/// What handshakes have in common, by the largest datagram: one for all, as making it tries every cipher and key exchange that
/// there is, for a millisecond.
static CONFIGS: Mutex<Vec<(Option<usize>, Arc<dimpl::Config>)>> = Mutex::new(Vec::new());

fn config(mtu: Option<usize>) -> Result<Arc<dimpl::Config>, CryptoError> {
    // Nothing panics with the lock held; and what was made is good.
    let mut configs = CONFIGS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, config)) = configs.iter().find(|(known, _)| *known == mtu) {
        return Ok(Arc::clone(config));
    }
    // ICE has verified the return route, so no cookies.
    let mut config = dimpl::Config::builder()
        .use_server_cookie(false)
        .flight_start_rto(FIRST_REPEAT)
        .flight_retries(REPEATS);
    if let Some(mtu) = mtu {
        config = config.mtu(mtu);
    }
    let config = Arc::new(config.build().map_err(|error| CryptoError::Other(error.to_string()))?);
    configs.push((mtu, Arc::clone(&config)));
    Ok(config)
}

/// What a handshake is begun with.
struct Engine {
    config: Arc<dimpl::Config>,
    certificate: DtlsCert,
    version: DtlsVersion,
}

impl Engine {
    fn start(&self, now: Instant) -> dimpl::Dtls {
        let (config, certificate) = (Arc::clone(&self.config), self.certificate.clone());
        match self.version {
            DtlsVersion::Dtls12 => dimpl::Dtls::new_12(config, certificate, now),
            DtlsVersion::Dtls13 => dimpl::Dtls::new_13(config, certificate, now),
            _ => dimpl::Dtls::new_auto(config, certificate, now),
        }
    }
}

struct Handshake {
    inner: dimpl::Dtls,
    engine: Engine,
    now: Instant,
    /// The beginning of a ClientHello came.
    has_hello: bool,
    /// Something was sent: the peer knows of this handshake.
    has_answered: bool,
    is_done: bool,
    broken: usize,
    keys: KeySlot,
}

impl Handshake {
    /// Begins anew, if nobody can notice: with the first ClientHello that makes sense.
    fn forget(&mut self) -> Result<(), DtlsImplError> {
        if self.has_answered || self.inner.is_active() {
            return Ok(());
        }
        self.inner = self.engine.start(self.now);
        self.has_hello = false;
        self.inner.handle_timeout(self.now)
    }

    fn pass_over(&mut self, why: DtlsImplError) -> Result<(), DtlsImplError> {
        PASSED_OVER.fetch_add(1, Relaxed);
        self.broken += usize::from(!self.is_done);
        tracing::trace!(error = %why, "a DTLS datagram was passed over");
        if self.broken > MOST_BROKEN { Err(why) } else { Ok(()) }
    }
}

impl std::fmt::Debug for Handshake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handshake")
    }
}

impl DtlsInstance for Handshake {
    fn set_active(&mut self, active: bool) {
        self.inner.set_active(active);
    }
    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        if !self.is_done && !packet.is_empty() {
            if !record::is_whole(packet) {
                return self.pass_over(DtlsImplError::ReceiveQueueFull);
            }
            if record::begins_hello(packet) {
                // The one before, which wasn't answered, may have been broken, and would stand in the way of this one.
                if self.has_hello {
                    self.forget()?;
                }
                self.has_hello = true;
            }
        }
        let Err(error) = self.inner.handle_packet(packet) else { return Ok(()) };
        self.forget()?;
        self.pass_over(error)
    }
    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        let output = self.inner.poll_output(buf);
        match &output {
            DtlsOutput::Packet(_) => self.has_answered = true,
            DtlsOutput::Connected => self.is_done = true,
            DtlsOutput::KeyingMaterial(material, profile) => {
                let is_client = self.inner.is_active();
                let keys = Keys { material: material[..].to_vec(), profile: *profile, is_client };
                // A handshake has one set of keys.
                let _ = self.keys.set(keys);
            }
            _ => {}
        }
        output
    }
    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.now = now;
        self.inner.handle_timeout(now)
    }
    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.inner.send_application_data(data)
    }
    fn is_active(&self) -> bool {
        self.inner.is_active()
    }
    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.inner.protocol_version()
    }
    fn is_closing(&self) -> bool {
        self.inner.is_closing()
    }
    fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }
    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.inner.close()
    }
}

#[cfg(test)]
mod tests;
