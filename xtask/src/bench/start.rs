//! From nothing to the first answer; what the idle server costs; what a visitor downloads.

use super::report::{self, Measure};
use crate::{
    context::Context,
    failure::{Failure, Result, While},
    frontend::{PAGES, brotli_path},
    stamp,
};
use std::{
    env, fs,
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const TIMES: usize = 20;
/// A server that takes longer is broken, not slow.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a server is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(5);

/// Measures all of it.
pub fn run(context: &Context, json: Option<&Path>) -> Result<()> {
    let mut first_answer = Vec::new();
    let mut again = Vec::new();
    let mut memory = Vec::new();
    for time in 0..TIMES {
        let data = Scratch::new(time)?;
        // A new data folder, as after installing; then the same one again, as after a restart.
        let mut server = Server::start(context, &data.0)?;
        first_answer.push(server.first_answer()?.as_secs_f64() * 1e3);
        server.stop()?;
        let mut server = Server::start(context, &data.0)?;
        again.push(server.first_answer()?.as_secs_f64() * 1e3);
        // Idling takes its time; a few samples tell as much as twenty.
        if time < 3 {
            thread::sleep(IDLE);
            memory.push(resident_megabytes(server.child.id())?);
        }
        server.stop()?;
    }
    let [app, backstage, embed] = PAGES.map(|page| wire_kilobytes(&context.frontend_embedded(), page));
    let measures = [
        Measure { name: "first start to answer", unit: "ms", aim: 200.0, values: first_answer },
        Measure { name: "restart to answer", unit: "ms", aim: 200.0, values: again },
        Measure { name: "idle memory", unit: "MB", aim: 40.0, values: memory },
        Measure { name: "app over the wire", unit: "KB", aim: 300.0, values: vec![app?] },
        Measure { name: "backstage over the wire", unit: "KB", aim: 350.0, values: vec![backstage?] },
        Measure { name: "embed over the wire", unit: "KB", aim: 200.0, values: vec![embed?] },
    ];
    report::finish("start", &measures, json)
}

/// A data folder that goes away with its value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(number: usize) -> Result<Self> {
        let folder = env::temp_dir().join(format!("weir-bench-{}-{number}", process::id()));
        fs::create_dir_all(&folder).doing(|| format!("can't write {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing to do about a left-over in the temporary folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Server {
    child: Child,
    started: Instant,
    address: SocketAddr,
}

impl Server {
    fn start(context: &Context, data: &Path) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_tcp_port()?));
        let media = SocketAddr::from((Ipv4Addr::LOCALHOST, free_udp_port()?));
        let mut weir = Command::new(context.weir());
        weir.arg("serve")
            .current_dir(data)
            .env("WEIR_DATA_DIR", data)
            .env("WEIR_HTTP_LISTEN", address.to_string())
            .env("WEIR_MEDIA_LISTEN", media.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let started = Instant::now();
        let child = weir.spawn().doing(|| format!("can't start {}", context.weir().display()))?;
        Ok(Self { child, started, address })
    }

    /// Asks for `/healthz` until it is answered.
    fn first_answer(&mut self) -> Result<Duration> {
        loop {
            if is_healthy(self.address) {
                return Ok(self.started.elapsed());
            }
            if let Some(status) = self.child.try_wait()? {
                return Failure::err(format!("weir ended with {status} before it answered"));
            }
            if self.started.elapsed() > PATIENCE {
                return Failure::err(format!("weir did not answer within {} s", PATIENCE.as_secs()));
            }
            // Often enough to see a millisecond, seldom enough not to take the server's core.
            thread::sleep(Duration::from_micros(500));
        }
    }

    fn stop(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `stop` there is nothing left to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_healthy(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

fn free_tcp_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn free_udp_port() -> Result<u16> {
    Ok(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn resident_megabytes(pid: u32) -> Result<f64> {
    let status =
        fs::read_to_string(format!("/proc/{pid}/status")).doing(|| "can't read weir's memory".to_owned())?;
    parse_resident(&status).ok_or_else(|| Failure::new("/proc says nothing about weir's memory"))
}

/// `VmRSS:   12345 kB`, in units of a million bytes.
fn parse_resident(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}

/// What a first visit of a page downloads, the page and all the code and style that it names, in thousands of bytes.
fn wire_kilobytes(embedded: &Path, page: &str) -> Result<f64> {
    let path = embedded.join(page);
    let text = fs::read_to_string(&path).doing(|| format!("there is no {page} in {}", embedded.display()))?;
    let mut bytes = 0;
    for file in stamp::files_under(embedded)? {
        let extension = file.extension().unwrap_or_default();
        let is_code = ["js", "wasm", "css"].iter().any(|wanted| extension == *wanted);
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if file == path || (is_code && text.contains(&*name)) {
            let small = brotli_path(&file);
            bytes += fs::metadata(if small.is_file() { &small } else { &file })?.len();
        }
    }
    Ok(bytes as f64 / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_resident_memory() {
        assert_eq!(parse_resident("VmPeak: 9 kB\nVmRSS:\t   10000 kB\n"), Some(10.24));
        assert_eq!(parse_resident("VmPeak: 9 kB"), None);
    }

    #[test]
    fn weighs_what_goes_over_the_wire() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, size: usize| fs::write(folder.path().join(name), vec![b'x'; size]).unwrap();
        assert!(wire_kilobytes(folder.path(), "index.html").is_err());
        for (page, code) in [("index.html", "app-1.wasm"), ("embed.html", "player-2.wasm")] {
            fs::write(folder.path().join(page), format!("{code} icon.svg {}", "x".repeat(480))).unwrap();
        }
        put("app-1.wasm", 90_000);
        put("app-1.wasm.br", 20_000);
        put("player-2.wasm", 8_000);
        put("embed.js", 4_000);
        put("icon.svg", 7_000);
        assert_eq!(wire_kilobytes(folder.path(), "index.html").unwrap(), 20.5);
        assert_eq!(wire_kilobytes(folder.path(), "embed.html").unwrap(), 8.503);
    }

    #[test]
    fn nobody_listens_on_a_free_port() {
        assert!(!is_healthy(SocketAddr::from((Ipv4Addr::LOCALHOST, free_tcp_port().unwrap()))));
    }
}
