//! DTLS that repeats a lost flight after 100 ms, as browsers do, instead of the 1 s of RFC 6347. FFmpeg's muxer reads the
//! first ClientHello before it has made its DTLS context, and so always loses it.

use std::{
    sync::{Arc, LazyLock},
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
        // ICE has verified the return route, so no cookies.
        let mut config = dimpl::Config::builder()
            .use_server_cookie(false)
            .flight_start_rto(FIRST_REPEAT)
            .flight_retries(REPEATS);
        if let Some(mtu) = mtu {
            config = config.mtu(mtu);
        }
        let config = config.build().map_err(|error| CryptoError::Other(error.to_string()))?;
        let (config, cert) = (Arc::new(config), cert.clone());
        Ok(Box::new(Handshake(match version {
            DtlsVersion::Dtls12 => dimpl::Dtls::new_12(config, cert, now),
            DtlsVersion::Dtls13 => dimpl::Dtls::new_13(config, cert, now),
            _ => dimpl::Dtls::new_auto(config, cert, now),
        })))
    }
}

struct Handshake(dimpl::Dtls);

impl std::fmt::Debug for Handshake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handshake")
    }
}

impl DtlsInstance for Handshake {
    fn set_active(&mut self, active: bool) {
        self.0.set_active(active);
    }
    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.0.handle_packet(packet)
    }
    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        self.0.poll_output(buf)
    }
    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.0.handle_timeout(now)
    }
    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.0.send_application_data(data)
    }
    fn is_active(&self) -> bool {
        self.0.is_active()
    }
    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.0.protocol_version()
    }
    fn is_closing(&self) -> bool {
        self.0.is_closing()
    }
    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.0.close()
    }
}
