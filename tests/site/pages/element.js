// What a page does with the element: its methods, its property, its events.
const player = document.querySelector('weir-player');
const insists = document.currentScript.dataset.unmute === '1';
const state = document.querySelector('#state');
const log = document.querySelector('#log');
for (const name of ['play', 'pause', 'mute', 'unmute']) {
  document.querySelector(`#${name}`)?.addEventListener('click', () => player[name]());
}
document.querySelector('#quiet')?.addEventListener('click', () => { player.volume = 0.5; });

let asked = false;
for (const name of ['weir-state', 'weir-refused']) {
  player.addEventListener(name, (event) => {
    const { detail } = event;
    if (name === 'weir-state') {
      state.textContent = `${detail.playback}, ${detail.muted ? 'muted' : 'audible'}, ${detail.volume}`;
      Object.assign(state.dataset, {
        playback: detail.playback, muted: detail.muted, volume: detail.volume, latency: detail.latencyMs ?? '', channel: detail.channel,
      });
      if (insists && !asked && detail.playback === 'playing' && detail.muted) {
        asked = true;
        player.unmute();
      }
    }
    const line = document.createElement('li');
    line.dataset.event = name;
    line.dataset.command = detail.command ?? '';
    line.textContent = `${name} ${JSON.stringify(detail)}`;
    log.append(line);
    // A page that stays open for an evening.
    while (log.children.length > 100) log.firstChild.remove();
  });
}
