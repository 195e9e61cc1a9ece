//! GraphQL over WebSocket: one session per socket, in one task.
//!
//! ```text
//! socket ──► Session::run ──► queue (bounded) ──► writer ──► socket
//!                 ▲
//!            operations: streams that are polled only while the queue has room
//! ```
//!
//! A slow client holds up nobody but itself: its operations are not polled while its queue is
//! full, and what it has not seen stays in the durable log behind its cursor. A client that takes
//! nothing at all is closed. Sessions end with their token.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Executor, Response};
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use futures_util::stream::{
    AbortHandle, BoxStream, SelectAll, SplitSink, SplitStream, abortable, once,
};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value as Json;
use tokio::sync::{mpsc, watch};
use tongban_core::port::Later;

use super::failure::{Failure, errors_of};
use super::http::bearer;
use super::message::{self, Closing, Said};
use super::request::Members;
use super::{Front, is_request_error};
use crate::auth::{Admitted, Unauthenticated};
use crate::gate::BODY_BYTES_MAX;

/// The subprotocol.
const PROTOCOL: &str = "graphql-transport-ws";
/// Milliseconds in which a client must begin its session.
const INIT_MILLIS: u64 = 3_000;
/// Milliseconds between pings.
const PING_MILLIS: u64 = 20_000;
/// Milliseconds in which a client must take something, once its queue is full.
const SLOW_MILLIS: u64 = 30_000;
/// Milliseconds in which a client must answer a close.
const CLOSE_MILLIS: u64 = 2_000;
/// Operations that may run on one socket.
const OPERATIONS_MAX: usize = 50;
/// Messages that wait for the socket; enough to keep it busy, few enough to hold for everyone.
const QUEUE: usize = 64;

/// Upgrades to a session.
pub(crate) async fn upgrade(
    State(front): State<Arc<Front>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> axum::response::Response {
    let header = bearer(&front, &headers);
    let stop = front.stop.subscribe();
    upgrade
        .protocols([PROTOCOL])
        .max_message_size(BODY_BYTES_MAX)
        .max_frame_size(BODY_BYTES_MAX)
        .on_upgrade(move |socket| serve(front, header, socket, stop))
}

async fn serve(
    front: Arc<Front>,
    header: Result<Admitted, Unauthenticated>,
    socket: WebSocket,
    stop: watch::Receiver<bool>,
) {
    let speaks = socket.protocol().is_some_and(|protocol| protocol == PROTOCOL);
    let (sink, mut stream) = socket.split();
    let (queue, queued) = mpsc::channel(QUEUE);
    let session = async {
        let mut session =
            Session { front: &front, header, admitted: None, queue, running: Running::default() };
        let closing =
            if speaks { session.run(&mut stream, stop).await } else { Closing::BadProtocol };
        session.close(closing).await;
        drop(session);
        drain(&front, &mut stream).await;
    };
    tokio::join!(session, write(queued, sink));
}

async fn write(mut queued: mpsc::Receiver<Message>, mut sink: SplitSink<WebSocket, Message>) {
    while let Some(message) = queued.recv().await {
        if sink.send(message).await.is_err() {
            return;
        }
    }
}

/// Reads on until the client has answered the close; leaving earlier could lose the close frame.
async fn drain(front: &Front, stream: &mut SplitStream<WebSocket>) {
    let rest = async { while let Some(Ok(_)) = stream.next().await {} };
    tokio::select! {
        () = rest => {}
        () = front.clock().wait_millis(CLOSE_MILLIS) => {}
    }
}

/// What an operation did.
enum Happened {
    Answered(Box<Response>),
    Ended,
}

/// The operations of a socket. An id that is used again is another operation: numbers tell a late
/// answer of the former from one of the latter.
#[derive(Default)]
struct Running {
    streams: SelectAll<BoxStream<'static, (String, u64, Happened)>>,
    handles: HashMap<String, (u64, AbortHandle)>,
    count: u64,
}

struct Session<'a> {
    front: &'a Front,
    /// What the `Authorization` header of the upgrade came to.
    header: Result<Admitted, Unauthenticated>,
    /// Set by `connection_init`.
    admitted: Option<Admitted>,
    queue: mpsc::Sender<Message>,
    running: Running,
}

impl Session<'_> {
    /// Runs until something ends it.
    async fn run(
        &mut self,
        stream: &mut SplitStream<WebSocket>,
        mut stop: watch::Receiver<bool>,
    ) -> Closing {
        let front = self.front;
        let mut init: Later<'_, ()> = front.clock().wait_millis(INIT_MILLIS);
        let mut ping: Later<'_, ()> = front.clock().wait_millis(PING_MILLIS);
        let mut end: Option<Later<'_, ()>> = None;
        loop {
            let done = tokio::select! {
                received = stream.next() => self.receive(received).await,
                happened = answer(&self.queue, &mut self.running) => self.pass_on(happened).await,
                () = &mut init, if self.admitted.is_none() => Err(Closing::InitTimeout),
                () = until(&mut end) => Err(Closing::Forbidden),
                () = &mut ping => {
                    ping = front.clock().wait_millis(PING_MILLIS);
                    self.send(message::ping()).await
                }
                () = self.queue.closed() => Err(Closing::Gone),
                () = stopped(&mut stop) => Err(Closing::Stopping),
            };
            if let Err(closing) = done {
                return closing;
            }
            if let (None, Some(admitted)) = (&end, &self.admitted) {
                let left = admitted.until.since(front.clock().now());
                end = Some(front.clock().wait_millis(u64::try_from(left).unwrap_or_default()));
            }
        }
    }

    async fn close(&mut self, closing: Closing) {
        self.running = Running::default();
        if closing != Closing::Gone {
            // A client that takes nothing does not take this either.
            let _taken = self.send(closing.message()).await;
        }
    }

    /// Puts a message into the queue; a client that leaves it full for long is closed.
    async fn send(&mut self, message: Message) -> Result<(), Closing> {
        tokio::select! {
            sent = self.queue.send(message) => sent.map_err(|_| Closing::Gone),
            () = self.front.clock().wait_millis(SLOW_MILLIS) => Err(Closing::Slow),
        }
    }

    async fn receive(
        &mut self,
        received: Option<Result<Message, axum::Error>>,
    ) -> Result<(), Closing> {
        match received {
            Some(Ok(Message::Text(text))) => {
                let said = Said::read(text.as_str()).ok_or(Closing::BadMessage)?;
                self.hear(said).await
            }
            Some(Ok(Message::Binary(_))) => Err(Closing::BadMessage),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Close(_))) | None => Err(Closing::Gone),
            Some(Err(_)) => Err(Closing::TooBig),
        }
    }

    async fn hear(&mut self, said: Said) -> Result<(), Closing> {
        match said {
            Said::ConnectionInit { payload } => self.init(payload.as_ref()).await,
            Said::Ping { payload } => self.send(message::pong(payload)).await,
            Said::Pong {} => Ok(()),
            Said::Subscribe { id, payload } => self.subscribe(id, payload).await,
            Said::Complete { id } => {
                self.running.stop(&id);
                Ok(())
            }
        }
    }

    async fn init(
        &mut self,
        payload: Option<&serde_json::Map<String, Json>>,
    ) -> Result<(), Closing> {
        if self.admitted.is_some() {
            return Err(Closing::TooManyInits);
        }
        let given = payload.and_then(|payload| {
            payload.get("authorization").or_else(|| payload.get("Authorization"))
        });
        let admitted = match given {
            Some(Json::String(header)) => self.front.authority.admit_header(header),
            Some(_) => Err(Unauthenticated::Malformed),
            None => self.header.clone(),
        };
        self.admitted = Some(admitted.map_err(|_| Closing::Forbidden)?);
        self.send(message::ack()).await
    }

    async fn subscribe(
        &mut self,
        id: String,
        payload: serde_json::Map<String, Json>,
    ) -> Result<(), Closing> {
        let admitted = self.admitted.clone().ok_or(Closing::TooEarly)?;
        if self.running.handles.contains_key(&id) {
            return Err(Closing::IdInUse);
        }
        if self.running.handles.len() >= OPERATIONS_MAX {
            let failure = Failure::too_many_operations(OPERATIONS_MAX);
            return self.send(message::error(&id, &failure.errors())).await;
        }
        let asked = Members::from_json(Json::Object(payload)).and_then(Members::admit);
        let prepared = asked.and_then(|asked| self.front.prepare(asked, &admitted));
        match prepared {
            Ok(prepared) => {
                let (request, clean) = prepared.split();
                let answers = Executor::execute_stream(&self.front.api, request, None);
                self.running.start(id, answers.map(clean).boxed());
                Ok(())
            }
            Err(failure) => self.send(message::error(&id, &failure.errors())).await,
        }
    }

    /// Passes on what an operation did. An operation that never ran ends with `error`.
    async fn pass_on(&mut self, happened: (String, u64, Happened)) -> Result<(), Closing> {
        let (id, number, happened) = happened;
        if self.running.handles.get(&id).is_none_or(|(current, _)| *current != number) {
            return Ok(());
        }
        match happened {
            Happened::Answered(response) if never_ran(&response) => {
                self.running.stop(&id);
                self.send(message::error(&id, &errors_of(&response))).await
            }
            Happened::Answered(response) => self.send(message::next(&id, &response)).await,
            Happened::Ended => {
                self.running.stop(&id);
                self.send(message::complete(&id)).await
            }
        }
    }
}

impl Running {
    fn start(&mut self, id: String, answers: BoxStream<'static, Response>) {
        self.count += 1;
        let number = self.count;
        let (answers, handle) = abortable(answers);
        let name = id.clone();
        let answered = answers.map(|response| Happened::Answered(Box::new(response)));
        let all = answered.chain(once(async { Happened::Ended }));
        self.streams.push(all.map(move |happened| (name.clone(), number, happened)).boxed());
        self.handles.insert(id, (number, handle));
    }

    fn stop(&mut self, id: &str) {
        if let Some((_, handle)) = self.handles.remove(id) {
            handle.abort();
        }
    }
}

/// Tells whether an operation failed before it ran: a request error, or a subscription whose
/// source could not be made.
fn never_ran(response: &Response) -> bool {
    is_request_error(response)
        || (response.data == async_graphql::Value::Null && !response.errors.is_empty())
}

/// Waits for room in the queue, then for the next answer. Dropping it loses neither.
async fn answer(queue: &mpsc::Sender<Message>, running: &mut Running) -> (String, u64, Happened) {
    // The queue has one sender, so that room that was there stays there.
    let room = queue.reserve().await;
    if room.is_err() {
        std::future::pending::<()>().await;
    }
    match running.streams.next().await {
        Some(happened) => happened,
        None => std::future::pending().await,
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A server that is gone has stopped as well.
    drop(stop.wait_for(|stops| *stops).await);
}

async fn until(end: &mut Option<Later<'_, ()>>) {
    match end {
        Some(end) => end.await,
        None => std::future::pending().await,
    }
}
