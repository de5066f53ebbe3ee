// Tells the frame beside it all sorts of things, again and again, and counts whether anything comes back.
const shouted = document.querySelector('#shouted');
const heard = document.querySelector('#heard');
addEventListener('message', () => { heard.textContent = Number(heard.textContent) + 1; });
const words = [
  { weir: 1, type: 'hello' }, { weir: 1, type: 'pause' }, { weir: 1, type: 'mute' }, '{"weir":1,"type":"pause"}',
  { weir: 1, type: 'setVolume', volume: 0 }, 'x'.repeat(1_000_000), { weir: 1, type: 'x'.repeat(1_000_000) }, null, 7, [],
  { weir: 2, type: 'pause' }, { weir: 1, type: { toString: 'pause' } }, { weir: 1, type: 'setVolume', volume: NaN },
];
setInterval(() => {
  for (const word of words) parent.frames[0].postMessage(word, '*');
  shouted.textContent = Number(shouted.textContent) + 1;
}, 50);
