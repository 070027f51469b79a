//! The control socket: whoever may open a file in the node's data directory may look after its store. It is no door: it
//! is not reached over the network, and none of its calls reads or changes a resident's record.

use std::path::Path;
use std::sync::Arc;

use federation::FederationError;
use hyper_util::rt::TokioIo;
use tokio::net::{UnixListener, UnixStream};
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::{Channel, Endpoint, Server, Uri};

use super::Upkeep;
use super::service::MaintenanceDesk;

/// The socket's name in the data directory.
pub(crate) const CONTROL_SOCKET: &str = "control.sock";

/// Opens the control socket, within a runtime, so that a node that cannot be looked after does not begin to serve.
///
/// # Errors
/// A message naming the socket; the system bounds the length of its path, to about a hundred bytes.
pub fn open_control(upkeep: &Upkeep) -> Result<UnixListener, String> {
    use std::os::unix::fs::PermissionsExt as _;
    let socket = &upkeep.socket;
    let fail = |error: std::io::Error| format!("{}: {error}", socket.display());
    // One that a killed process left behind; the store's lock says that there is no other process.
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(fail(error)),
        _ => {}
    }
    let listener = UnixListener::bind(socket).map_err(fail)?;
    let owner_only = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(socket, owner_only).map_err(fail)?;
    Ok(listener)
}

/// Serves the control socket until `until` completes, and removes it.
///
/// # Errors
/// [`FederationError`] if the server fails.
pub async fn serve_control(
    upkeep: Upkeep,
    listener: UnixListener,
    until: impl Future<Output = ()> + Send,
) -> Result<(), FederationError> {
    let socket = upkeep.socket.clone();
    let service = wire::server::maintenance(MaintenanceDesk(Arc::new(upkeep)));
    let served = Server::builder()
        .add_service(service)
        .serve_with_incoming_shutdown(UnixListenerStream::new(listener), until)
        .await;
    let _ = std::fs::remove_file(&socket);
    Ok(served?)
}

/// A channel to the node that runs over a data directory; none if none does.
///
/// # Errors
/// A message if a node is there and does not answer.
pub async fn control_channel(data_dir: &Path) -> Result<Option<Channel>, String> {
    let path = data_dir.join(CONTROL_SOCKET);
    match UnixStream::connect(&path).await {
        Ok(_) => {}
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(format!("{}: {error}", path.display())),
    }
    let fail = |error: tonic::transport::Error| format!("{}: {error}", path.display());
    // The address is not looked at: the connector knows where to go.
    let endpoint = Endpoint::from_static("http://node");
    let connecting = path.clone();
    let connector = tower::service_fn(move |_: Uri| {
        let path = connecting.clone();
        async move { Ok::<_, std::io::Error>(TokioIo::new(UnixStream::connect(path).await?)) }
    });
    endpoint
        .connect_with_connector(connector)
        .await
        .map(Some)
        .map_err(fail)
}
