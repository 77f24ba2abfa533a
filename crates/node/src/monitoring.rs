//! The web endpoints of operators and their tools: `/metrics`, `/ready`, `/live`.

use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::error::NodeError;
use crate::status::StatusSource;

/// Serves until the node stops. Returns the address that it got.
///
/// # Errors
/// The address cannot be had.
pub(crate) fn serve(listen: &str, source: StatusSource) -> Result<(SocketAddr, JoinHandle<()>), NodeError> {
    let refused = |error: String| NodeError::System {
        doing: format!("listening on {listen} for monitoring"),
        error: std::io::Error::other(error),
    };
    let server = tiny_http::Server::http(listen).map_err(|error| refused(error.to_string()))?;
    let address = server.server_addr().to_ip().ok_or_else(|| refused("no address of the internet".to_owned()))?;
    let thread = std::thread::Builder::new()
        .name("tw-monitoring".to_owned())
        .spawn(move || run(&server, &source))
        .map_err(|error| refused(error.to_string()))?;
    Ok((address, thread))
}

fn run(server: &tiny_http::Server, source: &StatusSource) {
    while source.is_live() {
        let Ok(Some(request)) = server.recv_timeout(Duration::from_millis(50)) else { continue };
        let (code, kind, body) = answer(request.url(), source);
        let header = tiny_http::Header::from_bytes("Content-Type", kind).expect("Invariant: a legal header");
        let response = tiny_http::Response::from_string(body).with_status_code(code).with_header(header);
        // Whoever asked may be gone.
        let _ = request.respond(response);
    }
}

fn answer(path: &str, source: &StatusSource) -> (u16, &'static str, String) {
    const TEXT: &str = "text/plain; charset=utf-8";
    let whether = |good: bool, word: &str| {
        if good { (200, TEXT, format!("{word}\n")) } else { (503, TEXT, format!("not {word}\n")) }
    };
    match path {
        "/metrics" => (200, "text/plain; version=0.0.4; charset=utf-8", source.read().to_prometheus()),
        "/ready" => whether(source.is_ready(), "ready"),
        "/live" => whether(source.is_live(), "live"),
        _ => (404, TEXT, "there are /metrics, /ready and /live\n".to_owned()),
    }
}
