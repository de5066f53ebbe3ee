//! A mail server.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

/// Long for a machine that runs other tests, too.
const PATIENCE: Duration = Duration::from_secs(15);

/// A mail server (RFC 5321) that keeps what it takes.
pub struct MailServer {
    /// Its address.
    pub url: String,
    /// What it took, each after a line with its recipient.
    pub letters: mpsc::Receiver<String>,
}

/// What it does with a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Takes it.
    Takes,
    /// Can't take it now.
    IsBusy,
    /// Takes it, and never says so.
    IsMute,
}

impl MailServer {
    /// Does this with the first letters, and takes all others.
    pub fn start(manners: &[Manner]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let url = format!("smtp://{}", listener.local_addr().expect("an address"));
        let (sender, letters) = mpsc::channel();
        let manners = Arc::new(Mutex::new(manners.iter().copied().collect()));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (sender, manners) = (sender.clone(), Arc::clone(&manners));
                std::thread::spawn(move || serve_mail(stream, &sender, &manners));
            }
        });
        Self { url, letters }
    }

    /// The next letter.
    pub fn next(&self) -> String {
        self.letters.recv_timeout(PATIENCE).expect("a letter")
    }
}

fn serve_mail(
    stream: std::net::TcpStream,
    letters: &mpsc::Sender<String>,
    manners: &Mutex<VecDeque<Manner>>,
) {
    let mut writer = stream.try_clone().expect("a stream");
    let mut reader = BufReader::new(stream);
    let mut say = |text: &str| writer.write_all(format!("{text}\r\n").as_bytes()).is_ok();
    say("220 mail.example ready");
    let (mut line, mut recipient, mut manner) = (String::new(), String::new(), Manner::Takes);
    loop {
        line.clear();
        if !reader.read_line(&mut line).is_ok_and(|length| length > 0) {
            return;
        }
        let word = line.get(..4).unwrap_or_default().to_uppercase();
        let goes_on = match word.as_str() {
            "EHLO" | "HELO" => say("250 mail.example"),
            "MAIL" => {
                manner = manners.lock().expect("manners").pop_front().unwrap_or(Manner::Takes);
                say(if manner == Manner::IsBusy { "451 Try again later" } else { "250 OK" })
            }
            "RCPT" => {
                recipient = line.trim().to_owned();
                say("250 OK")
            }
            "DATA" => {
                say("354 Go on");
                let mut letter = format!("{recipient}\n");
                loop {
                    line.clear();
                    if !reader.read_line(&mut line).is_ok_and(|length| length > 0) {
                        return;
                    }
                    if line == ".\r\n" {
                        break;
                    }
                    // A dot in front of a dot was put there by the sender.
                    letter.push_str(if line.starts_with("..") { &line[1..] } else { &line });
                }
                if letters.send(letter).is_err() {
                    return;
                }
                if manner == Manner::IsMute {
                    // Until the other end has gone.
                    let _ = reader.read_line(&mut line);
                    return;
                }
                say("250 Taken")
            }
            "QUIT" => {
                say("221 Bye");
                return;
            }
            "RSET" | "NOOP" => say("250 OK"),
            _ => say("500 What?"),
        };
        if !goes_on {
            return;
        }
    }
}

/// A letter's text with soft line breaks of quoted-printable taken out.
pub fn plain(letter: &str) -> String {
    letter.replace("=\r\n", "").replace("=3D", "=")
}

/// The token of a link in a letter.
pub fn link(letter: &str, page: &str) -> String {
    let text = plain(letter);
    let (_, rest) =
        text.split_once(&format!("/{page}?token=")).unwrap_or_else(|| panic!("no link in {text}"));
    rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).collect()
}

/// A header's value, in one line.
pub fn header(letter: &str, name: &str) -> String {
    let whole = letter.replace("\r\n ", " ");
    let found = whole.lines().find_map(|line| line.split_once(':').filter(|(known, _)| *known == name));
    found.unwrap_or_else(|| panic!("no {name} in {letter}")).1.trim().to_owned()
}
