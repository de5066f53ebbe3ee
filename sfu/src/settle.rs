//! Work that runs to its end: what is written and what is told of it must agree.

/// Does work to its end even if whoever asked for it goes away.
pub async fn settle<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}
