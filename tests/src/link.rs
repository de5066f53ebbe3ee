//! What a peer's datagrams travel by: a UDP socket, or a TCP connection with each datagram's length before it (RFC 4571).

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{IpAddr, SocketAddr, TcpStream, UdpSocket},
    time::Duration,
};
use str0m::net::Protocol;

/// See the module.
#[derive(Debug)]
pub enum Link {
    /// A socket, which sends to anybody.
    Udp(UdpSocket),
    /// A connection, with what was read of the next datagram.
    Tcp(TcpStream, Vec<u8>),
}

impl Link {
    /// A socket of its own on `ip`.
    pub fn udp(ip: IpAddr) -> Self {
        Self::Udp(UdpSocket::bind((ip, 0)).expect("a UDP socket"))
    }

    /// A connection to a server's media port.
    pub fn tcp(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).expect("a connection");
        stream.set_nodelay(true).expect("an option");
        Self::Tcp(stream, Vec::new())
    }

    /// Its own address.
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Udp(socket) => socket.local_addr(),
            Self::Tcp(stream, _) => stream.local_addr(),
        }
        .expect("its address")
    }

    /// How it travels.
    pub fn protocol(&self) -> Protocol {
        match self {
            Self::Udp(_) => Protocol::Udp,
            Self::Tcp(..) => Protocol::Tcp,
        }
    }

    /// Sends a datagram.
    pub fn send(&mut self, datagram: &[u8], destination: SocketAddr) -> io::Result<()> {
        match self {
            Self::Udp(socket) => socket.send_to(datagram, destination).map(drop),
            Self::Tcp(stream, _) => stream.write_all(&framed(datagram)),
        }
    }

    /// The next datagram and where it is from; nothing if none came in time. Fails when the link is broken.
    pub fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> io::Result<Option<(usize, SocketAddr)>> {
        match self {
            Self::Udp(socket) => {
                socket.set_read_timeout(Some(wait))?;
                in_time(socket.recv_from(buffer))
            }
            Self::Tcp(stream, rest) => {
                stream.set_read_timeout(Some(wait))?;
                let source = stream.peer_addr()?;
                loop {
                    if let Some((length, datagram)) = rest.split_first_chunk::<2>()
                        && let Some(datagram) = datagram.get(..u16::from_be_bytes(*length).into())
                    {
                        let size = datagram.len();
                        buffer[..size].copy_from_slice(datagram);
                        rest.drain(..2 + size);
                        return Ok(Some((size, source)));
                    }
                    let mut more = [0; 8192];
                    match in_time(stream.read(&mut more))? {
                        Some(0) => return Err(ErrorKind::UnexpectedEof.into()),
                        Some(size) => rest.extend_from_slice(&more[..size]),
                        None => return Ok(None),
                    }
                }
            }
        }
    }
}

/// A datagram as a stream carries it.
pub fn framed(datagram: &[u8]) -> Vec<u8> {
    let length = u16::try_from(datagram.len()).expect("a datagram's size");
    [&length.to_be_bytes(), datagram].concat()
}

fn in_time<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(None),
        Err(error) => Err(error),
    }
}
