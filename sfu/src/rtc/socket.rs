//! One shard's UDP socket: batched receives, segmented sends, and the address a datagram came to.

use super::segment::Run;
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    collections::HashSet,
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Bursts of keyframes to many viewers fit in it.
const SEND_BUFFER: usize = 4 << 20;
const RECEIVE_BUFFER: usize = 4 << 20;
/// The largest datagram that is taken whole; with receive offload several lie in one buffer.
const BUFFER: usize = 65_536;

/// Where a datagram came from, and when.
#[derive(Debug, Clone, Copy)]
pub struct Came {
    /// Its source.
    pub from: SocketAddr,
    /// The local address that it came to.
    pub to: Option<IpAddr>,
    /// How long it waited in the kernel, where the kernel says.
    pub waited: Duration,
}

/// See the module.
pub struct MediaSocket {
    socket: mio::net::UdpSocket,
    state: UdpSocketState,
    port: u16,
    buffers: Vec<Vec<u8>>,
    most_segments: usize,
    /// Where the way doesn't take segmented sends.
    unsegmented: HashSet<IpAddr>,
    /// Datagrams that the kernel's queue had no room for.
    pub dropped: u64,
}

/// The most addresses that are remembered not to take segmented sends. Beyond, all are forgotten: each costs one failed call
/// to find out again.
const MOST_UNSEGMENTED: usize = 4096;

impl MediaSocket {
    /// Binds to `address`; `segmentation` lets one send carry several datagrams. Fails as the operating system says, e.g.
    /// [`io::ErrorKind::AddrInUse`].
    pub fn bind(address: SocketAddr, segmentation: bool) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            // One socket for both families where the address is a wildcard.
            socket.set_only_v6(!address.ip().is_unspecified())?;
        }
        socket.bind(&address.into())?;
        socket.set_nonblocking(true)?;
        // The kernel may give less; that is its right.
        let _ = socket.set_send_buffer_size(SEND_BUFFER);
        let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
        let socket = std::net::UdpSocket::from(socket);
        let port = socket.local_addr()?.port();
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        let buffers = (0..BATCH_SIZE.min(8)).map(|_| vec![0; BUFFER]).collect();
        let most_segments = if segmentation { state.max_gso_segments().max(1) } else { 1 };
        Ok(Self {
            socket: mio::net::UdpSocket::from_std(socket),
            state,
            port,
            buffers,
            most_segments,
            unsegmented: HashSet::new(),
            dropped: 0,
        })
    }

    /// The port it is bound to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// For registration with a poll.
    pub fn source(&mut self) -> &mut mio::net::UdpSocket {
        &mut self.socket
    }

    /// How many datagrams one segmented send carries; 1 where the kernel can't segment.
    pub fn most_segments(&self) -> usize {
        self.most_segments
    }

    /// Receives one batch and hands on each datagram. False: there is nothing more for now.
    pub fn receive(&mut self, mut each: impl FnMut(Came, &[u8])) -> io::Result<bool> {
        let mut metas = [RecvMeta::default(); 8];
        let count = {
            let mut slices: Vec<IoSliceMut<'_>> =
                self.buffers.iter_mut().map(|b| IoSliceMut::new(b)).collect();
            match self.state.recv(UdpSockRef::from(&self.socket), &mut slices, &mut metas[..]) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                // A peer's port that is closed answers by ICMP: nothing to do about it.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return Ok(true),
                Err(error) => return Err(error),
            }
        };
        // The kernel's stamps are on the system's clock. If that is set meanwhile, one batch is measured wrongly.
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        for (buffer, meta) in self.buffers.iter().zip(&metas).take(count) {
            let came = Came {
                from: SocketAddr::new(meta.addr.ip().to_canonical(), meta.addr.port()),
                to: meta.dst_ip.map(|ip| ip.to_canonical()),
                waited: meta.timestamp.map_or(Duration::ZERO, |at| wall.saturating_sub(at)),
            };
            for datagram in buffer[..meta.len.min(BUFFER)].chunks(meta.stride.max(1)) {
                each(came, datagram);
            }
        }
        Ok(true)
    }

    /// Sends a run. What doesn't fit in the kernel's queue is dropped and counted, as late media is worth nothing. Where the
    /// way to the destination refuses segmented sends (a device that can't checksum, a tunnel, a small MTU), the run and all
    /// that follow go datagram by datagram.
    pub fn send(&mut self, run: &Run<'_>) {
        let is_segmented = run.bytes.len() > run.segment;
        if is_segmented && (self.unsegmented.is_empty() || !self.unsegmented.contains(&run.destination.ip()))
        {
            match self.transmit(run, run.bytes, Some(run.segment)) {
                Ok(()) => return,
                Err(error) if is_refusal(&error) => {
                    tracing::debug!(%error, "a path takes no segmented sends");
                    if self.unsegmented.len() >= MOST_UNSEGMENTED {
                        self.unsegmented.clear();
                    }
                    self.unsegmented.insert(run.destination.ip());
                }
                Err(_) => {
                    self.dropped += run.bytes.len().div_ceil(run.segment) as u64;
                    return;
                }
            }
        }
        for datagram in run.bytes.chunks(run.segment) {
            if self.transmit(run, datagram, None).is_err() {
                self.dropped += 1;
            }
        }
    }

    fn transmit(&self, run: &Run<'_>, contents: &[u8], segment_size: Option<usize>) -> io::Result<()> {
        let transmit =
            Transmit { destination: run.destination, ecn: None, contents, segment_size, src_ip: run.source };
        self.state.try_send(UdpSockRef::from(&self.socket), &transmit)
    }
}

/// Whether a segmented send failed because it was segmented: EIO where a device can't do its part, EINVAL where a segment
/// is too long for the path or there are too many.
fn is_refusal(error: &io::Error) -> bool {
    const EIO: i32 = 5;
    const EINVAL: i32 = 22;
    matches!(error.raw_os_error(), Some(EIO | EINVAL))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtc::segment::Segmenter;

    fn loopback() -> MediaSocket {
        MediaSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0)), true).unwrap()
    }

    fn sizes(socket: &std::net::UdpSocket, count: usize) -> Vec<usize> {
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        (0..count).map(|_| socket.recv(&mut [0; 2000]).unwrap()).collect()
    }

    #[test]
    fn a_run_arrives_as_the_datagrams_that_it_is_made_of() {
        let (mut socket, receiver) = (loopback(), std::net::UdpSocket::bind("127.0.0.1:0").unwrap());
        let mut segmenter = Segmenter::new(socket.most_segments());
        for size in [900, 900, 400, 50] {
            segmenter.push(receiver.local_addr().unwrap(), None, &vec![7; size], None);
        }
        segmenter.drain(|run| socket.send(run));
        assert_eq!(sizes(&receiver, 4), [900, 900, 400, 50]);
    }

    #[test]
    fn what_the_kernel_refuses_to_cut_is_sent_piece_by_piece_and_so_is_what_follows() {
        let (mut socket, receiver) = (loopback(), std::net::UdpSocket::bind("127.0.0.1:0").unwrap());
        let address = receiver.local_addr().unwrap();
        // More segments than any kernel takes in one send.
        let mut segmenter = Segmenter::new(1000);
        (0..200).for_each(|_| segmenter.push(address, None, &[7; 20], None));
        segmenter.drain(|run| socket.send(run));
        assert_eq!(sizes(&receiver, 200), [20; 200]);
        if socket.most_segments() > 1 {
            assert!(socket.unsegmented.contains(&address.ip()));
        }
        (0..3).for_each(|_| segmenter.push(address, None, &[7; 20], None));
        segmenter.drain(|run| socket.send(run));
        assert_eq!(sizes(&receiver, 3), [20; 3]);
        assert_eq!(socket.dropped, 0);
    }

    #[test]
    fn without_segmentation_a_run_has_one_datagram() {
        let socket = MediaSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0)), false).unwrap();
        assert_eq!(socket.most_segments(), 1);
    }
}
