//! What is known of something that is loaded again and again.

/// The last good data and the last error, side by side: an error never takes away what was already there.
#[derive(Debug, Clone, PartialEq)]
pub struct Load<T, E> {
    /// What arrived last.
    pub data: Option<T>,
    /// What went wrong since then, if anything did.
    pub error: Option<E>,
}

impl<T, E> Default for Load<T, E> {
    fn default() -> Self {
        Self { data: None, error: None }
    }
}

impl<T: Clone, E> Load<T, E> {
    /// This, after one more attempt.
    pub fn after(&self, attempt: Result<T, E>) -> Self {
        match attempt {
            Ok(data) => Self { data: Some(data), error: None },
            Err(error) => Self { data: self.data.clone(), error: Some(error) },
        }
    }

    /// Neither data nor an error yet.
    pub fn is_pending(&self) -> bool {
        self.data.is_none() && self.error.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_the_last_good_data() {
        let load = Load::<u8, &str>::default();
        assert!(load.is_pending());
        let load = load.after(Ok(7)).after(Err("away"));
        assert_eq!(load, Load { data: Some(7), error: Some("away") });
        assert_eq!(load.after(Ok(8)), Load { data: Some(8), error: None });
    }
}
