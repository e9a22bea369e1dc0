//! Connections that can be broken on purpose.
//!
//! hyper answers every request it read in full, so a broken answer has to be made below it: each connection carries a
//! [`Line`] that the routes can reach, and that decides how many of the bytes hyper writes get through.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// What gets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Open,
    /// The head of the next answer, and this many bytes of its body.
    BodyBytes(usize),
    /// This many bytes more.
    Bytes(usize),
}

/// The handle of one connection.
#[derive(Debug, Clone)]
pub(super) struct Line(Arc<Mutex<LineState>>);

#[derive(Debug)]
struct LineState {
    flow: Flow,
    reader: Option<Waker>,
}

impl Line {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(LineState { flow: Flow::Open, reader: None })))
    }

    /// Closes the connection without another byte.
    pub(super) fn cut(&self) {
        let mut state = self.state();
        state.flow = Flow::Bytes(0);
        // A connection that waits for its next request would otherwise never notice.
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
    }

    /// Lets the head of the next answer and `bytes` of its body through, then closes.
    pub(super) fn cut_in_body(&self, bytes: usize) {
        self.state().flow = Flow::BodyBytes(bytes);
    }

    fn state(&self) -> MutexGuard<'_, LineState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how many bytes of `buffer` may be written now.
    fn allow(&self, buffer: &[u8]) -> usize {
        let mut state = self.state();
        match state.flow {
            Flow::Open => buffer.len(),
            Flow::Bytes(left) => left.min(buffer.len()),
            Flow::BodyBytes(body) => match buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                Some(end) => {
                    let left = end + 4 + body;
                    state.flow = Flow::Bytes(left);
                    left.min(buffer.len())
                }
                None => buffer.len(),
            },
        }
    }

    fn wrote(&self, written: usize) {
        let mut state = self.state();
        if let Flow::Bytes(left) = state.flow {
            state.flow = Flow::Bytes(left.saturating_sub(written));
        }
    }
}

impl Connected<IncomingStream<'_, BreakableListener>> for Line {
    fn connect_info(stream: IncomingStream<'_, BreakableListener>) -> Self {
        stream.io().line.clone()
    }
}

/// A TCP stream with a [`Line`].
#[derive(Debug)]
pub(super) struct BreakableStream {
    stream: TcpStream,
    line: Line,
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "cut by a fault rule")
}

impl AsyncRead for BreakableStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        {
            let mut state = self.line.state();
            if state.flow == Flow::Bytes(0) {
                return Poll::Ready(Err(broken()));
            }
            state.reader = Some(cx.waker().clone());
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for BreakableStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let allowed = self.line.allow(buffer);
        if allowed == 0 && !buffer.is_empty() {
            return Poll::Ready(Err(broken()));
        }
        let polled = Pin::new(&mut self.stream).poll_write(cx, &buffer[..allowed]);
        if let Poll::Ready(Ok(written)) = &polled {
            self.line.wrote(*written);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Accepts connections and remembers their lines, so that a shutdown can end all of them.
#[derive(Debug)]
pub(super) struct BreakableListener {
    listener: TcpListener,
    lines: Lines,
}

/// The lines of all open connections.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines(Arc<Mutex<Vec<Weak<Mutex<LineState>>>>>);

impl Lines {
    /// Closes every open connection.
    pub(super) fn cut_all(&self) {
        let lines = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        lines.iter().filter_map(Weak::upgrade).for_each(|line| Line(line).cut());
    }

    fn add(&self, line: &Line) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|line| line.strong_count() > 0);
        lines.push(Arc::downgrade(&line.0));
    }
}

impl BreakableListener {
    pub(super) fn new(listener: TcpListener) -> (Self, Lines) {
        let lines = Lines::default();
        (Self { listener, lines: lines.clone() }, lines)
    }
}

impl Listener for BreakableListener {
    type Io = BreakableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    // Answers are small: without this each would wait for the delayed acknowledgement of the one before.
                    let _ = stream.set_nodelay(true);
                    let line = Line::new();
                    self.lines.add(&line);
                    return (BreakableStream { stream, line }, address);
                }
                // Out of file descriptors, most likely: wait for some to be closed instead of spinning.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}
