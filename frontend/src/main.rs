//! The app: player, studio and pages of Weir.

fn main() {
    weir_frontend::app::start();
}
