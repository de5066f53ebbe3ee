//! Somebody who is told things over HTTP: what comes, whether it is signed, and what is answered.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver as Queue, Sender, channel},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Something that came.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its target.
    pub path: String,
    /// Its headers, in small letters.
    pub headers: Vec<(String, String)>,
    /// What was sent.
    pub body: String,
}

/// What is answered: a status, and more lines of a head.
#[derive(Debug, Clone)]
pub struct Reply(pub u16, pub String);

/// A receiver. It answers until the test ends.
pub struct Receiver {
    /// Where it is.
    pub address: SocketAddr,
    reply: Arc<Mutex<Reply>>,
    came: Queue<Told>,
}

impl Receiver {
    /// One that takes everything.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        let reply = Arc::new(Mutex::new(Reply(204, String::new())));
        let (tell, came) = channel();
        let answer = reply.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (tell, answer) = (tell.clone(), answer.clone());
                std::thread::spawn(move || serve(stream, &tell, &answer));
            }
        });
        Self { address, reply, came }
    }

    /// Its URL.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers like this from now on.
    pub fn answer(&self, status: u16) {
        self.answer_with(status, "");
    }

    /// The same, with more lines of a head.
    pub fn answer_with(&self, status: u16, head: &str) {
        *self.reply.lock().expect("what is answered") = Reply(status, head.to_owned());
    }

    /// What comes next.
    ///
    /// # Panics
    /// When nothing does in time.
    #[track_caller]
    pub fn next(&self, within: Duration) -> Told {
        self.came.recv_timeout(within).expect("something comes")
    }

    /// What came and wasn't looked at yet.
    pub fn rest(&self) -> Vec<Told> {
        self.came.try_iter().collect()
    }
}

fn serve(stream: TcpStream, tell: &Sender<Told>, answer: &Mutex<Reply>) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line).is_err() {
        return;
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).is_err() {
            return;
        }
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    let told = Told { path, headers, body: String::new() };
    let length = told.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let Reply(status, head) = answer.lock().expect("what is answered").clone();
    let told = Told { body: String::from_utf8(body).expect("text"), ..told };
    // Told before it is answered: whoever waits for it may then ask the server what became of it.
    let _ = tell.send(told);
    let _ = write!(
        reader.get_mut(),
        "HTTP/1.1 {status} X\r\n{head}content-length: 0\r\nconnection: close\r\n\r\n"
    );
}

impl Told {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Its id, the same for each try.
    ///
    /// # Panics
    /// When it has none.
    pub fn id(&self) -> &str {
        self.header("webhook-id").expect("an id")
    }

    /// The body, if it is signed with this secret, not long ago.
    ///
    /// # Panics
    /// When it isn't.
    #[track_caller]
    pub fn verified(&self, secret: &str) -> Value {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("a secret")).expect("base64");
        let timestamp = self.header("webhook-timestamp").expect("a time");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
        mac.update(format!("{}.{timestamp}.{}", self.id(), self.body).as_bytes());
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        let given = self.header("webhook-signature").expect("a signature");
        assert!(given.split(' ').any(|one| one == expected), "{given} is not {expected}");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
        assert!(now.abs_diff(timestamp.parse().expect("seconds")) < 60);
        assert_eq!(self.header("content-type"), Some("application/json"));
        serde_json::from_str(&self.body).expect("JSON")
    }
}
