// <weir-player channel="ada" muted autoplay chat></weir-player>, for any page:
//   <script src="https://weir.example/embed.js" async></script>
(() => {
  const origin = new URL(document.currentScript.src).origin;
  if (customElements.get('weir-player')) return;

  const FRAME = 'position:absolute;inset:0;width:100%;height:100%;border:0';
  const CHAT = 'flex:0 0 340px;min-width:0;max-width:100%;min-height:320px;border:0';

  // Commands that wait for the player; of more, the oldest go.
  const WAITING_MOST = 8;
  const unknown = () => ({ playback: 'connecting', muted: null, volume: 1, latencyMs: null });

  class WeirPlayer extends HTMLElement {
    static observedAttributes = ['channel', 'muted', 'autoplay', 'chat', 'token'];

    #frame = null;
    #state = unknown();
    #soon = false;
    // Whether the frame's player has said how it looks: before that it hears nothing, so what it is told waits.
    #ready = false;
    #waiting = [];
    #hear = (event) => {
      if (event.origin !== origin || event.source !== this.#frame?.contentWindow) return;
      const { weir, type, ...detail } = event.data ?? {};
      if (weir !== 1) return;
      if (type === 'state') {
        this.#state = detail;
        this.#ready = true;
        for (const message of this.#waiting.splice(0)) this.#post(message);
      }
      if (type === 'state' || type === 'refused') {
        this.dispatchEvent(new CustomEvent(`weir-${type}`, { detail, bubbles: true }));
      }
    };

    connectedCallback() {
      addEventListener('message', this.#hear);
      // What the page set before this script was there hides the element's own properties.
      for (const name of ['muted', 'volume']) {
        if (!Object.hasOwn(this, name)) continue;
        const value = this[name];
        delete this[name];
        this[name] = value;
      }
      this.#show();
    }

    disconnectedCallback() {
      removeEventListener('message', this.#hear);
      this.#forget();
      this.shadowRoot?.replaceChildren();
    }

    #forget() {
      this.#frame = null;
      this.#ready = false;
      this.#waiting = [];
      this.#state = unknown();
    }

    attributeChangedCallback(name, before, now) {
      // A frame that is yet to come is made as the attributes say then.
      if (before === now || this.#soon || !this.shadowRoot || !this.isConnected) return;
      // A player that is there is told; anything else is another frame, once for all changes made together.
      if (name === 'muted') this.#tell(now === null ? 'unmute' : 'mute');
      else {
        this.#soon = true;
        this.#forget();
        queueMicrotask(() => {
          this.#soon = false;
          if (this.isConnected) this.#show();
        });
      }
    }

    #show() {
      const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
      const channel = this.getAttribute('channel') ?? '';
      const path = `${origin}/embed/${encodeURIComponent(channel)}`;
      // Of a private channel: a signed embed's token.
      const token = this.getAttribute('token') && `token=${encodeURIComponent(this.getAttribute('token'))}`;
      const box = document.createElement('div');
      const style = document.createElement('style');
      style.textContent = ':host{display:block}:host([hidden]){display:none}'
        + 'main{display:flex;flex-wrap:wrap}div{position:relative;flex:1 1 480px;aspect-ratio:16/9;min-width:0;background:#000}';
      if (channel) {
        const query = [this.hasAttribute('autoplay') || 'autoplay=0', this.hasAttribute('muted') && 'muted=1', token];
        const words = query.filter((word) => typeof word === 'string').join('&');
        this.#frame = this.#iframe(path + (words && `?${words}`), `${channel}, live on Weir`, FRAME);
        this.#frame.allow = 'autoplay; fullscreen; picture-in-picture';
        this.#frame.addEventListener('load', () => {
          this.#ready = false;
          this.#post({ type: 'hello' });
        });
        box.append(this.#frame);
      }
      const main = document.createElement('main');
      main.append(box);
      if (channel && this.hasAttribute('chat')) {
        main.append(this.#iframe(`${path}/chat${token ? `?${token}` : ''}`, `Chat of ${channel}`, CHAT));
      }
      root.replaceChildren(style, main);
    }

    #iframe(src, title, style) {
      const frame = document.createElement('iframe');
      frame.loading = this.getAttribute('loading') === 'eager' ? 'eager' : 'lazy';
      Object.assign(frame, { title, src });
      frame.style.cssText = style;
      return frame;
    }

    #tell(type, more) {
      const message = { type, ...more };
      if (this.#ready) return this.#post(message);
      // Of a volume, the last one counts.
      if (type === 'setVolume') this.#waiting = this.#waiting.filter((other) => other.type !== type);
      this.#waiting.push(message);
      if (this.#waiting.length > WAITING_MOST) this.#waiting.shift();
    }

    #post(message) {
      this.#frame?.contentWindow?.postMessage({ weir: 1, ...message }, origin);
    }

    play() { this.#tell('play'); }
    pause() { this.#tell('pause'); }
    mute() { this.#tell('mute'); }
    unmute() { this.#tell('unmute'); }
    get volume() { return this.#state.volume; }
    set volume(volume) { this.#tell('setVolume', { volume: Number(volume) }); }
    get muted() { return this.#state.muted ?? this.hasAttribute('muted'); }
    set muted(muted) {
      // The person inside may have done the opposite of what the attribute still says.
      if (this.hasAttribute('muted') !== Boolean(muted)) this.toggleAttribute('muted', Boolean(muted));
      else if (this.muted !== Boolean(muted)) this.#tell(muted ? 'mute' : 'unmute');
    }
    get playback() { return this.#state.playback; }
    get latency() { return this.#state.latencyMs; }
  }

  customElements.define('weir-player', WeirPlayer);
})();
