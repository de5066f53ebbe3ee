//! The player on other people's pages.

fn main() {
    weir_frontend::embed::start();
}
