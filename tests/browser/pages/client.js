// A WHIP publisher and a WHEP player that know nothing of Weir but URL and key, for use from `page.evaluate`.
// On another origin than the server, so that its CORS answers are used too.
const client = {
  peers: [],

  /** A connection that is told about all it does through `this.peers`. */
  connection() {
    const peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    this.peers.push(peer);
    return peer;
  },

  async camera(frameRate = 30) {
    return navigator.mediaDevices.getUserMedia({
      video: { width: 1280, height: 720, frameRate: { ideal: frameRate, max: frameRate } },
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
  },

  /** Sends `codec` and nothing else. */
  prefer(transceiver, codec) {
    const wanted = `video/${codec}`.toLowerCase();
    const all = RTCRtpSender.getCapabilities('video').codecs;
    const chosen = all.filter((c) => c.mimeType.toLowerCase() === wanted);
    if (chosen.length === 0) throw new Error(`this browser does not send ${codec}`);
    // Of H.264's and VP9's many profiles, the ones that everybody decodes first.
    const rank = (c) => (/42e01f|profile-id=0|profile=0/.test(c.sdpFmtpLine ?? '') ? 0 : 1)
      + (/packetization-mode=0/.test(c.sdpFmtpLine ?? '') ? 1 : 0);
    chosen.sort((a, b) => rank(a) - rank(b));
    transceiver.setCodecPreferences([...chosen, ...all.filter((c) => c.mimeType === 'video/rtx')]);
  },

  /** Three sizes of one picture, each half as large as the one before it. */
  SIMULCAST: [
    { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 2_000_000 },
    { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 600_000 },
    { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 200_000 },
  ],

  async publishing(stream, codec, sendEncodings) {
    const peer = this.connection();
    for (const track of stream.getTracks()) {
      const of = track.kind === 'video' && sendEncodings ? { sendEncodings } : {};
      const transceiver = peer.addTransceiver(track, { direction: 'sendonly', streams: [stream], ...of });
      if (track.kind === 'video' && codec) this.prefer(transceiver, codec);
    }
    await peer.setLocalDescription(await peer.createOffer());
    if (!sendEncodings) await this.keepSize(peer);
    return peer;
  },

  /** 720p from the first frame on: browsers else begin small and grow over ten seconds. */
  async keepSize(peer) {
    const sender = peer.getSenders().find((s) => s.track?.kind === 'video');
    const parameters = sender.getParameters();
    parameters.degradationPreference = 'maintain-resolution';
    for (const encoding of parameters.encodings) encoding.maxBitrate = 2_500_000;
    await sender.setParameters(parameters);
  },

  async playing(codec) {
    const peer = this.connection();
    const video = peer.addTransceiver('video', { direction: 'recvonly' });
    if (codec) this.prefer(video, codec);
    peer.addTransceiver('audio', { direction: 'recvonly' });
    return peer;
  },

  /** Shows what `peer` receives; gives the stream. */
  show(peer, video = document.getElementById('video')) {
    const stream = new MediaStream();
    peer.addEventListener('track', ({ track }) => stream.addTrack(track));
    video.srcObject = stream;
    video.play().catch(() => {});
    return stream;
  },

  async post(url, peer, key) {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp', ...(key ? { authorization: `Bearer ${key}` } : {}) },
      body: peer.localDescription.sdp,
    });
    const body = await response.text();
    if (response.status !== 201) throw new Error(`${url} answered ${response.status}: ${body}`);
    const session = new URL(response.headers.get('location'), response.url).href;
    // A test may put a bad network between the two.
    const sdp = globalThis.throughRelay ? await globalThis.throughRelay(body) : body;
    await peer.setRemoteDescription({ type: 'answer', sdp });
    return { session, etag: response.headers.get('etag') };
  },

  /** Publishes the camera by WHIP, in several sizes if `sendEncodings` are given. */
  async publish({ url, key, codec, sendEncodings, frameRate }) {
    this.stream ??= await this.camera(frameRate);
    const peer = await this.publishing(this.stream, codec, sendEncodings);
    this.current = { ...(await this.post(url, peer, key)), key };
    return this.current.session;
  },

  /** Changes what the newest connection's picture is sent as. */
  async change(how) {
    const sender = this.peers.at(-1).getSenders().find((s) => s.track?.kind === 'video');
    const parameters = sender.getParameters();
    for (const encoding of parameters.encodings) how(encoding, parameters.codecs);
    await sender.setParameters(parameters);
  },

  /** Sends the picture so many times smaller. */
  scale(by) {
    return this.change((encoding) => { encoding.scaleResolutionDownBy = by; });
  },

  /** Sends the picture in another of the codecs that were agreed on, without a word to the server. */
  recode(name) {
    return this.change((encoding, codecs) => {
      const rank = (c) => (/packetization-mode=0|profile-id=[1-9]|profile=[1-9]/.test(c.sdpFmtpLine ?? '') ? 1 : 0);
      const fitting = codecs.filter((c) => c.mimeType === `video/${name}`).sort((a, b) => rank(a) - rank(b));
      if (fitting.length === 0) throw new Error(`${name} was not agreed on`);
      [encoding.codec] = fitting;
    });
  },

  /** Plays by WHEP; takes `codec` and no other, if there is one. */
  async play({ url, codec }) {
    const peer = await this.playing(codec);
    this.show(peer);
    await peer.setLocalDescription(await peer.createOffer());
    this.current = await this.post(url, peer);
    return this.current.session;
  },

  /** Restarts ICE of what `publish` or `play` began, by PATCH (RFC 9725, 4.3.3). */
  async restartIce() {
    const peer = this.peers.at(-1);
    const { session, key } = this.current;
    peer.restartIce();
    await peer.setLocalDescription(await peer.createOffer({ iceRestart: true }));
    await this.gathered(peer);
    const offer = peer.localDescription.sdp.split('\r\n');
    const second = offer.findIndex((line, i) => line.startsWith('m=') && offer.slice(0, i).some((other) => other.startsWith('m=')));
    const kept = ['a=group:', 'm=', 'a=mid:', 'a=ice-ufrag:', 'a=ice-pwd:', 'a=candidate:', 'a=end-of-candidates'];
    const fragment = offer.slice(0, second < 0 ? undefined : second)
      .filter((line) => kept.some((start) => line.startsWith(start)));
    const response = await fetch(session, {
      method: 'PATCH',
      headers: {
        'content-type': 'application/trickle-ice-sdpfrag',
        'if-match': '*',
        ...(key ? { authorization: `Bearer ${key}` } : {}),
      },
      body: `${fragment.join('\r\n')}\r\n`,
    });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`PATCH answered ${response.status}: ${text}`);
    const value = (name) => text.split('\r\n').find((line) => line.startsWith(name));
    const answer = peer.remoteDescription.sdp
      .replace(/a=ice-ufrag:[^\r]*/g, value('a=ice-ufrag:'))
      .replace(/a=ice-pwd:[^\r]*/g, value('a=ice-pwd:'));
    await peer.setRemoteDescription({ type: 'answer', sdp: answer });
    this.current.etag = response.headers.get('etag');
  },

  /** Ends what `publish` or `play` began, as the protocols want it. */
  async leave() {
    const { session, key } = this.current;
    const response = await fetch(session, {
      method: 'DELETE',
      headers: key ? { authorization: `Bearer ${key}` } : {},
    });
    this.peers.forEach((peer) => peer.close());
    return response.status;
  },

  gathered(peer) {
    if (peer.iceGatheringState === 'complete') return Promise.resolve();
    return new Promise((resolve) => {
      peer.addEventListener('icegatheringstatechange', () => {
        if (peer.iceGatheringState === 'complete') resolve();
      });
    });
  },

  // Straight from browser to browser, for when there is no server in between.
  async directOffer(codec) {
    this.stream ??= await this.camera();
    const peer = await this.publishing(this.stream, codec);
    this.direct = peer;
    await this.gathered(peer);
    return peer.localDescription.sdp;
  },

  async directAnswer(sdp) {
    const peer = this.connection();
    this.show(peer);
    await peer.setRemoteDescription({ type: 'offer', sdp });
    await peer.setLocalDescription(await peer.createAnswer());
    await this.gathered(peer);
    return peer.localDescription.sdp;
  },

  async directAccept(sdp) {
    await this.direct.setRemoteDescription({ type: 'answer', sdp });
  },
};
globalThis.client = client;
