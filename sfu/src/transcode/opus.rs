//! The low-bitrate sound: what is published, in mono and 24 kbit/s, by libopus.

use ::opus::{Application, Bitrate, Channels, Decoder, Encoder};

/// Both speak in this rate, whatever a microphone had (RFC 7587).
const RATE: u32 = 48_000;
/// What it is held to.
const BITS: i32 = 24_000;
/// Who gets this has a network that loses: so many packets of a hundred are reckoned with.
const LOSS: i32 = 10;
/// The longest packet is 120 ms.
const MOST_SAMPLES: usize = 5760;
/// No packet of so few bits is larger.
const MOST_BYTES: usize = 1275;

/// From a source's packets to packets of the low-bitrate sound, one by one: nothing is held back.
pub struct Voice {
    decoder: Decoder,
    encoder: Encoder,
    samples: Vec<i16>,
}

impl Voice {
    /// A new one.
    ///
    /// # Errors
    /// When libopus has no memory.
    pub fn new() -> Result<Self, ::opus::Error> {
        let mut encoder = Encoder::new(RATE, Channels::Mono, Application::Audio)?;
        encoder.set_bitrate(Bitrate::Bits(BITS))?;
        encoder.set_inband_fec(true)?;
        encoder.set_packet_loss_perc(LOSS)?;
        // A decoder for one channel mixes two.
        let decoder = Decoder::new(RATE, Channels::Mono)?;
        Ok(Self { decoder, encoder, samples: vec![0; MOST_SAMPLES] })
    }

    /// The packet that takes the place of this one; none where it can't be decoded.
    pub fn push(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let count = self.decoder.decode(packet, &mut self.samples, false).ok()?;
        self.encoder.encode_vec(self.samples.get(..count)?, MOST_BYTES).ok().filter(|made| !made.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(encoder: &mut Encoder, number: usize, samples: usize) -> Vec<u8> {
        let pcm: Vec<i16> = (0..samples)
            .flat_map(|at| {
                let angle = (number * samples + at) as f32 * 440.0 * std::f32::consts::TAU / RATE as f32;
                [(angle.sin() * 9000.0) as i16, (angle.sin() * 7000.0) as i16]
            })
            .collect();
        encoder.encode_vec(&pcm, 4000).unwrap()
    }

    #[test]
    fn a_second_of_stereo_becomes_three_kilobytes_of_mono() {
        for samples in [480, 960, 1920, 2880] {
            let mut source = Encoder::new(RATE, Channels::Stereo, Application::Audio).unwrap();
            source.set_bitrate(Bitrate::Bits(128_000)).unwrap();
            let mut voice = Voice::new().unwrap();
            let mut ear = Decoder::new(RATE, Channels::Mono).unwrap();
            let (mut bytes, mut energy) = (0, 0.0);
            for number in 0..RATE as usize * 2 / samples {
                let made = voice.push(&tone(&mut source, number, samples)).unwrap();
                bytes += made.len();
                assert_eq!(::opus::packet::get_nb_channels(&made).unwrap(), Channels::Mono);
                let mut heard = vec![0_i16; MOST_SAMPLES];
                assert_eq!(ear.decode(&made, &mut heard, false).unwrap(), samples, "as long as before");
                energy += heard.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>();
            }
            assert!((4_000..=7_500).contains(&bytes), "{bytes} bytes in 2 s of packets of {samples}");
            assert!((energy / f64::from(RATE * 2)).sqrt() > 3000.0, "it is still heard");
        }
    }

    #[test]
    fn what_is_no_packet_gives_none_and_spoils_nothing() {
        let mut voice = Voice::new().unwrap();
        let mut source = Encoder::new(RATE, Channels::Stereo, Application::Audio).unwrap();
        let mut state = 1_u32;
        for number in 0..500 {
            let bytes: Vec<u8> = (0..number % 90)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                })
                .collect();
            let _ = voice.push(&bytes);
        }
        assert!(voice.push(&tone(&mut source, 0, 960)).is_some());
    }
}
