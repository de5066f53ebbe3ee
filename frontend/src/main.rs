//! What everybody sees of Weir.

fn main() {
    weir_frontend::app::front::start();
}
