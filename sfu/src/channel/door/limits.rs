//! How fast ways into private channels can be guessed: by each network, and all together at each channel. Pure, with the time as
//! an argument.

use crate::limit::{Limiter, Rate, network_of};
use shared::id::ChannelName;
use std::{net::IpAddr, time::Duration};

/// A person who mistypes has some tries; a script has four a minute from one network.
const OF_NETWORK: Rate = Rate { burst: 8, every: Duration::from_secs(15) };
/// Many networks together find no password of ten characters so, and an audience that comes at once gets in.
const OF_CHANNEL: Rate = Rate { burst: 300, every: Duration::from_secs(1) };

/// Who tried how often.
#[derive(Debug)]
pub struct Guesses {
    of_network: Limiter<Option<IpAddr>>,
    of_channel: Limiter<ChannelName>,
}

impl Default for Guesses {
    fn default() -> Self {
        Self { of_network: Limiter::new(OF_NETWORK), of_channel: Limiter::new(OF_CHANNEL) }
    }
}

impl Guesses {
    /// Takes a try at a channel, which need not be there; or how long to wait for one.
    pub fn take(
        &mut self,
        address: Option<IpAddr>,
        channel: &ChannelName,
        now: Duration,
    ) -> Result<(), Duration> {
        let network = address.map(network_of);
        self.of_network.take(&network, now)?;
        self.of_channel.take(channel, now).inspect_err(|_| self.of_network.give_back(&network))
    }

    /// It was right: it counts for nothing.
    pub fn was_right(&mut self, address: Option<IpAddr>, channel: &ChannelName) {
        self.of_network.give_back(&address.map(network_of));
        self.of_channel.give_back(channel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ChannelName {
        text.parse().unwrap()
    }

    fn address(number: u32) -> Option<IpAddr> {
        Some(IpAddr::from(number.to_be_bytes()))
    }

    const NOW: Duration = Duration::from_secs(1000);

    #[test]
    fn a_network_guesses_slowly_at_whichever_channel() {
        let mut guesses = Guesses::default();
        let tries = |guesses: &mut Guesses, now: Duration| {
            (0..1000).filter(|n| guesses.take(address(1), &name(&format!("c{}", n % 7)), now).is_ok()).count()
        };
        assert_eq!(tries(&mut guesses, NOW), 8);
        assert_eq!(tries(&mut guesses, NOW + Duration::from_secs(60)), 4);
        assert!(guesses.take(address(2), &name("c1"), NOW).is_ok());
        // A clock that stands still or goes back gives nobody more.
        assert_eq!(tries(&mut guesses, NOW), 0);
    }

    #[test]
    fn many_networks_together_guess_slowly_at_one_channel() {
        let mut guesses = Guesses::default();
        let passed = (0..5000).filter(|n| guesses.take(address(*n), &name("ada"), NOW).is_ok()).count();
        assert_eq!(passed, 300);
        let wait = guesses.take(address(9999), &name("ada"), NOW).unwrap_err();
        assert!(wait <= Duration::from_secs(1), "nobody is locked out for long: {wait:?}");
        assert!(guesses.take(address(9999), &name("other"), NOW).is_ok());
    }

    #[test]
    fn an_audience_that_knows_the_password_gets_in_at_once() {
        let mut guesses = Guesses::default();
        for _ in 0..5000 {
            guesses.take(address(1), &name("ada"), NOW).unwrap();
            guesses.was_right(address(1), &name("ada"));
        }
    }
}
