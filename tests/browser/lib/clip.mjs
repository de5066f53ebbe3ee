// A camera whose picture can be recognised: eight big colour blocks in an order that names the station, and under them
// a strip of cells that counts frames. Made at run time, a few seconds long, played in a loop by the browser.
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';

export const WIDTH = 1280;
export const HEIGHT = 720;
export const FRAMES = 32;
const COLUMNS = 4;
const BLOCK_HEIGHT = 280;
const STRIP_TOP = 2 * BLOCK_HEIGHT;
const CELLS = 8;

/** What each block looks like once decoded (BT.601, limited range). */
export const PALETTE = [
  [235, 60, 50], [60, 190, 80], [60, 80, 220], [235, 220, 60],
  [220, 70, 210], [70, 210, 220], [235, 235, 235], [95, 95, 95],
];

const yuv = ([r, g, b]) => [
  16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255,
  128 + (-37.797 * r - 74.203 * g + 112 * b) / 255,
  128 + (112 * r - 93.786 * g - 18.214 * b) / 255,
].map(Math.round);

/** The cells of the strip for a frame: five bits of its number, their parity, and one cell that is always on, one off. */
export function cells(frame) {
  const bits = [4, 3, 2, 1, 0].map((bit) => (frame >> bit) & 1);
  return [1, ...bits, bits.reduce((a, b) => a ^ b, 0), 0];
}

function planes(station, frame) {
  const chromaWidth = WIDTH / 2;
  const y = Buffer.alloc(WIDTH * HEIGHT, 16);
  const u = Buffer.alloc(chromaWidth * (HEIGHT / 2), 128);
  const v = Buffer.alloc(chromaWidth * (HEIGHT / 2), 128);
  const fill = (left, top, width, height, [ly, lu, lv]) => {
    for (let row = top; row < top + height; row += 1) {
      y.fill(ly, row * WIDTH + left, row * WIDTH + left + width);
      if (row % 2 === 0) {
        const start = (row / 2) * chromaWidth + left / 2;
        u.fill(lu, start, start + width / 2);
        v.fill(lv, start, start + width / 2);
      }
    }
  };
  const blockWidth = WIDTH / COLUMNS;
  PALETTE.forEach((_, i) => {
    const colour = yuv(PALETTE[(i + station) % PALETTE.length]);
    fill((i % COLUMNS) * blockWidth, Math.floor(i / COLUMNS) * BLOCK_HEIGHT, blockWidth, BLOCK_HEIGHT, colour);
  });
  const cellWidth = WIDTH / CELLS;
  cells(frame).forEach((on, i) => {
    fill(i * cellWidth, STRIP_TOP, cellWidth, HEIGHT - STRIP_TOP, on ? [235, 128, 128] : [16, 128, 128]);
  });
  return [y, u, v];
}

/** Writes the clip of one station (0 to 7) as YUV4MPEG2, 720p30, and gives its path. */
export async function writeClip(folder, station) {
  const path = join(folder, `station-${station}.y4m`);
  const file = createWriteStream(path);
  file.write(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F30:1 Ip A1:1 C420jpeg\n`);
  for (let frame = 0; frame < FRAMES; frame += 1) {
    file.write('FRAME\n');
    const [y, u, v] = planes(station, frame);
    file.write(y);
    file.write(u);
    if (!file.write(v)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
  return path;
}
