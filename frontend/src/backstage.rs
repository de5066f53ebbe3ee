//! What streamers and those who help them work with.

fn main() {
    weir_frontend::app::backstage::start();
}
