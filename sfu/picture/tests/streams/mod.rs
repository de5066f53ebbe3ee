//! Streams of every codec, made with the encoders that come along with its decoder.
#![allow(unsafe_code, clippy::unwrap_used)]

use openh264::{
    OpenH264API,
    encoder::{Encoder as OpenH264, EncoderConfig as OpenH264Config, IntraFramePeriod},
    formats::YUVSlices,
};
use picture::{
    Picture,
    decode::libvpx::Version,
    footage::{Clip, Kind},
    rav1e::{Encoder, Settings},
};
use rav1e::prelude::{ChromaSampling, Config, Context, EncoderConfig, EncoderStatus, Pixel};
use shared::{
    broadcast::Codec,
    unit::{Bitrate, Size},
};
use std::{ffi::c_uint, mem::MaybeUninit, ptr, slice};
use vpx_sys::*;

/// A frame and whether it is a keyframe.
pub type Frame = (Vec<u8>, bool);

/// How VP9 or AV1 codes its pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Eight bits, 4:2:0.
    Plain,
    /// Eight bits, 4:4:4.
    Full,
    /// Ten bits, 4:2:0.
    Deep,
}

/// What is to be seen in the streams.
pub fn clip(size: Size) -> Clip {
    Clip::new(Kind::Film, size)
}

/// So many frames of this codec.
pub fn stream(codec: Codec, size: Size, count: u64) -> Vec<Frame> {
    let clip = clip(size);
    let pictures: Vec<Picture> = (0..count).map(|number| clip.picture(number)).collect();
    match codec {
        Codec::Av1 => av1(&pictures),
        Codec::Vp8 => vpx(Version::Vp8, Form::Plain, &pictures),
        Codec::Vp9 => vpx(Version::Vp9, Form::Plain, &pictures),
        _ => h264(&pictures),
    }
}

fn av1(pictures: &[Picture]) -> Vec<Frame> {
    let settings = Settings {
        size: pictures[0].size,
        colour: pictures[0].colour,
        rate: 30.0,
        bitrate: Bitrate(800_000),
        keyframes: 300,
        finest: 0,
    };
    let mut encoder = Encoder::open(settings).unwrap();
    pictures
        .iter()
        .map(|picture| {
            let encoded = encoder.encode(&picture.view()).unwrap().unwrap();
            (encoded.data, encoded.keyframe)
        })
        .collect()
}

/// Pictures in AV1 of ten bits or of full chroma, as no publisher's encoder here makes them: rav1e's own pace, a few pictures late.
pub fn av1_as(form: Form, pictures: &[Picture]) -> Vec<Vec<u8>> {
    let size = pictures[0].size;
    let mut config = EncoderConfig::with_speed_preset(10);
    (config.width, config.height) = (usize::from(size.width), usize::from(size.height));
    config.low_latency = true;
    config.quantizer = 60;
    if form == Form::Deep {
        config.bit_depth = 10;
    }
    if form == Form::Full {
        config.chroma_sampling = ChromaSampling::Cs444;
    }
    match form {
        Form::Deep => av1_of::<u16>(&config, form, pictures),
        _ => av1_of::<u8>(&config, form, pictures),
    }
}

fn av1_of<T: Pixel>(config: &EncoderConfig, form: Form, pictures: &[Picture]) -> Vec<Vec<u8>> {
    let mut context: Context<T> =
        Config::new().with_encoder_config(config.clone()).with_threads(1).new_context().unwrap();
    for picture in pictures {
        let mut frame = context.new_frame();
        for (index, plane) in frame.planes.iter_mut().enumerate() {
            let (width, height) = picture::sides(picture.size, index);
            let finer = usize::from(index > 0 && form == Form::Full);
            let bytes: Vec<u8> = (0..height << finer)
                .flat_map(|y| (0..width << finer).map(move |x| (x >> finer, y >> finer)))
                .flat_map(|(x, y)| {
                    let value = u16::from(picture.planes[index][y * width + x]);
                    let deep = (value << 2).to_le_bytes();
                    if form == Form::Deep { deep.to_vec() } else { vec![value as u8] }
                })
                .collect();
            let sample = if form == Form::Deep { 2 } else { 1 };
            plane.copy_from_raw_u8(&bytes, (width << finer) * sample, sample);
        }
        context.send_frame(frame).unwrap();
    }
    context.flush();
    let mut frames = Vec::new();
    loop {
        match context.receive_packet() {
            Ok(packet) => frames.push(packet.data),
            Err(EncoderStatus::Encoded) => {}
            Err(_) => return frames,
        }
    }
}

/// Ten pictures of [`clip`], 96×64, as x264 codes them with two B-frames between others; by access unit, in the order in which
/// they are decoded.
pub fn b_frames() -> Vec<Vec<u8>> {
    const DELIMITER: [u8; 5] = [0, 0, 0, 1, 9];
    let digits: Vec<u8> = include_str!("b-frames.txt").bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let data: Vec<u8> = digits.chunks(2).map(byte).collect();
    let is_start = |at: &usize| data[*at..].starts_with(&DELIMITER);
    let starts: Vec<usize> = (0..data.len()).filter(is_start).chain([data.len()]).collect();
    starts.windows(2).map(|pair| data[pair[0]..pair[1]].to_vec()).collect()
}

fn h264(pictures: &[Picture]) -> Vec<Frame> {
    let config = OpenH264Config::new()
        .bitrate(openh264::encoder::BitRate::from_bps(800_000))
        .skip_frames(false)
        .intra_frame_period(IntraFramePeriod::from_num_frames(300));
    let mut encoder = OpenH264::with_api_config(OpenH264API::from_source(), config).unwrap();
    pictures
        .iter()
        .map(|picture| {
            let (width, height) = (usize::from(picture.size.width), usize::from(picture.size.height));
            let [y, u, v] = &picture.planes;
            let slices = YUVSlices::new((y, u, v), (width, height), (width, width / 2, width / 2));
            let stream = encoder.encode(&slices).unwrap();
            (stream.to_vec(), stream.frame_type() == openh264::encoder::FrameType::IDR)
        })
        .collect()
}

/// Pictures in VP8 or VP9.
pub fn vpx(version: Version, form: Form, pictures: &[Picture]) -> Vec<Frame> {
    let size = pictures[0].size;
    let mut frames = Vec::new();
    // SAFETY: libvpx' own order of calls, with memory that lives through each; the image's planes are as large as it says.
    unsafe {
        let interface = if version == Version::Vp8 { vpx_codec_vp8_cx() } else { vpx_codec_vp9_cx() };
        let mut config = MaybeUninit::<vpx_codec_enc_cfg_t>::zeroed();
        assert_eq!(vpx_codec_enc_config_default(interface, config.as_mut_ptr(), 0), VPX_CODEC_OK);
        let mut config = config.assume_init();
        config.g_w = c_uint::from(size.width);
        config.g_h = c_uint::from(size.height);
        config.g_lag_in_frames = 0;
        config.rc_target_bitrate = 800;
        config.g_threads = 1;
        let mut flags = 0;
        let (format, samples) = match form {
            Form::Plain => (vpx_img_fmt::VPX_IMG_FMT_I420, 1),
            Form::Full => {
                config.g_profile = 1;
                (vpx_img_fmt::VPX_IMG_FMT_I444, 1)
            }
            Form::Deep => {
                config.g_profile = 2;
                config.g_bit_depth = vpx_bit_depth::VPX_BITS_10;
                config.g_input_bit_depth = 10;
                flags = 0x40000; // VPX_CODEC_USE_HIGHBITDEPTH
                (vpx_img_fmt::VPX_IMG_FMT_I42016, 2)
            }
        };
        let mut context = Box::new(MaybeUninit::<vpx_codec_ctx_t>::zeroed());
        let done = vpx_codec_enc_init_ver(
            context.as_mut_ptr(),
            interface,
            &config,
            flags,
            VPX_ENCODER_ABI_VERSION as i32,
        );
        assert_eq!(done, VPX_CODEC_OK);
        let context = context.as_mut_ptr();
        let image = vpx_img_alloc(ptr::null_mut(), format, config.g_w, config.g_h, 16);
        for (number, picture) in pictures.iter().enumerate() {
            for index in 0..3 {
                let (width, height) = picture::sides(size, index);
                let finer = usize::from(index > 0 && form == Form::Full);
                for y in 0..if finer == 1 { usize::from(size.height) } else { height } {
                    let row = &picture.planes[index][(y >> finer) * width..][..width];
                    let to = (*image).planes[index].add(y * (*image).stride[index] as usize);
                    let across = if finer == 1 { usize::from(size.width) } else { width };
                    for x in 0..across {
                        let value = row[x >> finer];
                        if samples == 2 {
                            to.cast::<u16>().add(x).write(u16::from(value) << 2);
                        } else {
                            to.add(x).write(value);
                        }
                    }
                }
            }
            assert_eq!(vpx_codec_encode(context, image, number as i64, 1, 0, 1), VPX_CODEC_OK);
            let mut iterator = ptr::null();
            while let Some(packet) = vpx_codec_get_cx_data(context, &mut iterator).as_ref() {
                if matches!(packet.kind, vpx_codec_cx_pkt_kind::VPX_CODEC_CX_FRAME_PKT) {
                    let frame = packet.data.frame;
                    let bytes = slice::from_raw_parts(frame.buf.cast::<u8>(), frame.sz);
                    frames.push((bytes.to_vec(), frame.flags & 1 != 0));
                }
            }
        }
        vpx_img_free(image);
        vpx_codec_destroy(context);
    }
    frames
}
