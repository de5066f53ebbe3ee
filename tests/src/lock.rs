//! Another process that holds the database.

use crate::server::Weir;
use std::{
    io::Read,
    process::{Child, Command, Stdio},
};

/// Holds the database's write lock until it is released.
pub struct Lock(Child);

impl Lock {
    /// Takes it.
    ///
    /// # Panics
    /// When Python 3 isn't there.
    pub fn hold(weir: &Weir) -> Self {
        let program = "import sqlite3,sys\nc=sqlite3.connect(sys.argv[1],isolation_level=None,timeout=30)\n\
                       c.execute('BEGIN IMMEDIATE')\nprint('held',flush=True)\nsys.stdin.read()\n";
        let mut child = Command::new("python3")
            .args(["-c", program])
            .arg(weir.data().join("weir.db"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let mut said = [0; 4];
        child.stdout.as_mut().expect("its words").read_exact(&mut said).expect("the lock");
        Self(child)
    }

    /// Lets go.
    ///
    /// # Panics
    /// When the other process can't be waited for.
    pub fn release(mut self) {
        drop(self.0.stdin.take());
        self.0.wait().expect("its end");
    }
}
