//! Datagrams to a group, and from one. A feed has two lines, A and B, with the same datagrams: a [`Sender`] each, and a
//! [`crate::Arbitrator`] at the other end.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

/// The largest datagram that fits an Ethernet frame whole.
pub const DATAGRAM_BYTES_MAX: usize = 1472;

/// Where a line of the feed runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The group, 224.0.0.0 to 239.255.255.255.
    pub group: Ipv4Addr,
    /// The port.
    pub port: u16,
    /// The address of the interface that it leaves and arrives by.
    pub interface: Ipv4Addr,
}

impl Line {
    fn check(&self) -> io::Result<()> {
        if self.group.is_multicast() {
            return Ok(());
        }
        let message = format!("group={} must be from 224.0.0.0 to 239.255.255.255", self.group);
        Err(io::Error::new(io::ErrorKind::InvalidInput, message))
    }
}

/// How datagrams leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderOptions {
    /// How many routers they pass, less one. 1 stays in the network.
    pub ttl: u8,
    /// Whether receivers on this machine get them too.
    pub is_looped: bool,
}

impl Default for SenderOptions {
    fn default() -> Self {
        Self { ttl: 1, is_looped: true }
    }
}

fn socket() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Sends on one line. Never waits.
#[derive(Debug)]
pub struct Sender {
    socket: UdpSocket,
    line: Line,
}

impl Sender {
    /// Begins to send on a line.
    ///
    /// # Errors
    /// The group is none, the interface is not there, or the system refuses.
    pub fn open(line: Line, options: &SenderOptions) -> io::Result<Self> {
        line.check()?;
        let socket = socket()?;
        socket.set_multicast_if_v4(&line.interface)?;
        socket.set_multicast_ttl_v4(options.ttl.into())?;
        socket.set_multicast_loop_v4(options.is_looped)?;
        socket.bind(&SockAddr::from(SocketAddrV4::new(line.interface, 0)))?;
        socket.connect(&SockAddr::from(SocketAddrV4::new(line.group, line.port)))?;
        Ok(Self { socket: socket.into(), line })
    }

    /// Sends a datagram, or returns false when the system has no room for it: it is lost then, as any may be.
    ///
    /// # Errors
    /// The system refuses: the datagram is too long, the interface is gone.
    pub fn send(&self, datagram: &[u8]) -> io::Result<bool> {
        match self.socket.send(datagram) {
            Ok(_) => Ok(true),
            // A member of the group that has just ended is no reason to stop.
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::ConnectionRefused) => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// The line.
    #[must_use]
    pub fn line(&self) -> Line {
        self.line
    }

    /// The socket, to be placed or watched.
    #[must_use]
    pub fn socket(&self) -> &UdpSocket {
        &self.socket
    }
}

/// Receives from one line. Never waits.
#[derive(Debug)]
pub struct Receiver {
    socket: UdpSocket,
    line: Line,
}

impl Receiver {
    /// Joins a line. `buffer_bytes` is how much may wait in the system; the system may give less.
    ///
    /// # Errors
    /// The group is none, the interface is not there, or the system refuses.
    pub fn join(line: Line, buffer_bytes: usize) -> io::Result<Self> {
        line.check()?;
        let socket = socket()?;
        // Several receivers on one machine hear the same line.
        socket.set_reuse_address(true)?;
        socket.set_recv_buffer_size(buffer_bytes)?;
        // Bound to the group, not to all addresses: what others send to this port is not ours.
        let address = if cfg!(windows) { Ipv4Addr::UNSPECIFIED } else { line.group };
        socket.bind(&SockAddr::from(SocketAddrV4::new(address, line.port)))?;
        socket.join_multicast_v4(&line.group, &line.interface)?;
        Ok(Self { socket: socket.into(), line })
    }

    /// Takes the next datagram, and returns its length; `None` when there is none. Of one that is longer than `into`, the
    /// rest is lost: take [`DATAGRAM_BYTES_MAX`].
    ///
    /// # Errors
    /// The system refuses.
    pub fn receive(&self, into: &mut [u8]) -> io::Result<Option<usize>> {
        match self.socket.recv(into) {
            Ok(length) => Ok(Some(length)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The line.
    #[must_use]
    pub fn line(&self) -> Line {
        self.line
    }

    /// The socket, to be placed or watched.
    #[must_use]
    pub fn socket(&self) -> &UdpSocket {
        &self.socket
    }
}
