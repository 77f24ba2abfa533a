//! A client's connection for order entry: messages by the names of their schema.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use pyo3::exceptions::{PyConnectionAbortedError, PyConnectionError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use tradewright_gateway::client::{Client, ClientError, LogonOptions};
use tradewright_protocol::described::{self, Fields, Value};
use tradewright_protocol::frame::Frame;
use tradewright_protocol::logon::{Key, Secret};
use tradewright_protocol::reports::Position;

/// How long a call that waits sleeps between two looks; the interpreter's lock is free meanwhile.
const NAP: Duration = Duration::from_micros(200);

/// The public half of the Ed25519 key with this seed of 32 bytes: what an exchange has to know.
#[pyfunction]
pub(crate) fn ed25519_public(seed: [u8; 32]) -> [u8; 32] {
    match Secret::ed25519(&seed).key() {
        Key::Ed25519(public) => public,
        Key::Hmac(_) => unreachable!("Invariant: an Ed25519 key has a public half"),
    }
}

struct Inner {
    /// None when this side has hung up.
    client: Option<Client>,
    /// Why it is over: told when everything that came before was taken.
    ended: Option<ClientError>,
}

/// One connection to an exchange, over TCP or shared memory.
///
/// Its numbers are those of `tradewright_gateway::client`: it answers test requests when it is read, and knows the last output
/// that it gave.
#[pyclass(module = "tradewright._core", frozen)]
pub(crate) struct OrderEntryConnection(Mutex<Inner>);

impl OrderEntryConnection {
    fn over(client: Result<Client, ClientError>) -> PyResult<Self> {
        Ok(Self(Mutex::new(Inner { client: Some(client.map_err(raised)?), ended: None })))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

#[pymethods]
impl OrderEntryConnection {
    /// Connect over TCP to `address` and a port. Raises ConnectionError, and ValueError for what is no address.
    #[staticmethod]
    fn tcp(address: &str) -> PyResult<Self> {
        let address = address.parse().map_err(|_| PyValueError::new_err("must be an IP address and a port"))?;
        Self::over(Client::tcp(address))
    }

    /// Take the link of this name in a folder of shared memory. Raises ConnectionError.
    #[staticmethod]
    fn shm(directory: PathBuf, link: &str) -> PyResult<Self> {
        Self::over(Client::shm(&directory, link))
    }

    /// Log on and wait for the answer: the number of the session, that of the account, the last client sequence that was
    /// applied. `resume` is the last output that was seen: shard, index, event number. Raises ConnectionAbortedError with the
    /// exchange's reason when it refuses, else ConnectionError.
    #[pyo3(signature = (session, username, *, seed = None, hmac_secret = None, target, heartbeat_s, keeps_orders,
        is_drop_copy, resume = None, timeout_s))]
    #[expect(clippy::too_many_arguments, reason = "the fields of a logon, named by the caller")]
    fn log_on(
        &self,
        py: Python<'_>,
        session: &str,
        username: &str,
        seed: Option<[u8; 32]>,
        hmac_secret: Option<Vec<u8>>,
        target: &str,
        heartbeat_s: u32,
        keeps_orders: bool,
        is_drop_copy: bool,
        resume: Option<(u8, u64, u32)>,
        timeout_s: f64,
    ) -> PyResult<(u32, u32, u64)> {
        let secret = match (seed, hmac_secret) {
            (Some(seed), None) => Secret::ed25519(&seed),
            (None, Some(secret)) => Secret::Hmac(secret.into()),
            _ => return Err(PyValueError::new_err("a logon is signed by a seed or by a secret")),
        };
        let timeout = seconds(timeout_s)?;
        let options = LogonOptions {
            target: target.as_bytes(),
            heartbeat_s,
            cancel_on_disconnect: !keeps_orders,
            is_drop_copy,
            ..LogonOptions::new(session.as_bytes(), username.as_bytes())
        };
        let ack = py.detach(|| {
            self.with(|inner| {
                let client = inner.client()?;
                client.resume(resume.map(|(shard, index, k)| Position { index, k, shard }));
                client.log_on(&options, &secret, timeout)
            })
        });
        let ack = ack.map_err(raised)?;
        Ok((ack.session.get(), ack.account.get(), ack.last_client_sequence.get()))
    }

    /// Send a message: its name and its fields, both as the schema has them. Raises ValueError for a field that it does not
    /// have, ConnectionError when the connection is lost.
    #[pyo3(signature = (message, fields: "dict[str, int | str | bytes]"))]
    fn send(&self, message: &str, fields: &Bound<'_, PyDict>) -> PyResult<()> {
        let mut owned: Vec<(String, Field)> = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            owned.push((name.extract()?, value.extract()?));
        }
        let values = owned.iter().map(|(name, value)| Ok((name.as_str(), value.value(name)?)));
        let values: Vec<(&str, Value<'_>)> = values.collect::<PyResult<_>>()?;
        self.with(|inner| {
            let client = inner.client().map_err(raised)?;
            client.described(message, &values).map_err(|error| PyValueError::new_err(error.to_string()))?;
            client.flush().map(drop).map_err(raised)
        })
    }

    /// Take what came, each message as its name and its fields, waiting up to `timeout_s` for something. Raises
    /// ConnectionAbortedError with the exchange's reason when it ended the session, ConnectionError when the connection is
    /// lost; both when everything that came before was taken.
    #[pyo3(signature = (timeout_s) -> "list[tuple[str, dict[str, int | str | bytes | list[dict[str, int | str | bytes]]]]]")]
    fn receive<'py>(&self, py: Python<'py>, timeout_s: f64) -> PyResult<Vec<(&'static str, Bound<'py, PyDict>)>> {
        let timeout = seconds(timeout_s)?;
        let frames = py.detach(|| self.with(|inner| inner.receive(timeout))).map_err(raised)?;
        let mut messages = Vec::with_capacity(frames.len());
        for bytes in &frames {
            let described = Frame::read(bytes).and_then(|frame| described::read(&frame));
            let (spec, fields) = described.map_err(|error| PyConnectionError::new_err(error.to_string()))?;
            messages.push((spec.name, to_dict(py, fields)?));
        }
        Ok(messages)
    }

    /// Hang up, without a word.
    fn hang_up(&self) {
        self.with(|inner| inner.client = None);
    }

    /// The last output that was given: shard, index, event number.
    #[getter]
    fn last(&self) -> Option<(u8, u64, u32)> {
        self.with(|inner| inner.client.as_ref().and_then(Client::last))
            .map(|Position { index, k, shard }| (shard, index, k))
    }
}

impl Inner {
    fn client(&mut self) -> Result<&mut Client, ClientError> {
        self.client.as_mut().ok_or(ClientError::Protocol("this side has hung up"))
    }

    fn receive(&mut self, timeout: Duration) -> Result<Vec<Vec<u8>>, ClientError> {
        let begin = Instant::now();
        loop {
            if let Some(error) = self.ended.take() {
                return Err(error);
            }
            let mut frames = Vec::new();
            let client = self.client()?;
            let flushed = client.flush().map(drop);
            let received = client.receive(|frame| frames.push(frame.to_bytes())).map(drop);
            self.ended = received.and(flushed).err();
            if !frames.is_empty() {
                return Ok(frames);
            }
            if self.ended.is_none() {
                if begin.elapsed() >= timeout {
                    return Ok(frames);
                }
                std::thread::sleep(NAP);
            }
        }
    }
}

/// A value as Python has it.
#[derive(FromPyObject)]
enum Field {
    Number(i128),
    Bytes(Vec<u8>),
    Name(String),
}

impl Field {
    fn value(&self, field: &str) -> PyResult<Value<'_>> {
        let unknown = || PyValueError::new_err(format!("{field} must be a name of the schema, or bytes"));
        Ok(match self {
            Self::Number(number) => Value::Number(*number),
            Self::Bytes(bytes) => Value::Bytes(bytes),
            Self::Name(name) => Value::Name(described::name_of(name).ok_or_else(unknown)?),
        })
    }
}

fn to_dict<'py>(py: Python<'py>, fields: Fields<'_>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in fields {
        match value {
            Value::Number(number) => dict.set_item(name, number)?,
            Value::Name(text) => dict.set_item(name, text)?,
            Value::Bytes(bytes) => dict.set_item(name, PyBytes::new(py, bytes))?,
            Value::Group(entries) => {
                let entries = entries.into_iter().map(|entry| to_dict(py, entry));
                dict.set_item(name, entries.collect::<PyResult<Vec<_>>>()?)?;
            }
        }
    }
    Ok(dict)
}

fn seconds(timeout_s: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(timeout_s)
        .map_err(|error| PyValueError::new_err(format!("timeout_s={timeout_s} {error}")))
}

fn raised(error: ClientError) -> PyErr {
    match error {
        ClientError::LoggedOut(reason) => PyConnectionAbortedError::new_err(reason),
        ClientError::Connection(error) => PyConnectionError::new_err(error.to_string()),
        ClientError::Protocol(rule) => PyConnectionError::new_err(rule),
    }
}
