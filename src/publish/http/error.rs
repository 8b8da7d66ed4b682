//! What can go wrong with the server.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// An address cannot be taken.
    #[error("cannot listen on {address} (`{key}`): {source}; {}", remedy(source))]
    Bind {
        /// The key of the config that names it.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The API would be open to everybody.
    #[error(
        "`http.listen` = {address} can be reached from other machines and no token guards the API; \
         set `http.token_file`, or listen on 127.0.0.1"
    )]
    Unguarded {
        /// The address.
        address: SocketAddr,
    },
    /// The token's file cannot be read.
    #[error("cannot read `http.token_file` = {}: {source}; create it, readable to the daemon's user", path.display())]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What the file holds is no token.
    #[error(
        "`http.token_file` = {} does not hold a token; put one line of at least {least} visible ASCII characters \
         into it, such as the output of `openssl rand -hex 32`",
        path.display()
    )]
    BadToken {
        /// The file.
        path: PathBuf,
        /// How many characters a token has at least.
        least: usize,
    },
    /// The runtime refused a socket.
    #[error("cannot serve on {address}: {source}")]
    Serve {
        /// The address.
        address: SocketAddr,
        /// What the runtime said.
        source: io::Error,
    },
}

/// What a person can do about an address that cannot be taken.
fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::AddrInUse => "another program has it: stop that one or choose another port",
        io::ErrorKind::AddrNotAvailable => "no interface of this machine has it: choose one that does",
        io::ErrorKind::PermissionDenied => "ports below 1024 need a privilege: choose a higher one",
        _ => "choose another address",
    }
}
