// A picture, thirty times a second, with the time it was drawn at in a strip of cells, and the eye that reads it at the other end.
// Both run on one machine, so the two pages share a clock.
const FRAME_RATE = 30;
const BITS = 20; // of a tenth of a millisecond: it wraps after 104 s
const CHECK_BITS = 4;
const CELLS = BITS + CHECK_BITS;
const STRIP = 1 / 15; // of the picture's height
const WRAP = 2 ** BITS;

const clock = {
  now: () => performance.timeOrigin + performance.now(),

  check(value) {
    let sum = 0b1010;
    for (let rest = value; rest > 0; rest = Math.floor(rest / 16)) sum ^= rest % 16;
    return sum;
  },

  /**
   * Starts drawing. Frames are made in memory and handed to the browser as a camera driver would: a canvas would be
   * painted by the processor on a machine without a graphics card, and that is not what is measured here.
   */
  draw({ width: WIDTH, height: HEIGHT } = { width: 1280, height: 720 }) {
    const luma = WIDTH * HEIGHT;
    const chroma = luma / 4;
    const scene = new Uint8Array(luma + 2 * chroma);
    for (let y = 0; y < HEIGHT; y += 1) {
      for (let x = 0; x < WIDTH; x += 1) scene[y * WIDTH + x] = 40 + ((x + y) % 640) / 4 + ((x >> 5) ^ (y >> 5)) % 8;
    }
    for (let i = 0; i < chroma; i += 1) {
      scene[luma + i] = 96 + (i % 640) / 10;
      scene[luma + chroma + i] = 160 - i / 4000;
    }
    const fill = (frame, left, top, width, height, value) => {
      for (let y = top; y < top + height; y += 1) frame.fill(value, y * WIDTH + left, y * WIDTH + left + width);
    };
    const generator = new MediaStreamTrackGenerator({ kind: 'video' });
    const writer = generator.writable.getWriter();
    let number = 0;
    const paint = () => {
      const now = clock.now();
      const frame = scene.slice();
      for (let i = 0; i < 6; i += 1) {
        const angle = number / 20 + i;
        const [x, y] = [0.44 + 0.35 * Math.cos(angle), 0.44 + 0.28 * Math.sin(angle * 1.3)];
        fill(frame, Math.round(x * WIDTH), Math.round(y * HEIGHT), Math.round(WIDTH / 11), HEIGHT / 8, 225);
      }
      number += 1;
      const value = Math.floor(now * 10) % WRAP;
      const whole = value * 2 ** CHECK_BITS + clock.check(value);
      for (let i = 0; i < CELLS; i += 1) {
        const [from, to] = [Math.round((i * WIDTH) / CELLS), Math.round(((i + 1) * WIDTH) / CELLS)];
        fill(frame, from, 0, to - from, HEIGHT * STRIP, Math.floor(whole / 2 ** (CELLS - 1 - i)) % 2 ? 235 : 16);
      }
      const timestamp = Math.round(performance.now() * 1000);
      // A frame that the browser is not ready for is dropped, as a camera's would be.
      if (writer.desiredSize < 0) return;
      writer.write(new VideoFrame(frame, {
        format: 'I420', codedWidth: WIDTH, codedHeight: HEIGHT, timestamp, transfer: [frame.buffer],
      }));
    };
    setInterval(paint, 1000 / FRAME_RATE);
    this.stream = new MediaStream([generator]);
  },

  /** Publishes by WHIP; in three sizes, with the browser's test sound, if that is asked for. */
  async publish({ url, key, codec, simulcast = false, sound = false }) {
    if (sound) {
      const [track] = (await navigator.mediaDevices.getUserMedia({ audio: true })).getAudioTracks();
      this.stream.addTrack(track);
    }
    const peer = await client.publishing(this.stream, codec, simulcast ? client.SIMULCAST : undefined);
    await client.post(url, peer, key);
    this.peer = peer;
  },

  /** Ends what `publish` or `serve` began. */
  stop() {
    this.peer?.close();
    this.peer = null;
  },

  /** Keyframes that the publisher was asked for. */
  async asked() {
    for (const entry of (await this.peer.getStats()).values()) {
      if (entry.type === 'outbound-rtp' && entry.kind === 'video') return (entry.pliCount ?? 0) + (entry.firCount ?? 0);
    }
    return 0;
  },

  /** Answers an offer to play, with no server in between. */
  async serve(sdp) {
    this.peer?.close();
    const peer = client.connection();
    await peer.setRemoteDescription({ type: 'offer', sdp });
    for (const transceiver of peer.getTransceivers()) {
      if (transceiver.receiver.track.kind !== 'video') continue;
      transceiver.direction = 'sendonly';
      await transceiver.sender.replaceTrack(this.stream.getVideoTracks()[0]);
    }
    await peer.setLocalDescription(await peer.createAnswer());
    await client.keepSize(peer);
    await client.gathered(peer);
    this.peer = peer;
    return peer.localDescription.sdp;
  },

  /** Joins (by WHEP, or by whatever `exchange` does with an offer); gives ms from the request to the first picture. */
  async join(url, codec) {
    const peer = await client.playing(url ? null : codec);
    // As Weir's player has it, either way: show what arrives.
    for (const receiver of peer.getReceivers()) receiver.jitterBufferTarget = 0;
    const video = document.createElement('video');
    video.width = 640;
    video.height = 360;
    video.muted = true;
    document.body.replaceChildren(video);
    client.show(peer, video);
    const first = new Promise((resolve) => video.requestVideoFrameCallback(() => resolve(performance.now())));
    await peer.setLocalDescription(await peer.createOffer());
    const asked = performance.now();
    let leave = async () => {};
    if (url) {
      const { session } = await client.post(url, peer);
      leave = () => fetch(session, { method: 'DELETE' });
    } else {
      await peer.setRemoteDescription({ type: 'answer', sdp: await globalThis.exchange(peer.localDescription.sdp) });
    }
    const answered = performance.now();
    const seen = await first;
    this.joined = { peer, video, leave };
    return { answer: answered - asked, picture: seen - asked };
  },

  async leave() {
    const { peer, leave } = this.joined;
    await leave();
    peer.close();
  },

  /**
   * Reads `count` pictures; gives for each how long after it was made it is on the screen (which is when the browser
   * expects to show it, or when it was read if that is later), and how long after it could be read.
   */
  async watch(count) {
    const { peer, video } = this.joined;
    const [scale, height] = [4, 4];
    const canvas = document.createElement('canvas');
    canvas.width = CELLS * scale;
    canvas.height = height;
    const context = canvas.getContext('2d', { willReadFrequently: true, alpha: false });
    const before = await this.statistics(peer);
    const [shown, read, times] = [[], [], []];
    let unreadable = 0;
    let last = -1;
    const started = performance.now();
    await new Promise((resolve) => {
      const look = (_, frame) => {
        const now = performance.now();
        const strip = video.videoHeight * STRIP;
        context.drawImage(video, 0, 0, video.videoWidth, strip, 0, 0, canvas.width, height);
        const { data } = context.getImageData(0, height / 2, canvas.width, 1);
        let whole = 0;
        for (let i = 0; i < CELLS; i += 1) whole = whole * 2 + Number(data[(i * scale + scale / 2) * 4 + 1] > 128);
        const value = Math.floor(whole / 2 ** CHECK_BITS);
        if (whole % 2 ** CHECK_BITS !== clock.check(value)) unreadable += 1;
        else if (value !== last) {
          last = value;
          const since = (at) => ((Math.floor((performance.timeOrigin + at) * 10) % WRAP) - value + WRAP) % WRAP / 10;
          read.push(since(now));
          shown.push(since(Math.max(now, frame.expectedDisplayTime)));
          times.push(now);
        }
        if (read.length >= count || performance.now() - started > (count / FRAME_RATE) * 3000) resolve();
        else video.requestVideoFrameCallback(look);
      };
      video.requestVideoFrameCallback(look);
    });
    const after = await this.statistics(peer);
    const [seconds, frames] = [(after.at - before.at) / 1000, after.frames - before.frames];
    return {
      shown,
      read,
      times,
      unreadable,
      codec: after.codec,
      width: video.videoWidth,
      height: video.videoHeight,
      frameRate: frames / seconds,
      kbits: ((after.bytes - before.bytes) * 8) / seconds / 1000,
      jitterBuffer: ((after.jitterBuffer - before.jitterBuffer) * 1000) / (after.emitted - before.emitted),
      decode: ((after.decode - before.decode) * 1000) / frames,
    };
  },

  /** What the viewer has seen by `stay` ms from now: freezes, packets it asked for again. */
  async troubles(stay) {
    await new Promise((resolve) => setTimeout(resolve, stay));
    for (const entry of (await this.joined.peer.getStats()).values()) {
      if (entry.type !== 'inbound-rtp' || entry.kind !== 'video') continue;
      return { freezes: entry.freezeCount ?? 0, repairs: entry.nackCount ?? 0 };
    }
    return { freezes: 0, repairs: 0 };
  },

  async statistics(peer) {
    const stats = await peer.getStats();
    for (const entry of stats.values()) {
      if (entry.type !== 'inbound-rtp' || entry.kind !== 'video') continue;
      return {
        at: entry.timestamp,
        frames: entry.framesDecoded,
        bytes: entry.bytesReceived,
        decode: entry.totalDecodeTime,
        jitterBuffer: entry.jitterBufferDelay,
        emitted: entry.jitterBufferEmittedCount,
        codec: stats.get(entry.codecId)?.mimeType.replace('video/', '') ?? '?',
      };
    }
    return null;
  },

  /** Mean ms that a frame spent in the encoder. */
  async encodeTime() {
    for (const entry of (await this.peer.getStats()).values()) {
      if (entry.type === 'outbound-rtp' && entry.kind === 'video') {
        return (entry.totalEncodeTime * 1000) / entry.framesEncoded;
      }
    }
    return null;
  },
};
globalThis.clock = clock;
