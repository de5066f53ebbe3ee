// Put into every page before its own code: sees the page's peer connections, and reads what its picture shows.
// It only looks; the page does what it would do without.
(() => {
  const probe = { peers: [], palette: null };
  const Original = globalThis.RTCPeerConnection;
  if (Original && !globalThis.weirProbe) {
    globalThis.RTCPeerConnection = class RTCPeerConnection extends Original {
      constructor(...args) {
        super(...args);
        probe.peers.push(this);
      }
    };
  }

  /** The page's own picture: the largest video that has one. */
  probe.video = () => [...document.querySelectorAll('video')]
    .filter((video) => video.videoWidth > 0)
    .sort((a, b) => b.clientWidth - a.clientWidth)[0] ?? null;

  let canvas;
  probe.pixels = (width, height) => {
    const video = probe.video();
    if (!video) return null;
    canvas ??= document.createElement('canvas');
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(video, 0, 0, width, height);
    return context.getImageData(0, 0, width, height).data;
  };

  /** Which station's picture is shown and which of its frames; `null` when it is none that was sent. */
  probe.picture = () => {
    const [width, height] = [64, 36];
    const data = probe.pixels(width, height);
    if (!data) return null;
    const at = (x, y) => {
      const i = (Math.floor(y * height) * width + Math.floor(x * width)) * 4;
      return [data[i], data[i + 1], data[i + 2]];
    };
    const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
    const seen = probe.palette.map((_, i) => {
      const pixel = at(((i % 4) + 0.5) / 4, i < 4 ? 0.19 : 0.58);
      const near = probe.palette.map((colour, index) => [distance(pixel, colour), index]).sort((a, b) => a[0] - b[0]);
      return near[0][0] < 60 ? near[0][1] : -1;
    });
    const station = seen[0];
    if (station < 0 || seen.some((colour, i) => colour !== (i + station) % 8)) return null;
    const strip = Array.from({ length: 8 }, (_, i) => Number(at((i + 0.5) / 8, 0.89)[1] > 128));
    const bits = strip.slice(1, 6);
    const whole = strip[0] === 1 && strip[7] === 0 && bits.reduce((a, b) => a ^ b, 0) === strip[6];
    return { station, frame: whole ? bits.reduce((n, bit) => n * 2 + bit, 0) : null };
  };

  /** What the page receives, from its newest connection that is not closed. */
  probe.receiving = async () => {
    const peer = probe.peers.filter((p) => p.connectionState !== 'closed').at(-1);
    if (!peer) return null;
    const seen = { framesDecoded: 0, framesDropped: 0, audioEnergy: 0, audioSamples: 0, codec: null, packetsLost: 0 };
    const stats = await peer.getStats();
    stats.forEach((entry) => {
      if (entry.type !== 'inbound-rtp') return;
      if (entry.kind === 'video') {
        seen.framesDecoded += entry.framesDecoded ?? 0;
        seen.framesDropped += entry.framesDropped ?? 0;
        seen.packetsLost += entry.packetsLost ?? 0;
        if (entry.codecId) seen.codec = stats.get(entry.codecId)?.mimeType ?? null;
      } else {
        seen.audioEnergy += entry.totalAudioEnergy ?? 0;
        seen.audioSamples += entry.totalSamplesReceived ?? 0;
      }
    });
    return seen;
  };

  /**
   * Seconds from now until the page sends 1280×720 with an encoder that is told at least `rate` bit/s. Its connection may be
   * about to be made.
   */
  probe.ramp = async (rate) => {
    const started = performance.now();
    for (;;) {
      const peer = probe.peers.filter((p) => p.connectionState !== 'closed').at(-1);
      for (const entry of peer ? (await peer.getStats()).values() : []) {
        if (entry.type !== 'outbound-rtp' || entry.kind !== 'video') continue;
        if (entry.frameWidth === 1280 && entry.frameHeight === 720 && entry.targetBitrate >= rate) {
          return (performance.now() - started) / 1000;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  /** The pair of addresses that media takes, with both candidates' names; nothing before there is one. */
  probe.route = async () => {
    const peer = probe.peers.filter((p) => p.connectionState !== 'closed').at(-1);
    if (!peer) return null;
    const stats = await peer.getStats();
    const all = [...stats.values()];
    const chosen = all.find((entry) => entry.type === 'transport')?.selectedCandidatePairId;
    // Firefox names no transport, and marks the pair.
    const pair = stats.get(chosen) ?? all.find((entry) => entry.type === 'candidate-pair' && entry.selected);
    return pair ? { pair: pair.id, ...stats.get(pair.localCandidateId) } : null;
  };
  probe.pair = async () => (await probe.route())?.pair ?? null;
  probe.protocol = async () => (await probe.route())?.protocol ?? null;

  /** The loudest sample over `ms` of the page's picture's sound, 0 to 1. */
  probe.loudest = async (ms = 1500) => {
    const stream = probe.video()?.srcObject;
    if (!stream || stream.getAudioTracks().length === 0) return 0;
    const context = new AudioContext();
    await context.resume();
    const analyser = context.createAnalyser();
    analyser.fftSize = 2048;
    context.createMediaStreamSource(new MediaStream(stream.getAudioTracks())).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let peak = 0;
    const until = performance.now() + ms;
    while (performance.now() < until && peak < 0.02) {
      await new Promise(requestAnimationFrame);
      analyser.getFloatTimeDomainData(samples);
      for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
    }
    await context.close();
    return peak;
  };

  globalThis.weirProbe ??= probe;
})();
