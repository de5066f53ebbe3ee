// Put into a viewer's page before its own code: leads its media through a relay (by `weirThrough`, which the bench provides),
// and notes each picture that is shown, with how old it is and how large.
(() => {
  if (globalThis.weirNet) return;
  const [BITS, CHECK_BITS, STRIP] = [20, 4, 48 / 720]; // as in clock.js
  const [CELLS, WRAP, SCALE] = [BITS + CHECK_BITS, 2 ** BITS, 4];
  const net = { peers: [], pictures: [], states: [] };
  globalThis.weirNet = net;

  const Original = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = class RTCPeerConnection extends Original {
    constructor(...args) {
      super(...args);
      net.peers.push(this);
      const number = net.peers.length;
      this.addEventListener('connectionstatechange', () => {
        net.states.push({ at: Date.now(), peer: number, state: this.connectionState });
      });
    }

    async setRemoteDescription(description) {
      const sdp = description.type === 'answer' ? await globalThis.weirThrough(description.sdp) : description.sdp;
      return super.setRemoteDescription({ type: description.type, sdp });
    }
  };

  const now = () => performance.timeOrigin + performance.now();
  const check = (value) => {
    let sum = 0b1010;
    for (let rest = value; rest > 0; rest = Math.floor(rest / 16)) sum ^= rest % 16;
    return sum;
  };
  const canvas = document.createElement('canvas');
  canvas.width = CELLS * SCALE;
  canvas.height = SCALE;
  const context = canvas.getContext('2d', { willReadFrequently: true, alpha: false });

  /** ms since the picture was made, by the strip of cells in it; `null` if that can't be read. */
  const age = (video, at) => {
    context.drawImage(video, 0, 0, video.videoWidth, video.videoHeight * STRIP, 0, 0, canvas.width, SCALE);
    const { data } = context.getImageData(0, SCALE / 2, canvas.width, 1);
    let whole = 0;
    for (let i = 0; i < CELLS; i += 1) whole = whole * 2 + Number(data[(i * SCALE + SCALE / 2) * 4 + 1] > 128);
    const value = Math.floor(whole / 2 ** CHECK_BITS);
    if (whole % 2 ** CHECK_BITS !== check(value)) return null;
    return (((Math.floor(at * 10) % WRAP) - value + WRAP) % WRAP) / 10;
  };

  let watched = null;
  const look = (video) => (_, frame) => {
    if (video !== watched) return;
    const at = performance.timeOrigin + Math.max(performance.now(), frame.expectedDisplayTime);
    // Reading a picture costs time: each third one tells as much.
    const read = net.pictures.length % 3 === 0 ? age(video, at) : null;
    net.pictures.push({ at, age: read, height: frame.height });
    video.requestVideoFrameCallback(look(video));
  };
  setInterval(() => {
    const video = [...document.querySelectorAll('video')].find((element) => element.srcObject);
    if (video && video !== watched) {
      watched = video;
      video.requestVideoFrameCallback(look(video));
    }
  }, 20);

  /** What the browser counted of all its connections so far. */
  net.count = async () => {
    const sum = { at: now(), sessions: net.peers.length };
    const add = (name, value) => { sum[name] = (sum[name] ?? 0) + (value ?? 0); };
    for (const peer of net.peers) {
      if (peer.connectionState === 'closed') continue;
      for (const entry of (await peer.getStats()).values()) {
        if (entry.type !== 'inbound-rtp') continue;
        if (entry.kind === 'audio') {
          add('concealed', entry.concealedSamples);
          add('samples', entry.totalSamplesReceived);
          continue;
        }
        add('decoded', entry.framesDecoded);
        add('freezes', entry.freezeCount);
        add('frozen', entry.totalFreezesDuration);
        add('bufferDelay', entry.jitterBufferDelay);
        add('emitted', entry.jitterBufferEmittedCount);
        add('lost', entry.packetsLost);
        add('nacks', entry.nackCount);
        add('plis', entry.pliCount);
        add('repaired', entry.retransmittedPacketsReceived);
      }
    }
    return sum;
  };
})();
