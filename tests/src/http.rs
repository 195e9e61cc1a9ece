//! The least of HTTP that a test needs: one POST per connection.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

/// Posts JSON to `http://host:port/path` and returns the body of the answer.
pub(crate) fn post(url: &str, token: &str, body: &str) -> io::Result<String> {
    let rest =
        url.strip_prefix("http://").ok_or_else(|| broken("the address is not plain HTTP"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host)?;
    write!(
        stream,
        "POST /{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or_else(|| broken("no end of the header"))?;
    Ok(body.to_owned())
}

fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
