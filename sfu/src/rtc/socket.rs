//! One shard's UDP socket: batched receives, segmented sends, and the address a datagram came to.

use super::segment::Run;
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
};

/// Bursts of keyframes to many viewers fit in it.
const SEND_BUFFER: usize = 4 << 20;
const RECEIVE_BUFFER: usize = 4 << 20;
/// The largest datagram that is taken whole; with receive offload several lie in one buffer.
const BUFFER: usize = 65_536;

/// See the module.
pub struct MediaSocket {
    socket: mio::net::UdpSocket,
    state: UdpSocketState,
    port: u16,
    buffers: Vec<Vec<u8>>,
    /// Datagrams that the kernel's queue had no room for.
    pub dropped: u64,
}

impl MediaSocket {
    /// Binds to `address`. Fails as the operating system says, e.g. [`io::ErrorKind::AddrInUse`].
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
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
        Ok(Self { socket: mio::net::UdpSocket::from_std(socket), state, port, buffers, dropped: 0 })
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
        self.state.max_gso_segments().max(1)
    }

    /// Receives one batch and hands each datagram with its source and the local address it came to.
    /// False: there is nothing more for now.
    pub fn receive(&mut self, mut each: impl FnMut(SocketAddr, Option<IpAddr>, &[u8])) -> io::Result<bool> {
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
        for (buffer, meta) in self.buffers.iter().zip(&metas).take(count) {
            let source = SocketAddr::new(meta.addr.ip().to_canonical(), meta.addr.port());
            let to = meta.dst_ip.map(|ip| ip.to_canonical());
            for datagram in buffer[..meta.len.min(BUFFER)].chunks(meta.stride.max(1)) {
                each(source, to, datagram);
            }
        }
        Ok(true)
    }

    /// Sends a run. What doesn't fit in the kernel's queue is dropped and counted, as late media is worth nothing.
    pub fn send(&mut self, run: &Run) {
        let transmit = Transmit {
            destination: run.destination,
            ecn: None,
            contents: &run.bytes,
            segment_size: (run.bytes.len() > run.segment).then_some(run.segment),
            src_ip: run.source,
        };
        if self.state.try_send(UdpSockRef::from(&self.socket), &transmit).is_err() {
            self.dropped += run.bytes.len().div_ceil(run.segment) as u64;
        }
    }
}
